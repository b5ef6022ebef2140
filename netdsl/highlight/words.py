"""The words that are coloured, by what they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from netdsl.elaborate.arithmetic import STATIC_FUNCTIONS
from netdsl.elaborate.starting import INITIALISERS
from netdsl.layers import FUNCTIONS, LAYERS
from netdsl.shapes import DTYPES

NAME = r"[A-Za-z_]\w*"
NUMBER = r"\b\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?|\.\d[\d_]*(?:[eE][+-]?\d+)?"
ESCAPE = r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)"
# What can't follow a word that the language has given a meaning.
NO_NAME = r"(?!\s*(?:[=(]|:[ \t]+\S))"
ITEMS = ("net", "fn", "extern")
TYPED = ("input", "param", "buffer")
CONSTANTS = ("False", "None", "True")
WORD_OPERATORS = ("and", "in", "is", "not", "or")
# What the language itself calls so, wherever it isn't a name of the file.
OWN_NAMES = ("skip", "training")
CONTAINERS = ("dict", "list", "tuple")
TYPES = ("bool", "float", "int", "net", "str", *CONTAINERS)

_TERMINAL = re.compile(r"^_?[A-Z][A-Z_]*(?:\.\d+)?: /(.*)/$", re.MULTILINE)
_INSIDE_LINE = ("as", "import", "params", "where")


class Words(NamedTuple):
    """Words by their kind.  Heads of statements come with the expression that tells
    them from names, which holds where a line begins."""

    patterns: Mapping[str, str]
    """All words of the grammar, with their expressions."""
    heads: tuple[str, ...]
    """What begins a statement other than an item or a declared tensor."""
    control: tuple[str, ...]
    layers: tuple[str, ...]
    functions: tuple[str, ...]
    initialisers: tuple[str, ...]
    dtypes: tuple[str, ...]


def keywords(grammar: str) -> dict[str, str]:
    """The words of the grammar, each with the expression that tells it from a name."""
    patterns = _TERMINAL.findall(grammar)
    words = ((re.match("[A-Za-z]+", p), p) for p in patterns)
    return {found[0]: pattern for found, pattern in words if found}


def words_of(grammar: str) -> Words:
    """All words, of the text of `net.lark` and of the tables."""
    patterns = {w: p for w, p in keywords(grammar).items() if len(w) > 1}
    ahead = {w for w, p in patterns.items() if "(?=" in p}
    heads = ahead - {*ITEMS, *TYPED, *_INSIDE_LINE}
    free = patterns.keys() - ahead - {*CONSTANTS, *WORD_OPERATORS, *_INSIDE_LINE}
    return Words(
        patterns,
        tuple(sorted(heads)),
        tuple(sorted(free)),
        _names(LAYERS),
        _names({*FUNCTIONS, *STATIC_FUNCTIONS, *INITIALISERS}),
        _names(INITIALISERS),
        _names(DTYPES),
    )


def _names(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(w for w in words if w.replace(".", "").isidentifier()))


def any_of(words: Iterable[str]) -> str:
    """An expression for any of the words, and no longer one."""
    return rf"\b(?:{'|'.join(map(re.escape, words))})\b"
