"""Paths of parameters: those a class may have, and `init` lines of none of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from netdsl import graph, syntax
from netdsl.diagnostics import Advice
from netdsl.elaborate.demand import registered
from netdsl.elaborate.making import bound
from netdsl.elaborate.program import Program
from netdsl.elaborate.walk import Walk
from netdsl.facts import Facts
from netdsl.layers import Call, Unknown
from netdsl.layers.spec import Declaration
from netdsl.shapes import Undecided

# In a class with more parameters, any path is taken as right.
_MOST = 2000
_ANY = "*"


def _inits(body: Iterable[syntax.Statement]) -> Iterator[syntax.Init]:
    """The `init` lines of a body, and those under its conditions and loops."""
    for statement in body:
        match statement:
            case syntax.Init():
                yield statement
            case syntax.If():
                yield from _inits((*statement.body, *statement.orelse))
            case syntax.For():
                yield from _inits(statement.body)


def lint_paths(program: Program, walk: Walk, net: syntax.Net) -> None:
    """Refuses `init` lines whose path is that of no parameter."""
    lines = list(_inits(net.body))
    wanted = [(node.pattern, path) for node in lines if (path := _path(node.pattern))]
    if not wanted:
        return
    known = [name for name, _ in islice(_parameters(program, walk), _MOST)]
    if len(known) == _MOST:
        return
    for node, path in wanted:
        if not any(_meet(path, name) for name in known):
            walk.error(
                "unknown-name",
                f"no parameter's path is `{path}`",
                node.span,
                help=_nearest(walk, node, path, known),
            )


def owner_at(
    program: Program, walk: Walk, path: str
) -> Declaration | syntax.Net | None:
    """The one layer or net whose own parameter a path with `*` surely names."""
    known = [*islice(_parameters(program, walk), _MOST)]
    owners = [owner for name, owner in known if _meet(path, name)]
    alike = len(known) < _MOST and all(owner is owners[0] for owner in owners)
    return owners[0] if owners and alike else None


def _path(node: syntax.Expression) -> str:
    """The path in an `init` line, if it is one that a walk is asked for."""
    if isinstance(node, syntax.Literal) and isinstance(node.value, str):
        # `?` and brackets mean something in Python's patterns.
        return "" if any(sign in node.value for sign in "?[") else node.value
    words: list[str] = []
    while isinstance(node, syntax.Attribute):
        words, node = [node.name, *words], node.value
    if not isinstance(node, syntax.Name) or len(words) == 1:
        return ""  # another place looks into `fc.weight`
    return ".".join([node.id, *words])


def _nearest(
    walk: Walk, node: syntax.Expression, path: str, known: list[str]
) -> Advice:
    """The path that is most like this one; of quoted ones, with its `*`."""
    quoted = isinstance(node, syntax.Literal)
    known = [name for name in known if quoted or _ANY not in name]
    span = node.span._replace(start=node.span.start + quoted)
    sure = walk.suggest(path, known, span)
    if sure or not known:
        return sure
    from difflib import get_close_matches

    near = get_close_matches(path, known, 3, 0.3) or known[:3]
    return Advice(f"there is {', '.join(f'`{name}`' for name in near)}")


@lru_cache(maxsize=64)
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, path.split(_ANY))))


def _meet(one: str, two: str) -> bool:
    """Whether some text fits both patterns, in which `*` is any text."""
    if _ANY not in two:
        return _pattern(one).fullmatch(two) is not None
    seen: set[tuple[int, int]] = set()
    stack = [(0, 0)]
    while stack:
        i, j = stack.pop()
        if i == len(one) and j == len(two):
            return True
        if (i, j) in seen:
            continue
        seen.add((i, j))
        a, b = one[i : i + 1], two[j : j + 1]
        if a == _ANY:
            stack += [(i + 1, j)] + [(i, j + 1)] * bool(b)
        if b == _ANY:
            stack += [(i, j + 1)] + [(i + 1, j)] * bool(a)
        if a and a == b:
            stack.append((i + 1, j + 1))
    return False


# -- the paths of a class ------------------------------------------------------


# A path, and the layer or net whose own parameter that is, if it is known.
_Parameter = tuple[str, Declaration | syntax.Net | None]


def _parameters(program: Program, walk: Walk) -> Iterator[_Parameter]:
    """The paths of the parameters that a class may have; what only a run knows of
    them is `*`."""
    for name in walk.owns:
        yield name, walk.owner
    for statement in registered(walk.init):
        label = statement.label
        parts = label if isinstance(label, tuple) else (label,)
        yield from _below(program, ".".join(map(_word, parts)), statement.module)
    if walk.root is not None:
        yield from _in_module(program, walk.root)


def _word(label: Any) -> str:
    return label if isinstance(label, str) else _ANY


def _below(program: Program, start: str, module: graph.Module) -> Iterator[_Parameter]:
    for name, owner in _in_module(program, module):
        yield f"{start}.{name}", owner


def _in_module(program: Program, module: graph.Module) -> Iterator[_Parameter]:
    match module:
        case graph.LayerModule():
            yield from _of_layer(module)
        case graph.NetModule():
            yield from _parameters(program, program.define(module.net))
        case graph.ChoiceModule():
            yield from _in_module(program, module.then)
            yield from _in_module(program, module.other)
        case graph.ChainModule():
            counted = all(isinstance(m.module, _ONE_EACH) for m in module.members)
            yield from _in_members(program, module.members, counted)
        case graph.RepeatModule():
            yield from _in_members(program, module.members, False)
        case graph.SkipModule():
            pass
        case _:
            yield _ANY, None


# Of a list of these, the members without names have their places as keys.
_ONE_EACH = (graph.LayerModule, graph.NetModule, graph.ChainModule)


def _in_members(
    program: Program, members: list[graph.Member], counted: bool
) -> Iterator[_Parameter]:
    for i, member in enumerate(members):
        label = str(i) if member.label is None and counted else _word(member.label)
        if isinstance(member.module, graph.RepeatModule):
            yield from _in_module(program, member.module)
        else:
            yield from _below(program, label, member.module)


def _of_layer(module: graph.LayerModule) -> Iterator[_Parameter]:
    """The names of a layer's parameters, those of layers within it, too."""
    declaration = module.declaration
    if declaration.parameters is None:
        return
    values = {
        name: True if isinstance(value, Unknown) and value.type == "bool" else value
        for name, value in {**bound(module), **module.inferred}.items()
    }
    try:
        for name in declaration.parameters(Call(declaration, values, Facts())):
            yield name, None if "." in name else declaration
    except (Undecided, AttributeError, KeyError):
        yield _ANY, None
