"""ZOO.md lists every file of the zoo, and its lines as they are now.

That keys and bits are equal is `test_zoo.py`'s to see.
"""

from __future__ import annotations

import pytest
from originals import Original
from zoo_table import COUNTED, PAGE, counted, files, rows

ROWS = {row[0]: row for row in rows(PAGE.read_text(encoding="utf-8"))}
HOW = "run `python tests/zoo_table.py`"


def test_there_is_a_row_for_every_file() -> None:
    assert list(ROWS) == [counted(own)[0] for own in files().values()], HOW


@pytest.mark.parametrize("own", files().values(), ids=list(files()))
def test_lines_are_counted_anew(own: list[Original]) -> None:
    now = counted(own)
    assert ROWS[now[0]][:COUNTED] == now, HOW


@pytest.mark.parametrize("own", files().values(), ids=list(files()))
def test_a_row_admits_what_is_not_equal(own: list[Original]) -> None:
    row = ROWS[counted(own)[0]]
    for cell, known in (
        (row[-2], [o.trains for o in own]),
        (row[-1], [o.starts for o in own]),
    ):
        assert (cell == "yes") == all(k is True for k in known), HOW
    assert row[-4:-2] == ["yes", "yes"]


@pytest.mark.parametrize("own", files().values(), ids=list(files()))
def test_parameters_are_those_of_the_published_models(own: list[Original]) -> None:
    cells = ROWS[counted(own)[0]][COUNTED].split("<br>")
    known = [f"{o.parameters:,}" if o.parameters else None for o in own]
    assert [c if k else None for c, k in zip(cells, known, strict=True)] == known
