"""`if` in a body: both arms are walked, and what they leave behind meets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netdsl import graph, syntax
from netdsl.diagnostics import Label
from netdsl.elaborate.arithmetic import describe_value
from netdsl.elaborate.expressions import is_dynamic
from netdsl.elaborate.joining import join, surely_different
from netdsl.elaborate.narrowing import narrowed, refuse_test, settle, told
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
    refuse_test(walk, test, node.test)
    known = decide(test.value, walk.facts)
    open_ = any(isinstance(p, Symbol) for p in graph.every(test.expr))
    if known is not None and not (walk.defining and open_):
        with walk.in_arm(node, known, test), narrowed(walk, node.test, known):
            walk.execute(node.body if known else node.orelse)
        if not walk.defining:
            _register_other(walk, node, test, not known)
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
        self.ties = walk.ties
        self.rules = walk.rules
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
    walk.program.step(node.test.span, len(walk.facts.comparisons) // 4)
    facts = assume(test.value, truth, walk.facts)
    saved = walk.scope, walk.init, walk.forward, walk.layers, walk.returned
    ties, walk.ties = walk.ties, []
    rules, walk.rules = walk.rules, []
    walk.scope, walk.layers = dict(walk.scope), dict(walk.layers)
    walk.init, walk.forward = [], []
    try:
        with walk.on_path(facts), walk.in_arm(node, truth, test):
            with narrowed(walk, node.test, truth) as told:
                if known is (not truth):
                    with walk.report.muted():
                        walk.execute(body)
                else:
                    walk.execute(body)
                return _Arm(walk, facts, told)
    finally:
        walk.scope, walk.init, walk.forward, walk.layers, walk.returned = saved
        walk.ties, walk.rules = ties, rules


def _register_other(walk: Walk, node: syntax.If, test: Val, truth: bool) -> None:
    """The layers of the side that a use in training, or not, doesn't take: the
    module has them all the same."""
    body = node.body if truth else node.orelse
    if not any(isinstance(p, graph.Training) for p in graph.every(test.expr)):
        return
    if not any(type(p) is syntax.Labelled for s in body for p in syntax.walk(s)):
        return
    results, pending = list(walk.results), walk.pending
    arm = _walk_arm(walk, node, test, truth, body, not truth)
    walk.results, walk.pending = results, pending
    walk.init += arm.init
    walk.layers = {**arm.layers, **walk.layers}


def _meet(walk: Walk, node: syntax.If, test: Val, arms: list[_Arm]) -> None:
    """What holds behind an `if`."""
    then, other = arms
    gone = then.returned != other.returned
    if is_dynamic(walk, test):
        walk.init += [*then.init, *other.init]
    elif then.init or other.init or gone:
        walk.init.append(graph.Branch(test.expr, then.init, other.init, node.span))
        if gone:
            # What the lines below make is only there on the path that goes on.
            walk.init = other.init if then.returned else then.init
    if not is_dynamic(walk, test) and _same(then.forward, other.forward):
        # Only the layers differ: `forward` runs what there is.
        for statement in then.forward:
            walk.say(statement)
    elif then.forward or other.forward:
        walk.say(graph.Branch(test.expr, then.forward, other.forward, node.span))
    if then.ties or other.ties:
        if is_dynamic(walk, test):
            walk.error(
                "unsupported",
                "`tie` can't depend on what only a run knows",
                node.test.span,
            )
        walk.ties.append(graph.Branch(test.expr, then.ties, other.ties, node.span))
    _meet_rules(walk, node, test, then, other)
    _meet_layers(walk, test, then, other)
    walk.returned = then.returned and other.returned
    if gone:
        _go_on(walk, node, then if other.returned else other, stays_then=other.returned)
    else:
        _meet_names(walk, node, test, then, other)


def _go_on(walk: Walk, node: syntax.If, stays: _Arm, stays_then: bool) -> None:
    """One side is gone: what follows is on the path of the other."""
    walk.scope = stays.scope
    walk.facts = stays.facts
    for name, is_none in told(node.test, stays_then):
        val = walk.scope.get(name)
        if val is not None:
            walk.scope[name] = Val(settle(val.value, is_none), val.expr, val.span)


def _meet_names(
    walk: Walk, node: syntax.If, test: Val, then: _Arm, other: _Arm
) -> None:
    """The names that the sides of an `if` bind, and what they stand for behind it."""
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


def _meet_rules(
    walk: Walk, node: syntax.If, test: Val, then: _Arm, other: _Arm
) -> None:
    """`init` lines keep the condition that they stand under."""
    if not then.rules and not other.rules:
        return
    if is_dynamic(walk, test):
        walk.error(
            "unsupported",
            "`init` can't depend on what only a run knows",
            node.test.span,
        )
    for arm, when in ((then, test.expr), (other, graph.Op("not", (test.expr,)))):
        for rule in arm.rules:
            both = when if rule.when is None else graph.Op("and", (when, rule.when))
            walk.rules.append(rule.replaced(when=both))


def _same(one: Any, two: Any) -> bool:
    """Whether two pieces of `forward` do the same, wherever they are written."""
    if isinstance(one, list):
        return len(one) == len(two) and all(map(_same, one, two))
    if not isinstance(one, graph.Assign | graph.Result) or type(one) is not type(two):
        return False
    fields = [f for f in one.fields if f != "span"]
    return all(getattr(one, f) == getattr(two, f) for f in fields)


def pruned(init: Sequence[Any]) -> list[Any]:
    """What `__init__` does, without conditions under which it does nothing."""
    out: list[Any] = []
    for statement in init:
        if isinstance(statement, graph.Branch):
            then, other = pruned(statement.then), pruned(statement.other)
            if not then and not other:
                continue
            statement = graph.Branch(statement.test, then, other, statement.span)
        out.append(statement)
    return out


def _meet_layers(walk: Walk, test: Val, then: _Arm, other: _Arm) -> None:
    before = walk.layers
    walk.layers = {**before, **then.layers, **other.layers}
    for name in then.layers.keys() & other.layers.keys():
        one, two = then.layers[name], other.layers[name]
        if one is not two:
            both = ChoiceModule(one.span, test, test.expr, one, two)
            both.path = one.path
            walk.layers[name] = both
