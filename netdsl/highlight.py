"""The editor's syntax file: a TextMate grammar made from `net.lark`'s words and the
tables of layers.  `python -m netdsl.highlight` writes it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

from netdsl.elaborate.arithmetic import STATIC_FUNCTIONS
from netdsl.elaborate.starting import INITIALISERS
from netdsl.layers import FUNCTIONS, LAYERS
from netdsl.parse.table import grammar_path
from netdsl.shapes import DTYPES

Node: TypeAlias = dict[str, Any]

_NAME = r"[A-Za-z_]\w*"
_TERMINAL = re.compile(r"^_?[A-Z][A-Z_]*(?:\.\d+)?: /(.*)/$", re.MULTILINE)
_ITEMS = ("net", "fn", "extern")
_TYPED = ("input", "param", "buffer")
_CONSTANTS = ("None", "True", "False")
_WORD_OPERATORS = ("and", "or", "not", "in", "is")
_TYPES = ("int", "float", "bool", "str", "list", "dict", "tuple", "net")
_PARAMETER = "variable.parameter"


def keywords(grammar: str) -> dict[str, str]:
    """The words of the grammar, each with the expression that tells it from a name."""
    patterns = _TERMINAL.findall(grammar)
    words = ((re.match("[A-Za-z]+", p), p) for p in patterns)
    return {found[0]: pattern for found, pattern in words if found}


def textmate(grammar: str) -> str:
    """The TextMate grammar as JSON, for the text of `net.lark`."""
    made: Node = {
        "name": "net",
        "scopeName": "source.net",
        "fileTypes": ["net"],
        "patterns": _include("docstring", "item", "typed", "statement", "expression"),
        "repository": _repository(keywords(grammar)),
    }
    return json.dumps(made, indent=2) + "\n"


def _repository(words: dict[str, str]) -> dict[str, Node]:
    return {
        "comment": _match(r"#.*$", "comment.line.number-sign"),
        "docstring": _docstring(),
        "string": {"patterns": _strings()},
        "hole": _hole(),
        "escape": _match(
            r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)",
            "constant.character.escape",
        ),
        "number": _match(
            r"\b\d[\d_]*(?:\.[\d_]*)?(?:[eE][+-]?\d+)?|\.\d[\d_]*(?:[eE][+-]?\d+)?",
            "constant.numeric",
        ),
        "item": {"patterns": [_item(words[w], w) for w in _ITEMS]},
        "typed": _typed(words),
        "type": {"patterns": _types()},
        "statement": {"patterns": _statements(words)},
        "words": {"patterns": _words(words)},
        "operator": {"patterns": _operators()},
        "label": _label(),
        "call": {"patterns": _calls()},
        "brackets": {"patterns": _brackets()},
        "name": _match(rf"\b{_NAME}\b", "variable.other"),
        "expression": {
            "patterns": _include(
                *("comment", "string", "number", "words", "label", "call"),
                *("operator", "brackets", "name"),
            )
        },
    }


# -- small parts ---------------------------------------------------------------


def _match(pattern: str, scope: str) -> Node:
    return {"match": pattern, "name": f"{scope}.net"}


def _include(*names: str) -> list[Node]:
    return [{"include": f"#{name}"} for name in names]


def _captures(*scopes: str) -> Node:
    return {
        str(i): {"name": f"{scope}.net"} for i, scope in enumerate(scopes, 1) if scope
    }


def _any(words: Iterable[str]) -> str:
    named = sorted(w for w in words if w.replace(".", "").isidentifier())
    return rf"\b(?:{'|'.join(map(re.escape, named))})\b"


# -- text ----------------------------------------------------------------------


def _docstring() -> Node:
    return {
        "begin": '"""',
        "end": '"""',
        "name": "string.quoted.docstring.net",
        "patterns": _include("escape"),
    }


def _strings() -> list[Node]:
    """f-strings ahead of strings, and no string beyond its line."""
    made: list[Node] = []
    for kind, head, inner in (
        ("interpolated", "f", ("hole", "escape")),
        ("quoted", "", ("escape",)),
    ):
        for quote, count in (('"', "double"), ("'", "single")):
            node: Node = {
                "begin": f"{head}{quote}",
                "end": f"{quote}|$",
                "name": f"string.{kind}.{count}.net",
                "patterns": _include(*inner),
            }
            if head:
                node["begin"] = rf"\b(f){quote}"
                node["beginCaptures"] = _captures("storage.type.string")
            made.append(node)
    return made


def _hole() -> Node:
    return {
        "patterns": [
            _match(r"\{\{|\}\}", "constant.character.escape"),
            {
                "begin": r"\{",
                "end": r"\}|(?=[\"'])|$",
                "beginCaptures": {"0": {"name": "punctuation.section.embedded.net"}},
                "endCaptures": {"0": {"name": "punctuation.section.embedded.net"}},
                "contentName": "meta.embedded.line.net",
                "patterns": _include("number", "words", "call", "operator", "name"),
            },
        ]
    }


# -- statements ----------------------------------------------------------------


