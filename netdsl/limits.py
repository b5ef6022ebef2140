"""What a `.net` file may cost its reader, and the refusal of an import.

The caller sets the limits; a file can't.
"""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """How much one run may read, walk and build."""

    source_bytes: int = 1024 * 1024
    nesting: int = 64
    steps: int = 100_000
    layers: int = 10_000
    parameters: int = 10**12
    files: int = 64
    depth: int = 16
    """Of imports in imports."""
    diagnostics: int = 100
    tokens: int = 200_000
    """Words, numbers, strings and signs in one item."""

    @property
    def steps_of_all(self) -> int:
        """Of a whole run; `steps` are those of one item."""
        return 2 * self.steps


class ImportRefused(Exception):
    """An imported file is missing, out of bounds or unreadable.

    `code` is the message's code: `missing-import` or `import-outside`.
    """

    def __init__(self, text: str, help: str = "", code: str = "missing-import") -> None:
        super().__init__(text)
        self.text = text
        self.help = help
        self.code = code
