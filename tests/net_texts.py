"""`.net` texts for tests of what reads them: drawn ones, and noise for any.

What is drawn has the right syntax and seldom any sense.
"""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from netdsl.parse.concrete import ConcreteFile, ConcreteParser
from netdsl.source import Source

# -- drawn programs ----------------------------------------------------------------

NAMES = st.sampled_from(["x", "y", "width", "relu", "add", "conv1", "long_name_of_it"])
LAYERS = st.sampled_from(["Linear", "Conv2d", "ReLU", "Block", "Identity"])
LITERALS = st.sampled_from(
    [
        *"""0 3 1_000 0.5 1e-6 True ... "same" 'it' 'a"b' f"a{i}" f'{i+1}b'""".split(),
        '"# no comment"',
        '"one" "two"',
    ]
)
OPERATORS = st.sampled_from(["+", "-", "*", "/", "//", "%", "@", "**"])
COMPARISONS = st.sampled_from(["==", "<", ">=", "!=", "in", "not in", "is", "is not"])


def _several(part: st.SearchStrategy[str], least: int = 0) -> st.SearchStrategy[str]:
    made = st.lists(part, min_size=least, max_size=4)
    commas = st.sampled_from(["", ","]) if least else st.just("")
    return st.tuples(made, commas).map(lambda p: ", ".join(p[0]) + p[1])


