"""What is called by no name of its own: sizes that change from round to round, and
the results of branches."""

from __future__ import annotations

import re

from netdsl import syntax
from netdsl.dims import Size
from netdsl.elaborate.values import size_names
from netdsl.reserved import FILE
from netdsl.shapes import Shape

# What sizes are called in models, by the letters that stand for them.
LENGTH_WORDS = {
    **{"D": "depth", "H": "height", "W": "width"},
    **{"T": "length", "L": "length", "S": "length"},
}
_WORDS = {"C": "channels", **LENGTH_WORDS}
# And the sizes behind batch and channels, by the number of sizes.
LENGTHS = {3: ("length",), 4: ("height", "width"), 5: ("depth", "height", "width")}


def size_word(shape: Shape, at: int, taken: set[str]) -> str:
    """What a size that changes from round to round is called: as its letter has it,
    else by its place, with the channels behind the batch or at the end."""
    sizes = (*shape.head, *shape.tail)
    words = [_word(size) for size in sizes]
    lengths = LENGTHS.get(len(sizes), ())
    # Ahead of the channels stands a length, `[N, T, C]` or `[T, N, C]`.
    last = words[1:2] != ["channels"] and any(words[:2])
    places = ["batch", *([*lengths, "channels"] if last else ["channels", *lengths])]
    if shape.star is not None or len(places) != len(sizes):
        places = [*("size" for _ in sizes[1:]), "channels"]
    known = [name for name in (words[at], places[at]) if name]
    known += [*(f"new_{name}" for name in known), f"new_size_{at}"]
    return next(name for name in known if name not in taken)


def _word(size: Size) -> str | None:
    """The word for a size that is made of one size of an input or loop."""
    symbols = {s for s in size_names(size) if s.kind in ("size", "carried")}
    name = symbols.pop().name.removeprefix("in_") if len(symbols) == 1 else ""
    return name if name in _WORDS.values() else _WORDS.get(name)


def arm_name(arm: syntax.Expression) -> str:
    """What the layers of a branch have in common in their names."""
    labels = [
        part.label.id
        for part in syntax.walk(arm)
        if isinstance(part, syntax.Labelled) and isinstance(part.label, syntax.Name)
    ]
    name = labels[0] if labels else ""
    ends = re.compile(r"(_?\d+[a-z]?)?")
    while name and not all(
        label.startswith(name) and ends.fullmatch(label, len(name)) for label in labels
    ):
        name = name[:-1].rstrip("_")
    return name if name not in FILE else ""
