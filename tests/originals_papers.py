"""Models that come in no library, written by hand as their authors describe them."""

from __future__ import annotations

from originals import Original

ORIGINALS: list[Original] = []
