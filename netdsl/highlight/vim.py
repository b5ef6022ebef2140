"""The syntax file of Vim and Neovim."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netdsl.highlight.words import (
    CONSTANTS,
    CONTAINERS,
    ITEMS,
    OWN_NAMES,
    TYPED,
    TYPES,
    WORD_OPERATORS,
    Words,
)

_HEAD = """\
" Vim syntax file: .net, the models of netdsl.
" Made by `python -m netdsl.highlight` from the grammar and the tables of layers.

if exists("b:current_syntax")
  finish
endif

syntax case match
syntax sync minlines=200
syntax iskeyword @,48-57,_
"""

_TEXT = r'''
" -- text
syntax match netComment /#.*$/ contains=@Spell
syntax match netEscape /\\\%(x\x\{2}\|u\x\{4}\|U\x\{8}\|.\)/ contained
syntax match netBraces /{{\|}}/ contained
syntax region netHole matchgroup=netHoleBrace start=/{/ end=/}/ end=/$/
  \ contained contains=TOP,netComment
syntax region netString start=/"/ skip=/\\./ end=/"/ end=/$/ contains=netEscape
syntax region netString start=/'/ skip=/\\./ end=/'/ end=/$/ contains=netEscape
syntax region netString start=/\<f"/ skip=/\\./ end=/"/ end=/$/
  \ contains=netEscape,netBraces,netHole
syntax region netString start=/\<f'/ skip=/\\./ end=/'/ end=/$/
  \ contains=netEscape,netBraces,netHole
syntax region netString start=/"""/ skip=/\\./ end=/"""/
  \ contains=netEscape,@Spell
syntax match netNumber /\v<\d[0-9_]*%(\.[0-9_]*)?%([eE][+-]?\d+)?/
syntax match netNumber /\v\.\d[0-9_]*%([eE][+-]?\d+)?/
'''

_PLACES = r"""
" -- functions: behind an arrow, as a branch, ahead of a parenthesis
syntax cluster netInPlace contains=netFunction,netLayer,netOwn,netControl,
  \netConstant,netWordOperator,netType
