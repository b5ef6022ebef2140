"""What `mask is None` tells of an optional input on either path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from netdsl import syntax
from netdsl.diagnostics import Advice
from netdsl.elaborate.values import Maybe, Val, for_torch
from netdsl.elaborate.walk import Walk
from netdsl.layers import Unknown
from netdsl.layers.spec import Parameter, Signature
from netdsl.shapes import Refusal


def handed_on(
    signature: Signature, vals: Sequence[Val], keywords: Mapping[str, Val]
) -> tuple[list[Any], dict[str, Any]]:
    """The values of a call's arguments: an optional input goes where None may."""
    places = [p for p in signature.parameters if p.inferred is None and not p.keyword]
    positional = [
        _handed(v, places[i] if i < len(places) else None, i)
        for i, v in enumerate(vals)
    ]
    named = {
        k: _handed(v, signature.by_name.get(k), None, k) for k, v in keywords.items()
    }
    return positional, named


def _handed(
    val: Val, parameter: Parameter | None, at: int | None, name: str | None = None
) -> Any:
    value = for_torch(val)
    if not isinstance(value, Maybe) or parameter is None:
        return value
    if "?" in parameter.kinds:
        return value.value
    word = val.span.text if val.span is not None else ""
    word = word.partition("=")[2].strip() or word
    text, help_ = _may_be_none(word if word.isidentifier() else "x")
    raise Refusal("wrong-type", text, help=help_, position=at, argument=name)


def _may_be_none(name: str) -> tuple[str, str]:
    """What is wrong, and what to do about it."""
    return f"`{name}` may be None here", f"test it: `if {name} is not None: ...`"


def told(node: syntax.Expression, truth: bool) -> Iterator[tuple[str, bool]]:
    """Names and whether they are None, as far as the test's outcome tells."""
    match node:
        case syntax.Compare(
            left=syntax.Name(id=name), ops=("is" | "is not" as op,), rights=(right,)
        ):
            if isinstance(right, syntax.Literal) and right.value is None:
                yield name, (op == "is") is truth
        case syntax.Unary(op="not"):
            yield from told(node.operand, not truth)
        case syntax.Bool():
            if (node.op == "and") is truth:
                yield from told(node.left, truth)
                yield from told(node.right, truth)


@contextmanager
def narrowed(
    walk: Walk, test: syntax.Expression, truth: bool
) -> Iterator[dict[str, Val]]:
    """Names that the test settles have the settled value inside; gives them."""
    before: dict[str, Val] = {}
    for name, is_none in told(test, truth):
        val = walk.scope.get(name)
        if val is None:
            continue
        settled = settle(val.value, is_none)
        if settled is not val.value:
            before.setdefault(name, val)
            walk.scope[name] = Val(settled, val.expr, val.span)
    inside = {n: walk.scope[n] for n in before}
    try:
        yield inside
    finally:
        for name, val in before.items():
            # A name bound anew in the arm keeps its new value.
            if walk.scope.get(name) is inside[name]:
                walk.scope[name] = val


def refuse_optional(walk: Walk, val: Val, node: syntax.Expression) -> None:
    """Stops where a value that may be None stands for a tensor."""
    if not isinstance(val.value, Maybe):
        return
    text, help_ = _may_be_none(" ".join(node.span.text.split()))
    raise walk.stop("wrong-type", text, node.span, help=help_)


def refuse_test(walk: Walk, val: Val, node: syntax.Expression) -> None:
    """Stops at `if mask:` and `if mask != None:` of a tensor that may be None."""
    tested, word = node, ""
    if isinstance(node, syntax.Compare) and len(node.ops) == 1:
        tested, word = node.left, {"!=": "is not", "==": "is"}.get(node.ops[0], "")
        right = node.rights[0]
        if not word or not isinstance(right, syntax.Literal) or right.value is not None:
            return
    if not isinstance(tested, syntax.Name) or not isinstance(val.value, Maybe):
        return
    meant = f"{tested.id} {word or 'is not'} None"
    raise walk.stop(
        "wrong-type",
        "whether a tensor is there is asked by `is None`",
        node.span,
        help=Advice.to_write(meant, node.span),
    )


def settle(value: Any, is_none: bool) -> Any:
    if isinstance(value, Maybe):
        return None if is_none else value.value
    if isinstance(value, Unknown) and "None" in value.type:
        if is_none:
            return None
        kinds = [k.strip() for k in value.type.split("|") if k.strip() != "None"]
        return open_value(" | ".join(kinds), value.origin)
    return value


def open_value(kind: str, origin: Any) -> Any:
    """A value of which only the type is known."""
    from netdsl import dims
    from netdsl.elaborate.arithmetic import in_parts, text_of

    if kind == "int":
        return dims.of(dims.Name(text_of(origin), None, None, origin))
    return in_parts(Unknown(kind, origin))
