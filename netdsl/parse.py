"""Text to syntax tree, one top-level item at a time.

lark's tokens never leave this file.  An item that fails to parse gives one
message and leaves the others alone; an item whose text was seen before keeps
its tree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from netdsl import syntax
from netdsl.diagnostics import Diagnostic, Label, Report
from netdsl.limits import Limits
from netdsl.source import Chunk, Source, Span

if TYPE_CHECKING:
    from lark import Lark

KEYWORDS = "if elif else for in return and or not is None True False".split()
ITEMS = ("net", "fn", "let", "expect", "extern", "from")

_ITEM_LINE = re.compile(r"(?m)^(?:net|fn|let|expect|extern|from)\b|^\"\"\"|^\"")
_LONG = re.compile(r'"""(?:[^\\]|\\[\s\S])*?"""|#[^\n]*|"(?:[^"\\\n]|\\.)*"')
# Controls, line separators that only some programs see, and bidirectional marks.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u061c"
    "\u202a-\u202e\u2066-\u2069\ufeff\ue000-\uf8ff]"
)


# -- reading -------------------------------------------------------------------


def decode(name: str, data: bytes, report: Report, limits: Limits) -> Source | None:
    """The text of a file: UTF-8, a byte order mark and CRLF line ends allowed."""
    empty = Source(name, "")
    at_start = Span(Chunk(empty, 0, ""), 0, 0)
    if len(data) > limits.source_bytes:
        report.error(
            "too-large",
            f"the file has {len(data):,} bytes; the limit is {limits.source_bytes:,}",
            at_start,
            help="split it, or raise the limit `source_bytes`",
        )
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        report.error(
            "bad-encoding",
            f"the file is not UTF-8 text: byte {error.start} can't be read",
            at_start,
            help="save it as UTF-8; is it a `.net` file of another program?",
        )
        return None
    source = Source(name, text.replace("\r\n", "\n"))
    bad = _FORBIDDEN.search(source.text)
    if bad is None:
        return source
    chunk = Chunk(source, 0, source.text)
    for found in _FORBIDDEN.finditer(source.text):
        report.error(
            "bad-character",
            f"the character U+{ord(found[0]):04X} is not allowed in a `.net` file",
            Span(chunk, found.start(), found.end()),
            help="delete it" if found[0] != "\r" else "end lines with \\n or \\r\\n",
        )
        if len(report) >= limits.diagnostics:
            break
    return None


def split(source: Source) -> list[Chunk]:
    """The pieces of the text that hold one top-level item each.

    A new one begins where a line starts with the word of an item, so that an
    unclosed bracket in one item does not reach the next.
    """
    text = source.text
    quoted = [m.span() for m in _LONG.finditer(text) if m[0].startswith('"""')]
    starts: list[int] = []
    k = 0
    for match in _ITEM_LINE.finditer(text):
        at = match.start()
        while k < len(quoted) and quoted[k][1] <= at:
            k += 1
        if k < len(quoted) and quoted[k][0] < at:
            continue
        starts.append(at)
    if not starts or text[: starts[0]].strip():
        starts.insert(0, 0)
    else:
        starts[0] = 0
    ends = [*starts[1:], len(text)]
    return [
        Chunk(source, start, text[start:end])
        for start, end in zip(starts, ends, strict=True)
        if _has_code(text[start:end])
    ]


def _has_code(text: str) -> bool:
    return any(
        line.strip() and not line.lstrip().startswith("#") for line in text.split("\n")
    )


# -- brackets, before the grammar ----------------------------------------------

_BRACKET = re.compile(
    r'"""(?:[^\\]|\\[\s\S])*?"""|#[^\n]*|"(?:[^"\\\n]|\\.)*"|'
    r"'(?:[^'\\\n]|\\.)*'|[()\[\]{}]"
)
_CLOSES = {")": "(", "]": "[", "}": "{"}


