"""Which files are made, and of what."""

from __future__ import annotations

from pathlib import Path

from netdsl.highlight import textmate, vim
from netdsl.highlight.words import words_of
from netdsl.parse.table import grammar_path


def made_files() -> dict[Path, str]:
    """The text of each editor's file, by its path."""
    folder = grammar_path().parent
    words = words_of(grammar_path().read_text(encoding="utf-8"))
    return {
        folder / "net.tmLanguage.json": textmate.written(words),
        folder / "vim" / "syntax" / "net.vim": vim.written(words),
    }
