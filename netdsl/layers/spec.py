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
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, TypeAlias

from netdsl.dims import Dim, Size, show
from netdsl.facts import Comparison, Facts
from netdsl.shapes import (
    DTYPES,
    FLOATS,
    Refusal,
    Shape,
    Tensor,
    Undecided,
    result_dtype,
)

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
        self.width = next((_WIDTHS[k] for k in kinds if k in _WIDTHS), 0)


_WIDTHS = {f"int{n}": n for n in range(1, 7)}


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


# -- arguments -----------------------------------------------------------------


def bind(
    declaration: Declaration,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    *,
    running: bool = False,
) -> dict[str, Value]:
    """Arguments by name, checked and normalised; sizes to infer are left out.

    `running` binds what a layer takes when it runs.  Raises Refusal with the
    place or the name of the argument at fault.
    """
    signature = declaration.call if running else declaration.signature
    name = declaration.name
    places = signature.places
    values: dict[str, Value] = {}
    for i, value in enumerate(positional):
        if i < len(places) and places[i].variadic:
            values[places[i].name] = _checked_all(name, places[i], positional[i:], i)
            break
        if i >= len(places):
            raise _too_many(declaration, places, positional, i, running)
        values[places[i].name] = _checked(name, places[i], value, i)
    for key, value in keywords.items():
        parameter = signature.by_name.get(key)
        if parameter is None:
            raise Refusal(
                "unknown-argument",
                f"`{name}` has no argument `{key}`",
                help=_which(signature, key),
                argument=key,
            )
        if key in values:
            raise Refusal(
                "repeated-argument",
                f"`{name}` is given `{key}` twice",
                note="given by position already",
                argument=key,
            )
        if parameter.variadic:
            values[key] = _checked_all(name, parameter, (value,), None)
        else:
            values[key] = _checked(name, parameter, value, None)
    for parameter in signature.parameters:
        if parameter.name in values or parameter.inferred is not None:
            continue
        if parameter.variadic:
            values[parameter.name] = ()
        elif parameter.required:
            if running:
                raise Refusal(
                    "bad-input",
                    f"`{name}` needs its input `{parameter.name}` too",
                    help=f"write `({_example(declaration, running)}) -> ...`",
                )
            raise Refusal(
                "missing-argument",
                f"`{name}` needs `{parameter.name}`",
                note=f"`{parameter.name}` is missing",
                help=f"write `{name}({_example(declaration, running)})`",
            )
        else:
            values[parameter.name] = _normal(parameter, parameter.default)
    return values


def _which(signature: Signature, word: str) -> str:
    """The argument that may be meant, or all there are."""
    from difflib import get_close_matches

    near = get_close_matches(word, signature.by_name, 1, 0.7)
    if near:
        return f"did you mean `{near[0]}`?"
    if word in ("device", "dtype"):
        return "the caller moves and converts the built module"
    known = ", ".join(f"`{p}`" for p in signature.by_name)
    return f"it takes {known}" if known else "it takes no arguments"


def _example(declaration: Declaration, running: bool) -> str:
    signature = declaration.call if running else declaration.signature
    words = [p.name for p in signature.parameters if p.required and p.inferred is None]
    return ", ".join(words)


def _too_many(
    declaration: Declaration,
    places: list[Parameter],
    positional: Sequence[Value],
    at: int,
    running: bool,
) -> Refusal:
    name = declaration.name
    given = len(positional)
    inferred = [p for p in declaration.signature.parameters if p.inferred]
    if declaration.infers and not running and inferred:
        return Refusal(
            "too-many-arguments",
            f"`{name}` takes {_count(len(places))} by position, not {given}:"
            f" `{inferred[0].name}` follows from the tensor that flows in",
            help=_without_sizes(declaration, positional),
            position=(
                at if inferred[0] is not declaration.signature.parameters[0] else 0
            ),
        )
    signature = declaration.call if running else declaration.signature
    if running:
        return Refusal(
            "bad-input",
            f"`{name}` takes {_tensors(len(places))}, and {given} flow in",
            position=at,
        )
    by_keyword = [p.name for p in signature.parameters if p.keyword]
    return Refusal(
        "too-many-arguments",
        f"`{name}` takes {_count(len(places))}"
        f"{' by position' if by_keyword else ''}, not {given}",
        note="one too many",
        help=f"`{by_keyword[0]}` is given by keyword" if by_keyword else "",
        position=at,
    )


