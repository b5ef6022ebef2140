"""The state of one walk over one net, and the table of what handles which node.

A net is walked in one of two ways.  To *define* its class, hyperparameters and
sizes are symbols, loops are walked once with what they carry left open, and
the Python is recorded.  To *use* it, they are the values of the caller, which
may be numbers (then all is checked exactly) or the caller's own symbols.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar

from netdsl import dims, graph, syntax
from netdsl.diagnostics import Advice, Diagnostic, Edit, Label, Report
from netdsl.dims import Dim, Size
from netdsl.elaborate.results import (
    leaves_result,
    may_follow,
    tell_dropped,
    tell_unreached,
)
from netdsl.elaborate.values import BLUR, Blur, Val, size_names
from netdsl.facts import Comparison, Facts
from netdsl.graph import Expr, Symbol
from netdsl.limits import Limits
from netdsl.shapes import Refusal, Tensor
from netdsl.source import Span
from netdsl.suggestions import did_you_mean

if TYPE_CHECKING:
    from netdsl.elaborate.program import Program

N = TypeVar("N", bound=type)
_EVALUATORS: dict[type, Callable[[Walk, Any], Val]] = {}
_WORDS = re.compile(r"[A-Za-z_]\w*")
_STATEMENTS: dict[type, Callable[[Walk, Any], None]] = {}


def evaluates(*kinds: type) -> Callable[[Callable[[Walk, Any], Val]], Any]:
    """Marks the function that evaluates these nodes."""

    def mark(function: Callable[[Walk, Any], Val]) -> Any:
        for kind in kinds:
            _EVALUATORS[kind] = function
        return function

    return mark


def executes(kind: type) -> Callable[[Callable[[Walk, Any], None]], Any]:
    """Marks the function that walks this statement."""

    def mark(function: Callable[[Walk, Any], None]) -> Any:
        _STATEMENTS[kind] = function
        return function

    return mark


class TooMuch(Exception):
    """A limit is reached: the message is written, the walk ends."""


class Stop(Exception):
    """A mistake that has been told; what depends on the value is left alone."""


class Unfit(Exception):
    """A net is used where it can't be: that is told, and its body is left alone."""


class Seen:
    """What the walk of a definition met, by the places in its item: for who shows
    it beside the text.  Where a place is walked again, the last time counts."""

    __slots__ = ("stages", "values")

    def __init__(self) -> None:
        self.values: dict[tuple[int, int], Any] = {}
        """Of expressions and of names that are given a value."""
        self.stages: dict[tuple[int, int], tuple[Any, Any]] = {}
        """Of stages: what flows in, and what comes out."""


