"""What an editor is told: hovers, completions, hints, names; without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from netdsl.answers.colouring import Colours
from netdsl.answers.completing import complete
from netdsl.answers.hints import parameter_lenses, shape_hints
from netdsl.answers.hover import hover
from netdsl.answers.outline import outline
from netdsl.answers.page import Page
from netdsl.answers.referring import Unrenamable, definition, references, rename
from netdsl.answers.signing import signature_help
from netdsl.compiler import Session
from netdsl.files import directory_reader

EXAMPLES = Path(__file__).parent.parent / "examples"
FILES = sorted([*EXAMPLES.glob("*.net"), *EXAMPLES.glob("zoo/*.net")])

TEXT = '''\
"""Names of all kinds."""

let K = 3

fn half(n: int) = n // 2

net Block(width: int, p: float = 0.1):
    """A block."""
    input x: [N, C, H, W]
    x -> { skip | conv: Conv2d(width, K, padding=1) } -> cat(dim=1)
      -> dropout(p)
      -> last: Conv2d(half(width), 1)

net Model(depth: int, classes: int = 10):
    input x: [N, 3, H, W]
    y = x -> first: Block(32) -> second: Block(width=64)
    blocks: [Linear(classes) for i in range(depth)]
    z = y -> adaptive_avg_pool2d(1) -> flatten(1) -> head: Linear(classes)
    z -> blocks -> relu
    init head.weight = zeros

expect Model(depth=2) params == 13_894
'''


HEAD = "net A:\n    input x: [N, C]\n    "


class Desk:
    """One file under edit."""

    def __init__(self, text: str = TEXT, name: str = "a.net") -> None:
        self.session = Session(observes=True)
        self.name = name
        self.page: Page | None = None
        self.write(text)

    def write(self, text: str) -> Page:
        reader = directory_reader(Path(self.name).parent)
        analysis = self.session.analyse(self.name, text.encode(), reader=reader)
        self.page = Page(self.name, text, analysis, self.session, self.page, reader)
        return self.page

    @property
    def now(self) -> Page:
        assert self.page is not None
        return self.page

    def at(self, mark: str) -> int:
        """The offset of `^` in a piece of the text."""
        before, _, after = mark.partition("^")
        text = self.now.source.text
        assert text.count(before + after) == 1, mark
        return text.index(before + after) + len(before)

    def hover(self, mark: str) -> str:
        found = hover(self.now, self.at(mark))
        return found.text if found is not None else ""

    def hints(self) -> dict[int, str]:
        text = self.now.source.text
        found = shape_hints(self.now, 0, len(text))
        return {text.count("\n", 0, h.offset) + 1: h.text for h in found}

    def words(self, tail: str) -> dict[str, str]:
        """The completions at the end of the file, with more text there."""
        text = self.now.source.text + tail
        page = self.write(text)
        return {c.label: c.kind for c in complete(page, len(text))}


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    assert [d.text for d in desk.now.diagnostics] == []
    return desk


# -- hover -----------------------------------------------------------------------


def test_hover_of_a_layer(desk: Desk) -> None:
    text = desk.hover("| co^nv: Conv2d")
    assert "conv: Conv2d(width, K, padding=1)" in text
    assert "`[N, C, H, W]` → `[N, width, H, W]`" in text
    assert "`weight: [width, C, 3, 3]`, `bias: [width]`" in text
    assert "(9 * C + 1) * width parameters" in text


def test_hover_of_a_layer_type_has_its_documentation(desk: Desk) -> None:
    text = desk.hover("head: Lin^ear(classes)")
    assert "Linear(out_features, *, bias=True)" in text
    assert "`[N, 32]` → `[N, classes]`" in text
    assert "Affine map of the last size" in text
    assert "33 * classes parameters" in text
    assert "`in_features` follows" in text


def test_hover_of_a_function_stage(desk: Desk) -> None:
    text = desk.hover("-> ca^t(dim=1)")
    assert "cat(tensors, dim=0)" in text
    assert "→ `[N, C + width, H, W]`" in text


def test_hover_of_a_member_and_of_what_is_called() -> None:
    desk = Desk(
        "fn half(x: [*S]) = x * 0.5\n\nnet A:\n    input x: [N, 8]\n"
        '    y = x -> body: [one: Linear(4), BatchNorm1d, "relu": ReLU]\n'
        "    many: [Linear(4) for _ in range(3)]\n    z = y -> many\n"
        "    sigmoid(z) + half(y)\n"
    )
    assert "`[N, 8]` → `[N, 4]`" in desk.hover("on^e: Linear")
    assert "`[N, 8]` → `[N, 4]`" in desk.hover("one: Lin^ear")
    assert "`[N, 4]` → `[N, 4]`" in desk.hover("Batch^Norm1d")
    assert "`[N, 4]` → `[N, 4]`" in desk.hover("[Lin^ear(4) for")
    assert "`[N, 4]` → `[N, 4]`" in desk.hover("sig^moid(z)")
    assert "`[N, 4]` → `[N, 4]`" in desk.hover("ha^lf(y)")


def test_hover_of_a_net(desk: Desk) -> None:
    text = desk.hover("first: Blo^ck(32)")
    assert "net Block(width: int, p: float = 0.1)" in text
    assert "A block." in text
    assert "`[N, 3, H, W]` → `[N, 16, H, W]`" in text
    # 3 * 32 * 9 + 32 of `conv`, 35 * 16 + 16 of `last`.
    assert "Holds 1,472 parameters" in text


def test_hover_of_names(desk: Desk) -> None:
    assert "y: [N, 32, H, W]" in desk.hover("z = ^y ->")
    assert "classes: int = 10" in desk.hover("Model(depth: int, cl^asses")
    assert "let K = 3" in desk.hover("Conv2d(width, ^K, ")
    assert "fn half(n: int)" in desk.hover("Conv2d(ha^lf(")
    assert "dim: int = 0" in desk.hover("cat(d^im=1)")


# -- beside the text ----------------------------------------------------------------


def test_hints_stand_at_the_ends_of_lines(desk: Desk) -> None:
    assert desk.hints() == {
        10: "[N, C + width, H, W]",
        11: "[N, C + width, H, W]",
        12: "[N, width // 2, H, W]",
        16: "[N, 32, H, W]",
        18: "[N, classes]",
        19: "[N, classes]",
    }


def test_hints_inside_branches_of_several_lines() -> None:
    desk = Desk(
        "net A:\n    input x: [N, 8]\n    x -> {\n        skip\n"
        "        | a: Linear(16) -> relu\n          -> b: Linear(8)\n    } -> add\n"
    )
    assert desk.hints() == {4: "[N, 8]", 5: "[N, 16]", 6: "[N, 8]", 7: "[N, 8]"}


def test_hints_inside_a_list_of_layers() -> None:
    desk = Desk(
        "net A:\n    input x: [N, 8]\n    later: [\n        Linear(4), ReLU,\n    ]\n"
        "    x -> body: [\n        Linear(16), ReLU,  # 16\n        Linear(2),\n"
        "    ] -> later\n\n"
        "net B(width: int) = [\n    Linear(width),\n    ReLU,\n]\n"
    )
    assert desk.hints() == {
        7: "[N, 16]", 8: "[N, 2]", 9: "[N, 4]",
        12: "[*, width]", 13: "[*, width]",
    }  # fmt: skip


def test_sizes_out_of_a_table_that_has_no_name() -> None:
    desk = Desk(
        "net A:\n    input x: [N, 8]\n    x -> body: [\n"
        "        Linear(c * k)\n        for c, k in [(4, 1), (6, 2)]\n    ]\n"
    )
    assert desk.hints()[4] == "[N, _]"


def test_lenses_count_parameters(desk: Desk) -> None:
    texts = [lens.text for lens in parameter_lenses(desk.now)]
    assert texts[1] == "110 * depth + 13674 parameters"


@pytest.mark.parametrize(
    ("file", "net", "count"),
    [
        ("gpt2.net", "GPT2LMHeadModel", "124,439,808 parameters"),
        ("resnet.net", "resnet50", "25,557,032 parameters"),
        ("zoo/vit.net", "EncoderBlock", None),
    ],
)
def test_counts_of_examples(file: str, net: str, count: str | None) -> None:
    path = EXAMPLES / file
    page = Desk(path.read_text(encoding="utf-8"), str(path)).now
    lenses = {page.source.text[x.start : x.end]: x.text for x in parameter_lenses(page)}
    if count is None:
        assert "width ** 2" in lenses[net]
    else:
        assert lenses[net] == count


# -- completion -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tail", "has", "lacks"),
    [
        ("", "net expect from", "Linear relu"),
        ("expect M", "Model Block", "Linear"),
        ("net A(w: ", "int net float", "Linear"),
        ("net A(w: int):\n    in", "input let param w", "Linear net"),
        ("net A(w: int):\n    input x: [N, C]\n    input y: [", "N C w K", "relu x"),
        (HEAD + "a: ReLU\n    x -> ", "a relu Linear Block", "x"),
        (HEAD + "x -> fc: ", "Linear Block Model skip", "relu"),
        (HEAD + "x -> fc: Linear(", "bias= C K half", "input="),
        (HEAD + "x -> fc: Linear(4, ", "bias= in_features=", ""),
        ("net A:\n    input x: [N, C, H, W]\n    x -> Block(", "width= p= C=", "bias="),
        (HEAD + "x -> pad([1, 1], mode=", '"reflect" "circular"', ""),
        (HEAD + "x -> linalg.", "norm", "relu"),
        (HEAD + "# x -> ", "", "Linear relu"),
    ],
)  # fmt: skip
def test_completion(desk: Desk, tail: str, has: str, lacks: str) -> None:
    words = desk.words(tail)
    assert set(has.split()) <= words.keys()
    assert not set(lacks.split()) & words.keys()


def test_completion_of_what_a_layer_has() -> None:
    text = (
        "net A:\n    input x: [N, 4]\n"
        "    x -> fc: Linear(8) -> b: Linear(4, bias=False)"
        "\n    tie b."
    )
    page = Desk(text.rpartition("\n")[0] + "\n").write(text)
    assert {c.label for c in complete(page, len(text))} >= {"weight"}


def test_completion_of_an_import(tmp_path: Path) -> None:
    (tmp_path / "blocks.net").write_text(TEXT, encoding="utf-8")
    text = 'from "blocks.net" import '
    page = Desk(text, str(tmp_path / "main.net")).now
    words = {c.label: c.kind for c in complete(page, len(text))}
    assert words == {
        "K": "constant", "half": "function", "Block": "class", "Model": "class"
    }  # fmt: skip


def test_signature_help(desk: Desk) -> None:
    found = signature_help(desk.now, desk.at("conv: Conv2d(width, ^K"))
    assert found is not None
    assert found.label.startswith("Conv2d(out_channels, kernel_size, *, stride=1")
    assert found.active == 1
    by_name = signature_help(desk.now, desk.at("K, padding=^1"))
    assert by_name is not None and by_name.active is not None
    assert by_name.parameters[by_name.active] == "padding=0"
    net = signature_help(desk.now, desk.at("Block(^32)"))
    assert net is not None and net.parameters == ("width: int", "p: float = 0.1")
    # What flows in is the function's first argument.
    function = signature_help(desk.now, desk.at("flatten(^1)"))
    assert function is not None and function.active == 1


# -- names ----------------------------------------------------------------------------


def places(desk: Desk, mark: str) -> list[str]:
    """The lines, and what stands there, of all uses of a name."""
    found = desk.now.place_at(desk.at(mark))
    assert found is not None
    text = desk.now.source.text
    uses = references([desk.now], found[1].thing)
    return [f"{text.count(chr(10), 0, w.start) + 1}:{w.text}" for w in uses]


def test_references(desk: Desk) -> None:
    assert places(desk, "net Block(wi^dth") == [
        "7:width", "10:width", "12:width", "16:width"
    ]  # fmt: skip
    assert places(desk, "net Blo^ck") == ["7:Block", "16:Block", "16:Block"]
    assert places(desk, "head: Li^near(cl") != []
    assert places(desk, "he^ad: Linear") == ["18:head", "20:head"]
    assert places(desk, "let ^K") == ["3:K", "10:K"]


def test_a_layer_and_a_hyperparameter_of_one_name() -> None:
    desk = Desk(
        "net A(dropout: float = 0.1):\n    input x: [N, 8]\n"
        "    x -> dropout: Dropout(dropout) -> dropout\n"
    )
    assert places(desk, "A(drop^out") == ["1:dropout", "3:dropout"]
    assert places(desk, "-> drop^out: D") == ["3:dropout", "3:dropout"]


def test_definition(desk: Desk) -> None:
    def line(mark: str) -> int:
        where = definition(desk.now, desk.at(mark))
        return desk.now.source.position(where[0].start)[0]

    assert line("first: Blo^ck") == 7
    assert line("Conv2d(ha^lf") == 5
    assert line("init he^ad.weight") == 18
    assert line("z -> bl^ocks") == 17
    assert definition(desk.now, desk.at("head: Lin^ear")) == []


def test_definition_of_an_argument_in_another_file(tmp_path: Path) -> None:
    parts = "# é🎉\nnet Part(n: int, p: float = 0.1) = [Linear(n), Dropout(p)]\n"
    (tmp_path / "parts.net").write_text(parts, encoding="utf-8")
    desk = Desk(
        'from "parts.net" import Part\n\nnet A:\n    input x: [N, 8]\n'
        "    x -> a: Part(4, p=0.2)\n",
        str(tmp_path / "a.net"),
    )
    (where,) = definition(desk.now, desk.at("4, ^p=0.2"))
    assert where.source.name == str(tmp_path / "parts.net")
    assert parts[where.start :].startswith("p: float")


def renamed(desk: Desk, mark: str, name: str) -> str:
    text = desk.now.source.text
    edits = rename(desk.now, [desk.now], desk.at(mark), name)
    for where, new in sorted(edits, key=lambda e: -e[0].start):
        text = text[: where.start] + new + text[where.end :]
    return text


@pytest.mark.parametrize(
    ("mark", "name"),
    [
        ("net Block(wi^dth", "breadth"),
        ("net Blo^ck", "Cell"),
        ("first: Blo^ck", "Cell"),
        ("fn ha^lf", "middle"),
        ("let ^K", "KERNEL"),
        ("he^ad: Linear", "classifier"),
        ("input ^x: [N, 3", "image"),
        ("^y = x", "features"),
        ("for ^i in", "j"),
        ("[N, ^C, H", "channels"),
    ],
)
def test_a_renamed_file_means_the_same(desk: Desk, mark: str, name: str) -> None:
    text = renamed(desk, mark, name)
    assert text != TEXT and name in text
    assert [d.text for d in Desk(text).now.diagnostics] == []
    again = Desk(text)
    old = TEXT[desk.at(mark) :].split("(")[0]
    assert again.hints().keys() == desk.hints().keys(), old


@pytest.mark.parametrize(
    ("mark", "name"),
    [
        ("head: Lin^ear", "Dense"),
        ("he^ad: Linear", "first"),
        ("he^ad: Linear", "half life"),
        ("he^ad: Linear", "forward"),
        ("net Blo^ck", "Model"),
        ("net Blo^ck", "Linear"),
        ("net Block(wi^dth", "x"),
    ],
)
def test_a_name_that_means_something_is_refused(
    desk: Desk, mark: str, name: str
) -> None:
    with pytest.raises(Unrenamable):
        renamed(desk, mark, name)


def test_outline(desk: Desk) -> None:
    entries = outline(desk.now)
    assert [(e.name, e.kind) for e in entries] == [
        ("K", "constant"), ("half", "fn"), ("Block", "net"), ("Model", "net")
    ]  # fmt: skip
    assert [(e.name, e.kind) for e in entries[3].inner] == [
        ("depth", "hyperparameter"), ("classes", "hyperparameter"), ("x", "input"),
        ("first", "layer"), ("second", "layer"), ("blocks", "layer"), ("head", "layer"),
    ]  # fmt: skip


def test_colours(desk: Desk) -> None:
    text = desk.now.source.text
    tokens = Colours().tokens(desk.now)
    kinds = {(text[t.start : t.end], t.type) for t in tokens}
    assert {
        ("net", "keyword"), ("width", "parameter"), ("Conv2d", "class"),
        ("Block", "class"), ("N", "typeParameter"), ("conv", "property"),
        ("cat", "function"), ("half", "function"), ("3", "number"),
    } <= kinds  # fmt: skip
    ends = [t.end for t in tokens]
    assert all(a <= b.start for a, b in zip(ends, tokens[1:], strict=False))
    assert all("\n" not in text[t.start : t.end] for t in tokens)


# -- broken files ---------------------------------------------------------------------


def test_what_parses_keeps_its_answers(desk: Desk) -> None:
    broken = TEXT.replace("x -> { skip |", "x -> { skip | |")
    desk.write(broken)
    assert desk.now.diagnostics[0].code == "syntax-error"
    assert "Linear(out_features" in desk.hover("head: Lin^ear(cl")
    assert desk.hints()[18] == "[N, classes]"


def test_a_broken_net_answers_as_before_where_its_text_is_the_same(desk: Desk) -> None:
    hints = desk.hints()
    desk.write(TEXT.replace("-> dropout(p)", "-> dropout(p"))
    assert desk.now.diagnostics
    assert {k: v for k, v in desk.hints().items() if k < 12} == {
        k: v for k, v in hints.items() if k < 11
    }
    assert "`[N, C + width, H, W]` → `[N, width // 2, H, W]`" in desk.hover(
        "la^st: Conv2d"
    )
    assert places(desk, "net Block(wi^dth")[:2] == ["7:width", "10:width"]
    desk.write(TEXT)
    assert desk.hints() == hints


def test_a_file_that_was_never_whole() -> None:
    desk = Desk(
        "net A(w: int):\n    input x: [N, C]\n    let k = 3\n    x -> fc: Linear("
    )
    page = desk.now
    words = {c.label for c in complete(page, len(page.source.text))}
    assert {"w", "k", "bias="} <= words
    assert shape_hints(page, 0, 100) == [] and outline(page) == []


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_every_place_of_an_example_has_an_answer(path: Path) -> None:
    page = Desk(path.read_text(encoding="utf-8"), str(path)).now
    text = page.source.text
    named = 0
    for offset in range(0, len(text), 7):
        found = hover(page, offset)
        named += found is not None
        definition(page, offset)
        complete(page, offset)
        signature_help(page, offset)
    assert named > len(text) / 50
    assert shape_hints(page, 0, len(text))
    assert outline(page) and Colours().tokens(page)