def _without_sizes(declaration: Declaration, positional: Sequence[Value]) -> str:
    """The call, had it been written as torch wants it: `Linear(784, 10)`."""
    name = declaration.name
    parameters = declaration.signature.parameters
    given = list(zip(parameters, positional, strict=False))
    words = [_literal_text(v) for p, v in given if p.required and not p.inferred]
    words += [
        f"{p.name}={_literal_text(v)}"
        for p, v in given
        if not p.required and not p.inferred
    ]
    required = sum(p.required and not p.inferred for p in parameters)
    written = sum(p.required and not p.inferred for p, _ in given)
    if len(positional) > len(parameters) or written < required or "..." in words:
        example = _example(declaration, running=False)
        return f"write `{name}({example})`, and all else by name"
    shown = f"{name}({', '.join(words)})" if words else name
    return f"leave it out and write `{shown}`; all optional arguments go by name"


def _literal_text(value: Value) -> str:
    if isinstance(value, tuple | list):
        inner = ", ".join(_literal_text(v) for v in value)
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, str):
        return f'"{value}"' if value.isascii() and value.isprintable() else "..."
    if isinstance(value, Dim):
        return show(value)
    return str(value) if isinstance(value, int | float) or value is None else "..."


def _tensors(n: int) -> str:
    return "one tensor" if n == 1 else f"{n} tensors"


def _count(n: int) -> str:
    return "no arguments" if n == 0 else "one argument" if n == 1 else f"{n} arguments"


def _checked(name: str, parameter: Parameter, value: Value, at: int | None) -> Value:
    if not any(_fits(kind, value) for kind in parameter.kinds):
        worded = isinstance(value, str) and any(k[0] == '"' for k in parameter.kinds)
        raise Refusal(
            "wrong-value" if worded else "wrong-type",
            f"`{parameter.name}` of `{name}` is {describe_kinds(parameter.kinds)},"
            f" not {describe(value)}",
            argument=parameter.name,
            position=at,
        )
    return _normal(parameter, value)


def _checked_all(
    name: str, parameter: Parameter, given: Sequence[Value], at: int | None
) -> Value:
    """What a `*name` takes: values, or one list of them."""
    if len(given) == 1:
        only = given[0]
        if isinstance(only, Unknown) and only.type.startswith(("list", "tuple")):
            return (only,)
        if isinstance(only, tuple | list):
            given = only
    return tuple(
        _checked(name, parameter, value, None if at is None else at + i)
        for i, value in enumerate(given)
    )


def _normal(parameter: Parameter, value: Value) -> Value:
    if parameter.width and _is_int(value):
        return (value,) * parameter.width
    if isinstance(value, list):
        return tuple(value)
    return value


def _is_int(value: Value) -> bool:
    return isinstance(value, int | Dim) and not isinstance(value, bool)


def _fits(kind: str, value: Value) -> bool:
    if isinstance(value, Unknown):
        return kind not in ("tensor", "tensors") and _may_fit(kind, value.type)
    width = _WIDTHS.get(kind)
    if width:
        return _is_int(value) or (
            isinstance(value, tuple | list)
            and len(value) == width
            and all(_is_int(v) or isinstance(v, Unknown) for v in value)
        )
    match kind:
        case "int":
            return _is_int(value)
        case "float":
            return _is_int(value) or isinstance(value, float)
        case "number":
            return _is_int(value) or isinstance(value, float | bool | Tensor)
        case "bool":
            return isinstance(value, bool)
        case "str":
            return isinstance(value, str) and value not in DTYPES
        case "ints":
            return _is_int(value) or (
                isinstance(value, tuple | list)
                and all(
                    v is None or _is_int(v) or isinstance(v, Unknown) for v in value
                )
            )
        case "floats":
            return _fits("float", value) or (
                isinstance(value, tuple | list)
                and all(_fits("float", v) for v in value)
            )
        case "tensor":
            return isinstance(value, Tensor)
        case "tensors":
            return isinstance(value, tuple | list) and all(
                isinstance(v, Tensor) for v in value
            )
        case "dtype":
            return isinstance(value, str) and value in DTYPES
        case "?":
            return value is None
        case "any":
            return not isinstance(value, Tensor)
    if kind.startswith('"'):
        return isinstance(value, str) and value == kind[1:-1]
    return kind.startswith("size[") and (
        _is_int(value)
        or (isinstance(value, tuple | list) and all(_is_int(v) for v in value))
    )


