"""The examples of README and LANGUAGE, as the compiler sees them.

A ```net block is a whole file, unless the words behind `net` say otherwise:

    ```net in x: [N, 64]      statements of a net with this input (more behind `;`)
    ```net error CODE ...     a file (`in`: statements) that gets these messages
    ```net as NAME            a file of this name

An import is the block above whose first line is `# NAME`.  A ```python block
right behind a whole file is what that file becomes, a ```text block what is said
about it; `pytest tests/test_language_examples.py --update` rewrites both.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import NamedTuple

import pytest
import reference

from netdsl import compiler
from netdsl.formatting import Formatter
from netdsl.limits import ImportRefused
from netdsl.render import render_text

ROOT = Path(__file__).parent.parent
PAGES = ("README.md", "LANGUAGE.md")
FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.M | re.S)


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    words: str
    text: str
    before: tuple[Block, ...]

    def __repr__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def expected(self) -> list[str]:
        """The codes that the block is to get."""
        found = re.search(r"\berror((?: [a-z]+(?:-[a-z]+)+)+)", self.words)
        return found[1].split() if found else []

    @property
    def name(self) -> str:
        found = re.search(r"\bas (\S+)", self.words)
        return found[1] if found else "example.net"

    @property
    def source(self) -> str:
        """The block as a whole file."""
        found = re.search(r"\bin (\w+:.*)", self.words)
        if found is None:
            return self.text
        lines = [f"input {part.strip()}" for part in found[1].split(";")]
        lines += self.text.splitlines()
        return "net Example:\n" + "".join(
            f"    {line}\n" if line else "\n" for line in lines
        )

    def read(self, importer: str, path: str) -> tuple[str, bytes]:
        """An import: the last block above that begins with `# path`."""
        for block in reversed(self.before):
            if block.text.startswith(f"# {path}\n"):
                return path, block.text.encode()
        raise ImportRefused(f"the page has no file {path}")


def blocks_of(page: str) -> list[Block]:
    text = (ROOT / page).read_text(encoding="utf-8")
    found: list[Block] = []
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, match[1], match[2], match[3], tuple(found)))
    return found


def compiled(block: Block) -> compiler.Outcome:
    return compiler.compile(
        block.name,
        block.source.encode(),
        reader=block.read,
        externs={"StochasticDepth": "torchvision.ops"},
    )


BLOCKS = [b for page in PAGES for b in blocks_of(page)]


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "net"], ids=repr)
def test_example_means_what_the_page_says(block: Block) -> None:
    found = [d for d in compiled(block).diagnostics if d.level == "error"]
    assert sorted(d.code for d in found) == sorted(block.expected), [
        render_text(d) for d in found
    ]


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "net"], ids=repr)
def test_example_is_in_its_canonical_form(block: Block) -> None:
    done = Formatter().canonical(block.name, block.source.encode())
    if done.text is None:
        assert block.expected, [render_text(d) for d in done.diagnostics]
    else:
        assert done.text == block.source


FOLLOWERS = [
    (a, b)
    for a, b in itertools.pairwise(BLOCKS)
    if a.page == b.page and a.language == "net" and b.language in ("python", "text")
]


@pytest.mark.parametrize(("block", "shown"), FOLLOWERS, ids=repr)
def test_block_below_is_what_the_example_gives(
    block: Block, shown: Block, update: bool
) -> None:
    outcome = compiled(block)
    text = outcome.text or ""
    if shown.language == "text":
        text = "\n".join(render_text(d) for d in outcome.diagnostics)
    if update:
        page = ROOT / shown.page
        place = re.compile(
            f"({re.escape(block.text)}```\n(?:(?!```net).)*?```{shown.language}\n)"
            + re.escape(shown.text) + "```", re.S
        )  # fmt: skip
        before = page.read_text("utf-8")
        changed = place.sub(lambda m: f"{m[1]}{text}```", before, count=1)
        page.write_text(changed, "utf-8")
    else:
        assert text == shown.text


def test_messages_have_a_page_that_is_current() -> None:
    page = reference.MESSAGES.read_text(encoding="utf-8")
    assert reference.messages() == page, "run `python tests/reference.py`"


def test_tables_of_the_reference_are_current() -> None:
    page = reference.PAGE.read_text(encoding="utf-8")
    assert reference.with_tables(page) == page, "run `python tests/reference.py`"