def _bigger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def form(text: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(*parts).map(lambda p: text.format(*p))

    closed = inner.map(lambda t: f"({t})")
    flow = flows(inner)
    clause = form("for {} in {}", st.sampled_from(["i", "i, w", "i, (a, b)"]), closed)
    return st.one_of(
        form("({} {} {})", closed, OPERATORS, closed),
        form("({} {} {} {} {})", closed, OPERATORS, closed, OPERATORS, closed),
        form("({} {} {})", closed, COMPARISONS, closed),
        form("({} and {} or not {})", closed, closed, closed),
        form("({} if {} else {})", closed, closed, closed),
        form("(-{})", closed),
        form("({})", flow),
        form("({},)", inner),
        form("({})", _several(inner, 2)),
        form("[{}]", _several(st.one_of(inner, flow, form("*{}", closed)), 1)),
        form("[{} {}]", flow, clause),
        form("[{} {} if {} {}]", inner, clause, closed, clause),
        form("{}({})", NAMES, _several(flow)),
        form("{}({}, stride={}, bias={})", LAYERS, inner, inner, inner),
        form("{}({})", LAYERS, form("[{}]", _several(inner, 1))),
        form("({} {})", inner, clause).map(lambda t: f"sum{t}"),
        form("{}[{}:, ..., :{}, None]", NAMES, closed, closed),
        form("{}[{}::{}]", NAMES, closed, closed),
        form("{}[{},]", NAMES, inner),
        form("{}.weight", NAMES),
        form('{{"a": {}, "b": {}}}', inner, inner),
        form("{{ {} | skip }}", flow),
        form("{{ {} | {} | *{} }}", flow, inner, closed),
    )


def flows(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    labelled = st.tuples(NAMES, st.one_of(LAYERS, inner)).map(": ".join)
    stages = st.lists(st.one_of(NAMES, LAYERS, labelled, inner), max_size=5)
    return st.tuples(inner, stages).map(lambda p: " -> ".join([p[0], *p[1]]))


EXPRESSIONS = st.recursive(st.one_of(NAMES, LITERALS), _bigger, max_leaves=12)
FLOWS = flows(EXPRESSIONS)
TYPES = st.sampled_from(
    ["int", "list[int]", "[N, 3, H, W]", "bool[*S, 2 * T] | None", "dict[str, net]"]
)
PARAMETERS = st.lists(
    st.one_of(
        st.tuples(NAMES, TYPES).map(": ".join),
        st.tuples(NAMES, TYPES, EXPRESSIONS).map(lambda p: f"{p[0]}: {p[1]} = {p[2]}"),
        st.tuples(NAMES, EXPRESSIONS).map(" = ".join),
    ),
    max_size=4,
).map(lambda parts: f"({', '.join(parts)})")


def _line(text: str, *parts: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.tuples(*parts).map(lambda p: [text.format(*p)])


LINES = st.one_of(
    _line("{}", FLOWS),
    _line("{} = {}", NAMES, FLOWS),
    _line("y, (h, c) = {}, {}", FLOWS, FLOWS),
    _line("a: {}, b: {}", EXPRESSIONS, LAYERS),
    _line("skips += [{}]", EXPRESSIONS),
    _line("input {}: {}", NAMES, TYPES),
    _line("input a, b: {} = None where {}", TYPES, EXPRESSIONS),
    _line("param w: [C] = {}, requires_grad=False", EXPRESSIONS),
    _line("init Conv2d.weight = {}", EXPRESSIONS),
    _line("tie a.weight = b.weight"),
    _line("let a, b = {}, {}", EXPRESSIONS, EXPRESSIONS),
    _line("return {}", FLOWS),
    _line('"""A docstring.\n\n      More of it.\n    """'),
)


def _blocks(
    lines: st.SearchStrategy[list[str]],
) -> st.SearchStrategy[list[str]]:
    def inside(body: list[list[str]]) -> list[str]:
        return ["    " + line for part in body for line in part]

    suite = st.lists(lines, min_size=1, max_size=3).map(inside)
    return st.one_of(
        st.tuples(EXPRESSIONS, suite).map(lambda p: [f"if {p[0]}:", *p[1]]),
        st.tuples(EXPRESSIONS, suite, EXPRESSIONS, suite, suite).map(
            lambda p: [f"if {p[0]}:", *p[1], f"elif {p[2]}:", *p[3], "else:", *p[4]]
        ),
        st.tuples(EXPRESSIONS, suite).map(lambda p: [f"for a, b in {p[0]}:", *p[1]]),
    )


BODIES = st.lists(st.recursive(LINES, _blocks, max_leaves=4), min_size=1, max_size=4)
ITEMS = st.one_of(
    _line("net A = {}", FLOWS),
    _line("net A{} = {}", PARAMETERS, EXPRESSIONS),
    _line("fn f{} = {}", PARAMETERS, EXPRESSIONS),
    _line("let K = {}", EXPRESSIONS),
    _line("extern E{}: ([*S], [N]) -> [*S]", PARAMETERS),
    _line("expect A params == {}", EXPRESSIONS),
    _line("expect {}", EXPRESSIONS),
    _line('from "blocks.net" import Block as B, Stage'),
    st.tuples(st.sampled_from(["net A", "fn f"]), PARAMETERS, BODIES).map(
        lambda p: [f"{p[0]}{p[1]}:", *("    " + n for part in p[2] for n in part)]
    ),
)
PROGRAMS = st.lists(ITEMS, min_size=1, max_size=3).map(
    lambda items: "".join(f"{line}\n" for item in items for line in item)
)

# -- comments and blanks -------------------------------------------------------------


class Place(NamedTuple):
    """A comment, and the number of the token it stands behind."""

    behind: int
    text: str


_READER = ConcreteParser()


def tokens(text: str) -> ConcreteFile:
    return _READER.read(Source("a.net", text))


def places(text: str) -> list[Place]:
    """The comments, each with its place among the tokens that have to be there."""
    found: list[Place] = []
    number = 0
    leaves = list(tokens(text).leaves())
    for leaf, after in zip(leaves, [*leaves[1:], None], strict=True):
        found += [Place(number, comment.text) for comment in leaf.leading]
        is_last_bar = leaf.text == "|" and after is not None and after.text == "}"
        number += leaf.text not in (",", "(", ")") and not is_last_bar
        if leaf.trailing:
            found.append(Place(number, leaf.trailing))
    return found


@st.composite
def noisy(draw: st.DrawFn, text: str) -> str:
    """The text with other blanks, and with comments wherever the language has them."""
    source = text.rstrip("\n") + "\n"
    made = ""
    at = depth = count = 0

    def comment() -> str:
        nonlocal count
        count += 1
        return f"# {count}"

    for leaf in tokens(source).leaves():
        gap = source[at : leaf.start]
        if depth > 0 or (leaf.text in ("->", "|") and made):
            more = ["", " ", "\n ", "  #\n ", "\n   #\n", " #\n\n  #\n "]
            gap += draw(st.sampled_from(more))
        elif leaf.new_line:
            margin = gap.rpartition("\n")[2]
            start = draw(st.sampled_from(["\n", "  #\n"])) if made else ""
            between = st.sampled_from(["", "#", "    #", "        #", "  #"])
            lines = draw(st.lists(between, max_size=3))
            gap = start + "".join(f"{line}\n" for line in lines) + margin
        elif gap:
            gap = draw(st.sampled_from([" ", "   "]))
        for _ in range(gap.count("#\n")):
            gap = gap.replace("#\n", f"{comment()}\n", 1)
        depth += (leaf.text in ("(", "[", "{")) - (leaf.text in (")", "]", "}"))
        # An item's word at a line's start would begin an item, in brackets too.
        if depth > 0 and gap.endswith("\n"):
            gap += " "
        made += gap + leaf.text
        at = leaf.end
    return made
