"""Which line of a body is its result, and what is said of values that lead nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from netdsl import syntax
from netdsl.diagnostics import Label
from netdsl.elaborate.values import Blur, Val
from netdsl.source import Span

if TYPE_CHECKING:
    from netdsl.elaborate.walk import Walk


def may_follow(statement: syntax.Statement) -> bool:
    """Whether a line may stand behind the result: `tie` and `init`."""
    if isinstance(statement, syntax.If):
        return all(map(may_follow, (*statement.body, *statement.orelse)))
    return isinstance(statement, syntax.Init | syntax.Tie)


def leaves_result(walk: Walk, statement: syntax.Statement, stopped: bool) -> bool:
    """Whether a line is one that no net has, so that the flow above it stays the
    result: `print(x.shape)`, `for m in self.modules():`, `fc.weight = ...`"""
    if isinstance(statement, syntax.Flowing):
        after = walk.pending
        lost = after is None or isinstance(after[0].value, Blur)
        return lost and isinstance(statement.value, syntax.Call)
    if isinstance(statement, syntax.For):
        loop = statement.iterable
        return isinstance(loop, syntax.Call) and isinstance(
            loop.function, syntax.Attribute
        )
    return (
        stopped
        and isinstance(statement, syntax.Assign)
        and not isinstance(statement.target, syntax.Name | syntax.TupleOf)
    )


def _goes_on(span: Span) -> str:
    """How the value of a flow goes on: under the name of what flowed in, if that has
    one."""
    found = re.match(r"([a-z_]\w*)\s*->", span.text)
    if not found:
        return "give it a name, or let the next line go on with `->`"
    name = found[1]
    return f"write `{name} = {name} -> ...`, or let the next line go on with `->`"


def tell_unreached(walk: Walk, statement: syntax.Statement) -> None:
    """A line below one that ends the net."""
    ends = [Label(span, "the net ends here") for _, span in walk.results[-1:]]
    walk.error(
        "unused-value",
        "this line is never reached: `return` stands above it",
        statement.span,
        labels=ends,
        help="name the results, and return them at the end: `return a, b`",
    )


def tell_dropped(walk: Walk, val: Val, span: Span) -> None:
    """A flow whose result nothing takes."""
    if not isinstance(val.value, Blur):
        walk.error(
            "unused-value",
            "the value of this line leads nowhere",
            span,
            help=_goes_on(span),
        )
