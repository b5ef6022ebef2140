"""The table of ZOO.md: the files of the zoo beside their originals.

`python tests/zoo_table.py` measures all of it, which takes minutes, and writes it
between its marks; `test_zoo.py` holds each pair to what the table says.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from originals import (
    Original,
    differing,
    lines_of,
    net_lines,
    parameters,
    python_lines,
    same_results,
    shapes,
)
from zoo_models import ORIGINALS

PAGE = Path(__file__).parent.parent / "ZOO.md"
BEGIN = "<!-- table: `python tests/zoo_table.py` writes it -->\n"
END = "<!-- end of table -->\n"

HEADINGS = (
    "file", "models", "`.net`", "Python", "original", "parameters", "keys", "eval",
    "train", "start",
)  # fmt: skip
COUNTED = 5
"""As many columns are counted from text alone."""


@dataclass(frozen=True)
class Measured:
    """What came of comparing one model: a verdict is True, False or why it can't be."""

    parameters: int
    verdicts: tuple[bool | str, ...]


def files() -> dict[str, list[Original]]:
    """The originals of each `.net` file."""
    out: dict[str, list[Original]] = {}
    for original in ORIGINALS:
        out.setdefault(original.file, []).append(original)
    return out


def counted(own: list[Original]) -> list[str]:
    """The cells of a file that its text gives."""
    source = own[0].source
    pieces = {id(piece): piece for o in own for piece in o.code}
    lines = (
        net_lines(source.read_text()),
        python_lines(source.with_suffix(".py").read_text()),
        lines_of(list(pieces.values())),
    )
    link = f"[{source.stem}](examples/{own[0].file}.net)"
    return [link, "<br>".join(o.name for o in own), *map(str, lines)]


def measured(original: Original) -> Measured:
    """Compares a model with its original."""
    ours, theirs = original.full_pair()
    return Measured(
        parameters(ours),
        (
            shapes(ours) == shapes(theirs),
            same_results(original, training=False),
            _unless(original.trains, lambda: same_results(original, training=True)),
            _unless(original.starts, lambda: not differing(*original.pair())),
        ),
    )


def _unless(known: bool | str, ask: Callable[[], bool]) -> bool | str:
    """The reason why something can't be, or whether it is."""
    return ask() if known is True else known


def table() -> Iterator[str]:
    """The rows, then the footnotes."""
    yield f"| {' | '.join(HEADINGS)} |"
    yield "|---|---|" + "--:|" * 4 + "---|" * 4
    notes: list[str] = []
    for own in files().values():
        results = [measured(o) for o in own]
        sizes = "<br>".join(f"{r.parameters:,}" for r in results)
        verdicts = [
            _verdict(column, notes)
            for column in zip(*(r.verdicts for r in results), strict=True)
        ]
        yield f"| {' | '.join([*counted(own), sizes, *verdicts])} |"
        print(own[0].file, *verdicts, file=sys.stderr)
    if notes:
        yield ""
    for number, note in enumerate(notes, 1):
        yield f"{number}. {note[0].upper()}{note[1:]}."


def _verdict(column: Iterable[bool | str], notes: list[str]) -> str:
    """`yes`, or for each model `yes`, `no` or the number of its footnote."""
    cells = []
    for verdict in column:
        if isinstance(verdict, str):
            if verdict not in notes:
                notes.append(verdict)
            cells.append(f"no ({notes.index(verdict) + 1})")
        else:
            cells.append("yes" if verdict else "no")
    return cells[0] if len(set(cells)) == 1 else "<br>".join(cells)


def rows(page: str) -> list[list[str]]:
    """The cells of the page's table, below its headings."""
    text = page.split(BEGIN)[1].split(END)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[c.strip() for c in line.strip("|").split("|")] for line in lines[1:]]


def main() -> None:
    torch.set_num_threads(1)
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    tail = rest.partition(END)[2]
    body = "\n".join(table())
    PAGE.write_text(f"{head}{BEGIN}\n{body}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