def _may_fit(kind: str, type_: str) -> bool:
    names = {part.strip() for part in type_.split("|")}
    if "any" in names or (kind in ("any", "?") and "None" in names):
        return True
    if kind.startswith('"'):
        return "str" in names
    if kind in _WIDTHS or kind in ("ints", "floats"):
        return bool(names & {"int", kind[:-1]}) or any(
            n.startswith(("list", "tuple")) for n in names
        )
    accepted = {
        "float": {"float", "int"},
        "number": {"float", "int", "bool"},
        "dtype": {"dtype"},
    }.get(kind, {kind})
    return bool(names & accepted)


_KIND_WORDS = {
    "int": "an int",
    "float": "a number",
    "bool": "True or False",
    "str": "a string",
    "int1": "an int",
    "int2": "an int or a pair of ints",
    "int3": "an int or three ints",
    "int4": "an int or four ints",
    "int6": "an int or six ints",
    "ints": "an int or a list of ints",
    "floats": "a number or a list of numbers",
    "tensor": "a tensor",
    "tensors": "a list of tensors",
    "number": "a number or a tensor",
    "dtype": "a dtype such as `float32`",
    "?": "None",
    "any": "a value",
}


def describe_kinds(kinds: Sequence[str]) -> str:
    words = [
        "an int" if kind.startswith("size[") else _KIND_WORDS.get(kind, kind)
        for kind in kinds
    ]
    return " or ".join(dict.fromkeys(words))


def describe(value: Value) -> str:
    """A value as a message says it: `the string "same"`, `the tensor [N, 3]`."""
    if isinstance(value, Tensor):
        return f"a tensor {value}"
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, Dim):
        return f"the int `{show(value)}`"
    if isinstance(value, int):
        return f"the int {value}"
    if isinstance(value, float):
        return f"the float {value}"
    if isinstance(value, str):
        return f"the string {value!a}" if value not in DTYPES else f"dtype {value}"
    if isinstance(value, Unknown):
        return f"a value of type {value.type}"
    if isinstance(value, tuple | list):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return f"a {kind} of {len(value)}"
    if isinstance(value, dict):
        return "a dict"
    return str(value)


# -- what a rule sees ----------------------------------------------------------


