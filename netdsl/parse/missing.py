"""A sign that was left out, doubled or mistaken: commas, colons, brackets, arrows."""

from __future__ import annotations

import re

from netdsl.diagnostics import Edit
from netdsl.parse.site import CLOSERS, Guess, Site

_OPERAND_ENDS = re.compile(r"[\w\"')\]}]$")
_OPERAND_STARTS = re.compile(r"[\w\"'(\[{]")
_WORDS = frozenset("if elif else for in return and or not is where".split())


def _operands_meet(site: Site) -> bool:
    """Two values, with no sign between them."""
    before = site.chunk.text[: site.start].rstrip()
    if not (_OPERAND_ENDS.search(before) and _OPERAND_STARTS.match(site.found)):
        return False
    last = re.search(r"\w+$", before)
    return site.found not in _WORDS and (last is None or last[0] not in _WORDS)


def comma(site: Site) -> Guess | None:
    bracket, _ = site.opener()
    if bracket not in ("(", "[") or not _operands_meet(site):
        return None
    at = site.behind_last()
    return Guess(
        f"a comma is missing before `{_short(site.found)}`",
        "values in brackets are separated by `,`",
        (site.insert(at, ","),),
        site.span(at - 1, site.end),
    )


def comma_of_names(site: Site) -> Guess | None:
    """`input x y: [N, 8]`"""
    found = re.match(r"\s*(?:input|let)\s+\w+(?:\s*,\s*\w+)*\s+$", site.before)
    if not found or not site.found.isidentifier():
        return None
    at = site.behind_last()
    return Guess(
        f"a comma is missing before `{site.found}`",
        f"write `{site.line[: at - site.line_start].strip()}, {site.found}`",
        (site.insert(at, ","),),
    )


def bar(site: Site) -> Guess | None:
    bracket, _ = site.opener()
    if bracket != "{" or not _operands_meet(site):
        return None
    at = site.behind_last()
    between = site.chunk.text[at : site.start]
    sure = "\n" in between or site.chunk.text[:at].endswith("skip")
    return Guess(
        f"`|` is missing before `{_short(site.found)}`",
        (
            "branches are separated by `|`"
            if sure
            else "`|` separates two branches, `->` two stages of one"
        ),
        (site.insert(site.start, "| "),) if sure else (),
    )


def double_bar(site: Site) -> Guess | None:
    if site.found != "|" or not site.before.endswith("|"):
        return None
    if site.opener()[0] != "{":
        return None
    return Guess(
        "one `|` separates two branches",
        "for a branch that changes nothing, write `skip`",
        (site.replace(site.start, site.end, ""),),
    )


def colon_at_end(site: Site) -> Guess | None:
    heads = ("net", "if", "elif", "else", "for", "fn")
    if not site.at_end or "COLON" not in site.expected or site.head not in heads:
        return None
    line = site.line.split("#")[0].rstrip()
    end = site.line_start + len(line)
    if line.endswith(":") or site.opener(end)[0]:
        return None
    return Guess(
        f"a `:` is missing at the end of the `{site.head}` line",
        f"write `{_short(line.strip(), 60)}:`",
        (site.insert(end, ":"),),
        site.span(end - 1, end),
    )


def colon_of_input(site: Site) -> Guess | None:
    """`input x [N, 8]`, `input x = [N, 8]`, `let n: 4`"""
    found = re.match(
        r"\s*(?:input|param|buffer)\s+(\w+(?:\s*,\s*\w+)*)\s*$", site.before
    )
    if not found or site.found not in ("[", "="):
        return None
    edit = (
        site.insert(site.behind_last(), ":")
        if site.found == "["
        else site.replace(site.behind_last(), site.end, ":")
    )
    names = found[1]
    told = (
        "`:` is missing behind" if site.found == "[" else "`:`, not `=`, stands behind"
    )
    return Guess(
        f"a {told} `{names}`" if site.found == "[" else f"{told} `{names}`",
        f"write `{site.head} {names}: [SIZES]`",
        (edit,),
    )