syntax match netOperator /[-+*/%@~=<>!]\+\|\.\.\./
syntax match netOperator /->/ nextgroup=netPlaced,netChoice skipwhite
syntax match netOperator /|/ nextgroup=netPlaced,netChoice skipwhite
syntax match netBrace /{/ nextgroup=netPlaced,netChoice skipwhite
syntax match netPlaced /\v<\h\w*>%(\.\h|\s*:\s)@!/ contained contains=@netInPlace
syntax match netPlaced /\v%(\.)@1<!<\h\w*\ze\(/ contains=@netInPlace
syntax match netPlaced /\v%(\.)@1<!<\h\w*\ze\s*\|/ contains=@netInPlace
syntax match netPlaced /\v^\s+\zs\h\w*\ze\s*\}/ contains=@netInPlace
syntax region netChoice start=/(/ end=/)/ contained transparent
  \ contains=ALLBUT,netEscape,netBraces,netHole
syntax match netLabel /\v%([A-Za-z0-9_.])@1<!\h\w*%(\.\h\w*)*\ze\s*:\s+\S/
"""

_LINKS = {
    "Comment": "Comment",
    "String": "String",
    "Escape": "SpecialChar",
    "Braces": "SpecialChar",
    "HoleBrace": "Special",
    "Number": "Number",
    "Head": "Keyword",
    "Control": "Conditional",
    "Constant": "Constant",
    "WordOperator": "Operator",
    "Operator": "Operator",
    "Own": "Special",
    "Type": "Type",
    "Layer": "Structure",
    "Function": "Function",
    "Definition": "Identifier",
    "Label": "Label",
}


def written(words: Words) -> str:
    """The syntax file."""
    parts = [_HEAD, *_words(words), _TEXT, _PLACES, *_heads(words), *_torch(words)]
    links = [f"highlight default link net{a} {b}\n" for a, b in _LINKS.items()]
    return "".join([*parts, "\n", *links, '\nlet b:current_syntax = "net"\n'])


def _words(words: Words) -> Iterator[str]:
    yield "\n\" -- words of the language, and torch's layers\n"
    yield from _keywords("Control", words.control)
    yield r"syntax match netControl /\<where\>(\@!/" + "\n"
    yield from _keywords("Constant", CONSTANTS)
    yield from _keywords("WordOperator", WORD_OPERATORS)
    yield rf"syntax match netOwn /\v<%({'|'.join(OWN_NAMES)})>" + (
        r"%(\s*%([(=]|:\s+\S))@!/" + "\n"
    )
    yield from _keywords("Layer", words.layers)
    plain = sorted({*TYPES, *words.dtypes} - {"net", *CONTAINERS})
    yield rf"syntax match netType /\v<%({'|'.join(plain)})>\(@!/" + "\n"
    yield rf"syntax match netType /\v<%({'|'.join(CONTAINERS)})>\[@=/" + "\n"
    yield r"syntax match netType /\v%(^)@1<!<net>/" + "\n"


def _heads(words: Words) -> Iterator[str]:
    """What is a keyword only where a statement begins, and what stands in its line."""
    yield '\n" -- statements\n'
    tops = [words.patterns[w] for w in (*ITEMS, "expect", "from", "let")]
    inside = [
        words.patterns[w] for w in (*TYPED, *words.heads) if w not in ("expect", "from")
    ]
    yield rf"syntax match netHead /\v^%({'|'.join(map(vim, tops))})/" + "\n"
    yield rf"syntax match netHead /\v%(^\s+)@<=<%({'|'.join(map(vim, inside))})/" + "\n"
    params = vim(words.patterns["params"])
    yield rf"syntax match netHead /\v%(^expect .*)@<=<{params}/" + "\n"
    imports = [vim(words.patterns[w]) for w in ("import", "as")]
    yield rf"syntax match netHead /\v%(^from .*)@<=<%({'|'.join(imports)})/" + "\n"
    items = "|".join(ITEMS)
    yield rf"syntax match netDefinition /\v%(^%({items})\s+)@<=\h\w*/" + "\n"
    given = "|".join(words.initialisers)
    yield rf"syntax match netFunction /\v%(\=\s?)@3<=<%({given})>\(@!/" + "\n"


def _torch(words: Words) -> Iterator[str]:
    """Functions, which a model may use as names: only in the places above."""
    yield "\n\" -- torch's functions\n"
    plain = {w for w in words.functions if "." not in w}
    types = {*TYPES, *words.dtypes}
    yield from _keywords("Function", sorted(plain - types), " contained")
    # `int | None` is a type; `int(x)` and `-> float` are functions.
    both = "|".join(sorted(plain & types))
    yield rf"syntax match netFunction /\v<%({both})>\(@=/" + "\n"
    yield rf"syntax match netFunction /\v%(-\>\s?)@3<=<%({both})>/" + "\n"
    rooms: dict[str, list[str]] = {}
    for word in words.functions:
        room, dot, name = word.partition(".")
        if dot:
            rooms.setdefault(room, []).append(name)
    for room, names in rooms.items():
        yield rf"syntax match netFunction /\v<{room}\.%({'|'.join(names)})>/" + "\n"


def _keywords(group: str, words: Iterable[str], more: str = "") -> Iterator[str]:
    line = f"syntax keyword net{group}{more}"
    width = len(line)
    for word in words:
        if width + len(word) > 80:
            line += "\n  \\"
            width = 3
        line += f" {word}"
        width += len(word) + 1
    yield f"{line}\n"


def vim(pattern: str) -> str:
    """An expression of the grammar's words, very magic."""
    made, ends, at = [], [], 0
    while at < len(pattern):
        rest = pattern[at:]
        opening = next((o for o in _GROUPS if rest.startswith(o)), "")
        if opening:
            made.append("%(")
            ends.append(_GROUPS[opening])
            at += len(opening)
            continue
        if rest[0] == "[":
            end = rest.index("]") + 1
            made.append(rest[:end])
            at += end
            continue
        if rest.startswith(r"\b"):
            made.append(">")
            at += 2
            continue
        made.append(ends.pop() if rest[0] == ")" else _PLAIN.get(rest[0], rest[0]))
        at += 1
    return "".join(made)


_GROUPS = {"(?:": ")", "(?=": ")@=", "(?!": ")@!"}
_PLAIN = {"=": r"\=", "<": r"\<", ">": r"\>", "@": r"\@", "/": r"\/"}
