"""What the code of an `nn.Module` says in calls and a `.net` file in lines of its own:
starting values, parameters, buffers, lists of layers.  Told as what to write."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from netdsl import graph, syntax
from netdsl.diagnostics import Advice, Edit
from netdsl.elaborate.values import BLUR, Val
from netdsl.elaborate.walk import Walk
from netdsl.layers import FUNCTIONS
from netdsl.shapes import Tensor
from netdsl.source import Span

FOREIGN = frozenset("nn F torch self np numpy math keras tf jnp jax functools".split())
_PREFIX = re.compile(rf"\b(?:(?:{'|'.join(sorted(FOREIGN))})\.)+(?=[A-Za-z_])")
_STARTS = {"zeros": "zeros", "ones": "ones", "randn": "normal", "rand": "uniform"}
_LISTS = frozenset(("Sequential", "ModuleList"))
CONTAINERS = _LISTS | {"Parameter", "ModuleDict", "OrderedDict"}
"""What is no layer of the language under any name, so that no prefix is to blame."""


def bare(text: str) -> str:
    """Code without `nn.`, `torch.` and the like, on one line."""
    return " ".join(_PREFIX.sub("", text).split())


def called(node: syntax.Expression) -> str:
    """The last word of what is called: `zeros_` of `nn.init.zeros_(weight)`."""
    if not isinstance(node, syntax.Call):
        return ""
    function = node.function
    if isinstance(function, syntax.Attribute):
        root = function.value
        while isinstance(root, syntax.Attribute):
            root = root.value
        foreign = isinstance(root, syntax.Name) and root.id in FOREIGN | {"init"}
        return function.name if foreign else ""
    return function.id if isinstance(function, syntax.Name) else ""


def _whole_line(span: Span) -> bool:
    text = span.chunk.text
    before = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    stop = text.find("\n", span.end)
    after = text[span.end : len(text) if stop < 0 else stop].split("#")[0]
    return not before.strip() and not after.strip()


def refuse_call(walk: Walk, node: syntax.Call) -> None:
    """Stops at a call that stands for a line of another kind."""
    name = called(node)
    teller = _starting_value if name.endswith("_") else _TELLERS.get(name)
    if teller is None or name in walk.scope or walk.named_layer(name) is not None:
        return
    if walk.program.definition(walk.owner, name) is None:
        teller(walk, node)


def _refuse(
    walk: Walk, code: str, text: str, node: syntax.Call, meant: str, *edits: Edit
) -> Exception:
    return walk.stop(
        code, text, node.function.span, help=Advice(f"write `{meant}`", edits)
    )


def _starting_value(walk: Walk, node: syntax.Call) -> None:
    from netdsl.elaborate.starting import INITIALISERS

    name = called(node).rstrip("_")
    if name not in INITIALISERS or not node.arguments:
        return
    target, *rest = node.arguments
    given = [bare(e.span.text) for e in (*rest, *node.keywords)]
    value = f"{name}({', '.join(given)})" if given else name
    owner = target.value if isinstance(target, syntax.Attribute) else None
    layer = isinstance(owner, syntax.Name) and walk.named_layer(owner.id) is not None
    shown = bare(target.span.text) if owner is not None and layer else "LAYER.weight"
    meant = f"init {shown} = {value}"
    edits = [Edit(node.span, meant)] if layer and _whole_line(node.span) else []
    text = "starting values are set by lines of `init`"
    raise _refuse(walk, "unknown-function", text, node, meant, *edits)


def _buffer(walk: Walk, node: syntax.Call) -> None:
    named = node.arguments[0] if node.arguments else None
    name = named.value if isinstance(named, syntax.Literal) else "NAME"
    sizes, value = "[SIZES]", "VALUE"
    if len(node.arguments) > 1:
        value = bare(node.arguments[1].span.text)
        with walk.report.muted():
            tensor = walk.evaluate(node.arguments[1]).value
        if isinstance(tensor, Tensor):
            sizes = str(tensor)
    more = [f", {bare(k.span.text)}" for k in node.keywords if k.name == "persistent"]
    if isinstance(name, str) and name.isidentifier():
        walk.bind(name, Val(BLUR, graph.Const(None), node.span))
    meant = f"buffer {name}: {sizes} = {value}{''.join(more)}"
    text = "a buffer is declared on a line of its own"
    raise _refuse(walk, "unknown-function", text, node, meant)


def _partial(walk: Walk, node: syntax.Call) -> None:
    if not node.arguments:
        return
    first, *rest = (bare(e.span.text) for e in (*node.arguments, *node.keywords))
    meant = f"{first}({', '.join(rest)})" if rest else first
    text = "a layer with some of its arguments is written as a call of it"
    edit = Edit(node.span, meant)
    raise _refuse(walk, "unknown-function", text, node, meant, edit)


def _list(
    walk: Walk, node: syntax.Call, whole: syntax.Node | None = None, name: str = ""
) -> None:
    """`Sequential(a, b)` and `ModuleList([a, b])`, with `name:` ahead if it has one."""
    whole = whole or node
    inner, *more = node.arguments or (None,)
    if inner is None or node.keywords:
        return
    listed = isinstance(inner, syntax.ListOf) and not more
    opening, closing = ("", "") if listed else ("[", "]")
    first = inner.span.start
    last = inner.span.end if listed else node.span.end - 1
    chunk = whole.span.chunk
    edits = (
        Edit(Span(chunk, whole.span.start, first), name + opening),
        Edit(Span(chunk, last, node.span.end), closing),
    )
    what = called(node)
    text = f"`{what}` is not written in a `.net` file: a list of layers is one"
    meant = f"{name}[..., ...]"
    raise _refuse(walk, "unknown-layer", text, node, meant, *edits)


_TELLERS: dict[str, Callable[[Walk, syntax.Call], None]] = {
    "register_buffer": _buffer,
    "partial": _partial,
    "Sequential": _list,
    "ModuleList": _list,
}


# -- assigned ------------------------------------------------------------------


def refuse_assigned(walk: Walk, node: syntax.Assign) -> None:
    """Stops at `w = nn.Parameter(...)` and `layers = nn.Sequential(...)`."""
    target, value = node.target, node.value
    name = called(value)
    if name not in CONTAINERS or name in walk.scope:
        return
    assert isinstance(value, syntax.Call)
    if isinstance(target, syntax.Attribute):
        own = target.name if isinstance(target.value, syntax.Name) else ""
    else:
        own = target.id if isinstance(target, syntax.Name) else ""
    if not own or walk.program.definition(walk.owner, name) is not None:
        return
    walk.bind(own, Val(BLUR, graph.Const(None), target.span))
    walk.layer_spans.setdefault(own, target.span)
    if name == "Parameter":
        raise _parameter(walk, node, value, own)
    if name == "OrderedDict":
        raise _refuse(
            walk,
            "unknown-layer",
            "results with names are a dict, written whole",
            value,
            'return {"out": y, "aux": z}',
        )
    if name in _LISTS:
        _list(walk, value, node, f"{own}: ")


def _parameter(
    walk: Walk, node: syntax.Assign, value: syntax.Call, own: str
) -> Exception:
    sizes, start, sure = "[SIZES]", "zeros", False
    given: Any = value.arguments[0] if value.arguments else None
    scale = ""
    if isinstance(given, syntax.Binary) and given.op == "*":
        left, right = given.left, given.right
        if isinstance(right, syntax.Call):
            left, right = right, left
        given, scale = left, bare(right.span.text)
    made = _drawn(given) if isinstance(given, syntax.Call) else ""
    if made in _STARTS:
        parts = given.arguments
        if len(parts) == 1 and isinstance(parts[0], syntax.TupleOf | syntax.ListOf):
            parts = parts[0].items
        sizes = f"[{', '.join(bare(p.span.text) for p in parts)}]"
        start, sure = _STARTS[made], bool(parts)
        if scale and made == "randn":
            start = f"normal(std={scale})"
        elif scale:
            start, sure = (scale, sure) if made == "ones" else (start, False)
    frozen = [k for k in value.keywords if k.name == "requires_grad"]
    tail = f", {bare(frozen[0].span.text)}" if frozen else ""
    meant = f"param {own}: {sizes} = {start}{tail}"
    edits = [Edit(node.span, meant)] if sure and _whole_line(node.span) else []
    text = "a parameter is declared on a line of its own"
    return _refuse(walk, "unknown-layer", text, value, meant, *edits)


def _drawn(node: syntax.Call) -> str:
    name = called(node)
    return name if name in FUNCTIONS or name in _STARTS else ""
