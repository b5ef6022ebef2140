"""The names that one item has to itself: of values, and of layers."""

from __future__ import annotations

from typing import NamedTuple

from netdsl import syntax

# A kind of name, and where in the item it is defined.
First = tuple[str, int]
CONTAINERS = ("list", "tuple", "dict")


class Scope(NamedTuple):
    """Values and layers have names apart: `dropout: Dropout(dropout)`."""

    values: dict[str, First]
    layers: dict[str, int]
    holders: frozenset[str]
    """Values that may stand for a layer: loop variables, and parameters for nets."""


def scope_of(item: syntax.Item) -> Scope:
    """The names of an item, each with its first place."""
    scope = Scope({}, {}, frozenset())
    holders: set[str] = set()
    for parameter in getattr(item, "parameters", ()):
        _put(scope, "hyperparameter", parameter.name, parameter.name_span.start)
        if parameter.name[:1].isupper():
            holders.add(parameter.name)
    for part in syntax.walk(item):
        _read(scope, holders, part)
    if isinstance(item, syntax.Net):
        _labels(scope, item)
    return Scope(scope.values, scope.layers, frozenset(holders))


def _put(scope: Scope, kind: str, name: str, at: int) -> None:
    if name != "_":
        scope.values.setdefault(name, (kind, at))


def _read(scope: Scope, holders: set[str], node: syntax.Node) -> None:
    match node:
        case syntax.Input():
            for name in node.names:
                _put(scope, "input", name.id, name.span.start)
            _sizes(scope, node.type)
        case syntax.Parameter():
            if node.type is not None:
                _sizes(scope, node.type)
        case syntax.Extern():
            for type_ in (*node.inputs, *node.outputs):
                _sizes(scope, type_)
        case syntax.Own():
            _put(scope, "own", node.name.id, node.name.span.start)
        case syntax.Let():
            for name in node.targets:
                _put(scope, "let", name.id, name.span.start)
        case syntax.Assign() | syntax.Augment():
            _targets(scope, node.target)
        case syntax.For():
            holders.update(_targets(scope, node.target))


def _targets(scope: Scope, target: syntax.Expression) -> list[str]:
    names = [p for p in syntax.walk(target) if isinstance(p, syntax.Name)]
    for name in names:
        _put(scope, "value", name.id, name.span.start)
    return [n.id for n in names]


def _sizes(scope: Scope, node: syntax.Type) -> None:
    for part in syntax.walk(node):
        if isinstance(part, syntax.TypeOf) and part.name in CONTAINERS:
            return
        if isinstance(part, syntax.Name):
            _put(scope, "size", part.id, part.span.start)


def _labels(scope: Scope, net: syntax.Net) -> None:
    """The names of layers: labels that stand in no list."""
    stack: list[syntax.Node] = list(reversed(net.body))
    while stack:
        node = stack.pop()
        if isinstance(node, syntax.Labelled):
            name = label_name(node.label)
            if name:
                scope.layers.setdefault(name, node.label.span.start)
            continue
        if isinstance(node, syntax.ListOf | syntax.DictOf):
            continue
        stack.extend(reversed(list(syntax.children(node))))


def label_name(node: syntax.Expression) -> str:
    """`fc1`, `transformer.wte`, `"0"`: the name that a label says, or nothing."""
    if isinstance(node, syntax.Name):
        return node.id
    if isinstance(node, syntax.Literal):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, syntax.Attribute):
        head = label_name(node.value)
        return f"{head}.{node.name}" if head else ""
    return ""
