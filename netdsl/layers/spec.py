"""How a layer or function of torch is declared, and what a shape rule sees.

One declaration holds all that netdsl knows of a layer: its name and arguments
in torch's order with torch's defaults (a signature, as text), what it is in
Python, its shape rule, its parameters.  Everything else is derived from it.

A signature lists `name: kind = default`, separated by commas:

    in_features: size[-1], out_features: int, bias: bool = True

| kind | accepts | the rule sees |
|---|---|---|
| `int`, `float`, `bool`, `str` | such a value (`float` takes ints) | it |
| `int1` to `int6` | an int, or a list of that many | a tuple of that many |
| `ints`, `floats` | an int (a number) or a list of them | it, a list as a tuple |
| `size[i]`, `size[name, i]` | a keyword | size `i` of the first input, or of `name` |
| `tensor`, `tensors` | a tensor; a list of tensors | `Tensor`; a tuple of them |
| `number` | an int or float, or a tensor | it |
| `dtype` | a dtype (`float32`) | its name |
| `"a" "b"` | one of these words | it |
| `any` | any static value | it |

`kind | kind` allows both, a trailing `?` allows None, `*name: kind` takes all
that follow by position (or one list); behind it, or behind a bare `*`, are
arguments that are given by keyword.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from netdsl.dims import Size
from netdsl.shapes import Tensor

if TYPE_CHECKING:
    from netdsl.layers.call import Call

Value: TypeAlias = Any
Result: TypeAlias = "Tensor | tuple[Any, ...]"
Rule: TypeAlias = "Callable[[Call], Result]"
# What is wrong; a function where it is costly to say, since mostly nothing is.
Text: TypeAlias = "str | Callable[[], str]"


class Unknown:
    """A static value of which only the type is known (`float`, `list[int]`)."""

    __slots__ = ("origin", "type")

    def __init__(self, type: str, origin: object = None) -> None:
        self.type = type
        self.origin = origin

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Unknown)
            and self.origin is not None
            and self.type == other.type
            and self.origin == other.origin
        )

    def __hash__(self) -> int:
        return hash((self.type, self.origin))

    def __repr__(self) -> str:
        return f"Unknown({self.type})"


class OpenInts(Unknown):
    """A list of ints of which not even the length is known; `at` gives one of them."""

    __slots__ = ("at",)

    def __init__(self, value: Unknown, at: Callable[[int], Size]) -> None:
        super().__init__(value.type, value.origin)
        self.at = at


REQUIRED = object()


class Parameter:
    """One argument of a layer or function.

    `inferred` is the input (None is the first) and the index of a size that it
    follows from; `width` how often an int is repeated, for `int2` and the like.
    """

    __slots__ = (
        "default",
        "inferred",
        "keyword",
        "kinds",
        "name",
        "required",
        "variadic",
        "width",
    )

    def __init__(
        self,
        name: str,
        kinds: tuple[str, ...],
        default: Value = REQUIRED,
        variadic: bool = False,
        keyword: bool = False,
    ) -> None:
        self.name = name
        self.kinds = kinds
        self.default = default
        self.variadic = variadic
        self.keyword = keyword
        self.required = default is REQUIRED and not variadic
        self.inferred = next((_inferred(k) for k in kinds if k[:5] == "size["), None)
        self.width = next((WIDTHS[k] for k in kinds if k in WIDTHS), 0)


WIDTHS = {f"int{n}": n for n in range(1, 7)}


def _inferred(kind: str) -> tuple[str | None, int]:
    name, _, index = kind[5:-1].rpartition(",")
    return name.strip() or None, int(index)


class Signature:
    """The arguments of a layer or function, read from their declaration.

    `places` are those that can be given by position; `infers` says whether a
    size is inferred, so that all but the required arguments go by keyword.
    """

    __slots__ = ("by_name", "infers", "parameters", "places")

    def __init__(self, text: str) -> None:
        found: list[Parameter] = []
        keyword = False
        for part in _split(text):
            if part != "*":
                found.append(_parameter(part, keyword))
            keyword = keyword or part.startswith("*")
        self.parameters = tuple(found)
        self.by_name = {p.name: p for p in self.parameters}
        self.infers = any(p.inferred for p in found)
        # `Conv2d(64, 3)`: what must be said by position, all else by keyword.
        self.places = [
            p
            for p in found
            if not p.inferred and not p.keyword and (p.required or not self.infers)
        ]


def _split(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for i, char in enumerate(text):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    parts.append(text[start:])
    return [p.strip() for p in parts if p.strip()]


_LITERALS = {"None": None, "True": True, "False": False}


def _literal(text: str) -> Value:
    if text in _LITERALS:
        return _LITERALS[text]
    if text[0] in "\"'":
        return text[1:-1]
    if text[0] in "([":
        return tuple(_literal(p) for p in _split(text[1:-1]))
    return int(text) if re.fullmatch(r"-?\d+", text) else float(text)


def _parameter(text: str, keyword: bool) -> Parameter:
    head, _, default = text.partition(" = ")
    name, _, kinds = head.partition(":")
    variadic = name.startswith("*")
    words = re.findall(r'"[^"]*"|[a-z]+\d?(?:\[[^]]*\])?|\?', kinds)
    return Parameter(
        name.strip().lstrip("*"),
        tuple(words),
        _literal(default.strip()) if default else REQUIRED,
        variadic,
        keyword,
    )


class Declaration:
    """What is known of one layer or function.

    `target` is its Python: `nn.Linear`, `torch.cat`, `F.relu`, or `.view` for a
    method of the first argument.  `rule` gives the result for the inputs;
    `parameters` the shapes of a layer's parameters, and `buffers` of its
    buffers, in `state_dict` order; `flops` multiply-adds counted twice.
    """

    __slots__ = (
        "_call",
        "_call_text",
        "_signature",
        "_signature_text",
        "buffers",
        "doc",
        "flops",
        "infer",
        "is_layer",
        "name",
        "parameters",
        "rule",
        "target",
    )

    def __init__(
        self,
        name: str,
        signature: str,
        target: str,
        rule: Rule,
        *,
        call: str | None = None,
        doc: str = "",
        infer: Callable[[Call], Mapping[str, Value]] | None = None,
        parameters: Callable[[Call], Mapping[str, tuple[Size, ...]]] | None = None,
        buffers: Callable[[Call], Mapping[str, tuple[Size, ...]]] | None = None,
        flops: Callable[[Call], Size] | None = None,
    ) -> None:
        self.name = name
        self.is_layer = call is not None
        self.target = target
        self.rule = rule
        self.doc = doc
        self.infer = infer
        self.parameters = parameters
        self.buffers = buffers
        self.flops = flops
        self._signature_text = signature
        self._call_text = call if call is not None else ""
        self._signature: Signature | None = None
        self._call: Signature | None = None

    @property
    def signature(self) -> Signature:
        """Arguments of the constructor, or of the function."""
        if self._signature is None:
            self._signature = Signature(self._signature_text)
        return self._signature

    @property
    def call(self) -> Signature:
        """What a layer takes when it runs."""
        if self._call is None:
            self._call = Signature(self._call_text)
        return self._call

    @property
    def gives_tensor(self) -> bool:
        """Whether the result is one tensor, whatever goes in: the type of the rule
        says so."""
        return self.rule.__annotations__.get("return") == "Tensor"

    @property
    def has_weights(self) -> bool:
        return self.parameters is not None

    @property
    def infers(self) -> bool:
        """Whether a size is inferred, so that all but the required arguments
        are given by keyword."""
        return self.signature.infers


class Table(Mapping[str, Declaration]):
    """Declarations by name; a family is imported when one of its names is asked."""

    def __init__(self) -> None:
        self._known: dict[str, Declaration | str] = {}

    def expect(self, name: str, family: str) -> None:
        """The module of this package that declares the name."""
        self._known[name] = family

    def declare(self, declaration: Declaration) -> None:
        self._known[declaration.name] = declaration

    def __getitem__(self, name: str) -> Declaration:
        found = self._known[name]
        if isinstance(found, str):
            import_module(f"netdsl.layers.{found}")
            found = self._known[name]
            assert not isinstance(found, str), f"{name} is not declared there"
        return found

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


LAYERS = Table()


FUNCTIONS = Table()


def layer(
    declaration: str,
    rule: Rule,
    doc: str,
    *,
    call: str = "input: tensor",
    infer: Callable[[Call], Mapping[str, Value]] | None = None,
    parameters: Callable[[Call], Mapping[str, tuple[Size, ...]]] | None = None,
    buffers: Callable[[Call], Mapping[str, tuple[Size, ...]]] | None = None,
    flops: Callable[[Call], Size] | None = None,
) -> None:
    """Declares `torch.nn.NAME` from `NAME(signature)`."""
    name, signature = declaration[:-1].split("(", 1)
    made = Declaration(
        name,
        signature,
        f"nn.{name}",
        rule,
        call=call,
        doc=doc,
        infer=infer,
        parameters=parameters,
        buffers=buffers,
        flops=flops,
    )
    LAYERS.declare(made)


def function(
    declaration: str,
    target: str,
    rule: Rule,
    doc: str,
    *,
    flops: Callable[[Call], Size] | None = None,
) -> None:
    """Declares a function from `NAME(signature)` and its Python."""
    name, signature = declaration[:-1].split("(", 1)
    made = Declaration(name, signature, target, rule, doc=doc, flops=flops)
    FUNCTIONS.declare(made)
