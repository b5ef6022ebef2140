"""Definitions: each net walked once, with symbols, for its class."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.diagnostics import Report
from netdsl.dims import Size
from netdsl.elaborate.arguments import Arguments, holds_net
from netdsl.elaborate.types import (
    open_hyperparameter,
)
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    NetParameter,
    OpenNets,
    Val,
    size_names,
)
from netdsl.elaborate.walk import Stop, TooMuch, Walk
from netdsl.elaborate.words import LENGTHS
from netdsl.facts import Facts
from netdsl.graph import NetModule, Symbol
from netdsl.shapes import Refusal, Shape, Tensor


class Definitions(Arguments):
    """Definitions: each net walked once, with symbols, for its class."""

    def collect_bindings(self) -> None:
        """Finds what net parameters stand for, by walking the nets that have none.

        Only then can the classes that have them be defined.
        """
        from netdsl.elaborate.bindings import read_bindings
        from netdsl.elaborate.specialise import find_specials

        if self._collected:
            return
        self._collected = True
        nets = [i for i in self.files.items if isinstance(i, syntax.Net)]
        with self.report.muted():
            open_ = [n for n in nets if self._takes_nets(n)]
            if not open_ and all(n.layer is None for n in nets):
                return
            plain = not open_ or read_bindings(self, {id(n): n for n in open_})
            if not plain:
                for net in nets:
                    if net not in open_:
                        self._quietly(net)
            # Outer nets first: what they hand on reaches the inner ones.
            walks = [self._quietly(net, plain) for net in reversed(open_)]
            if not plain:
                self._forget()
            self.specials = find_specials(self, [w for w in walks if w is not None])
            if self.specials:
                self._used.clear()
        if self.specials or not plain:
            self._forget()

    def _forget(self) -> None:
        """Drops the classes that were defined before all was known."""
        self._walks.clear()
        self._class_sizes = (None, {})
        self.keeps.clear()

    def _quietly(self, net: syntax.Net, plain: bool = False) -> Walk | None:
        self.start()
        try:
            if plain:
                return self.define(net)
            with self._inside(net, net.name_span):
                return self.walk_definition(net, frozenset())
        except (Stop, TooMuch, Refusal):
            return None

    def _takes_nets(self, net: syntax.Net) -> bool:
        walk = Walk(self, net, defining=False)
        for parameter in net.parameters:
            try:
                if holds_net(self.parameter_kind(walk, parameter)):
                    return True
            except Stop:
                continue
        return False

    def define(self, net: syntax.Net) -> Walk:
        """The walk that defines a net's class; its messages are told once."""
        self.collect_bindings()
        if id(net) not in self._walks and net.layer is not None:
            self._define_users(net)
        known = self._walks.get(id(net))
        if known is not None:
            self.report.extend(known.said)
            return known
        if id(net) in self._open:
            self._refuse_recursion(net, net.name_span)
            raise Stop
        self._open.add(id(net))
        try:
            inside = self._inside(net, net.name_span, True)
            with inside, self.report.recorded() as said:
                walk = self._define(net, frozenset())
        finally:
            self._open.discard(id(net))
        walk.said = tuple(said.values())
        self._walks[id(net)] = walk
        return walk

    def _define_users(self, net: syntax.Net) -> None:
        """A list of layers takes what flows in: who uses it tells its rank."""
        if self.inner_net(net) is not None:
            return
        left = self._allowed - self._steps
        busy = self._above_active()
        for user in self.users(net.name):
            if user is net:
                continue
            free = id(user) not in self._walks and id(user) not in busy
            if free and self.definition(user, net.name) is net:
                try:
                    with self.report.muted():
                        self.define(user)
                except (Stop, TooMuch, Refusal):
                    pass
        self._allow(left)

    def _above_active(self) -> set[int]:
        """The nets that can't be walked now, since they hold one that is being."""
        above = {id(a) for a in self._active}
        stack = list(self._active)
        while stack:
            for user in self.users(stack.pop().name):
                if id(user) not in above:
                    above.add(id(user))
                    stack.append(user)
        return above

    def is_fed(self, net: syntax.Net) -> bool:
        """Whether its class follows from what flows into it where it is used."""
        return net.layer is not None and self.inner_net(net) is None

    def misfed(self) -> list[syntax.Net]:
        """The lists of layers into which something else flows than what their
        classes, of an earlier run maybe, were made for."""
        fed = [w for w in self._walks.values() if self.is_fed(w.owner)]
        return [
            w.owner for w in fed if [*self._layer_inputs(w, w.owner)] != w.candidates
        ]

    def is_called(self, fn: syntax.Fn) -> bool:
        """Whether anything but functions that nobody calls reaches a function."""
        if self._called is None:
            self._called = self._all_called()
        return id(fn) in self._called

    def _all_called(self) -> set[int]:
        items = [i for f in self.files.files.values() for i in f.program.items]
        stack: list[syntax.Item] = [i for i in items if not isinstance(i, syntax.Fn)]
        called: set[int] = set()
        while stack:
            here = stack.pop()
            scope = self.files.scope_of(here)
            for word in scope.keys() & syntax.names_in(here):
                found = scope[word]
                if isinstance(found, syntax.Fn) and id(found) not in called:
                    called.add(id(found))
                    stack.append(found)
        return called

    def users(self, name: str) -> Sequence[syntax.Net]:
        """The nets that mention a name, in whatever file."""
        if self._users is None:
            self._users = self._all_users()
        return self._users.get(name, ())

    def _all_users(self) -> dict[str, list[syntax.Net]]:
        users: dict[str, list[syntax.Net]] = {}
        for item in self.files.items:
            if isinstance(item, syntax.Net):
                for word in syntax.names_in(item):
                    users.setdefault(word, []).append(item)
        return users

    def _define(self, net: syntax.Net, demanded: frozenset[str]) -> Walk:
        from netdsl.elaborate.building import refuse_running
        from netdsl.elaborate.changing import refuse_changing
        from netdsl.elaborate.demand import static_sizes

        report, grants = self.report, True
        for _ in range(5):
            # Only the messages of the last walk count.
            self.report = Report()
            try:
                walk = self.walk_definition(net, demanded, grants)
            except Stop:
                report.extend(self.report)
                raise
            finally:
                said, self.report = self.report, report
            needed = static_sizes(self, walk)
            if not walk.granted_demand <= needed:
                grants = False  # the layer that took it is none of the class
                continue
            demanded = demanded | needed
            if not walk.refused_demand & demanded:
                break
        walk.demanded = demanded
        report.extend(said)
        if not said.failed:
            refuse_running(walk)
            refuse_changing(walk)
        return walk

    def walk_definition(
        self, net: syntax.Net, demanded: frozenset[str], grants: bool = False
    ) -> Walk:
        """One walk over a net with its hyperparameters and sizes as symbols."""
        walk = Walk(self, net, defining=True, demanded=demanded, grants=grants)
        try:
            for parameter in net.parameters:
                try:
                    self._open_parameter(walk, net, parameter)
                except Stop:
                    # A mistake in one line leaves the others to be checked.
                    blurred = Val(BLUR, graph.Const(None), parameter.name_span)
                    walk.bind(parameter.name, blurred)
            self._settle(walk, net)
            if net.layer is not None:
                self._define_layer(walk, net)
            else:
                self._run_body(walk, net)
        except TooMuch:
            walk.result = BLUR
        if walk.misread:
            from netdsl.elaborate.torchs_order import tell_rest

            tell_rest(walk)
        return walk

    def specialised(self, module: NetModule) -> NetModule:
        """The layer, of the class for what its net parameters stand for."""
        from netdsl.elaborate.specialise import specialised

        return specialised(self, module)

    def _settle(self, walk: Walk, net: syntax.Net) -> None:
        """Binds the net parameters that this class was made for."""
        for name, factory in self.settled.get(id(net), {}).items():
            walk.bind(name, Val(factory, graph.Definition(factory)))

    def _open_parameter(
        self, walk: Walk, net: syntax.Net, parameter: syntax.Parameter
    ) -> None:
        from netdsl.elaborate.reserved import check_name

        check_name(walk, parameter.name, parameter.name_span)
        kind = self.parameter_kind(walk, parameter)
        symbol = Symbol(parameter.name, "hyper", kind)
        if parameter.default is not None:
            default = walk.evaluate(parameter.default)
            symbol.value = default
            given = default.argument
            if not isinstance(default.value, Blur):
                try:
                    self._check_type(walk, net, parameter, given)
                except Stop:
                    walk.bind(
                        parameter.name,
                        Val(BLUR, graph.Const(None), parameter.name_span),
                    )
                    walk.hypers[parameter.name] = symbol
                    return
        if kind == "net":
            bound = self.bindings.get((id(net), parameter.name), {})
            value: Any = NetParameter(symbol, tuple(bound.values()))
        elif holds_net(kind):
            bound = self.bindings.get((id(net), parameter.name), {})
            value = OpenNets(kind, graph.Ref(symbol), tuple(bound.values()))
        else:
            value = open_hyperparameter(symbol, kind or "Any")
        if parameter.name in walk.hypers:
            walk.error(
                "duplicate-name",
                f"`{parameter.name}` is named twice",
                parameter.name_span,
            )
        walk.hypers[parameter.name] = symbol
        walk.bind(parameter.name, Val(value, graph.Ref(symbol), parameter.name_span))

    def _define_layer(self, walk: Walk, net: syntax.Net) -> None:
        """`net X = LAYER`: the layer is walked on inputs of its own kind."""
        from netdsl.elaborate.making import make
        from netdsl.elaborate.running import transfer

        assert net.layer is not None
        try:
            walk.root = make(walk, net.layer)
        except Stop:
            walk.result = BLUR
            return
        if not self.tries_defaults and self._take_over(walk, walk.root):
            return
        candidates = walk.candidates = list(self._layer_inputs(walk, net))
        if len(candidates) > 1:
            # Where none goes through, what is told is of the one that flows in, or
            # of an image.
            candidates = [*candidates, candidates[not self.shapes.get(id(net))]]
        for i, inputs in enumerate(candidates):
            last = i == len(candidates) - 1
            with self.report.muted() if not last else _nothing():
                before = len(self.report)
                walk.facts = Facts()
                walk.conditions = []
                walk.input_types = inputs
                vals = [
                    Val(value, graph.Ref(symbol), net.layer.span)
                    for symbol, value in zip(
                        self._input_symbols(walk, inputs), [v for _, v in inputs],
                        strict=True,
                    )
                ]  # fmt: skip
                try:
                    result = transfer(walk, walk.root, vals, {}, net.layer.span)
                except (Refusal, Stop):
                    result = BLUR
            del before
            if not isinstance(result, Blur):
                break
            if not last:
                walk.root = make(walk, net.layer)
        walk.result = result
        walk.root.used = True
        if isinstance(walk.root, graph.ChainModule):
            walk.root.ran = True

    def _take_over(self, walk: Walk, root: graph.Module) -> bool:
        """What a variant that isn't tried needs for its text; False if only a walk
        can tell: the class has sizes, which the variant must hand on."""
        if not isinstance(root, NetModule) or self.class_sizes(root.net):
            return False
        inner = self.define(root.net)
        walk.input_types = inner.input_types
        self._input_symbols(walk, inner.input_types)
        walk.result = inner.result
        root.used = True
        root.applied = root.span
        return True

    def _input_symbols(self, walk: Walk, inputs: list[tuple[str, Any]]) -> list[Symbol]:
        walk.inputs = []
        walk.sizes = {}
        for name, value in inputs:
            symbol = Symbol(name, "input", "Tensor")
            walk.inputs.append(symbol)
            if isinstance(value, Tensor):
                for size in (*value.shape.head, *value.shape.tail):
                    for inner in size_names(size):
                        if inner.kind == "size":
                            own = Val(size, graph.Ref(inner))
                            walk.sizes[inner.name] = own
        return walk.inputs

    def _layer_inputs(
        self, walk: Walk, net: syntax.Net
    ) -> Iterator[list[tuple[str, Any]]]:
        """Input types to try for a net that is a layer."""
        inner = self.inner_net(net)
        if inner is not None:
            yield self.define(inner).input_types
            return
        seen = self.shapes.get(id(net), [])
        ranks = {t.shape.rank for t in seen if t.shape.rank is not None}
        if any(t.shape.star is not None for t in seen) or not seen:
            yield [("x", _open_tensor(net, None))]
        likely = [4, 3, 2, 5]
        first = [r for r in likely if r in ranks] + sorted(ranks - {*likely})
        for rank in dict.fromkeys([*first, *likely]):
            yield [("x", _open_tensor(net, rank))]

    def _run_body(self, walk: Walk, net: syntax.Net) -> None:
        from netdsl.elaborate.conditions import pruned

        walk.labels_ahead(net)
        walk.execute(net.body)
        walk.init = pruned(walk.init)
        self._finish(walk, net)

    def _finish(self, walk: Walk, net: syntax.Net) -> None:
        """The net's result: its last flow, or what it returns."""
        if walk.pending is not None:
            val, span = walk.pending
            walk.pending = None
            walk.results.append((val.value, span))
            walk.say(graph.Result(val.expr, span))
        elif not walk.returned and not walk.results:
            last = net.body[-1] if net.body else None
            if isinstance(last, syntax.Assign) and not self.report.failed:
                walk.error(
                    "no-result",
                    f"`{net.name}` gives no result",
                    last.span,
                    help="end with the value: a flow on a line of its own, or `return`",
                )
            elif not self.report.failed:
                walk.error(
                    "no-result",
                    f"`{net.name}` gives no result",
                    net.name_span,
                    help="end with a flow, or `return`",
                )
        walk.result = _joint([v for v, _ in walk.results])
        if not walk.defining:
            from netdsl.elaborate.running import count_unrun

            count_unrun(walk)

    def sizes_kept(self) -> int:
        """How many sizes of their results all classes keep, so far."""
        return sum(map(len, self.keeps.values()))

    def class_sizes(self, net: syntax.Net) -> list[Symbol]:
        """The sizes that a net's class takes ahead of its hyperparameters."""
        from netdsl.elaborate.demand import in_size, needed_sizes

        stamp = self.sizes_kept()
        if self._class_sizes[0] != stamp:
            self._class_sizes = (stamp, {})
        known = self._class_sizes[1]
        if id(net) in self._open:
            # What stands in itself asks for no more than what it stands beside.
            return []
        if id(net) not in known:
            walk = self.define(net)
            known[id(net)] = []
            symbols = {s.name: s for s in needed_sizes(self, walk)}
            for size in self.kept(net).values():
                for symbol in in_size(self, size):
                    if symbol.kind == "size":
                        symbols.setdefault(symbol.name, symbol)
            order = {name: i for i, name in enumerate(walk.sizes)}
            known[id(net)] = sorted(
                symbols.values(), key=lambda s: order.get(s.name, len(order))
            )
        return known[id(net)]

    def kept(self, net: syntax.Net) -> dict[str, Size]:
        """The sizes of its result that a net's class keeps, by attribute."""
        result = self.define(net).result
        out: dict[str, Size] = {}
        for attribute, (*path, index) in self.keeps.get(id(net), {}).items():
            part = result
            for key in path:
                part = part[key]
            if isinstance(part, Tensor):
                try:
                    out[attribute] = part.shape.at(index)
                except Refusal:
                    continue
        return out

    def member_of(self, module: NetModule, name: str) -> Any:
        """A layer of a net by its name, or the type of a parameter of its own."""
        walk = self.define(module.net)
        layer = walk.layers.get(name)
        if layer is not None:
            layer.used = True
        if module.members is not None:
            return module.members.get(name)
        return walk.scope[name].value if name in walk.owns else layer


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


