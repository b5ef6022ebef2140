"""Layouts as data: text, the places where lines may end, and groups of both.

The algebra is Wadler's as Prettier grew it.  A group stands on one line if it fits,
else its own `Line`s end lines.  Comments are pieces of their own, since nothing may
follow one on its line: a group with a comment in its middle can't stand on one
line, but one at its start or end is the surroundings' affair.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence


class Doc:
    """A piece of layout, and what is certain of it before it is printed."""

    __slots__ = ("closes", "has_text", "is_broken", "opens")

    def __init__(self) -> None:
        self.is_broken = False
        """Whether it takes several lines however wide they are."""
        self.has_text = True
        self.opens = False
        """Whether it begins with a comment, which starts a line."""
        self.closes = False
        """Whether it ends in a comment, behind which a line ends."""


class Text(Doc):
    """Characters.  Glue, a comma, goes ahead of a comment that ends the line."""

    __slots__ = ("glue", "text")

    def __init__(self, text: str, *, glue: bool = False) -> None:
        super().__init__()
        self.text = text
        self.glue = glue
        self.has_text = bool(text)


class Line(Doc):
    """The end of a line if its group is broken, else `flat`."""

    __slots__ = ("flat",)

    def __init__(self, flat: str) -> None:
        super().__init__()
        self.flat = flat


class HardLine(Doc):
    """The end of a line."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self.is_broken = True


class Remark(Doc):
    """A comment; `own` if it has a line to itself."""

    __slots__ = ("own", "text")

    def __init__(self, text: str, *, own: bool) -> None:
        super().__init__()
        self.text = text
        self.own = own
        self.has_text = False
        self.opens = own
        self.closes = True


class Row(Doc):
    """Pieces one after the other."""

    __slots__ = ("parts",)

    def __init__(self, parts: Iterable[Doc]) -> None:
        super().__init__()
        self.parts = tuple(parts)
        self.has_text = False
        for part in self.parts:
            if part.opens and self.has_text:
                self.is_broken = True
            elif part.opens:
                self.opens = True
            if part.has_text:
                # Behind comments of its own lines the text may be flat.
                self.is_broken |= part.is_broken or (self.has_text and self.closes)
                self.has_text = True
                self.closes = part.closes
            else:
                self.closes |= part.closes


class Fill(Doc):
    """A piece and those behind it: on its line if they fit, and if it takes only one.

    `begins_row` says that it has to begin a line if its group is broken; the first of
    all does so anyway.
    """

    __slots__ = ("begins_row", "first", "is_first", "rest")

    def __init__(
        self, first: Doc, rest: Fill | None, *, begins_row: bool, is_first: bool
    ) -> None:
        super().__init__()
        self.first = first
        self.rest = rest
        self.begins_row = begins_row
        self.is_first = is_first
        both = Row([first, rest] if rest is not None else [first])
        self.is_broken, self.has_text = both.is_broken, both.has_text
        self.opens, self.closes = both.opens, both.closes


class _Around(Doc):
    __slots__ = ("part",)

    def __init__(self, part: Doc) -> None:
        super().__init__()
        self.part = part
        self.is_broken = part.is_broken
        self.has_text = part.has_text
        self.opens = part.opens
        self.closes = part.closes


class Indented(_Around):
    """Lines in it are indented by more; `bracketed` ones may end anywhere."""

    __slots__ = ("bracketed", "by")

    def __init__(self, by: int, part: Doc, *, bracketed: bool = False) -> None:
        super().__init__(part)
        self.by = by
        self.bracketed = bracketed


class Aligned(_Around):
    """Lines in it begin where it begins."""

    __slots__ = ("bracketed",)

    def __init__(self, part: Doc, *, bracketed: bool = False) -> None:
        super().__init__(part)
        self.bracketed = bracketed


class Group(_Around):
    """On one line if it fits.

    A loose group leaves it to the brackets in it to take several lines, and is
    broken only if what stands ahead of their first line's end does not fit.
    """

    __slots__ = ("loose",)

    def __init__(self, part: Doc, *, loose: bool = False, broken: bool = False) -> None:
        super().__init__(part)
        self.loose = loose
        self.is_broken |= broken

    @property
    def must_break(self) -> bool:
        return self.is_broken and not self.loose


class Wrapped(_Around):
    """An expression whose lines may end in brackets only.

    Outside of any it gets parentheses where it does not fit.
    """

    __slots__ = ()


class Trailing(Doc):
    """Glue that is there only where its group is broken: a last comma."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.has_text = False


class Spine(Doc):
    """What flows on from a source.

    Arrows stand below the first one if that is near the left edge, else they hang;
    the two layouts differ in their first line's end.
    """

    __slots__ = ("aligned", "hung")

    def __init__(self, aligned: Doc, hung: Doc) -> None:
        super().__init__()
        self.aligned = aligned
        self.hung = hung
        self.is_broken = aligned.is_broken
        self.opens = hung.opens
        self.closes = aligned.closes


NOTHING = Row(())


def row(*parts: Doc | str) -> Doc:
    """Pieces one after the other; a string is text."""
    return Row(Text(p) if isinstance(p, str) else p for p in parts)


def joined(separator: Doc, parts: Sequence[Doc]) -> Doc:
    made: list[Doc] = []
    for part in parts:
        made += [separator, part] if made else [part]
    return Row(made)


def in_parentheses(part: Doc) -> Doc:
    """The part on lines of its own, in parentheses that it doesn't need."""
    body = Indented(4, row(Line(""), Group(part)), bracketed=True)
    return row("(", body, Line(""), ")")
