"""Indentation that is off, and characters that only look like the right ones."""

from __future__ import annotations

import re

from netdsl.diagnostics import Edit
from netdsl.parse.site import Guess, Site

_LOOKALIKES = {
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2033": '"', "\u00ab": '"',
    "\u00bb": '"', "\u2018": "'", "\u2019": "'", "\u2032": "'", "\u2212": "-",
    "\u2010": "-", "\u2011": "-", "\u2013": "-", "\u2014": "-", "\u00d7": "*",
    "\u2217": "*", "\u00b7": "*", "\u00f7": "/", "\u2044": "/", "\u2264": "<=",
    "\u2265": ">=", "\u2260": "!=", "\u2026": "...", "\u00a0": " ", "\u2009": " ",
    "\u202f": " ", "\u3000": " ", "\uff0c": ",", "\uff1a": ":", "\uff08": "(",
    "\uff09": ")", "\uff1d": "=", "\uff0b": "+", "\uff0a": "*", "\uff5c": "|",
    "\u3001": ",", "\uff3b": "[", "\uff3d": "]", "\uff5b": "{", "\uff5d": "}",
}  # fmt: skip
_GREEK = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda_ mu nu xi omicron"
    " pi rho sigma tau upsilon phi chi psi omega"
).split(), strict=False))  # fmt: skip


def lookalike(site: Site) -> Guess | None:
    plain = _LOOKALIKES.get(site.found)
    if plain is None:
        return None
    edits = [
        site.replace(at, at + 1, _LOOKALIKES[char])
        for at, char in enumerate(site.line[site.start - site.line_start :], site.start)
        if char in _LOOKALIKES
    ]
    if not plain.strip():
        text = f"a blank that is no plain blank (U+{ord(site.found):04X})"
        return Guess(text, "write a plain blank", tuple(edits))
    if plain in "\"'":
        text = "a string stands in plain quotes"
    else:
        text = f"U+{ord(site.found):04X} only looks like `{plain}`"
    return Guess(text, f"write `{plain}` for `{site.found}`", tuple(edits))


def greek(site: Site) -> Guess | None:
    word = _GREEK.get(site.found)
    if word is None:
        return None
    return Guess("names are plain ASCII", f"write `{word}` for `{site.found}`")


def doubled_sign(site: Site) -> Guess | None:
    """`a && b`, `!a`, `a; b`, `a ? b : c`"""
    text, start = site.chunk.text, site.start
    if text.startswith("&&", start):
        edit = site.replace(start, start + 2, "and")
        span = site.span(start, start + 2)
        return Guess(
            "`and` joins two conditions", "write `and` for `&&`", (edit,), span
        )
    if site.found == "!":
        edit = site.replace(start, start + 1, "not ")
        return Guess("`not` turns a condition round", "write `not` for `!`", (edit,))
    if site.found == ";":
        ends = not site.after.split("#")[0].strip()
        edits = (site.replace(start, start + 1, ""),) if ends else ()
        help_ = "delete it" if ends else "write one line for each"
        return Guess("a line has no `;`", help_, edits)
    if site.found == "?":
        return Guess(
            "a choice is written as in Python", "write `a if condition else b`"
        )
    return None


def double_or(site: Site) -> Guess | None:
    if site.found != "|" or site.opener()[0] == "{":
        return None
    found = re.search(r"\|\|", site.line)
    if not found:
        return None
    start = site.line_start + found.start()
    edit = site.replace(start, start + 2, "or")
    span = site.span(start, start + 2)
    return Guess("`or` joins two conditions", "write `or` for `||`", (edit,), span)


def open_string(site: Site) -> list[Guess]:
    """The closing quote at each place of its line where it could stand."""
    quote = site.found
    if quote not in ("'", '"'):
        return []
    line = site.line.rstrip()
    guesses = []
    for at in range(site.start + 2, site.line_start + len(line) + 1):
        if site.chunk.text[at - 1] in ")],}" or at == site.line_start + len(line):
            place = at - 1 if site.chunk.text[at - 1] in ")],}" else at
            guesses.append(
                Guess(
                    "this string is never closed",
                    f"close it: `{site.chunk.text[site.start:place]}{quote}`",
                    (site.insert(place, quote),),
                )
            )
    return guesses


# -- margins ---------------------------------------------------------------------


def tabs(site: Site) -> Guess | None:
    """All tabs of the chunk at once: one for four spaces."""
    edits = []
    for found in re.finditer(r"(?m)^[ \t]+(?=[^\s#])", site.chunk.text):
        if "\t" in found[0]:
            edits.append(site.replace(*found.span(), found[0].expandtabs(4)))
    return Guess(
        "a tab indents this line",
        "indent with four spaces: editors show tabs in different widths",
        tuple(edits),
    )


def body_at_edge(site: Site) -> Guess | None:
    """The lines of a net stand at the left edge."""
    head = re.match(r"\s*(net|fn)\b", site.chunk.text)
    if not head or site.start != site.line_start or site.start == 0:
        return None
    text = site.chunk.text
    edits = [
        site.insert(found.start(), "    ")
        for found in re.finditer(r"(?m)^(?=[ \t]*\S)", text[site.line_start :])
    ]
    edits = [_moved(site, e, site.line_start) for e in edits]
    return Guess(
        f"a line of the {'net' if head[1] == 'net' else 'function'} stands at the left"
        " edge",
        "indent the lines of a net below its first, with four spaces",
        tuple(edits),
    )