def _item(head: str, word: str) -> Node:
    """`net NAME(...)`: the name, and the parameters with their types."""
    kind = "function" if word == "fn" else "type"
    signature = word == "extern"
    parameters = {
        "begin": r"\(",
        "end": r"\)",
        "name": "meta.parameters.net",
        "patterns": [
            {
                "begin": r":",
                "end": r"(?=[,)=])",
                "beginCaptures": {
                    "0": {"name": "punctuation.separator.annotation.net"}
                },
                "patterns": _include("type"),
            },
            {
                "begin": r"=",
                "end": r"(?=[,)])",
                "beginCaptures": {"0": {"name": "keyword.operator.assignment.net"}},
                "patterns": _include("expression"),
            },
            _match(rf"\b{_NAME}\b", _PARAMETER),
            *_include("comment"),
        ],
    }
    return {
        "begin": rf"^({head})\s+({_NAME})",
        # An extern goes on with the types of what it takes and gives.
        "end": "$" if signature else r"(?=[:=])|$",
        "beginCaptures": _captures("keyword.declaration", f"entity.name.{kind}"),
        "patterns": [
            parameters,
            *_include("comment"),
            *(_include("type", "operator") if signature else ()),
        ],
    }


def _typed(words: dict[str, str]) -> Node:
    """`input x: [N, 3, H, W]`: names, then a type."""
    heads = "|".join(words[w] for w in _TYPED)
    return {
        "begin": rf"^\s+({heads})\s+({_NAME}(?:\s*,\s*{_NAME})*)\s*(:)",
        "end": rf"(?={words['where']}|=|#|$)",
        "beginCaptures": _captures(
            "keyword.declaration", _PARAMETER, "punctuation.separator.annotation"
        ),
        "patterns": _include("type"),
    }


def _types() -> list[Node]:
    shape = {
        "begin": r"\[",
        "end": r"\]",
        "name": "meta.shape.net",
        "patterns": [
            _match(r"\*\w+|(?<=\[)\*(?=[,\]])|\b_\b", "variable.language.shape"),
            _match(rf"\b{_NAME}\b", "variable.other.size"),
            *_include("number", "operator", "brackets"),
        ],
    }
    return [
        {
            "begin": r"\b(list|dict|tuple)(?=\[)",
            "end": r"(?<=\])",
            "beginCaptures": _captures("support.type"),
            "patterns": [{"begin": r"\[", "end": r"\]", "patterns": _include("type")}],
        },
        _match(_any(_TYPES), "support.type"),
        _match(_any(DTYPES), "support.type.dtype"),
        _match(_any(_CONSTANTS), "constant.language"),
        _match(r"\|", "keyword.operator.union"),
        shape,
    ]


def _statements(words: dict[str, str]) -> list[Node]:
    """What heads a statement is a keyword only there."""
    heads = [w for w, p in words.items() if "(?=" in p]
    plain = [w for w in heads if w not in ("params", "as", *_ITEMS, *_TYPED)]
    starts = "|".join(words[w] for w in plain)
    return [
        {"match": rf"^\s*({starts})", "captures": _captures("keyword.declaration")},
        _match(rf"\b{words['params']}", "keyword.other"),
        _match(rf"\b{words['import']}|\b{words['as']}", "keyword.control.import"),
    ]


def _words(words: dict[str, str]) -> list[Node]:
    free = {w for w, p in words.items() if "(?=" not in p and len(w) > 1}
    control = free - {*_CONSTANTS, *_WORD_OPERATORS}
    return [
        _match(_any(control), "keyword.control"),
        _match(_any(_WORD_OPERATORS), "keyword.operator.word"),
        _match(_any(_CONSTANTS), "constant.language"),
        _match(r"\b(?:skip|training)\b(?!\s*[=(])", "variable.language"),
        _match(_any(DTYPES), "support.type.dtype"),
    ]


# -- expressions ---------------------------------------------------------------


def _label() -> Node:
    """`conv1: Conv2d(...)`; dotted names too."""
    return {
        "match": rf"(?<![\w.])({_NAME}(?:\.{_NAME})*)\s*(:)(?=[ \t]+\S)",
        "captures": _captures("entity.name.label", "punctuation.separator.label"),
    }


def _calls() -> list[Node]:
    """Layers wherever they stand; functions behind an arrow and ahead of `(`."""
    functions = _any({*FUNCTIONS, *STATIC_FUNCTIONS, *INITIALISERS})
    return [
        _match(_any(LAYERS), "support.class.layer"),
        _match(r"\b[A-Z]\w*[a-z]\w*\b", "entity.name.type"),
        _match(rf"(?<=->|->\s){functions}|{functions}(?=\()", "support.function"),
        _match(rf"\b{_NAME}(?=\()", "entity.name.function"),
    ]


def _operators() -> list[Node]:
    return [
        _match(r"->", "keyword.operator.flow"),
        _match(r"\|", "keyword.operator.branch"),
        _match(r"==|!=|<=|>=|<|>", "keyword.operator.comparison"),
        _match(r"[-+*/]?=", "keyword.operator.assignment"),
        _match(r"\*\*|//|[-+*/%@~]", "keyword.operator.arithmetic"),
        _match(r"\.\.\.", "constant.language.ellipsis"),
    ]


def _brackets() -> list[Node]:
    """Inside parentheses `name=` is an argument."""
    argument = {
        "match": rf"\b({_NAME})\s*(=)(?!=)",
        "captures": _captures(_PARAMETER, "keyword.operator.assignment"),
    }
    inside = _include("expression")
    return [
        {"begin": r"\(", "end": r"\)", "patterns": [argument, *inside]},
        {"begin": r"\[", "end": r"\]", "patterns": inside},
        {"begin": r"\{", "end": r"\}", "patterns": inside},
    ]


def textmate_path() -> Path:
    return grammar_path().with_name("net.tmLanguage.json")


def main() -> None:
    made = textmate(grammar_path().read_text(encoding="utf-8"))
    textmate_path().write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
