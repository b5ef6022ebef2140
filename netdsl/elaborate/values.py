"""What names and expressions stand for while a net is walked.

Static values are Python's own (int, float, bool, str, None, tuple, list, dict)
where known, else `Dim` (an int), `Condition` (a bool) or `Unknown` (of a type).
Tensors are `Tensor`; what an earlier mistake left without a type is `Blur`,
which meets everything silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from netdsl import dims, graph
from netdsl.dims import Dim, Size
from netdsl.facts import Comparison, Facts
from netdsl.graph import Argument, Expr, Symbol
from netdsl.layers.spec import Declaration, OpenInts, Unknown
from netdsl.records import Record
from netdsl.shapes import Tensor

if TYPE_CHECKING:
    from netdsl import syntax
    from netdsl.source import Span


class Val:
    """A value and the Python that gives it."""

    __slots__ = ("expr", "parts", "span", "value")

    def __init__(
        self,
        value: Any,
        expr: Expr,
        span: Span | None = None,
        parts: tuple[Span | None, ...] = (),
    ) -> None:
        self.value = value
        self.expr = expr
        self.span = span
        self.parts = parts
        """Of a tuple of tensors: where each comes from."""

    @property
    def argument(self) -> Argument:
        return Argument(self.value, self.expr, self.span)


class Blur:
    """A value whose type is not known, since a mistake was told already
    (`reason` is None) or since a rule could not decide (`reason` says where).

    If it `is_tensor`, only its shape is lost."""

    __slots__ = ("is_tensor", "reason")

    def __init__(self, reason: Span | None = None, is_tensor: bool = False) -> None:
        self.reason = reason
        self.is_tensor = is_tensor

    def sent_through(self, declaration: Declaration) -> Blur:
        """What a layer or function gives for it."""
        if self.is_tensor is declaration.gives_tensor or self.reason is None:
            return self
        return Blur(self.reason, declaration.gives_tensor)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Blur)

    def __hash__(self) -> int:
        return 0


class Gathered(Blur):
    """Tensors in a list of unknown length, not all of them of one loop: `parts` are
    Tensors and Rounds.  What joins tensors looks into it."""

    __slots__ = ("parts",)

    def __init__(self, reason: Span | None, parts: Sequence[Any]) -> None:
        super().__init__(reason)
        self.parts = tuple(parts)


BLUR = Blur()
# The types of values that are known and have no parts.
_DEEPEST = 64
"""Of lists in lists."""
PLAIN = frozenset({int, bool, float, str, type(None)})


class Maybe(Record):
    """An optional input of which only a run knows whether it is None."""

    value: Any

    def __str__(self) -> str:
        return f"{self.value} | None"


class Condition(Record):
    """A bool that is not known: `kind` is `compare`, `and`, `or`, `not`, `opaque`.

    `dynamic` if it depends on what only a run knows besides sizes.
    """

    kind: str
    parts: tuple[Any, ...]
    dynamic: bool

    def decide(self, facts: Facts) -> bool | None:
        match self.kind:
            case "compare":
                return facts.decide(self.parts[0])
            case "not":
                inner = decide(self.parts[0], facts)
                return None if inner is None else not inner
            case "and" | "or":
                stop = self.kind == "or"
                answers = [decide(p, facts) for p in self.parts]
                if stop in answers:
                    return stop
                return None if None in answers else not stop
        return None


def for_torch(given: Val | Argument) -> Any:
    """What torch's layers and functions are told of an argument: of a condition,
    that it is a bool; of a list of ints, what each of them is."""
    value = given.value
    if isinstance(value, Condition):
        return Unknown("bool", given.expr)
    if isinstance(value, Unknown) and value.type != "int":
        from netdsl.elaborate.arithmetic import element, int_or_element

        kinds = value.type.split(" | ")
        if all(kind == "int" or _OF_INTS.fullmatch(kind) for kind in kinds):
            at = element if "int" not in kinds else int_or_element
            return OpenInts(value, lambda i: at(value, "int", i))
    return value


_OF_INTS = re.compile(r"list\[int\]|tuple\[int(, int)*(, \.\.\.)?\]")


def decide(value: Any, facts: Facts) -> bool | None:
    """The truth of a static value, or None."""
    if isinstance(value, Condition):
        return value.decide(facts)
    if isinstance(value, Dim):
        return facts.decide(Comparison("!=", value, 0))
    if isinstance(value, Unknown | Tensor | Blur):
        return None
    return bool(value)


def assume(value: Any, truth: bool, facts: Facts) -> Facts:
    """The facts of the path on which a condition is true (or false)."""
    if isinstance(value, Dim):
        return facts.assume(Comparison("!=" if truth else "==", value, 0))
    if not isinstance(value, Condition):
        return facts
    match value.kind:
        case "compare":
            comparison = value.parts[0]
            return facts.assume(comparison if truth else comparison.negated())
        case "not":
            return assume(value.parts[0], not truth, facts)
        case "and" if truth:
            for part in value.parts:
                facts = assume(part, True, facts)
        case "or" if not truth:
            for part in value.parts:
                facts = assume(part, False, facts)
    return facts


class Factory(Record):
    """What makes a layer each time it is mentioned: a net, a torch layer, an
    extern, a net parameter, or one of these with some arguments; or `skip`."""

    unequal: ClassVar[tuple[str, ...]] = ("span",)
    target: Any
    positional: tuple[Argument, ...]
    keywords: tuple[tuple[str, Argument], ...]
    span: Any

    @property
    def name(self) -> str:
        return self.target if isinstance(self.target, str) else str(self.target.name)


SKIP = "skip"


class NetParameter(Record):
    """A hyperparameter of kind `net` inside the class that has it."""

    unequal: ClassVar[tuple[str, ...]] = ("bindings",)
    symbol: Symbol
    bindings: tuple[Factory, ...]

    @property
    def name(self) -> str:
        return self.symbol.name


class OpenNets(Unknown):
    """A table of nets (`list[net]`, `dict[str, net]`) inside the class that takes
    it; `bindings` are all nets that it is ever given."""

    __slots__ = ("bindings",)

    def __init__(
        self, type: str, origin: object, bindings: tuple[Factory, ...]
    ) -> None:
        super().__init__(type, origin)
        self.bindings = bindings

    def part(self, kind: str, place: Expr, text: str) -> Any:
        """One of its elements, or a table inside it."""
        if kind == "net":
            symbol = Symbol(text, "lookup")
            symbol.value = place
            return NetParameter(symbol, self.bindings)
        return OpenNets(kind, place, self.bindings)


class ModuleValue(Record):
    """A layer of the net, as a value: to be called, indexed or looped over."""

    module: graph.Module
    expr: Expr


class Rounds(Record):
    """A static or run-time sequence of unknown length.

    `at(index)` is its element at an index; `count` its length.
    """

    unequal: ClassVar[tuple[str, ...]] = ("at",)
    count: Size
    at: Any
    key: Any


class FunctionValue(Record):
    """A `fn` of the file or a function of torch, as a value."""

    target: syntax.Fn | Declaration


class DType(str):
    """A dtype, to tell `float32` from a string."""

    __slots__ = ()


def is_static(value: Any) -> bool:
    """Whether a value holds no tensor."""
    return not any(isinstance(v, Tensor | Blur) for v in leaves(value))


def is_number(value: Any) -> bool:
    """Whether a value is a plain one: an int, a float, a bool or a string."""
    if isinstance(value, Unknown):
        return value.type in ("int", "float", "bool", "str")
    return isinstance(value, int | float | str | Dim | Condition) and not isinstance(
        value, DType
    )


def leaves(value: Any) -> Iterator[Any]:
    """The values in nested lists, tuples and dicts."""
    if isinstance(value, tuple | list) and not isinstance(value, Tensor):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from leaves(item)
    else:
        yield value


def outgrown(value: Any, most: int) -> bool:
    """Whether nested values have more parts than this, or are nested too deep."""
    count, level = 0, [value]
    for _ in range(_DEEPEST):
        inside: list[Any] = []
        for part in level:
            if isinstance(part, list | tuple | dict) and not isinstance(part, Tensor):
                count += len(part)
                if count > most:
                    return True
                inside.extend(part.values() if isinstance(part, dict) else part)
        if not inside:
            return False
        level = inside
    return True


def type_name(value: Any) -> str:
    """The Python type of a value, as an annotation."""
    match value:
        case None:
            return "None"
        case bool() | Condition():
            return "bool"
        case int() | Dim():
            return "int"
        case float():
            return "float"
        case str():
            return "str"
        case Tensor() | Blur():
            return "Tensor"
        case Unknown():
            return value.type
        case tuple():
            return (
                f"tuple[{', '.join(type_name(v) for v in value)}]"
                if value
                else "tuple[()]"
            )
        case list():
            kinds = sorted({type_name(v) for v in value})
            return f"list[{' | '.join(kinds) or 'int'}]"
        case Rounds():
            return f"list[{type_name(value.at(0))}]"
        case dict():
            kinds = sorted({type_name(v) for v in value.values()})
            return f"dict[str, {' | '.join(kinds) or 'int'}]"
    return "Any"


def freeze(value: Any) -> Any:
    """A hashable twin of a value, for remembering walks."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, list):
        return ("list", *map(freeze, value))
    if isinstance(value, tuple):
        return ("tuple", *map(freeze, value))
    if isinstance(value, dict):
        return ("dict", *((k, freeze(v)) for k, v in value.items()))
    if isinstance(value, Factory):
        return (
            "factory",
            id(value.target) if not isinstance(value.target, str) else value.target,
            tuple(freeze(a.value) for a in value.positional),
            tuple((k, freeze(a.value)) for k, a in value.keywords),
        )
    if isinstance(value, bool | float):
        return type(value).__name__, value
    return value


def rounds_read(val: Val) -> dict[Symbol, Size]:
    """The variables of loops that the Python of a value reads, and what they hold."""
    return {
        part: part.value
        for part in graph.every(val.expr)
        if isinstance(part, Symbol)
        and part.kind == "loop"
        and isinstance(part.value, Dim)
    }


def size_names(size: Size) -> Iterator[Symbol]:
    """The symbols that a size is made of."""
    for atom in dims.atoms(size):
        if isinstance(atom, dims.Name) and isinstance(atom.origin, Symbol):
            yield atom.origin


def symbols_of(value: Any) -> Iterator[Symbol]:
    """The symbols that an open value is made of."""
    for leaf in leaves(value):
        if isinstance(leaf, Unknown):
            yield from _symbols_in(leaf.origin)
        elif isinstance(leaf, Dim):
            for atom in dims.atoms(leaf):
                test = atom.test if isinstance(atom, dims.Choose) else None
                yield from _symbols_in(getattr(atom, "origin", None))
                yield from _symbols_in(test.expr if isinstance(test, Val) else None)


def _symbols_in(origin: Any) -> Iterator[Symbol]:
    yield from (part for part in graph.every(origin) if isinstance(part, Symbol))