def _moved(site: Site, edit: Edit, by: int) -> Edit:
    return site.insert(edit.span.start + by, edit.text)


def too_deep(site: Site) -> Guess | None:
    """A line deeper than the one above, where nothing opens a block."""
    if not site.at_end or site.line.rstrip().endswith(":"):
        return None
    below = _line_below(site)
    margin, begun = _statement(site)
    if below is None or below[1] <= len(margin):
        return None
    start, width, stop = below
    line = site.chunk.text[start + width : stop]
    if "->" in begun and _is_stage(line):
        place = start + width
        word = re.match(r"[^\s(]*", line)
        assert word is not None
        return Guess(
            f"a `->` is missing before `{word[0].rstrip(':')}`",
            "a line that goes on with the one above begins with `->`",
            (site.insert(place, "-> "),),
            site.span(place, stop),
        )
    if re.search(r"(?<![!<>=])=\s*$|[-+*/%@]\s*$|\b(?:and|or|not|in)\s*$", site.line):
        return Guess(
            "this line can't go on with the one above it",
            "put it on the line above, or both in brackets: inside them a line may"
            " end anywhere",
            (site.replace(site.line_end, start + width, " "),),
            site.span(start + width, stop),
        )
    return Guess(
        "this line is indented deeper than the one above it",
        "indent it like the line above; only a line that ends with `:` opens a block",
        (site.replace(start, start + width, margin),),
        site.span(start + width, stop),
    )


def _statement(site: Site) -> tuple[str, str]:
    """The margin of the statement that a line belongs to, and its text so far."""
    start = site.line_start
    while start and re.match(r"[ \t]*(?:->|\|)", site.chunk.text[start:]):
        start = site.chunk.text.rfind("\n", 0, start - 1) + 1
    text = site.chunk.text[start : site.line_end]
    return text[: len(text) - len(text.lstrip())], text


def _is_stage(line: str) -> bool:
    """Whether a line reads as a stage: `fc: Linear(4)`, `ReLU`, `flatten(1)`."""
    from netdsl.layers import FUNCTIONS

    if re.match(r"(?:[A-Za-z_][\w.]*\s*:(?!=)|[A-Z]\w*\b(?!\s*[=,]))", line):
        return not re.match(r"(?:if|for|elif|else|input|param|buffer)\b", line)
    found = re.match(r"([a-z_]\w*)(?:\(|\s*(?:->|#|$))", line)
    return found is not None and found[1] in FUNCTIONS


def _line_below(site: Site) -> tuple[int, int, int] | None:
    """The next line with text: where it begins, its margin, where it ends."""
    below = re.compile(r"\n(?:[ \t]*(?:#[^\n]*)?\n)*(?=([ \t]*)[^\s#]([^\n]*))")
    found = below.match(site.chunk.text, site.line_end)
    if found is None:
        return None
    return found.end(), len(found[1]), found.end(2)


def block_is_empty(site: Site) -> Guess | None:
    """`if c:`, and the next line isn't deeper."""
    above = site.chunk.text[: site.line_start].rstrip()
    head_line = above[above.rfind("\n") + 1 :].split("#")[0].rstrip()
    if site.before.strip() or not head_line.endswith(":"):
        return None
    head = re.match(r"\s*(if|elif|else|for)\b", head_line)
    if not head:
        return None
    return Guess(
        f"this line isn't indented below its `{head[1]}`",
        "indent what belongs to it by four more spaces",
        (site.replace(site.line_start, site.start, site.margin + "    "),),
        site.span(site.start, site.line_end),
    )


def uneven(site: Site) -> list[Guess]:
    """A line further left than its block, and as deep as no other."""
    above = site.chunk.text[: site.line_start]
    lines = re.finditer(r"(?m)^( *)(?=[^\s#])(?!->|\|)", above)
    levels = sorted({len(found[1]) for found in lines})
    margin = len(site.margin)
    near = sorted(levels, key=lambda level: abs(level - margin))
    return [
        Guess(
            "this line is indented like no line above it",
            "indent it like the lines above it",
            (site.replace(site.line_start, site.line_start + margin, " " * level),),
        )
        for level in near
        if level
    ][:1]


def indented_item(site: Site) -> list[Guess]:
    """` net A:`"""
    if not site.margin or site.before.strip() or site.head not in (
        "net", "fn", "let", "expect", "extern", "from"
    ):  # fmt: skip
        return []
    text = f"`{site.found}` stands at the left edge"
    help_ = "delete the blanks before it"
    width = len(site.margin)
    first = site.replace(site.line_start, site.line_start + width, "")
    every = [
        site.replace(found.start(), found.end(), "")
        for found in re.finditer(rf"(?m)^ {{{width}}}", site.chunk.text)
    ]
    return [Guess(text, help_, (first,)), Guess(text, help_, tuple(every))]
