"""Tokens and the comments around them as documents."""

from __future__ import annotations

from netdsl.formatting.documents import NOTHING, Doc, Remark, Row, Text, Trailing
from netdsl.parse.concrete import Comment, Leaf


def shown(comment: str) -> str:
    """A comment with a blank behind its `#`, but for what tools and rulers write."""
    body = comment[1:]
    plain = not body or body[0] in " \t!:#'"
    return comment if plain else f"# {body}"


def above(comments: tuple[Comment, ...]) -> list[Doc]:
    return [Remark(shown(c.text), own=True) for c in comments]


def behind(leaf: Leaf) -> Doc:
    """The comment at the end of a token's line."""
    return Remark(shown(leaf.trailing), own=False) if leaf.trailing else NOTHING


def token(leaf: Leaf, text: str | None = None) -> Doc:
    """A token with its comments."""
    written = Text(spelled(leaf) if text is None else text)
    if not leaf.leading and not leaf.trailing:
        return written
    return Row([*above(leaf.leading), written, behind(leaf)])


def comma(leaf: Leaf) -> Doc:
    """A comma, which goes ahead of a comment that it stood behind."""
    return Row([*above(leaf.leading), Text(",", glue=True), behind(leaf)])


def last_comma(leaf: Leaf | None) -> Doc:
    """The comma behind the last element: there where lines end, there or not."""
    if leaf is None:
        return Trailing(",")
    return Row([*above(leaf.leading), Trailing(","), behind(leaf)])


def without_text(leaf: Leaf) -> Doc:
    """The comments of a token that goes."""
    return Row([*above(leaf.leading), behind(leaf)])


def has_comments(leaf: Leaf) -> bool:
    return bool(leaf.leading or leaf.trailing)


def spelled(leaf: Leaf) -> str:
    """A token's text: strings in double quotes where that needs no escape."""
    text = leaf.text
    if leaf.kind in ("STRING", "F_STRING"):
        prefix, quoted = ("f", text[1:]) if text[0] == "f" else ("", text)
        body = quoted[1:-1]
        if quoted[0] == "'" and '"' not in body and "\\" not in body:
            return f'{prefix}"{body}"'
    return text