def _check_brackets(chunk: Chunk, limits: Limits) -> Diagnostic | None:
    """Finds brackets that don't match, and nesting that is too deep."""
    open_: list[tuple[str, int]] = []
    for match in _BRACKET.finditer(chunk.text):
        char, at = match[0], match.start()
        if char in "([{":
            open_.append((char, at))
            if len(open_) > limits.nesting:
                return Diagnostic(
                    "error",
                    "too-deep",
                    f"brackets are nested more than {limits.nesting} deep",
                    Span(chunk, at, at + 1),
                    help="make a net of the inner part",
                )
        elif char in _CLOSES:
            if not open_ or open_[-1][0] != _CLOSES[char]:
                return _unmatched(chunk, char, at, open_)
            open_.pop()
    if open_:
        char, at = open_[-1]
        return Diagnostic(
            "error",
            "unclosed-bracket",
            f"`{char}` is never closed",
            Span(chunk, at, at + 1),
            note="opened here",
        )
    return None


def _unmatched(
    chunk: Chunk, char: str, at: int, open_: list[tuple[str, int]]
) -> Diagnostic:
    if not open_:
        text, labels = f"`{char}` closes nothing", ()
    else:
        opener, start = open_[-1]
        text = f"`{char}` can't close `{opener}`"
        labels = (Label(Span(chunk, start, start + 1), "opened here"),)
    return Diagnostic(
        "error", "unclosed-bracket", text, Span(chunk, at, at + 1), labels=labels
    )


# -- the parser ----------------------------------------------------------------


def grammar_path() -> Path:
    """`net.lark`: beside the package in a wheel, in `grammar/` of a checkout."""
    inside = Path(__file__).with_name("grammar") / "net.lark"
    if inside.exists():
        return inside
    return Path(__file__).parent.parent / "grammar" / "net.lark"


def table_path() -> Path:
    """The parser's table, made from the grammar by `python -m netdsl.parse`."""
    return Path(__file__).with_name("net.table.json")


def _indenter() -> Any:
    from lark.indenter import Indenter

    class Indents(Indenter):
        NL_type = "_NL"
        OPEN_PAREN_types = ["LPAR", "LSQB", "LBRACE"]  # noqa: RUF012  lark's way
        CLOSE_PAREN_types = ["RPAR", "RSQB", "RBRACE"]  # noqa: RUF012
        INDENT_type = "_INDENT"
        DEDENT_type = "_DEDENT"
        tab_len = 8

    return Indents()


def _build(grammar: str) -> Lark:
    from lark import Lark

    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start=["item", "test"],
        propagate_positions=True,
        maybe_placeholders=True,
        postlex=_indenter(),
    )


def make_table(grammar: str) -> str:
    """The table as JSON: lark's own cache is a pickle, and a pickle runs code."""
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, memo = _build(grammar).memo_serialize([TerminalDef, Rule])
    data["options"]["postlex"] = None
    stamp = sha256(grammar.encode()).hexdigest()
    return json.dumps(
        {"grammar": stamp, "data": data, "memo": memo},
        separators=(",", ":"),
        sort_keys=True,
    )


def _make_parser() -> Lark:
    grammar = grammar_path().read_text(encoding="utf-8")
    path = table_path()
    if path.exists():
        table = json.loads(path.read_text(encoding="utf-8"))
        if table["grammar"] == sha256(grammar.encode()).hexdigest():
            from lark import Lark

            made = Lark.__new__(Lark)
            # JSON has no int keys: lark's states and memo are keyed by ints.
            memo = {int(k): v for k, v in table["memo"].items()}
            data = table["data"]
            data["parser"]["parser"]["states"] = {
                int(k): v for k, v in data["parser"]["parser"]["states"].items()
            }
            return made._load({"data": data, "memo": memo}, postlex=_indenter())
    return _build(grammar)


class Parsed(NamedTuple):
    """What one chunk became."""

    item: syntax.Item | None
    diagnostics: tuple[Diagnostic, ...]


