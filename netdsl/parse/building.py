"""lark's tree as nodes: one function for each rule of the grammar."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from netdsl import syntax
from netdsl.diagnostics import Diagnostic, Edit
from netdsl.limits import Limits
from netdsl.parse.pieces import moved
from netdsl.parse.trouble import Mistake
from netdsl.source import Chunk, Span

Run = Callable[[Chunk, str, Limits], Any]

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

    return inspect.cleandoc(text).rstrip()


class Builder:
    """Where the nodes being built belong."""

    __slots__ = ("chunk", "deepest", "run")

    def __init__(self, chunk: Chunk, run: Run, limits: Limits) -> None:
        self.chunk = chunk
        self.run = run
        self.deepest = 4 * limits.nesting

    def build(self, tree: Any) -> Any:
        """lark's tree as nodes; from the leaves up, since a tree can be deep."""
        made: dict[int, tuple[Any, int]] = {}
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
            start, end = (0, 0) if meta.empty else (meta.start_pos, meta.end_pos)
            node = self.make(subtree.data, start, end, children, depth)
            made[id(subtree)] = node, depth + 1
        return made[id(tree)][0]

    def make(
        self, rule: str, start: int, end: int, parts: list[Any], depth: int
    ) -> Any:
        """The node of a rule, of its parts; `depth` is that of the deepest."""
        span = Span(self.chunk, start, end)
        if depth > self.deepest:
            raise Mistake(
                Diagnostic(
                    "error",
                    "too-deep",
                    "this expression is nested too deep",
                    span,
                    help="name a part of it with `let`, or make a net of it",
                )
            )
        return _RULES[rule](self, span, parts)


def _token_span(builder: Builder, token: Any) -> Span:
    return Span(builder.chunk, token.start_pos, token.end_pos)


def _parts(items: Sequence[Any]) -> tuple[Any, ...]:
    # A comma at the end says nothing in lists and calls, and `None` is an absent part.
    return tuple(i for i in items if i is not None and not isinstance(i, str))


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
    """Parses what stands in braces, as a text of its own, and puts it in place."""
    inner = Chunk(b.chunk.source, b.chunk.start + span.start, " " + text)
    try:
        node = b.run(inner, "test", Limits())
    except Mistake as mistake:
        problem = mistake.diagnostic
        raise Mistake(
            Diagnostic("error", "syntax-error", problem.text, span, help=problem.help)
        ) from None
    return moved(node, b.chunk, span.start)


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
    entries = [e for e in c if isinstance(e, syntax.Expression)]
    separators = {str(s) for s in c if isinstance(s, str)}
    literal_keys = [
        e for e in entries
        if isinstance(e, syntax.Labelled) and isinstance(e.label, syntax.Literal)
    ]  # fmt: skip
    if not entries or (len(literal_keys) == len(entries) and "|" not in separators):
        return syntax.DictOf(
            span,
            tuple(e.label for e in literal_keys),
            tuple(e.value for e in literal_keys),
        )
    if "," in separators:
        flows_in = b.chunk.text[: span.start].rstrip().endswith("->")
        if "|" not in separators and not flows_in and _all_named(entries):
            labels = [e.label.span for e in entries if isinstance(e, syntax.Labelled)]
            keys = [Edit(label, f'"{label.text}"') for label in labels]
            raise Mistake(
                Diagnostic(
                    "error",
                    "syntax-error",
                    "the keys of a dict are strings",
                    span,
                    help=f'write `{{"{labels[0].text}": ...}}`',
                    edits=tuple(keys),
                )
            )
        raise Mistake(
            Diagnostic(
                "error",
                "syntax-error",
                "branches are separated by `|`",
                span,
                help='write `{ a | b }`; a dict has strings as keys: `{"out": x}`',
                edits=_bars(b, entries),
            )
        )
    return syntax.Branches(span, tuple(entries))


def _all_named(entries: Sequence[Any]) -> bool:
    return all(
        isinstance(e, syntax.Labelled) and isinstance(e.label, syntax.Name)
        for e in entries
    )


def _bars(b: Builder, entries: Sequence[Any]) -> tuple[Edit, ...]:
    """What puts bars between branches where commas are."""
    gaps = [
        Span(b.chunk, left.span.end, right.span.start)
        for left, right in pairwise(entries)
    ]
    return tuple(Edit(gap, " | ") for gap in gaps if gap.text.strip() == ",")


def _arguments(b: Builder, span: Span, c: list[Any]) -> Any:
    return _parts(c)


def _call(b: Builder, span: Span, c: list[Any]) -> Any:
    given = c[1] or []
    positional: list[Any] = []
    keywords: list[syntax.Keyword] = []
    names: set[str] = set()
    for argument in given:
        if isinstance(argument, syntax.Keyword):
            if argument.name in names:
                raise Mistake(
                    Diagnostic(
                        "error",
                        "repeated-argument",
                        f"`{argument.name}` is given twice",
                        argument.name_span,
                    )
                )
            keywords.append(argument)
            names.add(argument.name)
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
    items = tuple(p for p in parts if isinstance(p, syntax.Expression))
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
    span = _to_last(span, c[2])
    return syntax.Net(
        span, str(c[0]), _token_span(b, c[0]), c[1] or (), None, doc, body
    )


def _net_is(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Net(span, str(c[0]), _token_span(b, c[0]), c[1] or (), c[2], None, ())


def _fn(b: Builder, span: Span, c: list[Any]) -> Any:
    doc, body = _documented(c[2])
    span = _to_last(span, c[2])
    return syntax.Fn(span, str(c[0]), _token_span(b, c[0]), c[1] or (), None, doc, body)


def _fn_is(b: Builder, span: Span, c: list[Any]) -> Any:
    return syntax.Fn(span, str(c[0]), _token_span(b, c[0]), c[1] or (), c[2], None, ())


def _to_last(span: Span, body: Sequence[Any]) -> Span:
    """To the end of a suite, without the blank lines and comments behind it."""
    return span.to(body[-1].span) if body else span


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
        span_of = _to_last(part.span, rest or part.body)
        rest = (syntax.If(span_of, part.test, part.body, rest),)
    return syntax.If(_to_last(span, rest or body), test, body, rest)


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
    "signatures": lambda b, s, c: _parts(c),
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
    "for_statement": lambda b, s, c: syntax.For(_to_last(s, c[2]), c[0], c[1], c[2]),
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
