"""Layers written as torch has them, the size of their input first: `Linear(784, 10)`.

The message waits until a tensor flows in: if it has the size that is written, the
repair is exact.  The walk goes on with the layer as it was meant, so that each of
several such layers gets its message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netdsl.diagnostics import Advice, Edit
from netdsl.dims import Dim, Size, show
from netdsl.elaborate.values import for_torch
from netdsl.elaborate.walk import Walk
from netdsl.graph import Argument, LayerModule
from netdsl.layers import bind
from netdsl.layers.binding import optional_names
from netdsl.shapes import Refusal
from netdsl.source import Span


def as_torch_has_it(
    walk: Walk, module: LayerModule, refusal: Refusal
) -> LayerModule | None:
    """The layer without the sizes that follow from its input; None if its arguments
    are not those of torch."""
    parameters = module.declaration.signature.parameters
    given = dict(zip(parameters, module.positional, strict=False))
    sizes = {p.name: a for p, a in given.items() if p.inferred}
    if not sizes or len(module.positional) > len(parameters):
        return None
    if any(p.name in module.keywords for p in given):
        return None
    if any(isinstance(a.value, float | bool | str) for a in sizes.values()):
        return None
    positional = [a for p, a in given.items() if p.required and not p.inferred]
    named = {p.name: a for p, a in given.items() if not (p.required or p.inferred)}
    meant = LayerModule(
        module.span, module.declaration, tuple(positional), named | module.keywords
    )
    try:
        values = {k: for_torch(a) for k, a in meant.keywords.items()}
        bind(module.declaration, [for_torch(a) for a in positional], values)
    except Refusal:
        return None
    meant.written_sizes = sizes
    meant.given_order = module.positional
    meant.edits = _edits(module, sizes, named)
    meant.refusal = refusal
    walk.misread.append(meant)
    return meant


def _edits(
    module: LayerModule, sizes: Mapping[str, Argument], named: Mapping[str, Argument]
) -> tuple[Edit, ...]:
    """What makes of torch's call ours; nothing if it isn't written in one piece."""
    whole = module.span
    arguments = [*module.positional, *module.keywords.values()]
    spans = [a.span for a in arguments if a.span is not None]
    if whole is None or len(spans) < len(arguments):
        return ()
    if any(s.chunk is not whole.chunk or s.end > whole.end for s in spans):
        return ()
    edits = []
    for at, argument in enumerate(module.positional):
        if all(argument is not size for size in sizes.values()):
            continue
        if len(spans) == 1:
            start = whole.start + whole.text.index("(")
            edits.append(Edit(Span(whole.chunk, start, whole.end), ""))
        elif at + 1 < len(spans):
            edits.append(
                Edit(Span(whole.chunk, spans[at].start, spans[at + 1].start), "")
            )
        else:
            edits.append(Edit(Span(whole.chunk, spans[at - 1].end, spans[at].end), ""))
    for name, argument in named.items():
        assert argument.span is not None
        start = argument.span.start
        edits.append(Edit(Span(whole.chunk, start, start), f"{name}="))
    return tuple(sorted(edits, key=lambda edit: edit.span.start))


def tell_sizes(walk: Walk, module: LayerModule, inferred: Mapping[str, Any]) -> bool:
    """Says that sizes which follow from the input are written, now that it is known;
    False if the call may as well be meant otherwise."""
    wrong = [
        name
        for name, argument in module.written_sizes.items()
        if not _agrees(argument.value, inferred.get(name))
    ]
    two_ways = _reads_two_ways(module)
    if not wrong:
        _tell(walk, module, sure=not two_ways)
    elif all(_is_known(inferred.get(n)) for n in wrong):
        _tell(walk, module, sure=False, flows={n: inferred[n] for n in wrong})
    return not two_ways


def _reads_two_ways(module: LayerModule) -> bool:
    """Whether `Conv2d(32, 3, 1, 1)` may well have a kernel of 3: what stands second is
    small beside the first, and behind it come numbers for optional arguments."""
    first, *rest = (a.value for a in module.given_order)
    names = optional_names(
        module.declaration, [for_torch(a) for a in module.given_order]
    )
    if not rest or not names or names[0] not in ("stride", "num_layers"):
        return False
    small = isinstance(rest[0], int) and rest[0] <= _SMALL
    return small and not (isinstance(first, int) and first < 2 * rest[0])


_SMALL = 11


def tell_rest(walk: Walk) -> None:
    """At the end of a definition: those that no tensor with known sizes reached."""
    for module in walk.misread:
        _tell(walk, module, sure=False)


def _agrees(written: Any, inferred: Any) -> bool:
    if isinstance(inferred, tuple) and len(inferred) == 1:
        inferred = inferred[0]
    if isinstance(written, tuple | list) and len(written) == 1:
        written = written[0]
    plain = written if not isinstance(written, list) else tuple(written)
    return inferred is not None and bool(plain == inferred)


def _is_known(size: Any) -> bool:
    sizes = size if isinstance(size, tuple) else (size,)
    return all(isinstance(s, int) for s in sizes)


def _tell(
    walk: Walk,
    module: LayerModule,
    *,
    sure: bool,
    flows: Mapping[str, Size] | None = None,
) -> None:
    if not sure and module.refusal.code == "repeated-argument":
        # `Conv2d(8, 3, kernel_size=5)` is a slip in our order.
        spans: dict[str | int, Span] = {
            k: a.span for k, a in module.keywords.items() if a.span
        }
        assert module.span is not None
        walk.refused(module.refusal, module.span, spans)
        return
    name, argument = next(iter(module.written_sizes.items()))
    if flows:
        name = next(iter(flows))
        argument = module.written_sizes[name]
    place = argument.span or module.span
    assert place is not None
    meant = _with_edits(module)
    if flows:
        flowing = _text(flows[name])
        note = f"{_text(argument.value)} is written, and {flowing} flows in"
        help_ = f"if {flowing} is right, write `{meant}`" if meant else "leave it out"
    else:
        note = f"{_text(argument.value)} flows in anyway" if sure else ""
        help_ = f"write `{meant}`" if meant else "leave it out"
    ours = _in_our_order(module) if not sure and _reads_two_ways(module) else ""
    if ours:
        help_ = f"write `{ours}`, or, if {_text(argument.value)} flows in, `{meant}`"
    more = ", and optional arguments go by name" if _names_some(module) else ""
    text = (
        f"`{name}` of `{module.declaration.name}` is not written: it follows from the"
        f" tensor that flows in{more}"
    )
    if ours:
        text = f"optional arguments of `{module.declaration.name}` go by name"
    walk.error(
        "too-many-arguments",
        text,
        place,
        note,
        help=Advice(help_, module.edits if sure else ()),
    )


def _in_our_order(module: LayerModule) -> str:
    """The call with names for what stands behind the required arguments."""
    declaration, given = module.declaration, module.given_order
    names = optional_names(declaration, [for_torch(a) for a in given])
    spans = [a.span for a in given]
    if not names or module.span is None or None in spans:
        return ""
    text, base = module.span.text, module.span.start
    late = list(zip(names, spans[-len(names) :], strict=True))
    for name, span in reversed(late):
        assert span is not None
        at = span.start - base
        text = f"{text[:at]}{name}={text[at:]}"
    return " ".join(text.split())


def _names_some(module: LayerModule) -> bool:
    return any(edit.text for edit in module.edits)


def _with_edits(module: LayerModule) -> str:
    """The call as it is meant, in the words of the file."""
    if module.span is None or not module.edits:
        return ""
    text, base = module.span.text, module.span.start
    for edit in reversed(module.edits):
        text = text[: edit.span.start - base] + edit.text + text[edit.span.end - base :]
    return " ".join(text.split()).replace("( ", "(")


def _text(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_text, value))})"
    return show(value) if isinstance(value, Dim) else str(value)