class Parser:
    """Parses sources, remembering the items that it has seen.

    `parse` of an edited source costs what changed: a chunk with the text of an
    earlier one takes over its tree, and the tree's spans follow the chunk.
    """

    def __init__(self) -> None:
        self._lark: Lark | None = None
        self._seen: dict[tuple[str, str], list[tuple[Chunk, Parsed]]] = {}

    def parse(self, source: Source, report: Report, limits: Limits) -> syntax.Program:
        chunks, items = [], []
        before = self._seen
        now: dict[tuple[str, str], list[tuple[Chunk, Parsed]]] = {}
        for chunk in split(source):
            key = (source.name, chunk.text)
            known = before.get(key)
            if known:
                kept, parsed = known.pop(0)
                kept.source, kept.start = source, chunk.start
                chunk = kept
            else:
                parsed = self._item(chunk, limits)
            now.setdefault(key, []).append((chunk, parsed))
            report.extend(parsed.diagnostics)
            chunks.append(chunk)
            if parsed.item is not None:
                items.append(parsed.item)
        self._seen = {k: v for k, v in before.items() if k[0] != source.name} | now
        span = Span(Chunk(source, 0, source.text), 0, 0)
        return syntax.Program(span, tuple(items), tuple(chunks))

    def expression(self, text: str, report: Report, limits: Limits) -> Any:
        """One expression, as `-D name=value` gives it; None with messages if wrong."""
        chunk = Chunk(Source("<value>", text), 0, text)
        problem = _check_brackets(chunk, limits) or _check_strings(chunk)
        if problem is None:
            try:
                return self.run(chunk, "test", limits)
            except Mistake as mistake:
                problem = mistake.diagnostic
        report.add(problem)
        return None

    def _item(self, chunk: Chunk, limits: Limits) -> Parsed:
        problem = _check_start(chunk) or _check_brackets(chunk, limits)
        problem = problem or _check_strings(chunk) or _check_indents(chunk, limits)
        if problem is not None:
            return Parsed(None, (problem,))
        try:
            return Parsed(self.run(chunk, "item", limits), ())
        except Mistake as mistake:
            return Parsed(None, (mistake.diagnostic,))

    def run(self, chunk: Chunk, start: str, limits: Limits) -> Any:
        """The tree of a chunk, from a start rule; raises Mistake."""
        from lark.exceptions import UnexpectedInput
        from lark.indenter import DedentError

        if self._lark is None:
            self._lark = _make_parser()
        text = chunk.text if start == "test" else chunk.text.rstrip() + "\n"
        try:
            tree = self._lark.parse(text, start=start)
        except UnexpectedInput as error:
            raise Mistake(_syntax_error(chunk, error)) from None
        except DedentError:
            raise Mistake(_bad_dedent(chunk)) from None
        if not hasattr(tree, "iter_subtrees"):  # `?rule` may leave a lone token
            raise AssertionError(tree)
        return Builder(chunk, self).build(tree, limits)