class Walk:
    """One walk over one net or function."""

    def __init__(
        self,
        program: Any,
        owner: Any,
        *,
        defining: bool,
        facts: Facts | None = None,
        chain: tuple[Label, ...] = (),
        training: bool | None = None,
        demanded: frozenset[str] = frozenset(),
        grants: bool = True,
    ) -> None:
        self.program: Program = program
        self.limits: Limits = program.limits
        self.owner = owner
        self.defining = defining
        self.facts = facts or Facts()
        self.chain = chain
        self.training = training
        self.demanded = demanded
        self.grants = grants
        """Whether a size counts as demanded as soon as a layer takes it."""
        self.granted_demand: set[str] = set()
        """Sizes that something asked for, and that a layer above it needs."""
        self.refused_demand: set[str] = set()
        """Sizes that something asked for, and that no layer needs as yet."""
        self.scope: dict[str, Val] = {}
        self.layers: dict[str, graph.Module] = {}
        self.layer_spans: dict[str, Span] = {}
        self.init: list[Any] = []
        self.forward: list[Any] = []
        self.top = True
        """At the net's own level, outside loops and conditions."""
        self.inputs: list[Symbol] = []
        self.sizes: dict[str, Val] = {}
        self.taken: dict[str, int] = {}
        self.ahead: set[str] = set()
        self.used: set[str] = set()
        self.result: Any = None
        self.results: list[tuple[Any, Span]] = []
        self.conditions: list[tuple[Comparison, str, Span]] = []
        self.count: Size = 0
        self.built = 0
        self.ties: list[Any] = []
        self.rules: list[Any] = []
        self.owns: dict[str, Any] = {}
        self.arms: tuple[tuple[Any, bool], ...] = ()
        self.names: dict[str, Span] = {}
        self.layer_arms: dict[str, tuple[tuple[Any, bool], ...]] = {}
        self.looping = 0
        self.loop_names: frozenset[str] = frozenset()
        """The variables of the loops around what is walked."""
        self.flow_name = ""
        self.touched: list[graph.Module] = []
        self.misread: list[graph.LayerModule] = []
        """Layers written in torch's order of arguments, the size of the input first."""
        self.rounds: list[Any] = []
        self.changing: list[tuple[Span, frozenset[Symbol]]] = []
        """Open loops of the body, and the sizes that each changes."""
        self.branches: set[Span] = set()
        self.returned = False
        self.appended: dict[str, list[Any]] | None = None
        self.popping: tuple[Size, dict[str, int]] | None = None
        self.actual: dict[str, Val] | None = None
        self.pending: tuple[Val, Span] | None = None
        self.assigned: list[tuple[list[str], Span]] = []
        self.lets: dict[str, Span] = {}
        self.remainders: list[tuple[Span, str]] = []
        self.let_values: list[tuple[Symbol, Any]] = []
        self.hypers: dict[str, Symbol] = {}
        self.own_spans: dict[str, Span] = {}
        self.variables: dict[str, Symbol] = {}
        self.wheres: list[Any] = []
        self.input_types: list[Any] = []
        self.input_spans: dict[str, Span] = {}
        self.input_defaults: dict[str, Any] = {}
        self.absent: set[str] = set()
        """Sizes of inputs that are None in this use."""
        self.root: graph.Module | None = None
        """Of a net that is a layer: that layer."""
        self.given_types: dict[str, Val] = {}
        self.blurred = False
        """Whether it met a name whose definition has a mistake."""
        self.said: tuple[Diagnostic, ...] = ()
        """Of a net's definition: its messages."""
        self.candidates: list[list[tuple[str, Any]]] = []
        """Of a list of layers: what may flow into it, the likeliest first."""
        self.fed: list[tuple[Any, Any]] = []
        """The nets that are layers which it uses, and what flows into them."""
        self.seen = Seen() if defining and program.observes else None

    @property
    def report(self) -> Report:
        """Where messages go now: each item of the file has a report of its own."""
        return self.program.report

    @property
    def failed(self) -> bool:
        """Whether the definition has mistakes."""
        return any(d.level == "error" for d in self.said)

    # -- dispatch --------------------------------------------------------------

    def evaluate(self, node: syntax.Expression) -> Val:
        """The value of an expression; a Blur where a mistake was told."""
        handler = _EVALUATORS[type(node)]
        try:
            val = handler(self, node)
            if self.seen is not None:
                self.seen.values[node.span[1:]] = val.value
            return val
        except Refusal as refusal:
            self.refused(refusal, node.span)
        except OverflowError:
            self.error("wrong-value", "this number is too large", node.span)
        except RecursionError:
            self.error("too-deep", "this is nested too deep", node.span)
        except Stop:
            pass
        return Val(BLUR, graph.Const(None), node.span)

    def execute(self, statements: Iterable[syntax.Statement]) -> None:
        init = self.init
        for statement in statements:
            if self.returned and not self.defining:
                # A use that has its result goes no further.
                if not may_follow(statement):
                    continue
            if self.returned and self.defining and not may_follow(statement):
                tell_unreached(self, statement)
                break
            self.flow_name = ""
            before = self.pending
            if not may_follow(statement):
                self.pending = None
            stopped = False
            try:
                _STATEMENTS[type(statement)](self, statement)
            except Refusal as refusal:
                self.refused(refusal, statement.span)
                stopped = True
            except OverflowError:
                self.error("wrong-value", "this size is too large", statement.span)
                stopped = True
            except RecursionError:
                self.error("too-deep", "this is nested too deep", statement.span)
                stopped = True
            except Stop:
                stopped = True
            if before is not None and not may_follow(statement):
                if leaves_result(self, statement, stopped):
                    self.pending = before
                else:
                    tell_dropped(self, *before)
        self.init = init

    def build(self, layers: int, span: Span) -> None:
        """Counts layers of a concrete use against the limit."""
        self.built += layers
        if self.built > self.limits.layers and not self.defining:
            self.error(
                "too-many-layers",
                f"this makes more than {self.limits.layers:,} layers",
                span,
                help="a program can allow more: `Limits(layers=...)`",
            )
            raise TooMuch

    def variable(self, name: str, value: Any) -> Symbol:
        """The symbol of a name that the body binds; one for the whole net."""
        known = self.variables.get(name)
        if known is None:
            from netdsl.elaborate.values import type_name

            known = Symbol(name, "var", type_name(value))
            self.variables[name] = known
        return known

    @contextmanager
    def in_arm(self, node: Any, truth: bool, test: Val) -> Iterator[None]:
        """In an arm of a condition; a dynamic one has the layers of both its arms,
        so that they don't part names."""
        from netdsl.elaborate.expressions import is_dynamic

        before = self.arms
        if not is_dynamic(self, test):
            self.arms = (*before, (node, truth))
        try:
            yield
        finally:
            self.arms = before

    # -- messages --------------------------------------------------------------

    def error(
        self,
        code: str,
        text: str,
        span: Span,
        note: str = "",
        labels: Iterable[Label] = (),
        help: str | Advice = "",
    ) -> None:
        """A message; in a walk for a use, with the places that led here.

        Behind so many messages as are shown, the walk ends.
        """
        if self.report.errors >= self.limits.diagnostics:
            raise TooMuch
        labels = (*labels, *(c for c in reversed(self.chain) if c.span != span))
        self.report.error(code, text, span, note, labels, help)

    def stop(self, code: str, text: str, span: Span, **more: Any) -> Stop:
        """A message, and the exception to raise with it."""
        self.error(code, text, span, **more)
        return Stop()

    def refused(
        self,
        refusal: Refusal,
        span: Span,
        spans: Mapping[str | int, Span] | None = None,
        labels: Iterable[Label] = (),
    ) -> None:
        place = span
        for key in (refusal.argument, refusal.position):
            if spans and key is not None and key in spans:
                place = spans[key]
                break
        labels = [*labels]
        if refusal.code == "shape-mismatch":
            labels += self.rounded(span)
        help_ = Advice(refusal.help)
        if refusal.meant and refusal.argument and place is not span:
            end = place.start + len(refusal.argument)
            edit = Edit(Span(place.chunk, place.start, end), refusal.meant)
            help_ = Advice(refusal.help, (edit,))
        elif refusal.instead and place is not span:
            named = re.match(r"\w+\s*=(?!=)\s*", place.text)
            start = place.start + (named.end() if named else 0)
            edit = Edit(Span(place.chunk, start, place.end), refusal.instead)
            help_ = Advice(refusal.help, (edit,))
        self.error(refusal.code, refusal.text, place, refusal.note, labels, help_)

    def rounded(self, span: Span) -> Iterator[Label]:
        """Divisions with a remainder that what stands there rests on: `C // heads`."""
        words = set(_WORDS.findall(span.text))
        lets = [s for name, s in self.lets.items() if name in words]
        for place, text in dict.fromkeys(self.remainders):
            inside = place.chunk is span.chunk and (
                span.start <= place.start and place.end <= span.end
            )
            if inside or any(s.line == place.line for s in lets):
                yield Label(place, text)

    def suggest(
        self, word: str, known: Iterable[str], span: Span | None = None
    ) -> Advice:
        """`did you mean ...?`, if a known word is near; the span is the word's, or
        begins with it."""
        if span is not None:
            span = Span(span.chunk, span.start, span.start + len(word))
            told = self.program.suggested
            # A place is walked again with each round and each use.
            key = id(span.chunk), span.start, word
            if key not in told:
                told[key] = did_you_mean(word, known, span)
            return told[key]
        return did_you_mean(word, known, span)

    def tell(self, problem: Exception, span: Span) -> None:
        """A mistake that an arm ended with; the other arms go on."""
        if isinstance(problem, Refusal):
            self.refused(problem, span)

    def exclusive(self, name: str) -> bool:
        """Whether the layer of that name stands in another arm of a condition."""
        theirs = dict((id(n), t) for n, t in self.layer_arms.get(name, ()))
        return any(theirs.get(id(n)) is (not t) for n, t in self.arms)

    def demands(self, size: str) -> bool:
        """Whether the class takes the size of that name when it is made."""
        if size in self.demanded or size in self.granted_demand:
            return True
        if self.grants and size in self._needed_above():
            self.granted_demand.add(size)
            return True
        self.refused_demand.add(size)
        return False

    def _needed_above(self) -> set[str]:
        """The sizes that the layers which were walked already take."""
        layers = [m for m in self.touched if isinstance(m, graph.LayerModule)]
        sizes = [s for layer in layers for s in layer.inferred.values()]
        symbols = [s for size in sizes for s in size_names(size)]
        return {s.name for s in symbols if s.kind == "size"}

    # -- facts -----------------------------------------------------------------

    def keep(self, conditions: Iterable[tuple[Comparison, str]], span: Span) -> None:
        """Conditions that a rule left open: known from here on.

        Those that hold for every use of the class are checked when it is built;
        what a path knows, or a layer of torch checks itself, is not.
        """
        for comparison, text in conditions:
            if self.top:
                self.conditions.append((comparison, text, span))
            self.facts = self.facts.assume(comparison)

    def simplest(self, size: Size) -> Size:
        """The size as the facts allow to write it: `C` for `heads * (C // heads)`."""
        if not isinstance(size, Dim):
            return size
        normal = self.facts.normal(size)
        return normal if len(dims.show(normal)) < len(dims.show(size)) else size

    def learn(self, conditions: Iterable[tuple[Comparison, str]]) -> None:
        """Conditions that torch checks itself where the layer is built or run."""
        for comparison, _ in conditions:
            self.facts = self.facts.assume(comparison)

    @contextmanager
    def on_path(self, facts: Facts) -> Iterator[None]:
        """Walks an arm of a condition; what it learns stays in it."""
        before = self.facts
        self.facts = facts
        top, self.top = self.top, False
        try:
            yield
        finally:
            self.facts = before
            self.top = top

    def fresh(
        self, name: str, kind: str, type_: str = "int", low: int | None = 0
    ) -> tuple[Symbol, Dim]:
        """A symbol that no other has, and the size it stands for."""
        symbol = Symbol(name, kind, type_)
        key = f"{name}#{self.program.count()}"
        return symbol, dims.of(dims.Name(key, low, None, symbol, name))

    # -- names -----------------------------------------------------------------

    def labels_ahead(self, node: syntax.Node) -> None:
        """Notes the names that layers are given anywhere in the net, so that an
        unnamed layer above them takes another."""
        known = self.program.labels.get(id(node))
        if known is None:
            labels = (p.label for p in syntax.walk(node) if type(p) is syntax.Labelled)
            known = frozenset(w.id for w in labels if isinstance(w, syntax.Name))
            self.program.labels[id(node)] = known
        self.ahead |= known

    def unique(self, name: str) -> str:
        """`relu`, then `relu_2`."""
        number = self.taken.get(name, 0) + 1
        self.taken[name] = number
        candidate = name if number == 1 else f"{name}_{number}"
        if candidate in self.layers or candidate in self.ahead:
            return self.unique(name)
        return candidate

    def named_layer(self, name: str) -> graph.Module | None:
        """The layer that the user gave this name; an unnamed one has none."""
        layer = self.layers.get(name)
        return layer if layer is not None and layer.named else None

    def bind(self, name: str, val: Val) -> None:
        self.scope[name] = val
        if self.seen is not None and val.span is not None:
            self.seen.values[val.span[1:]] = val.value

    @contextmanager
    def in_loop(self, names: Iterable[str]) -> Iterator[None]:
        """Walks a loop, whose variables are nearer than layers of their name."""
        outer, self.loop_names = self.loop_names, self.loop_names.union(names)
        try:
            yield
        finally:
            self.loop_names = outer

    @contextmanager
    def shadowed(self, names: Iterable[str]) -> Iterator[None]:
        """Loop variables of a comprehension, gone afterwards."""
        before = {n: self.scope.get(n) for n in names}
        try:
            with self.in_loop(before):
                yield
        finally:
            for name, val in before.items():
                if val is None:
                    self.scope.pop(name, None)
                else:
                    self.scope[name] = val

    # -- statements ------------------------------------------------------------

    def say(self, statement: Any) -> None:
        """Records a statement of forward."""
        self.forward.append(statement)

    def name_value(self, val: Val, hint: str) -> Val:
        """The value under a name, so that it is computed once, here."""
        if isinstance(val.expr, graph.Ref | graph.Const):
            return val
        symbol = _temporary(val, hint)
        self.say(graph.Assign(symbol, "=", val.expr, val.span))
        return Val(val.value, graph.Ref(symbol), val.span)

    def name_copy(self, val: Val, hint: str) -> Val:
        """The value under a name of its own, that may be assigned again."""
        symbol = _temporary(val, hint)
        self.say(graph.Assign(symbol, "=", val.expr, val.span))
        return Val(val.value, graph.Ref(symbol), val.span)

    def pop_round(self, name: str, val: Val, expr: Expr, span: Span) -> Val:
        """`skips.pop()` of a list whose length is not known."""
        from netdsl.elaborate.values import Rounds

        open_ = val.value
        if self.popping is not None:
            index, counts = self.popping
            if counts.get(name, 0):
                return Val(Blur(span), expr, span)
            counts[name] = 1
            return Val(open_.at(open_.count - 1 - index), expr, span)
        rest = Rounds(open_.count - 1, open_.at, ("popped", open_.key))
        self.bind(name, Val(rest, val.expr, val.span))
        return Val(open_.at(open_.count - 1), expr, span)

    def in_order(
        self, makers: Iterable[Callable[[], Val]], hints: Sequence[str] = ()
    ) -> list[Val]:
        """Evaluates from left to right.

        Where a later value needs statements of its own, the earlier ones are
        named before them: nothing is reordered.  So are those behind it, as long as
        their names say what they are.
        """
        if not self.defining:
            return [make() for make in makers]
        vals: list[Val] = []
        parted = False
        for make in makers:
            at = len(self.forward)
            val = make()
            if len(self.forward) > at:
                parted = True
                self.forward[at:at] = self._named(vals, hints)
            vals.append(val)
        if parted and hints:
            named = [
                *takewhile(lambda pair: _says(*pair), zip(hints, vals, strict=True))
            ]
            first = [val for _, val in named]
            self.forward += self._named(first, hints)
            vals[: len(first)] = first
        return vals

    def _named(self, vals: list[Val], hints: Sequence[str]) -> list[Any]:
        """The statements that name those of the values whose place matters."""
        said: list[Any] = []
        for i, done in enumerate(vals):
            if _moves(done):
                symbol = _temporary(done, hints[i] if hints else "")
                said.append(graph.Assign(symbol, "=", done.expr, done.span))
                vals[i] = Val(done.value, graph.Ref(symbol), done.span)
        return said


def _temporary(val: Val, hint: str) -> Symbol:
    """A name for a value that the user gave none."""
    kind = "Tensor" if isinstance(val.value, Tensor) else "Any"
    return Symbol("", "temp", kind, hint or "x")


def _says(name: str, val: Val) -> bool:
    """Whether a value has a name that says what it is, or needs none."""
    return len(name) > 1 or not _moves(val)


def _moves(val: Val) -> bool:
    """Whether it matters when the value is computed."""
    return any(
        isinstance(e, graph.Apply | graph.CallOf | graph.MethodOf | graph.Item)
        for e in graph.every(val.expr)
    )


def blur_of(*values: Any) -> Blur | None:
    """The blur among values. Where a mistake was told, nothing more is said."""
    blurs = [v for v in values if isinstance(v, Blur)]
    if not blurs:
        return None
    return next((b for b in blurs if b.reason is None), blurs[0])


def plain(expr: Expr) -> bool:
    return isinstance(expr, graph.Ref | graph.Const)
