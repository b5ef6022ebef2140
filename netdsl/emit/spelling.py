"""Expressions as Python text: each name is spelled as its place wants it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from netdsl import dims, graph
from netdsl.dims import Size
from netdsl.elaborate.arithmetic import text_of
from netdsl.elaborate.members import has_class
from netdsl.elaborate.trees import OutOf
from netdsl.elaborate.values import (
    DType,
    Val,
    rounds_read,
)
from netdsl.emit.handing import (
    argument_text,
    factory_text,
    given_text,
    table_text,
)
from netdsl.emit.levels import (
    ATOM,
    CHOICE,
    COMPARE,
    LEVELS,
    NOT,
    OR,
    POWER,
    PRODUCT,
    SUM,
    UNARY,
)
from netdsl.emit.lines import Lines
from netdsl.emit.literals import number, quoted
from netdsl.emit.paths import path_text
from netdsl.graph import Expr, Symbol
from netdsl.reserved import is_attribute

Text = tuple[str, int]

# What Python can go over only once, and what goes over its arguments.
_ONCE = frozenset({"zip", "enumerate", "reversed"})
_GOES_OVER = frozenset({"zip", "enumerate", "list", "tuple", "sum", "min", "max"})

COUNTERS = ("i", "j", "k", *(f"i_{n}" for n in range(2, 99)))
"""Names for the number of a round."""


class Imports:
    """What a generated file imports: only what it uses."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def use(self, name: str) -> str:
        self.names.add(name)
        return name

    def note(self, text: str) -> str:
        """Notes the module that a dotted name comes from."""
        head = text.split(".")[0]
        if head in ("torch", "F", "nn", "math", "fnmatch"):
            self.names.add(head)
        return text


