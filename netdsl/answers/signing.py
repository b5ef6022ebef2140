"""Signatures: of what may be called, and the call that the cursor stands in."""

from __future__ import annotations

import re
from typing import NamedTuple

from netdsl import syntax
from netdsl.answers.page import Page
from netdsl.answers.things import Thing
from netdsl.layers import FUNCTIONS, LAYERS, Declaration
from netdsl.layers.written import arguments, written


class Signature(NamedTuple):
    """`Linear(out_features, *, bias=True)`, with the argument that is being written."""

    label: str
    doc: str
    parameters: tuple[str, ...]
    active: int | None


class OpenCall(NamedTuple):
    """A call that is open at the cursor: its name, what was given, where it starts."""

    name: str
    start: int
    positional: int
    keywords: tuple[str, ...]
    keyword: str
    """The argument that is being given by name, or nothing."""
    flows: bool
    """Whether something flows in from the left: a stage, or a layer."""


_QUOTED = re.compile(
    r'"""(?:[^\\]|\\[\s\S])*?(?:"""|$)|#[^\n]*|"(?:[^"\\\n]|\\.)*(?:"|$|(?=\n))'
    r"|'(?:[^'\\\n]|\\.)*(?:'|$|(?=\n))"
)
_WORD = re.compile(r"[A-Za-z_][\w.]*\Z")
_OPEN, _CLOSE = "([{", ")]}"


def masked(text: str) -> str:
    """The text with its strings and comments made blank, places kept."""
    return _QUOTED.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def is_quoted(text: str) -> bool:
    """Whether a text ends in a comment, or in a string that is not closed."""
    for found in _QUOTED.finditer(text):
        if found.end() == len(text):
            inner = found[0]
            mark = '"""' if inner.startswith('"""') else inner[:1]
            closed = inner.endswith(mark) and len(inner) >= 2 * len(mark)
            return inner[:1] == "#" or not closed
    return False


def open_call(text: str) -> OpenCall | None:
    """The innermost call that is open at the end of a text."""
    plain = masked(text)
    depth = 0
    for at in range(len(plain) - 1, -1, -1):
        char = plain[at]
        depth += (char in _CLOSE) - (char in _OPEN)
        if depth < 0:
            name = _WORD.search(plain[:at]) if char == "(" else None
            if name is None:
                depth = 0  # a list or a tuple in an argument
                continue
            return _given(plain, name, at + 1)
        if char == "\n" and depth == 0 and plain[at + 1 : at + 2].isalpha():
            return None
    return None


def _given(plain: str, name: re.Match[str], start: int) -> OpenCall:
    parts = _arguments(plain[start:])
    keywords = [re.match(r"\s*(\w+)\s*=(?!=)", p) for p in parts]
    active = keywords[-1]
    positional = sum(k is None for k in keywords[:-1])
    ahead = plain[: name.start()].rstrip()
    flows = ahead.endswith(("->", ":", "{", "|"))
    given = tuple(k[1] for k in keywords[:-1] if k is not None)
    keyword = active[1] if active is not None else ""
    return OpenCall(name[0], name.start(), positional, given, keyword, flows)


def _arguments(text: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char in _OPEN) - (char in _CLOSE)
        if char == "," and depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


# -- what is called ----------------------------------------------------------------


def declaration_of(name: str) -> Declaration | None:
    """A layer or function of torch."""
    return LAYERS.get(name) or FUNCTIONS.get(name)


def parameters_of(item: syntax.Item) -> list[str]:
    """The parameters of a definition, as they are written."""
    parameters = getattr(item, "parameters", ())
    return [" ".join(p.span.text.split()) for p in parameters]


def item_text(item: syntax.Item) -> str:
    """The first line of a definition: `net Block(width: int): [N, C]`."""
    word = type(item).__name__.lower()
    name = getattr(item, "name", "")
    inner = parameters_of(item)
    head = f"{word} {name}" + (f"({', '.join(inner)})" if inner else "")
    if isinstance(item, syntax.Extern):
        taken = ", ".join(t.span.text for t in item.inputs)
        given = ", ".join(t.span.text for t in item.outputs)
        return f"{head}: {taken} -> {given}"
    return head


def signature_of(page: Page, thing: Thing) -> str:
    """How a thing is called, in one line."""
    if thing.kind in ("torch_layer", "torch_function"):
        declaration = declaration_of(thing.name)
        return written(declaration) if declaration is not None else thing.name
    from netdsl.answers.hover import item_of

    item = item_of(page, thing)
    return item_text(item) if item is not None else thing.name


# -- signature help ------------------------------------------------------------------


def signature_help(page: Page, offset: int) -> Signature | None:
    """The call around the cursor, and which of its arguments is being written."""
    section = page.section_at(offset)
    if section is None:
        return None
    call = open_call(page.source.text[section.chunk.start : offset])
    if call is None:
        return None
    item = page.callable(call.name)
    if item is not None:
        parameters = parameters_of(item)
        doc = getattr(item, "doc", None) or ""
        label = f"{call.name}({', '.join(parameters)})"
        skipped = 0
    else:
        declaration = declaration_of(call.name)
        if declaration is None:
            return None
        parameters = list(arguments(declaration))
        doc, label = declaration.doc, written(declaration)
        # What flows into a function is its first argument.
        skipped = int(call.flows and not declaration.is_layer)
    return Signature(label, doc, tuple(parameters), _active(call, parameters, skipped))


def _active(call: OpenCall, parameters: list[str], skipped: int) -> int | None:
    names = [re.match(r"\*?\w*", p) for p in parameters]
    words = [n[0].lstrip("*") if n is not None else "" for n in names]
    if call.keyword:
        return words.index(call.keyword) if call.keyword in words else None
    at = call.positional + skipped
    for i, text in enumerate(parameters):
        if text == "*" and at >= i:
            return None
        if text.startswith("*") and at >= i:
            return i
    return at if at < len(parameters) else None