class Call:
    """One use of a layer or function, as its rule sees it.

    Arguments and inputs are attributes, under torch's names.  `known` insists
    on a value; `require` and `equal` state what torch would check: a plain no
    is a Refusal, what cannot be decided here becomes a condition, decided at
    each concrete use.
    """

    def __init__(
        self,
        declaration: Declaration,
        values: Mapping[str, Value],
        facts: Facts,
    ) -> None:
        self.declaration = declaration
        self.values = dict(values)
        self.facts = facts
        self.conditions: list[tuple[Comparison, str]] = []

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    def known(self, name: str) -> Any:
        """An argument's value; a rule that cannot go on without it stops here."""
        value = self.values[name]
        if isinstance(value, Unknown) or (
            isinstance(value, tuple) and any(isinstance(v, Unknown) for v in value)
        ):
            raise Undecided(name)
        return value

    def number(self, name: str) -> int:
        """An int argument whose value, not only its name, has to be known."""
        value = self.facts.normal(self.known(name))
        if isinstance(value, Dim):
            raise Undecided(name)
        return value

    def numbers(self, name: str) -> tuple[int, ...]:
        """An int or a list of ints, as a tuple of known numbers."""
        value = self.known(name)
        values = value if isinstance(value, tuple) else (value,)
        out = []
        for item in values:
            item = self.facts.normal(item)
            if isinstance(item, Dim):
                raise Undecided(name)
            out.append(item)
        return tuple(out)

    def refuse(self, text: str, note: str = "", help: str = "") -> Refusal:
        """A shape mistake, for `raise`."""
        return Refusal("shape-mismatch", text, note, help)

    def bad(self, name: str, text: str, help: str = "") -> Refusal:
        """An argument that torch never takes, for `raise`."""
        return Refusal("wrong-value", text, help=help, argument=name)

    def at_least(self, *names: str, least: int = 1) -> None:
        """States how small an argument, or each of its ints, may be.

        Only a plain no counts: what a name may be is not worth a condition, since
        each concrete use comes here with numbers.
        """
        for name in names:
            value = self.values[name]
            for item in value if isinstance(value, tuple) else (value,):
                if not isinstance(item, int | Dim):
                    continue
                if self.facts.decide(Comparison(">=", item, least)) is False:
                    raise self.bad(
                        name,
                        f"`{name}` of `{self.declaration.name}` is at least {least},"
                        f" not {show(item)}",
                    )

    def require(self, comparison: Comparison, text: Text, help: str = "") -> None:
        """States that a comparison must hold; `text` says what is wrong if not."""
        decided = self.facts.decide(comparison)
        if decided is True:
            return
        text = text if isinstance(text, str) else text()
        if decided is False:
            note = f"`{comparison}` is needed"
            # Of numbers alone the text says it better.
            open_ = isinstance(comparison.left, Dim) or isinstance(
                comparison.right, Dim
            )
            raise Refusal("shape-mismatch", text, note if open_ else "", help)
        if decided is None:
            self.conditions.append((comparison, text))
            self.facts = self.facts.assume(comparison)

    def equal(
        self, a: Size, b: Size, text: Text, help: str = "", note: str | None = None
    ) -> None:
        """States that two sizes must be equal."""
        decided = self.facts.equal(a, b)
        if decided is True:
            return
        text = text if isinstance(text, str) else text()
        if decided is False:
            if note is None:
                note = f"{show(a)} is not {show(b)}"
                # A remainder says nothing that the text doesn't.
                note = "" if b == 0 or note in text else note
            raise Refusal("shape-mismatch", text, note, help)
        if decided is None:
            self.conditions.append((Comparison("==", a, b), text))
            self.facts = self.facts.assume(Comparison("==", a, b))

    def rank(self, tensor: Tensor, *ranks: int, name: str = "its input") -> None:
        """States how many sizes a tensor may have."""
        rank = tensor.shape.rank
        if rank is None:
            if tensor.shape.least_rank > max(ranks):
                rank = tensor.shape.least_rank
            else:
                raise Refusal(
                    "unknown-rank",
                    f"`{self.declaration.name}` wants {name} to have"
                    f" {' or '.join(str(r) for r in ranks)} sizes, and {tensor} may"
                    " have any number",
                    f"{tensor} flows in",
                    "write out the sizes of the input, without `*`",
                )
        if rank not in ranks:
            wanted = " or ".join(str(r) for r in ranks)
            raise self.refuse(
                f"`{self.declaration.name}` wants {name} to have {wanted} sizes,"
                f" and {tensor} has {rank}",
                f"{tensor} flows in",
            )

    def axis(self, tensor: Tensor, name: str = "dim") -> int:
        """The dimension of a tensor that an argument names."""
        try:
            return tensor.shape.place(self.number(name))
        except Refusal as refusal:
            refusal.argument = refusal.argument or name
            raise

    def axes(self, tensor: Tensor, name: str = "dim") -> tuple[int, ...]:
        """The dimensions of a tensor that an argument names; no two the same."""
        places = tuple(tensor.shape.place(d) for d in self.numbers(name))
        if len(set(places)) < len(places):
            raise Refusal(
                "bad-dimension",
                f"`{name}` of `{self.declaration.name}` names a size twice",
                f"{tensor} flows in",
                argument=name,
            )
        return places

    def same_dtype(self, *tensors: Tensor) -> str:
        """States that tensors have one dtype, and gives it."""
        dtypes = {t.dtype for t in tensors} - {"any"}
        precise = dtypes - {"float"}
        if len(precise) > 1 or ("float" in dtypes and not precise <= FLOATS):
            raise Refusal(
                "wrong-dtype",
                f"`{self.declaration.name}` wants one dtype, and is given"
                f" {', '.join(f'{t} of {t.dtype}' for t in tensors)}",
                "the dtypes differ",
                "bring one to the dtype of the other with `type_as`",
            )
        return next(iter(precise or dtypes or {"any"}))

    def integer(self, tensor: Tensor, *dtypes: str, name: str = "its input") -> None:
        """States that a tensor is of one of these integer dtypes (int64 if none)."""
        if tensor.dtype not in (dtypes or ("int64",)) and tensor.dtype != "any":
            raise Refusal(
                "wrong-dtype",
                f"`{self.declaration.name}` wants {name} to be"
                f" {' or '.join(dtypes or ('int64',))}, and {tensor} is {tensor.dtype}",
                f"{tensor} flows in",
            )

    def floating(self, tensor: Tensor, name: str = "its input") -> None:
        """States that a tensor is of a floating dtype."""
        if not tensor.is_float:
            raise Refusal(
                "wrong-dtype",
                f"`{self.declaration.name}` wants {name} to be floating point, and"
                f" {tensor} is {tensor.dtype}",
                f"{tensor} flows in",
            )

    def broadcast(self, *tensors: Tensor) -> Tensor:
        """The type of an operation element by element."""
        shape = tensors[0].shape
        for other in tensors[1:]:
            shape = self.broadcast_shapes(shape, other.shape)
        return Tensor(shape, result_dtype(*tensors))

    def broadcast_shapes(self, a: Shape, b: Shape) -> Shape:
        if a == b:
            return a
        if a.star is not None or b.star is not None:
            return self._broadcast_star(a, b)
        long, short = (a, b) if len(a.head) >= len(b.head) else (b, a)
        gap = len(long.head) - len(short.head)
        sizes = list(long.head[:gap])
        for i, (x, y) in enumerate(zip(long.head[gap:], short.head, strict=True)):
            x, y = (x, y) if long is a else (y, x)
            sizes.append(self._broadcast_size(x, y, a, b, gap + i))
        return Shape(tuple(sizes))

    def _broadcast_star(self, a: Shape, b: Shape) -> Shape:
        if a.star is not None and b.star is not None:
            if (a.star, len(a.head), len(a.tail)) != (b.star, len(b.head), len(b.tail)):
                raise (b if a.star else a)._unknown(f"whether {a} and {b} fit")
            head = tuple(
                self._broadcast_size(x, y, a, b, i)
                for i, (x, y) in enumerate(zip(a.head, b.head, strict=True))
            )
            tail = tuple(
                self._broadcast_size(x, y, a, b, i - len(a.tail))
                for i, (x, y) in enumerate(zip(a.tail, b.tail, strict=True))
            )
            return Shape(head, a.star, tail)
        star, plain = (a, b) if a.star is not None else (b, a)
        if len(plain.head) > len(star.tail):
            raise star._unknown(f"whether {a} and {b} fit")
        keep = len(star.tail) - len(plain.head)
        tail = star.tail[:keep] + tuple(
            self._broadcast_size(x, y, a, b, i - len(plain.head))
            for i, (x, y) in enumerate(zip(star.tail[keep:], plain.head, strict=True))
        )
        return Shape(star.head, star.star, tail)

    def _broadcast_size(self, x: Size, y: Size, a: Shape, b: Shape, at: int) -> Size:
        # Only a literal 1 broadcasts: a size with a name is taken to be any.
        if x == 1 or self.facts.normal(x) == 1:
            return y
        if y == 1 or self.facts.normal(y) == 1:
            return x
        self.equal(
            x,
            y,
            f"`{self.declaration.name}` joins {a} and {b}: size {at} is {show(x)}"
            f" and {show(y)}",
        )
        return x