class Speller:
    """Spells expressions for one place: `__init__`, `forward`, a function."""

    def __init__(
        self,
        imports: Imports,
        net_name: Callable[[Any], str],
        symbol_text: Callable[[Symbol], str],
    ) -> None:
        self.imports = imports
        self.net_name = net_name
        self.symbol_text = symbol_text
        self.elements: list[tuple[dims.Atom, str]] = []
        """Elements of lists that a loop has names for."""
        self.known: list[tuple[Size, str]] = []
        """Sizes that a `let` has named."""
        self.running: dict[dims.Atom, Size] = {}
        """Running ints that changed in this round, in terms of their new values."""
        self.is_static: Callable[[Expr], bool] = lambda expr: False
        self.in_static_test = False
        """In a test that is settled when the module is built: sizes in it are read
        from the module, not from the tensor, so that tracers need not ask."""
        self.taken: set[str] = set()
        """Names that layers under construction can't have."""
        self.moved: dict[int, Size] = {}
        """Variables of a loop, by the rounds of the loop that builds."""
        self.locals: dict[int, str] = {}
        """Layers that a building loop holds in a variable."""
        self.ahead: Lines | None = None
        """Where a value may get a name, ahead of the line that is being spelled."""
        self.inside = 0
        """How many comprehensions are being spelled, whose variables no line knows."""

    # -- expressions -----------------------------------------------------------

    def text(self, expr: Any, least: int = CHOICE) -> str:
        """The expression, in parentheses if it binds looser than `least`."""
        text, level = self.spell(expr)
        return text if level >= least else f"({text})"

    def test(self, expr: Any, least: int = CHOICE) -> str:
        """The text of a condition."""
        before, self.in_static_test = self.in_static_test, self.is_static(expr)
        try:
            return self.text(expr, least)
        finally:
            self.in_static_test = before

    def spell(self, expr: Any) -> Text:
        match expr:
            case graph.Const():
                return self.constant(expr.value)
            case graph.Raw():
                return self.imports.note(expr.name), ATOM
            case graph.Ref():
                if id(expr.symbol) in self.moved:
                    return self.size(self.moved[id(expr.symbol)])
                return self.symbol_text(expr.symbol), ATOM
            case graph.SizeOf():
                return self.size(expr.size)
            case graph.Definition():
                return self.factory(expr.factory), ATOM
            case graph.Training():
                return "self.training", ATOM
            case graph.Op():
                return self._operator(expr)
            case graph.Choose():
                then, test = self.text(expr.then, OR), self.test(expr.test, OR)
                return f"{then} if {test} else {self.text(expr.other)}", CHOICE
            case graph.CallOf(target="split"):
                return self._split(*expr.arguments), ATOM
            case graph.CallOf():
                text = self._call(expr)
                return (f"list({text})" if expr.target in _ONCE else text), ATOM
            case graph.MethodOf():
                inner = self.arguments(expr.arguments, expr.keywords)
                return f"{self.text(expr.value, ATOM)}.{expr.name}({inner})", ATOM
            case graph.AttributeOf():
                return self._attribute(expr), ATOM
            case graph.Item():
                items = ", ".join(self.text(i) for i in expr.items)
                comma = "," if expr.is_tuple and len(expr.items) == 1 else ""
                return f"{self.text(expr.value, ATOM)}[{items}{comma}]", ATOM
            case graph.SliceOf():
                return self._slice(expr), ATOM
            case graph.Sequence():
                return self._sequence(expr.kind, expr.items), ATOM
            case graph.Mapped():
                inner = ", ".join(
                    f"{self.text(k)}: {self.text(v)}" for k, v in expr.entries
                )
                return f"{{{inner}}}", ATOM
            case graph.Spread():
                return f"*{self.iterable(expr.value, OR)}", ATOM
            case graph.Format():
                return self._format(expr), ATOM
            case graph.Comprehend():
                self.inside += 1
                inner = self.text(expr.element) + self.loops(expr.loops)
                self.inside -= 1
                return (f"[{inner}]" if expr.kind == "list" else inner), ATOM
            case graph.Apply():
                inner = self.arguments(expr.arguments, expr.keywords)
                return f"{self.text(expr.module, ATOM)}({inner})", ATOM
            case graph.ModuleRef():
                return self.path(expr.path), ATOM
            case graph.MemberOf():
                return self._member(expr), ATOM
            case OutOf():
                return self.out_of(expr), ATOM
        raise AssertionError(expr)

    def constant(self, value: Any) -> Text:
        if isinstance(value, DType):
            return self.imports.note(f"torch.{value}"), ATOM
        if value is ...:
            return "...", ATOM
        if isinstance(value, str):
            return quoted(value), ATOM
        if isinstance(value, int | float) and not isinstance(value, bool) and value < 0:
            return number(value), UNARY
        return number(value), ATOM

    def _operator(self, expr: graph.Op) -> Text:
        op, operands = expr.op, expr.operands
        if len(operands) == 1:
            level = NOT if op == "not" else UNARY
            space = " " if op == "not" else ""
            return f"{op}{space}{self.text(operands[0], level)}", level
        if len(operands) > 2:
            # `a < b <= c`
            words = _split_ops(op)
            parts = [self.text(o, SUM) for o in operands]
            text = parts[0]
            for word, part in zip(words, parts[1:], strict=True):
                text += f" {word} {part}"
            return text, COMPARE
        level = LEVELS[op]
        left, right = operands
        if op == "**":
            return _power(self.text(left, ATOM), self.text(right, UNARY)), level
        if level == COMPARE:
            return f"{self.text(left, SUM)} {op} {self.text(right, SUM)}", level
        same = level if op in ("or", "and") else level + 1
        return f"{self.text(left, level)} {op} {self.text(right, same)}", level

    def function(self, target: Any) -> str:
        """A function of torch by its dotted name, or one of the file."""
        return (
            self.imports.note(target)
            if isinstance(target, str)
            else self.net_name(target)
        )

    def _call(self, expr: graph.CallOf) -> str:
        text = self.iterable if expr.target in _GOES_OVER else self.text
        parts = [text(a) for a in expr.arguments]
        parts += [f"{name}={self.text(value)}" for name, value in expr.keywords]
        return f"{self.function(expr.target)}({', '.join(parts)})"

    def iterable(self, expr: Any, least: int = CHOICE) -> str:
        """What is gone over at once. Anywhere else `zip(...)` is made a list, since a
        value is there as often as it is asked for."""
        if isinstance(expr, graph.CallOf) and expr.target in _ONCE:
            return self._call(expr)
        if isinstance(expr, graph.ModuleRef | graph.MemberOf) and not has_class(expr):
            # The class of what a ModuleDict holds is not known.
            return f"{self.text(expr, ATOM)}.children()"
        return self.text(expr, least)

    def _split(self, values: Expr, sizes: Expr) -> str:
        """A list cut into lists: Python has no function for it."""
        whole, parts = self._named(values, "values"), self._named(sizes, "sizes")
        words = re.findall(r"\w+", f"{whole} {parts}")
        i = next(n for n in COUNTERS if n not in words)
        return (
            f"[{whole}[sum({parts}[:{i}]) : sum({parts}[: {i} + 1])]"
            f" for {i} in range(len({parts}))]"
        )

    def _named(self, value: Expr, name: str) -> str:
        """A value that is read more than once, by a name if a line can give it one."""
        text = self.text(value, ATOM)
        if self.ahead is None or self.inside or not isinstance(value, graph.Comprehend):
            return text
        names = (name, *(f"{name}_{n}" for n in range(2, 99)))
        name = next(n for n in names if n not in self.taken)
        self.taken.add(name)
        self.ahead.add(f"{name} = {text}")
        return name

    @contextmanager
    def lines_ahead(self, lines: Lines) -> Iterator[None]:
        """Values may get a name in a line ahead of the one that is being spelled."""
        self.ahead = lines
        try:
            yield
        finally:
            self.ahead = None

    def arguments(
        self, positional: Sequence[Any], keywords: Sequence[tuple[str, Any]] = ()
    ) -> str:
        parts = [self.text(a) for a in positional]
        parts += [f"{name}={self.text(value)}" for name, value in keywords]
        return ", ".join(parts)

    def _attribute(self, expr: graph.AttributeOf) -> str:
        value = expr.value
        if isinstance(value, graph.ModuleRef | graph.MemberOf) and not has_class(value):
            # The class of what a list holds is not known: torch finds the tensor.
            return f"{self.text(value, ATOM)}.get_parameter({quoted(expr.name)})"
        return f"{self.text(value, ATOM)}.{expr.name}"

    def _member(self, expr: graph.MemberOf) -> str:
        owner = self.text(expr.value, ATOM)
        if not isinstance(expr.name, str):
            return f"{owner}[{self.text(expr.name)}]"
        if expr.typed and is_attribute(expr.name):
            return f"{owner}.{expr.name}"
        return f"{owner}.get_submodule({quoted(expr.name)})"

    def _slice(self, expr: graph.SliceOf) -> str:
        start = self.text(expr.start, OR) if expr.start is not None else ""
        stop = self.text(expr.stop, OR) if expr.stop is not None else ""
        parts = [start, stop]
        if expr.step is not None:
            parts.append(self.text(expr.step, OR))
        # Spaces as black puts them.
        if all(_SIMPLE_INDEX.fullmatch(part) for part in parts):
            return ":".join(parts)
        return " : ".join(parts).strip().replace(":  :", "::")

    def _sequence(self, kind: str, items: Sequence[Any]) -> str:
        inner = ", ".join(self.text(i) for i in items)
        if kind == "list":
            return f"[{inner}]"
        return f"({inner},)" if len(items) == 1 else f"({inner})"

    def _format(self, expr: graph.Format) -> str:
        text = ""
        for part in expr.parts:
            if isinstance(part, str):
                text += quoted(part)[1:-1].replace("{", "{{").replace("}", "}}")
            else:
                text += "{" + self.text(part).replace('"', "'") + "}"
        return f'f"{text}"'

    def loops(self, loops: Sequence[graph.Loop]) -> str:
        """` for a in b if c`"""
        text = ""
        for loop in loops:
            text += (
                f" for {self.target(loop.target)} in {self.iterable(loop.iterable, OR)}"
            )
            for test in loop.tests:
                text += f" if {self.text(test, OR)}"
        return text

    def target(self, target: Any) -> str:
        if isinstance(target, Symbol):
            return self.symbol_text(target)
        if isinstance(target, graph.AttributeOf):
            return f"{self.text(target.value, ATOM)}.{target.name}"
        if isinstance(target, Expr):
            return self.text(target)
        inner = ", ".join(
            f"({self.target(t)})" if isinstance(t, tuple) else self.target(t)
            for t in target
        )
        return inner

    # -- layers ----------------------------------------------------------------

    def path(self, path: Sequence[Any]) -> str:
        return path_text(self, path)

    def out_of(self, expr: OutOf) -> str:
        local = self.locals.get(id(expr.module))
        owner = local if local is not None else self.path(expr.module.path)
        return f"{owner}.{expr.attribute}"

    def factory(self, value: Any) -> str:
        return factory_text(self, value)

    def given(self, positional: Sequence[Any], keywords: Any) -> str:
        return given_text(self, positional, keywords)

    def argument(self, argument: Any) -> str:
        return argument_text(self, argument)

    def table(self, value: Any) -> str:
        return table_text(self, value)

    # -- sizes -----------------------------------------------------------------

    def size(self, size: Any) -> Text:
        """A size that nobody wrote, spelled out of what has a name here."""
        if self.running:
            size = dims.substitute(size, self.running)
        for known, name in self.known:
            if known == size and isinstance(size, dims.Dim):
                return name, ATOM
        if not isinstance(size, dims.Dim):
            return self.constant(size)
        product = dims.factors(size)
        if len(product) > 1:
            return (
                " * ".join(_wrap(self.size(f), PRODUCT + 1) for f in product),
                PRODUCT,
            )
        parts: list[tuple[bool, Text]] = []
        for monomial, coefficient in size.terms:
            parts.append((coefficient < 0, self._term(monomial, abs(coefficient))))
        # What is added comes first, and of that a plain name: `in_channels + i * n`.
        parts.sort(key=lambda p: (p[0], p[1][1] < ATOM))
        if len(parts) == 1:
            negative, (text, level) = parts[0]
            if not negative:
                return text, level
            return f"-{text if level >= UNARY else f'({text})'}", UNARY
        constants = [p for p in parts if p[1][0].isdigit()]
        ordered = [p for p in parts if p not in constants] + constants
        text = ""
        for negative, spelled in ordered:
            term = _wrap(spelled, PRODUCT)
            if not text:
                text = f"-{term}" if negative else term
            else:
                text += f" - {term}" if negative else f" + {term}"
        return text, SUM

    def _term(self, monomial: dims.Monomial, coefficient: int) -> Text:
        factors: list[Text] = []
        if coefficient != 1 or not monomial:
            factors.append((str(coefficient), ATOM))
        for atom, exponent in sorted(monomial, key=lambda f: self._place(f[0])):
            text = self.atom(atom)
            if exponent > 1:
                text = _power(_wrap(text, ATOM), str(exponent)), POWER
            factors.append(text)
        if len(factors) == 1:
            return factors[0]
        return " * ".join(_wrap(f, PRODUCT + 1) for f in factors), PRODUCT

    def atom(self, atom: dims.Atom) -> Text:
        for known, name in self.elements:
            if known == atom:
                return name, ATOM if " " not in name else SUM
        for size, name in self.known:
            if dims.single(size) == atom:
                return name, ATOM
        match atom:
            case dims.Element():
                return self._element(atom), ATOM
            case dims.Name():
                return self._name(atom)
            case dims.FloorDiv() | dims.Mod():
                a, b = atom.parts()
                op = "//" if isinstance(atom, dims.FloorDiv) else "%"
                left, right = self.size(a), self.size(b)
                return f"{_wrap(left, PRODUCT)} {op} {_wrap(right, UNARY)}", PRODUCT
            case dims.Min() | dims.Max():
                inner = ", ".join(self.size(p)[0] for p in atom.parts())
                return f"{type(atom).__name__.lower()}({inner})", ATOM
            case dims.Power():
                a, b = atom.parts()
                return (
                    f"{_wrap(self.size(a), ATOM)} ** {_wrap(self.size(b), UNARY)}",
                    POWER,
                )
            case dims.Choose():
                then, other = atom.arms
                shown = self._test_of(atom)
                return (
                    f"{_wrap(self.size(then), OR)} if {shown}"
                    f" else {self.size(other)[0]}",
                    CHOICE,
                )
        raise AssertionError(atom)

    def _test_of(self, choice: dims.Choose) -> str:
        """The test of a choice, in terms of the rounds of the loop that it is in."""
        if not isinstance(choice.test, Val):
            return choice.shown
        with self.in_rounds_of(choice, choice.test):
            return self.text(choice.test.expr, OR)

    @contextmanager
    def in_rounds_of(self, choice: dims.Choose, test: Val) -> Iterator[None]:
        """Spells the variables of loops that a choice's test reads by its rounds."""
        read = zip(rounds_read(test).items(), choice.rounds, strict=True)
        moved = {id(symbol): at for (symbol, before), at in read if at != before}
        outside, self.moved = self.moved, {**self.moved, **moved}
        try:
            yield
        finally:
            self.moved = outside

    def _place(self, atom: dims.Atom) -> int:
        """Where an atom stands in a product: what a loop goes over first, then names,
        sizes of a tensor in their order, then what needs parentheses."""
        if any(known == atom for known, _ in self.elements):
            return 0
        if not isinstance(atom, dims.Name):
            return 100
        origin = atom.origin
        if not isinstance(origin, Symbol):
            return 1
        if origin.kind == "size" and origin.place is not None:
            return 2 + int(origin.place[1])
        return 0 if origin.kind == "loop" else 1

    def _name(self, atom: dims.Name) -> Text:
        origin = atom.origin
        if isinstance(origin, Symbol):
            return self.symbol_text(origin), ATOM
        if isinstance(origin, Expr):
            return self.spell(origin)
        return atom.shown, ATOM

    def _element(self, atom: dims.Element) -> str:
        text, owner = atom.list, self.text(atom.origin, ATOM)
        for i, index in enumerate(atom.parts()):
            back = index - dims.of(dims.Name(f"len({text})", 0))
            if isinstance(back, int) and back < 0:
                item = _from_end(atom.origin, back) if i == 0 else None
                owner = self.text(item, ATOM) if item else f"{owner}[{back}]"
            else:
                owner += f"[{self.size(index)[0]}]"
            text += f"[{text_of(graph.SizeOf(index))}]"
        return owner


def _from_end(origin: Any, back: int) -> Expr | None:
    """The element of a list that is written out, counted from its end."""
    if not isinstance(origin, graph.Sequence) or -back > len(origin.items):
        return None
    last = origin.items[back:]
    return None if any(isinstance(e, graph.Spread) for e in last) else last[0]


def _wrap(text: Text, least: int) -> str:
    return text[0] if text[1] >= least else f"({text[0]})"


_SIMPLE_INDEX = re.compile(r"-?\w*")
_SIMPLE_OPERAND = re.compile(r"-?[\d.]+|[A-Za-z_][\w.]*")


def _power(base: str, exponent: str) -> str:
    """Without spaces between simple operands, as black has it."""
    simple = map(_SIMPLE_OPERAND.fullmatch, (base, exponent))
    return f"{base}**{exponent}" if all(simple) else f"{base} ** {exponent}"


def _split_ops(text: str) -> list[str]:
    words, out = text.split(), []
    i = 0
    while i < len(words):
        if (
            words[i] in ("is", "not")
            and i + 1 < len(words)
            and words[i + 1]
            in (
                "not",
                "in",
            )
        ):
            out.append(f"{words[i]} {words[i + 1]}")
            i += 2
        else:
            out.append(words[i])
            i += 1
    return out
