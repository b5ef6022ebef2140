"""The Pygments lexer, for Sphinx, notebooks and terminals; Pygments finds it by the
entry point `pygments.lexers`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from pygments.lexer import RegexLexer, bygroups, include
from pygments.regexopt import regex_opt
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Whitespace,
)

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
    words_of,
)
from netdsl.parse.table import grammar_path


def any_of(words: Iterable[str]) -> str:
    """An expression for any of the words; hundreds of them are still quick."""
    return rf"\b{regex_opt(list(words))}\b"


_parts: Any = bygroups
_BLANKS = r"[ \t]+"
_PLACES = (r"(?<=->\s)", "(?<=->)", r"(?<=[{|]\s)", "(?<=[{|])")
_OPERATOR = r"->|\.\.\.|\*\*|//|[-+*/=!<>]=|[-+*/%@~|=<>]"


def _rules(words: Words) -> dict[str, Any]:
    return {
        "root": [
            (rf"^(?={_BLANKS})", Whitespace, "statement"),
            (r'"""', String.Doc, "docstring"),
            *_items(words),
            include("expression"),
        ],
        "statement": _statements(words),
        "type": _types(words),
        "parameters": [
            # A default may be a tuple: `stride: tuple[int, int] = (1, 1)`.
            (r"\(", Punctuation, "#push"),
            (r"\)", Punctuation, "#pop"),
            (rf"({NAME})([ \t]*)(:)", _parts(Name.Variable, Whitespace, Punctuation)),
            include("type-words"),
            include("expression"),
        ],
        "type-words": [
            (any_of((*TYPES, *words.dtypes)) + r"(?![(=])", Keyword.Type),
        ],
        "expression": _expressions(words),
        "docstring": [
            (r'"""', String.Doc, "#pop"),
            (ESCAPE, String.Escape),
            (r'[^"\\]+|["\\]', String.Doc),
        ],
        **dict(_strings()),
    }


# -- statements ----------------------------------------------------------------


def _items(words: Words) -> list[Any]:
    """What stands at the top of a file."""
    patterns = words.patterns
    made: list[Any] = []
    for word in ITEMS:
        kind = Name.Function if word == "fn" else Name.Class
        made.append(
            (
                rf"^({patterns[word]})(\s+)({NAME})(\()",
                _parts(Keyword.Declaration, Whitespace, kind, Punctuation),
                "parameters",
            )
        )
        made.append(
            (
                rf"^({patterns[word]})(\s+)({NAME})",
                _parts(Keyword.Declaration, Whitespace, kind),
            )
        )
    tops = "|".join(patterns[w] for w in ("expect", "let"))
    made.append((rf"^(?:{tops})", Keyword.Declaration))
    made.append((rf"^{patterns['from']}", Keyword.Namespace, "import"))
    return made


def _statements(words: Words) -> list[Any]:
    """What a line of a body begins with."""
    patterns = words.patterns
    typed = "|".join(patterns[w] for w in TYPED)
    plain = "|".join(patterns[w] for w in words.heads if w not in ("expect", "from"))
    names = rf"{NAME}(?:\s*,\s*{NAME})*"
    return [
        (_BLANKS, Whitespace),
        (
            rf"({typed})({_BLANKS})(?={names}\s*:)",
            _parts(Keyword.Declaration, Whitespace),
            ("#pop", "type"),
        ),
        (plain, Keyword.Declaration, "#pop"),
        (r'"""', String.Doc, ("#pop", "docstring")),
        (r"", Whitespace, "#pop"),
    ]


def _types(words: Words) -> list[Any]:
    """`x, y: int64[B, T] | None`, up to the value, a condition or the line's end."""
    return [
        (r"(?=\n|#)", Whitespace, "#pop"),
        (rf"(?={words.patterns['where']})", Whitespace, "#pop"),
        (
            rf"(=)(\s*)({any_of(words.initialisers)})",
            _parts(Operator, Whitespace, Name.Builtin),
            "#pop",
        ),
        (r"(?==)", Whitespace, "#pop"),
        (rf"({NAME})([ \t]*)(:)", _parts(Name.Variable, Whitespace, Punctuation)),
        include("type-words"),
        include("expression"),
    ]