class Mistake(Exception):
    """A syntax error found while a tree is built."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.text)
        self.diagnostic = diagnostic


# -- messages ------------------------------------------------------------------


def _check_start(chunk: Chunk) -> Diagnostic | None:
    found = re.match(r"(?:[ \t]*(?:#[^\n]*)?\n)*([ \t]*)(\S+)", chunk.text)
    if found is None or _ITEM_LINE.match(found[2]) and not found[1]:
        return None
    span = Span(chunk, found.start(2), found.end(2))
    word = found[2]
    helps = {
        "class": "a network starts with `net NAME:`",
        "def": "a function starts with `fn NAME(...):`, a network with `net NAME:`",
        "import": 'other files are imported as `from "blocks.net" import Block`',
        "input": "put it inside a net, indented under `net NAME:`",
    }
    return Diagnostic(
        "error",
        "syntax-error",
        f"`{_short(word)}` can't start a line at the top of a file",
        span,
        help=helps.get(word)
        or "the top of a file holds `net`, `fn`, `let`, `expect`, `extern` and `from`"
        + (", and starts at the left edge" if found[1] else ""),
    )


def _short(word: str) -> str:
    return word if len(word) <= 24 else word[:24] + "..."


_STRINGISH = re.compile(
    r'"""(?:[^\\]|\\[\s\S])*?"""|#[^\n]*|"(?:[^"\\\n]|\\.)*"|'
    r"'(?:[^'\\\n]|\\.)*'|(?P<open>\"\"\"|\"|')|(?P<odd>[^\x00-\x7f]|[$?!;`\\&^](?!=))"
)


def _check_strings(chunk: Chunk) -> Diagnostic | None:
    """Unclosed strings, and characters that no token has."""
    for match in _STRINGISH.finditer(chunk.text):
        span = Span(chunk, match.start(), match.end())
        if match["open"]:
            return Diagnostic(
                "error",
                "syntax-error",
                "this string is never closed",
                span,
                help=f"end it with `{match[0]}`"
                + ("" if len(match[0]) == 3 else " on the same line"),
            )
        odd = match["odd"]
        if odd:
            return Diagnostic(
                "error",
                "bad-character",
                (
                    f"`{odd}` means nothing here"
                    if odd.isascii()
                    else f"names and operators are ASCII; this is U+{ord(odd):04X}"
                ),
                span,
                help="" if odd.isascii() else "only strings and comments may hold it",
            )
    return None


def _check_indents(chunk: Chunk, limits: Limits) -> Diagnostic | None:
    offset = 0
    for line in chunk.text.split("\n"):
        body = line.lstrip(" \t")
        margin = line[: len(line) - len(body)]
        if "\t" in margin and body and not body.startswith("#"):
            at = offset + margin.index("\t")
            return Diagnostic(
                "error",
                "bad-indentation",
                "a tab indents this line",
                Span(chunk, at, at + 1),
                help="indent with four spaces",
            )
        offset += len(line) + 1
    return None


def _bad_dedent(chunk: Chunk) -> Diagnostic:
    levels = [0]
    offset = 0
    depth = 0
    for line in chunk.text.split("\n"):
        body = line.lstrip(" ")
        margin = len(line) - len(body)
        if body and not body.startswith(("#", "->", "|")) and depth == 0:
            if margin > levels[-1]:
                levels.append(margin)
            while margin < levels[-1]:
                levels.pop()
            if margin != levels[-1]:
                return Diagnostic(
                    "error",
                    "bad-indentation",
                    "this line is indented like no line above it",
                    Span(chunk, offset + margin, offset + len(line)),
                    help=f"indent it by {levels[-1]} spaces",
                )
        depth += sum(line.count(c) for c in "([{") - sum(line.count(c) for c in ")]}")
        offset += len(line) + 1
    return Diagnostic(
        "error", "bad-indentation", "indentation is uneven", Span(chunk, 0, 1)
    )


_TOKENS = {
    "COLON": "`:`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "COMMA": "`,`",
    "_ARROW": "`->`",
    "EQUAL": "`=`",
    "_INDENT": "an indented line",
    "_NL": "the end of the line",
    "NAME": "a name",
    "_IN": "`in`",
    "_ELSE": "`else`",
    "LSQB": "`[`",
    "LPAR": "`(`",
}


def _syntax_error(chunk: Chunk, error: Any) -> Diagnostic:
    from lark.exceptions import UnexpectedCharacters

    if isinstance(error, UnexpectedCharacters):
        at = error.pos_in_stream
        return _unexpected(chunk, at, at + 1, chunk.text[at : at + 1], error.allowed)
    token = error.token
    if token.type in ("$END", "_DEDENT") or not hasattr(token, "start_pos"):
        end = len(chunk.text.rstrip())
        return _unexpected(chunk, max(end - 1, 0), end, "", error.expected)
    start = token.start_pos if token.start_pos is not None else 0
    if token.type in ("_NL", "_INDENT"):
        return _unexpected(chunk, max(start - 1, 0), start, "", error.expected)
    return _unexpected(chunk, start, start + len(token), str(token), error.expected)


def _unexpected(
    chunk: Chunk, start: int, end: int, found: str, expected: Any
) -> Diagnostic:
    words = sorted(_TOKENS[name] for name in expected or () if name in _TOKENS)
    what = f"`{_short(found)}`" if found.strip() else "the line's end"
    text = f"{what} is not expected here"
    help_ = _hint(chunk, start, found, set(expected or ()))
    if not help_ and 0 < len(words) <= 3:
        help_ = f"{' or '.join(words)} is expected"
    return Diagnostic(
        "error", "syntax-error", text, Span(chunk, start, end), help=help_
    )


def _hint(chunk: Chunk, at: int, found: str, expected: set[str]) -> str:
    line_start = chunk.text.rfind("\n", 0, at) + 1
    before = chunk.text[line_start:at].strip()
    if found == "=" and before.isidentifier():
        return "call a layer `NAME: LAYER`, name a value on a line of its own"
    if found == "=" and "->" in before:
        return "name a layer with `:`, as in `-> fc: Linear(10)`"
    if found in ("def", "class", "lambda", "import", "while", "self"):
        return f"`{found}` is Python; a `.net` file has no such thing"
    if before in ("def", "class", "lambda", "import", "while", "with", "try"):
        return f"`{before}` is Python; a `.net` file has no such thing"
    if (
        not found.strip()
        and "COLON" in expected
        and before.startswith(("net", "if", "for", "fn", "el"))
    ):
        return "end the line with `:`"
    if found in KEYWORDS:
        return f"`{found}` is a keyword"
    return ""


# -- building nodes ------------------------------------------------------------

_ESCAPES = {
    "n": "\n", "t": "\t", "\\": "\\", '"': '"', "'": "'", "r": "\r", "\n": "",
    "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v",
}  # fmt: skip
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[\s\S])")


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        body = match[1]
        if body in _ESCAPES:
            return _ESCAPES[body]
        if len(body) > 1:
            code = int(body[1:], 16)
            return chr(code) if code < 0x110000 else match[0]
        return match[0]

    return _ESCAPE.sub(one, text) if "\\" in text else text


def _clean_doc(text: str) -> str:
    import inspect

    return inspect.cleandoc(text)


class Builder:
    """Where the nodes being built belong."""

    __slots__ = ("chunk", "parser")

    def __init__(self, chunk: Chunk, parser: Parser) -> None:
        self.chunk = chunk
        self.parser = parser

    def build(self, tree: Any, limits: Limits) -> Any:
        """lark's tree as nodes; from the leaves up, since a tree can be deep."""
        made: dict[int, tuple[Any, int]] = {}
        deepest = 4 * limits.nesting
        for subtree in tree.iter_subtrees():
            depth = 0
            children = []
            for child in subtree.children:
                known = made.get(id(child))
                if known is not None:
                    child = known[0]
                    depth = max(depth, known[1])
                children.append(child)
            meta = subtree.meta
            span = (
                Span(self.chunk, 0, 0)
                if meta.empty
                else Span(self.chunk, meta.start_pos, meta.end_pos)
            )
            if depth > deepest:
                raise Mistake(
                    Diagnostic(
                        "error",
                        "too-deep",
                        "this expression is nested too deep",
                        span,
                        help="name a part of it with `let`, or make a net of it",
                    )
                )
            rule = _RULES[subtree.data]
            made[id(subtree)] = rule(self, span, children), depth + 1
        return made[id(tree)][0]