def lengths(net: syntax.Net, rank: int) -> list[str]:
    """The names of those sizes in a net whose parameters may have them already."""
    taken = {p.name for p in net.parameters}
    return [f"in_{n}" if n in taken else n for n in LENGTHS.get(rank, ())]


def _open_tensor(net: syntax.Net, rank: int | None) -> Tensor:
    """A tensor of symbols: of any rank with its last size named, or of one rank."""
    x = Symbol("x", "input", "Tensor")

    def size(at: int) -> Size:
        name = f"_x_{at}"
        if at == -1 or (rank == 2 and at == 1):
            name = "in_features"
        elif at == 1 and rank is not None:
            name = "in_channels"
        elif rank is not None and at - 2 in range(len(lengths(net, rank))):
            name = lengths(net, rank)[at - 2]
        symbol = Symbol(name, "size", "int", place=(x, at))
        shown = "NCHWD"[at] if rank is not None and rank >= 3 and at < 5 else "_"
        if rank is None:
            shown = "C"
        elif rank == 2:
            shown = "NC"[at]
        elif rank == 5:
            shown = "NCDHW"[at]
        elif rank == 3:
            shown = "NCL"[at]
        return dims.of(dims.Name(name, 1, None, symbol, shown))

    if rank is None:
        return Tensor(Shape((), "", (size(-1),)))
    return Tensor(Shape(tuple(size(i) for i in range(rank))))


def _joint(values: list[Any]) -> Any:
    """The type of a net that returns at several places: the last says it all
    where they agree, else nothing is known."""
    if not values:
        return BLUR
    last = values[-1]
    if all(v == last for v in values):
        return last
    same = [v for v in values if type(v) is type(last)]
    if len(same) == len(values) and isinstance(last, Tensor):
        return last if len({v.shape.rank for v in values}) == 1 else Blur()
    return last if len(values) == 1 else Blur()
