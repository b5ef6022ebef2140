"""What net parameters stand for, read off the text where every use is plain.

`ResNet(BasicBlock, [2, 2, 2, 2])` and a parameter that is handed on need no
walk; a table of nets, a loop over them or a net with computed arguments do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from netdsl import syntax
from netdsl.elaborate.values import SKIP, Factory
from netdsl.elaborate.walk import Stop, Walk
from netdsl.layers import LAYERS

Place = tuple[int, str]
# A net parameter that is handed on, or what a parameter is given.
Given = Place | Factory


class _NotPlain(Exception):
    """A use that only a walk can understand."""


def read_bindings(program: Any, nets: Mapping[int, syntax.Net]) -> bool:
    """Tells the program what the net parameters of these nets stand for; False,
    and nothing told, where some use is not plain."""
    try:
        reader = _Reader(program, nets)
        for item in program.files.items:
            reader.read(item)
    except _NotPlain:
        return False
    for place in reader.given:
        for factory in reader.reached(place, set()):
            program.bind_net(nets[place[0]], place[1], factory)
    return True


class _Reader:
    def __init__(self, program: Any, nets: Mapping[int, syntax.Net]) -> None:
        self.program = program
        self.nets = nets
        self.parameters = {key: self._open(net) for key, net in nets.items()}
        self.given: dict[Place, list[Given]] = {
            (key, name): [] for key, names in self.parameters.items() for name in names
        }

    def _open(self, net: syntax.Net) -> set[str]:
        names = set()
        walk = Walk(self.program, net, defining=False)
        for parameter in net.parameters:
            try:
                kind = self.program.parameter_kind(walk, parameter)
            except Stop:
                continue  # the walk of the net says what is wrong with it
            if kind == "net":
                names.add(parameter.name)
            elif "net" in kind:
                raise _NotPlain
        return names

    def read(self, item: syntax.Item) -> None:
        """Notes the uses of nets with net parameters in an item."""
        scope = self.program.files.scope_of(item)
        words = syntax.names_in(item) & scope.keys()
        if id(item) not in self.nets and not any(
            id(scope[w]) in self.nets for w in words
        ):
            return
        bound = set(_bound(item))
        called = set()
        for node in syntax.walk(item):
            if isinstance(node, syntax.Call) and isinstance(node.function, syntax.Name):
                net = self._net(item, node.function)
                if net is not None and node.function.id not in bound:
                    called.add(id(node.function))
                    self._call(item, bound, node, net)
        for node in syntax.walk(item):
            if not isinstance(node, syntax.Name) or id(node) in called:
                continue
            if self._net(item, node) is not None:
                raise _NotPlain
        if id(item) in self.nets and isinstance(item, syntax.Net):
            for parameter in item.parameters:
                if parameter.default is not None and parameter.name in (
                    self.parameters[id(item)]
                ):
                    place = (id(item), parameter.name)
                    self.given[place] += self._value(item, bound, parameter.default)

    def _net(self, item: syntax.Item, name: syntax.Name) -> syntax.Net | None:
        found = self.program.definition(item, name.id)
        return self.nets.get(id(found))

    def _call(
        self, item: syntax.Item, bound: set[str], node: syntax.Call, net: syntax.Net
    ) -> None:
        if any(isinstance(a, syntax.Star) for a in node.arguments):
            raise _NotPlain
        names = [p.name for p in net.parameters]
        given = dict(zip(names, node.arguments, strict=False))
        given.update({k.name: k.value for k in node.keywords})
        for name in self.parameters[id(net)]:
            if name in given:
                self.given[id(net), name] += self._value(item, bound, given[name])

    def _value(
        self, item: syntax.Item, bound: set[str], node: syntax.Expression
    ) -> list[Given]:
        name = node.function if isinstance(node, syntax.Call) else node
        if not isinstance(name, syntax.Name):
            raise _NotPlain
        own = self.parameters.get(id(item), set())
        if name is node and name.id in own and name.id not in bound:
            return [(id(item), name.id)]
        made = self.program.definition(item, name.id) or LAYERS.get(name.id)
        parameters = {p.name for p in getattr(item, "parameters", ())}
        if (made is None and name.id != SKIP) or name.id in bound | parameters:
            raise _NotPlain
        if isinstance(node, syntax.Call) and not all(_literal(a) for a in _parts(node)):
            raise _NotPlain
        value = Walk(self.program, item, defining=False).evaluate(node).value
        if not isinstance(value, Factory):
            raise _NotPlain
        return [value]

    def reached(self, place: Place, seen: set[Place]) -> Iterator[Factory]:
        """What a parameter stands for, through those that are handed on."""
        if place in seen:
            return
        seen.add(place)
        for given in self.given[place]:
            if isinstance(given, Factory):
                yield given
            else:
                yield from self.reached(given, seen)


def _parts(node: syntax.Call) -> Iterator[syntax.Expression]:
    yield from node.arguments
    yield from (k.value for k in node.keywords)


def _literal(node: syntax.Expression) -> bool:
    if isinstance(node, syntax.Unary):
        node = node.operand
    return isinstance(node, syntax.Literal)


def _bound(item: syntax.Item) -> Iterator[str]:
    """The names that an item gives to values and layers, its parameters apart."""
    for node in syntax.walk(item):
        match node:
            case syntax.Labelled(label=target) | syntax.Assign(target=target):
                yield from _words(target)
            case syntax.Clause(target=target) | syntax.For(target=target):
                yield from _words(target)
            case syntax.Input(names=names) | syntax.Let(targets=names):
                yield from (n.id for n in names)
            case syntax.Own(name=name):
                yield name.id


def _words(node: syntax.Node) -> Iterator[str]:
    yield from (p.id for p in syntax.walk(node) if isinstance(p, syntax.Name))