def _token_span(builder: Builder, token: Any) -> Span:
    return Span(builder.chunk, token.start_pos, token.end_pos)


def _parts(items: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(i for i in items if i is not None)


def _name(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Name(span, str(c[0]))


def _integer(b: Builder, span: Span, c: list[Any]) -> Any:
    text = str(c[0]).replace("_", "")
    if len(text) > 18:
        raise Mistake(
            Diagnostic("error", "wrong-value", "this number is too large", span)
        )
    return syntax.Literal(span, int(text))


def _floating(b: Builder, span: Span, c: list[Any]) -> Any:
    value = float(str(c[0]))
    if value in (float("inf"), float("-inf")):
        raise Mistake(
            Diagnostic("error", "wrong-value", "this number is too large", span)
        )
    return syntax.Literal(span, value)


def _string(b: Builder, span: Span, c: list[Any]) -> Any:
    texts = []
    for token in c:
        text = str(token)
        width = 3 if text.startswith('"""') else 1
        texts.append(_unescape(text[width:-width]))
    return syntax.Literal(span, "".join(texts))


_HOLE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


def _f_string(b: Builder, span: Span, c: list[Any]) -> Any:
    text, base = str(c[0]), span.start
    parts: list[Any] = []
    literal, at = "", 2
    for match in _HOLE.finditer(text, 2, len(text) - 1):
        literal += _unescape(text[at : match.start()])
        at = match.end()
        hole = Span(b.chunk, base + match.start(), base + match.end())
        if match[0] in ("{{", "}}"):
            literal += match[0][0]
        elif match[1] is None:
            raise Mistake(
                Diagnostic("error", "syntax-error", "a brace stands alone here", hole,
                           help="write it twice for a plain brace")
            )  # fmt: skip
        else:
            if literal:
                parts.append(literal)
                literal = ""
            parts.append(_hole(b, match[1], hole))
    literal += _unescape(text[at : len(text) - 1])
    if literal:
        parts.append(literal)
    return syntax.FString(span, tuple(parts))


def _hole(b: Builder, text: str, span: Span) -> Any:
    """Parses what stands in braces, in place: blanks keep the positions right."""
    padded = Chunk(b.chunk.source, b.chunk.start, " " * (span.start + 1) + text)
    try:
        node = b.parser.run(padded, "test", Limits())
    except Mistake as mistake:
        problem = mistake.diagnostic
        raise Mistake(
            Diagnostic("error", "syntax-error", problem.text, span, help=problem.help)
        ) from None
    return _moved(node, b.chunk)


def _moved(node: Any, chunk: Chunk) -> Any:
    """The same tree with its spans in another chunk."""
    if isinstance(node, tuple):
        return tuple(_moved(n, chunk) for n in node)
    if isinstance(node, Span):
        return Span(chunk, node.start, node.end)
    if isinstance(node, syntax.Node):
        return type(node)(*(_moved(getattr(node, f), chunk) for f in node.fields))
    return node


def _items(b: Builder, span: Span, c: list[Any]) -> Any:
    trailing = c and isinstance(c[-1], str)
    values = tuple(v for v in c if v is not None and not isinstance(v, str))
    if len(values) == 1 and not trailing:
        return values[0]
    return syntax.TupleOf(span, values)


def _flow(b: Builder, span: Span, c: list[Any]) -> Any:
    if len(c) == 1:
        return c[0]
    stages: list[Any] = []
    for i, part in enumerate(c):
        # A flow in parentheses is a source of its own only at the start.
        if i == 0 and isinstance(part, syntax.Flow):
            stages.extend(part.stages)
        else:
            stages.append(part)
    return syntax.Flow(span, tuple(stages))


def _braces(b: Builder, span: Span, c: list[Any]) -> Any:
    entries = [e for e in c if isinstance(e, syntax.Node)]
    separators = {str(s) for s in c if isinstance(s, str)}
    literal_keys = [
        e for e in entries
        if isinstance(e, syntax.Labelled) and isinstance(e.label, syntax.Literal)
    ]  # fmt: skip
    if not entries or len(literal_keys) == len(entries) and "|" not in separators:
        return syntax.DictOf(
            span,
            tuple(e.label for e in literal_keys),
            tuple(e.value for e in literal_keys),
        )
    if "," in separators:
        raise Mistake(
            Diagnostic(
                "error",
                "syntax-error",
                "branches are separated by `|`",
                span,
                help='write `{ a | b }`; a dict has strings as keys: `{"out": x}`',
            )
        )
    return syntax.Branches(span, tuple(entries))


def _arguments(b: Builder, span: Span, c: list[Any]) -> Any:
    return c


def _call(b: Builder, span: Span, c: list[Any]) -> Any:
    given = c[1] or []
    positional, keywords = [], []
    for argument in given:
        if isinstance(argument, syntax.Keyword):
            if any(k.name == argument.name for k in keywords):
                raise Mistake(
                    Diagnostic(
                        "error",
                        "repeated-argument",
                        f"`{argument.name}` is given twice",
                        argument.name_span,
                    )
                )
            keywords.append(argument)
        elif keywords:
            raise Mistake(
                Diagnostic(
                    "error",
                    "syntax-error",
                    "an argument without a name stands behind one with a name",
                    argument.span,
                    help="put it first, or name it",
                )
            )
        else:
            positional.append(argument)
    return syntax.Call(span, c[0], tuple(positional), tuple(keywords))


def _subscript(b: Builder, span: Span, c: list[Any]) -> Any:
    parts = c[1]
    trailing = isinstance(parts[-1], str)
    items = tuple(p for p in parts if isinstance(p, syntax.Node))
    return syntax.Subscript(span, c[0], items, trailing or len(items) > 1)


def _compare(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Compare(span, c[0], tuple(c[1::2]), tuple(c[2::2]))


def _comparison_op(b: Builder, span: Span, c: list[Any]) -> Any:
    words = [str(t) for t in c if t is not None]
    if not words:
        return "in"
    if words[0] == "not":
        return "not in"
    return " ".join(words)


def _binary(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Binary(span, str(c[1]), c[0], c[2])


def _net(b: Builder, span: Span, c: list[Any]) -> Any:
    doc, body = _documented(c[2])
    return syntax.Net(
        span, str(c[0]), _token_span(b, c[0]), c[1] or (), None, doc, body
    )


def _net_is(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Net(span, str(c[0]), _token_span(b, c[0]), c[1] or (), c[2], None, ())


def _fn(b: Builder, span: Span, c: list[Any]) -> Any:
    doc, body = _documented(c[2])
    return syntax.Fn(span, str(c[0]), _token_span(b, c[0]), c[1] or (), None, doc, body)


def _fn_is(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Fn(span, str(c[0]), _token_span(b, c[0]), c[1] or (), c[2], None, ())


def _documented(body: tuple[Any, ...]) -> tuple[str | None, tuple[Any, ...]]:
    first = body[0]
    if (
        isinstance(first, syntax.Flowing)
        and isinstance(first.value, syntax.Literal)
        and isinstance(first.value.value, str)
    ):
        return _clean_doc(first.value.value), body[1:]
    return None, body


def _extern(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Extern(span, str(c[0]), _token_span(b, c[0]), c[1] or (), c[2], c[3])


def _item(b: Builder, span: Span, c: list[Any]) -> Any:
    node = next(i for i in c if isinstance(i, syntax.Node))
    return syntax.Constant(node.span, node) if isinstance(node, syntax.Let) else node


def _imported(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Imported(span, str(c[0]), str(c[1] if c[1] is not None else c[0]))


def _parameter(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Parameter(span, str(c[0]), _token_span(b, c[0]), c[1], c[2])


def _type(b: Builder, span: Span, c: list[Any]) -> Any:
    return c[0] if len(c) == 1 else syntax.TypeUnion(span, tuple(c))


def _names(b: Builder, tokens: Sequence[Any]) -> tuple[syntax.Name, ...]:
    return tuple(syntax.Name(_token_span(b, t), str(t)) for t in tokens)


def _input(b: Builder, span: Span, c: list[Any]) -> Any:
    *names, type_, default, where = c
    return syntax.Input(span, _names(b, names), type_, default, where)


def _let(b: Builder, span: Span, c: list[Any]) -> Any:
    *names, type_, value = c
    return syntax.Let(span, _names(b, names), type_, value)


def _own(b: Builder, span: Span, c: list[Any]) -> Any:
    kind, name, type_, value, *options = c
    return syntax.Own(
        span, str(kind), _names(b, [name])[0], type_, value, tuple(options)
    )


def _if(b: Builder, span: Span, c: list[Any]) -> Any:
    test, body, *elifs, orelse = c
    rest = orelse or ()
    for part in reversed(elifs):
        rest = (syntax.If(part.span, part.test, part.body, rest),)
    return syntax.If(span, test, body, rest)


def _targets(b: Builder, span: Span, c: list[Any]) -> Any:
    return c[0] if len(c) == 1 else syntax.TupleOf(span, tuple(c))


def _clause(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Clause(span, c[0], c[1], _parts(c[2:]))


def _comprehension(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Comprehension(span, c[0], tuple(c[1:]))


def _slice(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Slice(span, c[0], c[1], c[2])


def _constant(value: object) -> Any:
    return lambda b, span, c: syntax.Literal(span, value)


_RULES: dict[str, Any] = {
    "item": _item,
    "docstring": lambda b, s, c: syntax.Docstring(s, _clean_doc(c[0].value)),
    "net": _net,
    "net_is": _net_is,
    "fn": _fn,
    "fn_is": _fn_is,
    "extern": _extern,
    "signature": lambda b, s, c: (c[0],),
    "signatures": lambda b, s, c: tuple(c),
    "expect": lambda b, s, c: syntax.Expect(s, c[0], None),
    "expect_params": lambda b, s, c: syntax.Expect(s, c[0], c[1]),
    "imports": lambda b, s, c: syntax.Import(s, c[0].value, c[0].span, tuple(c[1:])),
    "imported": _imported,
    "params": lambda b, s, c: _parts(c),
    "parameter": _parameter,
    "type": _type,
    "type_name": lambda b, s, c: syntax.TypeName(s, str(c[0])),
    "type_of": lambda b, s, c: syntax.TypeOf(s, str(c[0]), c[1]),
    "type_shape": lambda b, s, c: syntax.TypeShape(s, c[0]),
    "suite": lambda b, s, c: tuple(c),
    "expression_statement": lambda b, s, c: syntax.Flowing(s, c[0]),
    "input": _input,
    "own": _own,
    "init": lambda b, s, c: syntax.Init(s, c[0], c[1]),
    "tie": lambda b, s, c: syntax.Tie(s, c[0], c[1]),
    "let": _let,
    "return_statement": lambda b, s, c: syntax.Return(s, c[0] if c else None),
    "assign": lambda b, s, c: syntax.Assign(s, c[0], c[1]),
    "augment": lambda b, s, c: syntax.Augment(s, c[0], str(c[1]), c[2]),
    "if_statement": _if,
    "elif_part": lambda b, s, c: syntax.If(s, c[0], c[1], ()),
    "for_statement": lambda b, s, c: syntax.For(s, c[0], c[1], c[2]),
    "targets": _targets,
    "items": _items,
    "flow": _flow,
    "labelled": lambda b, s, c: syntax.Labelled(s, c[0], c[1]),
    "branches": _braces,
    "separator": lambda b, s, c: str(c[0]),
    "if_else": lambda b, s, c: syntax.IfElse(s, c[1], c[0], c[2]),
    "bool_or": lambda b, s, c: syntax.Bool(s, "or", c[0], c[1]),
    "bool_and": lambda b, s, c: syntax.Bool(s, "and", c[0], c[1]),
    "unary": lambda b, s, c: syntax.Unary(s, str(c[0]), c[1]),
    "compare": _compare,
    "comparison_op": _comparison_op,
    "binary": _binary,
    "call": _call,
    "attribute": lambda b, s, c: syntax.Attribute(s, c[0], str(c[1])),
    "subscript": _subscript,
    "name": _name,
    "integer": _integer,
    "floating": _floating,
    "string": _string,
    "f_string": _f_string,
    "none": _constant(None),
    "true": _constant(True),
    "false": _constant(False),
    "ellipsis": _constant(...),
    "empty_tuple": lambda b, s, c: syntax.TupleOf(s, ()),
    "parenthesised": lambda b, s, c: c[0],
    "generator": _comprehension,
    "list": lambda b, s, c: syntax.ListOf(s, _parts(c)),
    "comprehension": _comprehension,
    "star": lambda b, s, c: (
        syntax.Star(s, c[0] if len(c) > 1 else None)
        if len(c) < 2
        else syntax.Star(s, c[1])
    ),
    "clause": _clause,
    "arguments": _arguments,
    "keyword": lambda b, s, c: syntax.Keyword(s, str(c[0]), _token_span(b, c[0]), c[1]),
    "subscripts": lambda b, s, c: c,
    "slice": _slice,
    "slice_step": lambda b, s, c: c[0],
    "_nl": lambda b, s, c: None,
}


def main() -> None:
    """Writes the parser's table; run after every change of the grammar."""
    grammar = grammar_path().read_text(encoding="utf-8")
    table_path().write_text(make_table(grammar), encoding="utf-8")


if __name__ == "__main__":
    main()