def equals_of_let(site: Site) -> Guess | None:
    """A colon where a value is given: `let n: 4`, `net A(n: 4)`."""
    found = re.search(r"(\w+)\s*:\s*$", site.before)
    value = re.match(r"[-+.\w\"']+", site.chunk.text[site.start :])
    if value and not re.match(r"[-+.\d\"']|True\b|False\b", value[0]):
        return None
    named = site.head == "let" or (
        site.head in ("net", "fn", "extern") and site.opener()[0] == "("
    )
    if not (found and value and named):
        return None
    start = site.line_start + found.end(1)
    return Guess(
        "a type stands behind `:`, and this is a value",
        f"write `{found[1]} = {_short(value[0])}`",
        (site.replace(start, site.start, " = " if site.head == "let" else "="),),
    )


def colon_twice(site: Site) -> Guess | None:
    if site.found != ":" or not site.before.rstrip().endswith(":"):
        return None
    return Guess(
        "one `:` is enough", "delete it", (site.replace(site.start, site.end, ""),)
    )


def walrus(site: Site) -> Guess | None:
    if site.found != "=" or not site.before.endswith(":"):
        return None
    return Guess(
        "a value is named with `=`, not with `:=`",
        "a layer is named with `:`",
        (site.replace(site.start - 1, site.end, "="),),
        site.span(site.start - 1, site.end),
    )


# -- arrows ----------------------------------------------------------------------

_ODD_ARROW = re.compile(
    r"=>|- +>|--+>|\|>|~>|[-\u2013\u2014]+>|[\u2192\u27f6\u21d2\u279c]|>>+"
)


def odd_arrow(site: Site) -> Guess | None:
    for found in _ODD_ARROW.finditer(site.line):
        start = site.line_start + found.start()
        end = site.line_start + found.end()
        if found[0] != "->" and start <= site.start + 1 and site.start <= end:
            return Guess(
                "an arrow is written `->`",
                f"write `->` for `{found[0]}`" if found[0].isascii() else "",
                (site.replace(start, end, "->"),),
                site.span(start, end),
            )
    return None


def half_arrow(site: Site) -> Guess | None:
    """`x - fc: Linear(4)`, `x > fc: Linear(4)`"""
    found = re.search(r"(?:^|\s)([->])\s+[A-Za-z_]\w*$", site.before)
    if site.found != ":" or found is None or site.opener()[0] in ("(", "["):
        return None
    start = site.line_start + found.start(1)
    return Guess(
        "an arrow is written `->`",
        f"write `->` for `{found[1]}`",
        (site.replace(start, start + 1, "->"),),
        site.span(start, start + 1),
    )


def arguments(site: Site) -> Guess | None:
    """`Linear 4`"""
    found = re.search(r"([A-Za-z_]\w*)\s+$", site.before)
    if not found or not re.match(r"[\d\"'.]", site.found) or found[1] in _WORDS:
        return None
    start = site.line_start + found.end(1)
    return Guess(
        f"the arguments of `{found[1]}` stand in brackets",
        f"write `{found[1]}({_short(site.found)})`",
        (site.replace(start, site.end, f"({site.found})"),),
        site.span(start - len(found[1]), site.end),
    )


def name_of_layer(site: Site) -> Guess | None:
    """`x -> fc Linear(4)`"""
    found = re.search(r"->\s*([a-z_]\w*)\s+$", site.before)
    if not found or not re.match(r"[A-Z]\w*$", site.found):
        return None
    from netdsl.layers import FUNCTIONS

    if found[1] in FUNCTIONS:
        return None
    at = site.behind_last()
    return Guess(
        f"a `:` is missing between the name `{found[1]}` and its layer",
        f"write `{found[1]}: {site.found}`",
        (site.insert(at, ":"),),
        site.span(at - len(found[1]), site.end),
    )


def arrow(site: Site) -> Guess | None:
    """`x -> relu fc: Linear(4)`"""
    if site.opener()[0] or not _operands_meet(site):
        return None
    if "->" not in site.line and site.head != "extern":
        return None
    if site.head in ("if", "elif", "for", "input", "net"):
        return None
    at = site.behind_last()
    return Guess(
        f"a `->` is missing before `{_short(site.found)}`",
        "each stage of a flow stands behind its own `->`",
        (site.insert(at, " ->"),),
        site.span(at - 1, site.end),
    )


