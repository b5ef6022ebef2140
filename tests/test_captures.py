"""The captures of the README are what the command line and the server say today."""

from __future__ import annotations

import captures


def test_captures_are_current() -> None:
    page = captures.PAGE.read_text(encoding="utf-8")
    current = captures.with_captures(page, captures.captures(page))
    assert current == page, "run `python tests/captures.py`"
