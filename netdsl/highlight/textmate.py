"""The TextMate grammar, for VS Code and all that read its format."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

from netdsl.highlight.words import (
    CONSTANTS,
    CONTAINERS,
    ESCAPE,
    ITEMS,
    NAME,
    NO_NAME,
    NUMBER,
    OWN_NAMES,
    TYPED,
    TYPES,
    WORD_OPERATORS,
    Words,
    any_of,
)

Node: TypeAlias = dict[str, Any]

_PARAMETER = "variable.parameter"
_ASSIGNMENT = "keyword.operator.assignment"


def written(words: Words) -> str:
    """The grammar as JSON."""
    made: Node = {
        "name": "net",
        "scopeName": "source.net",
        "fileTypes": ["net"],
        "patterns": _include("docstring", "item", "statement", "expression"),
        "repository": _repository(words),
    }
    return json.dumps(made, indent=2) + "\n"


def _repository(words: Words) -> dict[str, Node]:
    return {
        "comment": _match(r"#.*$", "comment.line.number-sign"),
        "docstring": _docstring(),
        "string": {"patterns": _strings()},
        "hole": _hole(),
        "escape": _match(ESCAPE, "constant.character.escape"),
        "number": _match(NUMBER, "constant.numeric"),
        "item": {"patterns": [_item(words.patterns[w], w) for w in ITEMS]},
        "statement": {"patterns": _statements(words)},
        "type": {"patterns": _types(words)},
        "words": {"patterns": _words(words)},
        "operator": {"patterns": _operators()},
        "label": _label(),
        "call": {"patterns": _calls(words)},
        "brackets": {"patterns": _brackets(words)},
        "name": _match(rf"\b{NAME}\b", "variable.other"),
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


def _captures(*scopes: str | Node) -> Node:
    return {
        str(i): {"name": f"{s}.net"} if isinstance(s, str) else s
        for i, s in enumerate(scopes, 1)
        if s
    }


def _names(scope: str) -> Node:
    """A capture with several names in it."""
    return {"patterns": [_match(rf"\b{NAME}\b", scope)]}


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
    brace = {"0": {"name": "punctuation.section.embedded.net"}}
    return {
        "patterns": [
            _match(r"\{\{|\}\}", "constant.character.escape"),
            {
                "begin": r"\{",
                "end": r"\}|(?=[\"'])|$",
                "beginCaptures": brace,
                "endCaptures": brace,
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
                "beginCaptures": {"0": {"name": f"{_ASSIGNMENT}.net"}},
                "patterns": _include("expression"),
            },
            _match(rf"\b{NAME}\b", _PARAMETER),
            *_include("comment"),
        ],
    }
    several = {
        "begin": r"(?<=[:>]|[:>]\s)\(",
        "end": r"\)",
        "patterns": _include("type"),
    }
    return {
        "begin": rf"^({head})\s+({NAME})",
        # An extern goes on with the types of what it takes and gives.
        "end": "$" if signature else r"(?=[:=])|$",
        "beginCaptures": _captures("keyword.declaration", f"entity.name.{kind}"),
        "patterns": [
            *([several] if signature else ()),
            parameters,
            *_include("comment"),
            *(_include("type", "operator") if signature else ()),
        ],
    }


def _statements(words: Words) -> list[Node]:
    """What heads a statement is a keyword only there."""
    patterns = words.patterns
    own = ("expect", "from", "init")
    plain = "|".join(patterns[w] for w in words.heads if w not in own)
    expect = _match(rf"\b{patterns['params']}", "keyword.other")
    imports = _match(rf"\b(?:{patterns['import']}|{patterns['as']})", "keyword.control")
    return [
        _typed(words),
        _line(rf"^({patterns['expect']})", "keyword.declaration", expect),
        _line(rf"^({patterns['from']})", "keyword.control", imports),
        _initialised(words),
        {"match": rf"^\s*({plain})", "captures": _captures("keyword.declaration")},
    ]


def _line(begin: str, scope: str, inside: Node) -> Node:
    """A statement with words of its own, up to the end of its line."""
    return {
        "begin": begin,
        "end": "$",
        "beginCaptures": _captures(scope),
        "patterns": [inside, *_include("expression")],
    }


def _value(words: Words) -> Node:
    """The end of what stands ahead of an initial value: `= zeros` needs no brackets."""
    return {
        "end": rf"(=)\s*({any_of(words.initialisers)})|(?=[=#]|\bwhere\b)|$",
        "endCaptures": _captures(_ASSIGNMENT, "support.function"),
    }


def _typed(words: Words) -> Node:
    """`input x: [N, 3, H, W]`: names, then a type."""
    heads = "|".join(words.patterns[w] for w in TYPED)
    return {
        "begin": rf"^\s+({heads})\s+({NAME}(?:\s*,\s*{NAME})*)\s*(:)",
        "beginCaptures": _captures(
            *("keyword.declaration", _names(_PARAMETER)),
            "punctuation.separator.annotation",
        ),
        "patterns": _include("type"),
        **_value(words),
    }


def _initialised(words: Words) -> Node:
    """`init Conv2d.weight = normal(std=0.02)`"""
    return {
        "begin": rf"^\s+({words.patterns['init']})",
        "beginCaptures": _captures("keyword.declaration"),
        "patterns": _include("expression"),
        **_value(words),
    }


def _types(words: Words) -> list[Node]:
    shape = {
        "begin": r"\[",
        "end": r"\]",
        "name": "meta.shape.net",
        "patterns": [
            *_include("comment", "number", "words", "call", "operator", "brackets"),
            _match(rf"\b{NAME}\b", "variable.other.size"),
        ],
    }
    return [
        {
            "begin": rf"\b({'|'.join(CONTAINERS)})(?=\[)",
            "end": r"(?<=\])",
            "beginCaptures": _captures("support.type"),
            "patterns": [
                {
                    "begin": r"\[",
                    "end": r"\]",
                    "patterns": _include("type", "operator"),
                }
            ],
        },
        _match(any_of(TYPES), "support.type"),
        _match(any_of(words.dtypes), "support.type.dtype"),
        _match(any_of(CONSTANTS), "constant.language"),
        _match(r"\|", "keyword.operator.union"),
        shape,
        *_include("comment"),
    ]


# -- expressions ---------------------------------------------------------------


def _words(words: Words) -> list[Node]:
    return [
        _match(any_of(words.control), "keyword.control"),
        # A call of torch's `where` is none of the language's.
        _match(r"\bwhere\b(?!\()", "keyword.control"),
        _match(any_of(WORD_OPERATORS), "keyword.operator.word"),
        _match(any_of(CONSTANTS), "constant.language"),
        _match(any_of(OWN_NAMES) + NO_NAME, "variable.language"),
    ]


def _label() -> Node:
    """`conv1: Conv2d(...)`; dotted names too."""
    return {
        "match": rf"(?<![\w.])({NAME}(?:\.{NAME})*)\s*(:)(?=[ \t]+\S)",
        "captures": _captures(
            _names("entity.name.label"), "punctuation.separator.label"
        ),
    }


def _calls(words: Words) -> list[Node]:
    """Layers wherever they stand; functions behind an arrow, as a branch, and ahead
    of `(`."""
    functions = any_of(words.functions)
    behind = rf"(?<=->|->\s|[{{|]|[{{|]\s){functions}|^\s+{functions}(?=\s*\}})"
    placed = rf"{behind}|{functions}(?=\(|\s*\|)"
    return [
        _match(rf"{any_of(words.layers)}(?!\s*=)", "support.class.layer"),
        _match(r"\b[A-Z]\w*[a-z]\w*\b", "entity.name.type"),
        _match(placed, "support.function"),
        _match(any_of(words.dtypes), "support.type.dtype"),
        _match(rf"\b{NAME}(?=\()", "entity.name.function"),
    ]


def _operators() -> list[Node]:
    return [
        _match(r"->", "keyword.operator.flow"),
        _match(r"\|", "keyword.operator.branch"),
        _match(r"==|!=|<=|>=|<|>", "keyword.operator.comparison"),
        _match(r"[-+*/]?=", _ASSIGNMENT),
        _match(r"\*\*|//|[-+*/%@~]", "keyword.operator.arithmetic"),
        _match(r"\.\.\.", "constant.language.ellipsis"),
    ]


def _brackets(words: Words) -> list[Node]:
    """Inside parentheses `name=` is an argument; behind an arrow they hold stages."""
    argument = {
        "match": rf"\b({NAME})\s*(=)(?!=)",
        "captures": _captures(_PARAMETER, _ASSIGNMENT),
    }
    inside = _include("expression")
    function = _match(any_of(words.functions), "support.function")
    return [
        {"begin": r"(?<=->\s)\(", "end": r"\)", "patterns": [function, *inside]},
        {"begin": r"\(", "end": r"\)", "patterns": [argument, *inside]},
        {"begin": r"\[", "end": r"\]", "patterns": inside},
        {"begin": r"\{", "end": r"\}", "patterns": inside},
    ]