# -- expressions ---------------------------------------------------------------


def _expressions(words: Words) -> list[Any]:
    patterns = words.patterns
    return [
        (r"[ \t]+|\n", Whitespace),
        (r"#[^\n]*", Comment.Single),
        (r"\b(f)(\")", _parts(String.Affix, String.Double), "f-double"),
        (r"\b(f)(')", _parts(String.Affix, String.Single), "f-single"),
        (r'"', String.Double, "double"),
        (r"'", String.Single, "single"),
        (NUMBER, Number),
        (rf"\b{patterns['params']}", Keyword),
        (any_of(words.control), Keyword),
        (r"\bwhere\b(?!\()", Keyword),
        (any_of(WORD_OPERATORS), Operator.Word),
        (any_of(CONSTANTS), Keyword.Constant),
        *_names(words),
        (_OPERATOR, Operator),
        (r"[()\[\]{},.:;]", Punctuation),
    ]


def _names(words: Words) -> list[Any]:
    """Names, by their spelling and by what stands around them."""
    functions = any_of(words.functions)
    return [
        (rf"(?<![\w.]){NAME}(?:\.{NAME})*(?=[ \t]*:[ \t]+\S)", Name.Label),
        (rf"(?<=[(,\s])({NAME})(?=[ \t]*=(?!=))", Name.Variable),
        (
            rf"(=)(\s*)({any_of(words.initialisers)})(?=[ \t]*(?:#|$))",
            _parts(Operator, Whitespace, Name.Builtin),
        ),
        (any_of(OWN_NAMES) + NO_NAME, Name.Builtin.Pseudo),
        (any_of(words.layers), Name.Builtin),
        (rf"{functions}(?=\(|\s*\|)", Name.Builtin),
        (rf"(?<=\s){functions}(?=\s*\}})", Name.Builtin),
        # Behind an arrow stands a function, or a layer that the net has named.
        *((rf"{behind}{functions}(?!\s*:\s)", Name.Builtin) for behind in _PLACES),
        (rf"(?<=->\s)(\()({functions})", _parts(Punctuation, Name.Builtin)),
        (rf"(?<=\belse\s){functions}(?=\))", Name.Builtin),
        (any_of(words.dtypes), Keyword.Type),
        (rf"{any_of(CONTAINERS)}(?=\[)", Keyword.Type),
        (NAME, Name),
    ]


# -- text ----------------------------------------------------------------------


def _strings() -> Iterable[tuple[str, list[Any]]]:
    """No string reaches beyond its line; an f-string has expressions in braces."""
    for name, quote, kind in (
        ("double", '"', String.Double),
        ("single", "'", String.Single),
    ):
        end: list[Any] = [(rf"{quote}|(?=\n)", kind, "#pop"), (ESCAPE, String.Escape)]
        yield name, [*end, (rf"[^{quote}\\\n]+|\\", kind)]
        yield f"f-{name}", [
            *end,
            (r"\{\{|\}\}", String.Escape),
            (r"\{", String.Interpol, "hole"),
            (rf"[^{quote}\\\n{{}}]+|[\\{{}}]", kind),
        ]
    yield "hole", [
        (r"\}", String.Interpol, "#pop"),
        (r"(?=[\"'\n])", String, "#pop"),
        include("expression"),
    ]
    yield "import", [
        (r"(?=\n)", Whitespace, "#pop"),
        (r"\b(?:import|as)\b", Keyword.Namespace),
        include("expression"),
    ]


class NetLexer(RegexLexer):
    """`.net` files."""

    name = "net"
    url = "https://pypi.org/project/netdsl/"
    aliases: ClassVar[list[str]] = ["net", "netdsl"]
    filenames: ClassVar[list[str]] = ["*.net"]
    mimetypes: ClassVar[list[str]] = ["text/x-net"]
    tokens: ClassVar[dict[str, Any]] = _rules(
        words_of(grammar_path().read_text(encoding="utf-8"))
    )