def arrow_at_end(site: Site) -> Guess | None:
    text = site.chunk.text
    line = site.line.split("#")[0].rstrip()
    if not line.endswith("->") or site.line_start + len(line) < site.start:
        return None
    start = site.line_start + len(line.rstrip("->").rstrip())
    end = site.line_start + len(line)
    below = re.compile(r"\n(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]*)(?=[^\s#])").match(
        text, site.line_end
    )
    edits: tuple[Edit, ...] = ()
    if below and len(below[1]) >= len(site.margin) and below.end() < len(text.rstrip()):
        deeper = site.margin + "  -> "
        edits = (
            site.replace(start, end, ""),
            site.replace(below.start(1), below.end(), deeper),
        )
    return Guess(
        "a line can't end with `->`",
        "begin the next line with it: a line that begins with `->` goes on with the"
        " line above",
        edits,
        site.span(end - 2, end),
    )


def nothing_flows(site: Site) -> Guess | None:
    """A `->` with nothing before it."""
    if site.found != "->" or site.before.strip():
        return None
    inputs = re.findall(r"(?m)^ +input (\w+) *:", site.chunk.text[: site.start])
    others = re.findall(r"(?m)^ +(?!input)\S", site.chunk.text[: site.line_start])
    only = len(inputs) == 1 and not others
    name = inputs[0] if inputs else "x"
    return Guess(
        "nothing flows into this `->`",
        f"a flow starts with a tensor: `{name} -> ...`",
        (site.insert(site.start, f"{name} "),) if only else (),
    )


def arrow_without_stage(site: Site) -> Guess | None:
    before = site.before.rstrip()
    if site.found == "->" and before.endswith("->"):
        return Guess(
            "no stage stands between these two `->`",
            "delete one of them",
            (site.replace(site.behind_last(), site.end, ""),),
        )
    return None


def bar_outside(site: Site) -> Guess | None:
    if site.found != "|" or site.opener()[0] == "{":
        return None
    bracket, at = site.opener()
    help_ = "write `x -> { a | b } -> add`"
    if bracket == "[":
        close = site.chunk.text.find("]", site.end)
        edits = (
            (site.replace(at, at + 1, "{"), site.replace(close, close + 1, "}"))
            if close > 0
            else ()
        )
        return Guess(
            "branches stand in braces, not in square brackets",
            help_,
            edits,
            site.span(at, at + 1),
        )
    return Guess("`|` separates branches, which stand in braces", help_)


# -- brackets --------------------------------------------------------------------


def never_closed(site: Site) -> list[Guess]:
    """The closing bracket at each place of its line where it could stand."""
    bracket = site.found
    guesses = []
    line = site.line.split("#")[0].rstrip()
    stop = site.line_start + len(line)
    for found in re.finditer(r"[\w\"')\]}](?!\w)", site.chunk.text[:stop]):
        at = found.end()
        if at <= site.start:
            continue
        closed = site.chunk.text[site.line_start : at].lstrip() + CLOSERS[bracket]
        guesses.append(
            Guess(
                f"`{bracket}` is never closed",
                f"close it: `{_short(closed, 60)}`",
                (site.insert(at, CLOSERS[bracket]),),
            )
        )
    return guesses


def wrong_closer(site: Site) -> Guess | None:
    bracket = site.opener()[0]
    if site.found not in CLOSERS.values():
        return None
    if bracket:
        right = CLOSERS[bracket]
        return Guess(
            f"`{site.found}` can't close `{bracket}`",
            f"write `{right}`",
            (site.replace(site.start, site.end, right),),
        )
    opens = next(k for k, v in CLOSERS.items() if v == site.found)
    return Guess(
        f"`{site.found}` closes nothing",
        f"delete it, or open it with `{opens}`",
        (site.replace(site.start, site.end, ""),),
    )


def never_opened(site: Site) -> Guess | None:
    """`Linear 4)`"""
    found = re.search(r"([A-Za-z_]\w*) ([\w., ]+)$", site.before)
    if site.found != ")" or site.opener()[0] or not found:
        return None
    start = site.line_start + found.end(1)
    return Guess(
        "`)` closes nothing",
        f"open it: `{found[1]}({found[2]})`",
        (site.replace(start, start + 1, "("),),
    )


def _short(text: str, width: int = 24) -> str:
    text = text.strip()
    return text if len(text) <= width else text[:width] + "..."
