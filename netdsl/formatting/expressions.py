"""Expressions as documents: one function for each rule of the grammar.

A function gets the node and the documents of its children, which are made first,
so that deep trees need no deep calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from netdsl.formatting.brackets import (
    COMMAS,
    Element,
    bracketed,
    elements,
    is_hugged,
    opening_token,
)
from netdsl.formatting.documents import (
    NOTHING,
    Doc,
    Group,
    Line,
    Row,
    Text,
    Trailing,
    Wrapped,
    joined,
    row,
)
from netdsl.formatting.flows import branches, flow_between
from netdsl.formatting.tokens import behind, comma, has_comments, token
from netdsl.parse.concrete import Branch, Concrete, Leaf, leaves

Docs = dict[int, Doc]
Layout = Callable[[Branch, Docs], Doc]


def document(node: Concrete) -> Doc:
    """The document of an expression, a type or a parameter list."""
    docs: Docs = {}
    stack: list[tuple[Concrete, bool]] = [(node, False)]
    while stack:
        here, is_ready = stack.pop()
        if isinstance(here, Leaf):
            docs[id(here)] = token(here)
        elif is_ready:
            docs[id(here)] = LAYOUTS.get(here.rule, _in_turn)(here, docs)
        else:
            stack.append((here, True))
            stack.extend((child, False) for child in here.children)
    return docs[id(node)]


def target(node: Concrete) -> Doc:
    """What stands left of `=`: on one line."""
    inner = unwrapped(node)
    if isinstance(inner, Branch) and inner.rule == "items":
        return _targets(inner, {id(c): document(c) for c in inner.children})
    return document(inner)


def unwrapped(node: Concrete) -> Concrete:
    """The node without the rules that add nothing to it."""
    while (
        isinstance(node, Branch)
        and node.rule in ("items", "flow")
        and len(node.children) == 1
    ):
        node = node.children[0]
    return node


def value(node: Concrete) -> Doc:
    """What stands behind `=`, `return` or `if`: without needless parentheses."""
    inner = unwrapped(node)
    comments: list[Doc] = []
    while isinstance(inner, Branch) and inner.rule == "parenthesised":
        opening, body, closing = inner.children
        assert isinstance(opening, Leaf) and isinstance(closing, Leaf)
        within = unwrapped(body)
        needed = isinstance(within, Branch) and within.rule in _KEEP_PARENTHESES
        if (
            needed
            or closing.leading
            or any(map(has_comments, (opening, *leaves(body))))
        ):
            break
        comments.append(behind(closing))
        inner = within
    doc = document(inner)
    if isinstance(inner, Branch) and inner.rule == "items":
        doc = Wrapped(doc)
    return Row([doc, *reversed(comments)]) if comments else doc


_KEEP_PARENTHESES = ("flow", "items", "labelled", "star")


def _docs(node: Branch, docs: Docs) -> list[Doc]:
    return [docs[id(child)] for child in node.children]


def _in_turn(node: Branch, docs: Docs) -> Doc:
    parts = _docs(node, docs)
    return parts[0] if len(parts) == 1 else Row(parts)


def _spaced(node: Branch, docs: Docs) -> Doc:
    return joined(Text(" "), _docs(node, docs))


# -- operators -----------------------------------------------------------------


def _chain(first: Doc, rest: Sequence[tuple[Doc, Doc]]) -> Doc:
    """Operands with their operators, which begin lines."""
    parts = [first]
    for operator, operand in rest:
        parts += [Line(" "), operator, Text(" "), operand]
    return Wrapped(Row(parts))


_STRENGTHS = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2, "@": 2, "**": 3}


def _strength(node: Branch) -> object:
    if node.rule != "binary":
        return node.rule
    operator = node.children[1]
    assert isinstance(operator, Leaf)
    return _STRENGTHS[operator.text]


def _binary(node: Branch, docs: Docs) -> Doc:
    rest: list[tuple[Doc, Doc]] = []
    here: Concrete = node
    while (
        isinstance(here, Branch)
        and here.rule == node.rule
        and _strength(here) == _strength(node)
    ):
        here, operator, right = here.children
        rest.insert(0, (docs[id(operator)], docs[id(right)]))
    return _chain(docs[id(here)], rest)


def _compare(node: Branch, docs: Docs) -> Doc:
    first, *rest = _docs(node, docs)
    return _chain(first, list(zip(rest[::2], rest[1::2], strict=True)))


def _if_else(node: Branch, docs: Docs) -> Doc:
    then, word, test, orelse, other = _docs(node, docs)
    return _chain(then, [(word, test), (orelse, other)])


def _unary(node: Branch, docs: Docs) -> Doc:
    operator, operand = node.children
    assert isinstance(operator, Leaf)
    gap = " " if operator.kind == "NOT" else ""
    return row(docs[id(operator)], gap, docs[id(operand)])


def _string(node: Branch, docs: Docs) -> Doc:
    parts = _docs(node, docs)
    return parts[0] if len(parts) == 1 else Wrapped(joined(Line(" "), parts))


# -- brackets ------------------------------------------------------------------


def _list(node: Branch, docs: Docs) -> Doc:
    opening, *inner, closing = node.children
    return _bracketed(opening, inner, closing, docs, keeps_rows=True)


def _bracketed(
    opening: Concrete,
    inner: Sequence[Concrete],
    closing: Concrete,
    docs: Docs,
    *,
    keeps_rows: bool = False,
    fills_rows: bool = False,
    adds_comma: bool = True,
) -> Doc:
    assert isinstance(opening, Leaf) and isinstance(closing, Leaf)
    found = elements(inner, [docs[id(i)] for i in inner], COMMAS)
    if len(found) == 1 and _is_comprehension(found[0].node):
        adds_comma = False
        last = found[0].comma
        if last is not None and not has_comments(last):
            found = [found[0]._replace(comma=None)]
    else:
        # Of several elements each ends its lines for itself.
        found = [
            e._replace(doc=Group(e.doc)) if _is_comprehension(e.node) else e
            for e in found
        ]
    return bracketed(
        opening,
        found,
        closing,
        keeps_rows=keeps_rows,
        fills_rows=fills_rows,
        adds_comma=adds_comma,
    )


def _is_comprehension(node: Concrete) -> bool:
    return isinstance(node, Branch) and node.rule in ("comprehension", "generator")


def _parenthesised(node: Branch, docs: Docs) -> Doc:
    opening, body, closing = node.children
    assert isinstance(opening, Leaf) and isinstance(closing, Leaf)
    if isinstance(body, Branch) and body.rule == "items" and len(body.children) > 1:
        inner = body.children
        alone = sum(not (isinstance(c, Leaf) and c.kind in COMMAS) for c in inner) == 1
        return _bracketed(
            opening, inner, closing, docs, keeps_rows=True, adds_comma=not alone
        )
    element = Element(docs[id(body)], body, None)
    return bracketed(opening, [element], closing, adds_comma=False)


def _items(node: Branch, docs: Docs) -> Doc:
    """Values without brackets; a last comma comes with those that are added."""
    if len(node.children) == 1:
        return docs[id(node.children[0])]
    found = elements(node.children, _docs(node, docs), COMMAS)
    parts: list[Doc] = []
    for element in found:
        if parts:
            parts.append(Line(" "))
        parts.append(element.doc)
        if element.comma is not None:
            parts.append(comma(element.comma))
    return Row([*parts, Trailing(",")])


def _targets(node: Branch, docs: Docs) -> Doc:
    """Names to be bound, on one line: `y, (h, c)`."""
    parts: list[Doc] = []
    for child in node.children:
        if isinstance(child, Leaf) and child.kind in COMMAS:
            parts += [comma(child), Text(" ")]
        else:
            parts.append(docs[id(child)])
    return Row(parts)


def _generator(node: Branch, docs: Docs) -> Doc:
    first, last = node.children[0], node.children[-1]
    if isinstance(first, Leaf) and isinstance(last, Leaf):
        body = Row(_clauses(node.children[1:-1], docs))
        element = Element(body, Branch("generator", node.children[1:-1]), None)
        return bracketed(first, [element], last, adds_comma=False)
    return _comprehension(node, docs)


def _comprehension(node: Branch, docs: Docs) -> Doc:
    return Row(_clauses(node.children, docs))


def _clauses(children: Sequence[Concrete], docs: Docs) -> list[Doc]:
    parts: list[Doc] = []
    for child in children:
        parts += [Line(" "), docs[id(child)]] if parts else [docs[id(child)]]
    return parts


def _clause(node: Branch, docs: Docs) -> Doc:
    parts: list[Doc] = []
    for child in node.children:
        starts = isinstance(child, Leaf) and child.kind == "_IF"
        parts += [Line(" ") if starts else Text(" "), docs[id(child)]]
    return Row(parts[1:])


def _call(node: Branch, docs: Docs) -> Doc:
    function, opening, *arguments, closing = node.children
    assert isinstance(opening, Leaf) and isinstance(closing, Leaf)
    inner: Sequence[Concrete] = ()
    if arguments:
        assert isinstance(arguments[0], Branch)
        inner = arguments[0].children
    if _hugs(opening, inner, closing):
        body = docs[id(inner[0])]
        return row(docs[id(function)], opening_token(opening), body, token(closing))
    return row(docs[id(function)], _bracketed(opening, inner, closing, docs))


def _hugs(opening: Leaf, inner: Sequence[Concrete], closing: Leaf) -> bool:
    if not inner or opening.trailing or closing.leading:
        return False
    first, *rest = inner
    quiet = all(isinstance(c, Leaf) and not has_comments(c) for c in rest)
    return quiet and is_hugged(unwrapped(first))


def _subscript(node: Branch, docs: Docs) -> Doc:
    opened, opening, inside, closing = node.children
    assert isinstance(inside, Branch)
    found = _bracketed(opening, inside.children, closing, docs, adds_comma=False)
    return row(docs[id(opened)], found)


def _parameters(node: Branch, docs: Docs) -> Doc:
    opening, *inner, closing = node.children
    return _bracketed(opening, inner, closing, docs, fills_rows=True)


def _branches(node: Branch, docs: Docs) -> Doc:
    separators = {c.text for c in node.children if isinstance(c, Leaf)} & {"|", ","}
    inner = node.children[1:-1]
    arms = [c for c in inner if not _is_separator(c)]
    opening, closing = node.children[0], node.children[-1]
    is_dict = "|" not in separators and all(map(_is_entry, arms))
    if is_dict:
        return _bracketed(opening, _commas(inner), closing, docs, keeps_rows=True)
    return branches(node, docs)


def _is_separator(node: Concrete) -> bool:
    return isinstance(node, Branch) and node.rule == "separator"


def _commas(nodes: Sequence[Concrete]) -> list[Concrete]:
    """The commas of a dict are separators to the grammar."""
    return [
        n.children[0] if isinstance(n, Branch) and n.rule == "separator" else n
        for n in nodes
    ]


def _is_entry(node: Concrete) -> bool:
    inner = unwrapped(node)
    if not isinstance(inner, Branch) or inner.rule != "labelled":
        return False
    label = unwrapped(inner.children[0])
    return isinstance(label, Branch) and label.rule in _LITERALS


_LITERALS = ("integer", "floating", "string", "none", "true", "false", "ellipsis")


# -- small parts ---------------------------------------------------------------


def _labelled(node: Branch, docs: Docs) -> Doc:
    label, colon, labelled = _docs(node, docs)
    return row(label, colon, " ", labelled)


def _parameter(node: Branch, docs: Docs) -> Doc:
    """`width: int = 64`, and `width=64` where there is no type."""
    name, *rest = _docs(node, docs)
    if len(rest) == 4:
        colon, type_, equals, default = rest
        return row(name, colon, " ", type_, " ", equals, " ", default)
    if len(rest) == 2 and isinstance(node.children[1], Leaf):
        gap = " " if node.children[1].text == ":" else ""
        return row(name, rest[0], gap, rest[1])
    return name


LAYOUTS: dict[str, Layout] = {
    "arguments": lambda node, docs: NOTHING,
    "binary": _binary,
    "bool_and": _binary,
    "bool_or": _binary,
    "branches": _branches,
    "call": _call,
    "clause": _clause,
    "compare": _compare,
    "comparison_op": _spaced,
    "comprehension": _comprehension,
    "flow": flow_between,
    "generator": _generator,
    "if_else": _if_else,
    "imported": _spaced,
    "items": _items,
    "labelled": _labelled,
    "list": _list,
    "parameter": _parameter,
    "params": _parameters,
    "parenthesised": _parenthesised,
    "signatures": _parameters,
    "string": _string,
    "subscript": _subscript,
    "subscripts": lambda node, docs: NOTHING,
    "targets": _targets,
    "type": _spaced,
    "unary": _unary,
}
