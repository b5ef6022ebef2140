"""What a compile knows of its definitions, and counts of its work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from netdsl import graph, syntax
from netdsl.diagnostics import Advice, Diagnostic, Label, Report
from netdsl.dims import Size
from netdsl.elaborate.values import (
    BLUR,
    Factory,
    Val,
    type_name,
)
from netdsl.elaborate.walk import Stop, TooMuch, Walk
from netdsl.graph import Symbol
from netdsl.layers import LAYERS
from netdsl.limits import Limits
from netdsl.resolve import Files
from netdsl.shapes import Tensor
from netdsl.source import Span

# So many characters of text, walked again, are a step.
_STEP = 100
_LONG = 100
USE = 5
"""What a walk of its own costs, in steps."""
# A use that is the same whether the module trains or not.
ANY = "any"


class Used(NamedTuple):
    """What a use of a net gave."""

    value: Any
    sizes: Mapping[str, Any]
    parameters: Size
    built: int
    serial: int
    said: tuple[Diagnostic, ...]
    members: Mapping[str, Any]
    """Its layers, and the types of its own tensors, with the caller's sizes."""


# What the class of a list of layers calls the size that its first layer reads.
_OPEN_NAMES = ["in_features", "in_channels"]


class State:
    """What a compile knows of its definitions, and counts of its work."""

    def __init__(self, files: Files, report: Report, limits: Limits) -> None:
        self.files = files
        self.report = report
        self.limits = limits
        self.bindings: dict[tuple[int, str], dict[Any, Factory]] = {}
        self.shapes: dict[int, list[Tensor]] = {}
        self._walks: dict[int, Walk] = {}
        self._told: dict[int, tuple[Diagnostic, ...]] = {}
        self._collected = False
        self.tries_defaults = True
        """Whether nets are checked with the defaults of their hyperparameters."""
        self.observes = False
        """Whether the walks of definitions keep what they see, place by place."""
        self.specials: dict[int, set[str]] = {}
        """Net parameters for which a net needs a class per binding."""
        self.clones: dict[Any, syntax.Net] = {}
        self.kinds: dict[int, str] = {}
        """The types of hyperparameters."""
        self.suggested: dict[tuple[int, int, str], Advice] = {}
        """What is meant by the unknown words, by their places."""
        self.shaping: dict[int, list[str] | None] = {}
        """The hyperparameters that the shape of a net's result follows from."""
        self.changed_places: dict[int, tuple[tuple[str, int], ...]] = {}
        """Which sizes a round of a list of layers changes, where it was used."""
        self.settled: dict[int, dict[str, Factory]] = {}
        """Of a net made for its bindings: what they are."""
        self._used: dict[Any, Used] = {}
        self._plain_calls: dict[Any, Any] = {}
        """What functions of the file give for numbers and strings."""
        self.unsaid: set[Symbol] = set()
        """Hyperparameters of nets in use that who uses the net can't spell."""
        self._deep = 0
        """How many constants are being worked out, each for the one before."""
        self._innermost: dict[int, syntax.Net] = {}
        self._constants: dict[int, Val | None] = {}
        self._said: dict[int, tuple[Diagnostic, ...]] = {}
        """What was said of each constant."""
        self._active: list[syntax.Net | syntax.Fn] = []
        self._places: list[Span] = []
        """Of each active net: where it is mentioned."""
        self._handed = [0]
        """Of each active net: from where on nets were made by their names."""
        self._open: set[int] = set()
        """The nets whose classes are being defined."""
        self._steps = 0
        self._allowed = limits.steps
        self.exhausted: Span | None = None
        """Where the steps of the whole run came to an end."""
        self.serial = 0
        self.keeps: dict[int, dict[str, tuple[Any, ...]]] = {}
        """Of each net: attributes that hold a size of its result, and its index."""
        self._class_sizes: tuple[Any, dict[int, list[Symbol]]] = (None, {})
        self._users: dict[str, list[syntax.Net]] | None = None
        self._called: set[int] | None = None
        """The functions that something calls."""
        self.asked_training = 0
        """How often a walk looked whether the module trains."""
        self.given_sizes: dict[int, dict[str, int]] = {}
        """Of a net whose caller says them: its inferred sizes."""
        self.bound: dict[int, dict[str, Any]] = {}
        """Of each net: the names that its body binds by `=`, and how."""
        self.labels: dict[int, frozenset[str]] = {}
        """Of each net: the names that its text gives to layers."""
        self.fn_calls: dict[int, dict[str, Any]] = {}
        self.fn_results: dict[int, Any] = {}

    def step(self, span: Span, count: int = 1) -> None:
        """A round of a loop, or what costs as much as so many; there is a limit."""
        self._steps += count
        if self._steps > self._allowed:
            if self._steps > self.limits.steps_of_all:
                self.exhausted = span
            self.report.error("too-many-steps", self.too_many_steps(), span)
            raise TooMuch

    def walk_again(self, text: Span, span: Span, least: int = 1) -> None:
        """Text that is walked more than once: a round of a loop, a use of a net."""
        self.step(span, least + (text.end - text.start) // _STEP)

    def grown(self, value: Any, span: Span) -> None:
        """A long value that was made costs a step for 20 elements."""
        if isinstance(value, list | tuple | str) and len(value) > _LONG:
            self.step(span, len(value) // 20)

    def too_many_steps(self) -> str:
        if self.exhausted is None:
            return f"this takes more than {self.limits.steps:,} steps to work out"
        most = self.limits.steps_of_all
        return f"up to here the file takes more than {most:,} steps to work out"

    def start(self) -> None:
        """A new top-level item has steps of its own."""
        self._allow(self.limits.steps)

    def _allow(self, steps: int) -> None:
        self._allowed = min(self._steps + steps, self.limits.steps_of_all)

    def count(self) -> int:
        self.serial += 1
        return self.serial

    def too_many_parameters(self, walk: Walk, span: Span) -> Stop:
        return walk.stop(
            "too-many-parameters",
            f"this net has more than {self.limits.parameters:,} parameters",
            span,
        )

    # -- what another run may take over ------------------------------------------

    def known_class(self, item: syntax.Item) -> Walk | None:
        """The walk that defined a net, if one has."""
        return self._walks.get(id(item))

    def classes(self) -> Iterable[Walk]:
        return self._walks.values()

    @property
    def walked(self) -> bool:
        """Whether any item has been walked."""
        return bool(self._walks or self._used)

    def uses(self) -> dict[Any, Used]:
        return self._used

    def take_over(self, walks: Iterable[Walk], uses: Mapping[Any, Used]) -> None:
        """Classes, and uses of nets, of an earlier program, which still hold."""
        for walk in walks:
            walk.program = self  # type: ignore[assignment]
            self._walks[id(walk.owner)] = walk
            for net, tensor in walk.fed:
                self.shapes.setdefault(id(net), []).append(tensor)
        self._used.update(uses)

    def drop(self, nets: Iterable[syntax.Net]) -> None:
        """Forgets the classes of these nets, and their uses."""
        gone = {id(n) for n in nets}
        self._walks = {k: w for k, w in self._walks.items() if k not in gone}
        self._used = {k: u for k, u in self._used.items() if k[0][0] not in gone}

    def definition(self, owner: Any, name: str) -> Any:
        """The net, fn or extern of that name, as the owner's file sees it."""
        item = self.files.scope_of(owner).get(name)
        return (
            item if isinstance(item, syntax.Net | syntax.Fn | syntax.Extern) else None
        )

    def names(self, owner: Any) -> list[str]:
        return list(self.files.scope_of(owner))

    def layer_names(self, owner: Any) -> list[str]:
        return [*self.names(owner), *LAYERS]

    def constant(self, owner: Any, name: str, span: Span) -> Val | None:
        """A `let` at the top of the owner's file."""
        item = self.files.scope_of(owner).get(name)
        if not isinstance(item, syntax.Constant):
            return None
        key = id(item)
        if key not in self._constants:
            if self._deep >= self.limits.nesting:
                most = f"more than {self.limits.nesting} deep"
                text = f"constants below each other rest on each other {most}"
                help_ = "put each below those that it reads"
                self.report.error("too-deep", text, span, help=help_)
                return Val(BLUR, graph.Const(None), span)
            self._constants[key] = None
            self._deep += 1
            with self.report.recorded() as said:
                self._constants[key] = self._constant(item)
            self._deep -= 1
            self._said[key] = tuple(said.values())
        else:
            self.report.extend(self._said.get(key, ()))
        known = self._constants[key]
        if known is None:
            self.report.error(
                "recursive-net", f"`{name}` is defined by itself", item.span
            )
            return Val(BLUR, graph.Const(None), span)
        return known

    def _constant(self, item: syntax.Constant) -> Val:
        walk = Walk(self, item, defining=False)
        targets = item.let.targets
        symbol = Symbol(targets[0].id, "constant", place=item)
        try:
            if len(targets) != 1:
                raise walk.stop(
                    "unsupported", "a constant of the file has one name", item.span,
                    help="write a `let` for each",
                )  # fmt: skip
            value = walk.evaluate(item.let.value).value
        except (Stop, TooMuch):
            value = BLUR
        symbol.value = value
        symbol.type = type_name(value)
        return Val(value, graph.Ref(symbol), item.span)

    def size_words(self, net: syntax.Net) -> list[str]:
        """The names of sizes that a net's inputs mention."""
        last = self.innermost(net)
        if last.layer is not None:
            return _OPEN_NAMES
        types = [s.type for s in last.body if isinstance(s, syntax.Input)]
        parts = (p for t in types for p in syntax.walk(t))
        return [*dict.fromkeys(p.id for p in parts if isinstance(p, syntax.Name))]

    def innermost(self, net: syntax.Net) -> syntax.Net:
        """The net with a body, or with a layer of torch's, that variants of variants
        come down to."""
        passed = {id(net): net}
        last = net
        while id(last) not in self._innermost:
            inner = self.inner_net(last)
            if inner is None or id(inner) in passed:
                break
            last = passed[id(inner)] = inner
        last = self._innermost.get(id(last), last)
        self._innermost.update(dict.fromkeys(passed, last))
        return last

    def inner_net(self, net: syntax.Net) -> syntax.Net | None:
        """The net that a `net X = NET(...)` is."""
        layer = net.layer
        if isinstance(layer, syntax.Call):
            layer = layer.function
        if isinstance(layer, syntax.Name):
            found = self.definition(net, layer.id)
            if isinstance(found, syntax.Net) and found is not net:
                return found
        return None

    def input_names(self, net: syntax.Net) -> list[str] | None:
        """The names of a net's inputs; None for a list of layers."""
        last = self.innermost(net)
        if last.layer is not None:
            return None
        return [n.id for s in last.body if isinstance(s, syntax.Input) for n in s.names]

    def check_recursion(self, net: syntax.Net, span: Span) -> None:
        """Stops where a net that is being walked is made once more by its name.

        What comes as an argument is finite: a net may stand in itself that way.
        """
        if any(net is a for a in self._active[self._handed[-1] :]):
            self._refuse_recursion(net, span)
            raise Stop

    def _refuse_recursion(self, item: syntax.Net | syntax.Fn, span: Span) -> None:
        """Says that an active net is used once more: of nets that stand in each
        other, with whichever the walk began, the same of the first of them."""
        own = [i for i, a in enumerate(self._active) if a is item]
        behind = slice(own[-1] + 1 if own else len(self._active), None)
        nets = [item, *self._active[behind]]
        ring = [*zip(nets, [span, *self._places[behind]], strict=True)]
        first = min(range(len(ring)), key=lambda i: ring[i][0].name_span.offset)
        (item, span), *between = ring[first:] + ring[:first]
        if isinstance(item, syntax.Fn):
            text = f"`{item.name}` calls itself"
            help_ = "write a loop: `for` over a range or a list"
        else:
            text = f"`{item.name}` contains itself"
            help_ = "to repeat a part, make a chain: `[Block() for _ in range(depth)]`"
        labels = [Label(item.name_span, "defined here")]
        labels += [Label(use, f"through `{other.name}`") for other, use in between]
        self.report.error("recursive-net", text, span, "", labels, help_)

    @contextmanager
    def _inside(
        self, net: syntax.Net | syntax.Fn, span: Span, handed: bool = False
    ) -> Iterator[None]:
        if not handed and any(net is a for a in self._active[self._handed[-1] :]):
            self._refuse_recursion(net, span)
            raise Stop
        if len(self._active) >= self.limits.nesting:
            self.report.error(
                "too-deep",
                f"nets are nested more than {self.limits.nesting} deep",
                span,
            )
            raise Stop
        self._handed.append(len(self._active) if handed else self._handed[-1])
        self._active.append(net)
        self._places.append(span)
        try:
            yield
        finally:
            self._active.pop()
            self._places.pop()
            self._handed.pop()
