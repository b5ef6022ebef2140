"""`if` in a body: both arms are walked, and what they leave behind meets."""

from __future__ import annotations

from collections.abc import Sequence

from netdsl import graph, syntax
from netdsl.diagnostics import Label
from netdsl.elaborate.arithmetic import describe_value
from netdsl.elaborate.expressions import is_dynamic
from netdsl.elaborate.joining import join, surely_different
from netdsl.elaborate.narrowing import narrowed
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    Val,
    assume,
    decide,
)
from netdsl.elaborate.walk import Walk, executes
from netdsl.facts import Facts
from netdsl.graph import ChoiceModule, Symbol
from netdsl.shapes import Tensor


@executes(syntax.If)
def _if(walk: Walk, node: syntax.If) -> None:
    test = walk.evaluate(node.test)
    if isinstance(test.value, Blur):
        return
    known = decide(test.value, walk.facts)
    open_ = any(isinstance(p, Symbol) for p in graph.every(test.expr))
    if known is not None and not (walk.defining and open_):
        with walk.in_arm(node, known), narrowed(walk, node.test, known):
            walk.execute(node.body if known else node.orelse)
        return
    arms = []
    for truth, body in ((True, node.body), (False, node.orelse)):
        arms.append(_walk_arm(walk, node, test, truth, body, known))
    _meet(walk, node, test, arms)


class _Arm:
    """What one side of an `if` leaves behind."""

    def __init__(self, walk: Walk, facts: Facts, told: dict[str, Val]) -> None:
        self.scope = dict(walk.scope)
        self.told = told
        """What the test says of names, unless the arm binds them anew."""
        self.init = walk.init
        self.forward = walk.forward
        self.layers = walk.layers
        self.returned = walk.returned
        self.facts = facts

    def leaves(self, name: str, before: Val | None) -> bool:
        """Whether the arm binds nothing to a name that there was before."""
        val = self.scope.get(name)
        return val is not None and (val is before or val is self.told.get(name))


def _walk_arm(
    walk: Walk,
    node: syntax.If,
    test: Val,
    truth: bool,
    body: Sequence[syntax.Statement],
    known: bool | None,
) -> _Arm:
    facts = assume(test.value, truth, walk.facts)
    saved = walk.scope, walk.init, walk.forward, walk.layers, walk.returned
    walk.scope, walk.layers = dict(walk.scope), dict(walk.layers)
    walk.init, walk.forward = [], []
    try:
        with walk.on_path(facts), walk.in_arm(node, truth):
            with narrowed(walk, node.test, truth) as told:
                if known is (not truth):
                    with walk.report.muted():
                        walk.execute(body)
                else:
                    walk.execute(body)
                return _Arm(walk, facts, told)
    finally:
        walk.scope, walk.init, walk.forward, walk.layers, walk.returned = saved


def _meet(walk: Walk, node: syntax.If, test: Val, arms: list[_Arm]) -> None:
    """What holds behind an `if`."""
    then, other = arms
    if then.init or other.init:
        if is_dynamic(walk, test):
            walk.init += [*then.init, *other.init]
        else:
            walk.init.append(graph.Branch(test.expr, then.init, other.init, node.span))
    if then.forward or other.forward:
        walk.say(graph.Branch(test.expr, then.forward, other.forward, node.span))
    _meet_layers(walk, test, then, other)
    walk.returned = then.returned and other.returned
    if then.returned != other.returned:
        # One side is gone: what follows is on the path of the other.
        stays = other if then.returned else then
        walk.scope = stays.scope
        walk.facts = stays.facts
        truth = stays is then
        for name, is_none in _settled(node.test, truth):
            val = walk.scope.get(name)
            if val is not None:
                from netdsl.elaborate.narrowing import settle

                walk.scope[name] = Val(settle(val.value, is_none), val.expr, val.span)
        return
    for name in {*then.scope, *other.scope}:
        a, b = then.scope.get(name), other.scope.get(name)
        before = walk.scope.get(name)
        if then.leaves(name, before) and other.leaves(name, before):
            continue
        if a is None or b is None:
            given = a if a is not None else b
            assert given is not None
            walk.scope[name] = given
        elif a is not b:
            value = join(walk, a.value, b.value, then.facts, other.facts, test)
            if value is None or (
                # One shape is known ahead only if the module's building settles it.
                is_dynamic(walk, test)
                and surely_different(walk, a.value, b.value)
            ):
                walk.error(
                    "arms-mismatch",
                    f"`{name}` is {describe_value(a.value)} on one side of this"
                    f" condition and {describe_value(b.value)} on the other",
                    node.test.span,
                    labels=[
                        Label(v.span, str(v.value))
                        for v in (a, b)
                        if v.span is not None and isinstance(v.value, Tensor)
                    ],
                    help="give both the same shape",
                )
                value = BLUR
            walk.scope[name] = Val(value, a.expr, a.span)


def _settled(test: syntax.Expression, truth: bool) -> list[tuple[str, bool]]:
    from netdsl.elaborate.narrowing import _told

    return list(_told(test, truth))


def _meet_layers(walk: Walk, test: Val, then: _Arm, other: _Arm) -> None:
    before = walk.layers
    walk.layers = {**before, **then.layers, **other.layers}
    for name in then.layers.keys() & other.layers.keys():
        one, two = then.layers[name], other.layers[name]
        if one is not two:
            both = ChoiceModule(one.span, test, test.expr, one, two)
            both.path = one.path
            walk.layers[name] = both
