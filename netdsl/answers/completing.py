"""What may be written at a place: found from the text before it, which need not
parse, and from what the item was when it last did."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from netdsl import syntax
from netdsl.answers.page import Page, Section
from netdsl.answers.scopes import CONTAINERS, scope_of
from netdsl.answers.signing import (
    declaration_of,
    is_quoted,
    item_text,
    masked,
    open_call,
)
from netdsl.answers.values import held, modules, show
from netdsl.elaborate.arithmetic import STATIC_FUNCTIONS
from netdsl.elaborate.starting import INITIALISERS
from netdsl.elaborate.walk import Walk
from netdsl.layers import FUNCTIONS, LAYERS, NAMESPACES
from netdsl.layers.written import written
from netdsl.limits import ImportRefused
from netdsl.shapes import DTYPES


class Completion(NamedTuple):
    """A word that may stand here.  Kinds: class, function, field, variable, size,
    constant, argument, keyword, type."""

    label: str
    kind: str
    detail: str = ""
    insert: str = ""


ITEM_WORDS = ("net", "fn", "let", "expect", "extern", "from")
STATEMENT_WORDS = (
    *("input", "let", "param", "buffer", "init", "tie", "if", "for", "return"),
    *("elif", "else"),
)
TYPES = ("int", "float", "bool", "str", "net", *(f"{c}[int]" for c in CONTAINERS))
_WORD = re.compile(r"[A-Za-z_]\w*\Z")
_LABEL = re.compile(r"(?:^|[-{|,(\[>\s])[\w.]+\s*:\s*\Z")
_IMPORT = re.compile(r'^from\s+"([^"\n]*)"\s+import\b')
_TYPED = re.compile(r"\s+(?:input|param|buffer)\s+[\w\s,]+:")
_SHAPE = re.compile(r"(?m)^\s+input\s[^:\n]*:[^\[\n]*\[([^\]\n]*)")
_TYPED_LINE = re.compile(r"(?m)^\s+(?:input|param|buffer)\s.*$")
_NAMED = (
    ("input", re.compile(r"(?m)^\s+input\s+(\w+(?:\s*,\s*\w+)*)\s*:")),
    ("let", re.compile(r"(?m)^\s+let\s+(\w+(?:\s*,\s*\w+)*)")),
    ("own", re.compile(r"(?m)^\s+(?:param|buffer)\s+(\w+)")),
    ("value", re.compile(r"(?m)^\s+(\w+(?:\s*,\s*\w+)*)\s*=[^=]")),
)
_LAYER = re.compile(r"([A-Za-z_][\w.]*)\s*:\s*(?=[A-Z\[])")
_PARAMETER = re.compile(r"[(,]\s*(\w+)\s*[:,)=]")


def complete(page: Page, offset: int) -> list[Completion]:
    """The words that may stand at an offset."""
    section = page.section_at(offset)
    start = section.chunk.start if section is not None else 0
    raw = page.source.text[start:offset]
    path = _IMPORT.match(raw.rpartition("\n")[2])
    if path is not None:
        return list(_exported(page, path[1]))
    if is_quoted(raw):
        return []
    plain = masked(raw)
    found = _Place(page, section, plain).words()
    return list({c.label: c for c in found}.values())


class _Place:
    """The place of the cursor: the text in front of it, and the item around it."""

    def __init__(self, page: Page, section: Section | None, plain: str) -> None:
        self.page = page
        self.section = section
        word = _WORD.search(plain)
        self.lead = plain[: word.start()] if word is not None else plain
        self.line = self.lead.rpartition("\n")[2]
        self.item = section.item if section is not None else None
        self.walk = section.walk if section is not None else None

    def words(self) -> Iterator[Completion]:
        lead = self.lead.rstrip()
        depth = sum(map(self.lead.count, "([{")) - sum(map(self.lead.count, ")]}"))
        if not self.line and depth <= 0:
            yield from _keywords(ITEM_WORDS)
        elif self.line.strip() == "expect":
            yield from self._definitions(syntax.Net)
        elif self.lead.endswith("."):
            yield from self._members(lead[:-1])
        elif self._in_header():
            yield from self._types() if lead.endswith(":") else self._constants()
        elif _TYPED.match(self.line) and "=" not in self.line:
            yield from self._typed()
        elif self.line.strip() in ("init", "tie"):
            yield from self._makers()
            yield from self._layers()
        elif lead.endswith(("->", "{")) or (lead.endswith("|") and depth > 0):
            yield from self._stages()
        elif _LABEL.search(self.lead) and not self._in_dict():
            yield from self._makers()
        else:
            yield from self._free(depth)

    def _free(self, depth: int) -> Iterator[Completion]:
        call = open_call(self.lead)
        if call is not None:
            yield from self._arguments(call.name, call.keywords, call.keyword)
        elif not self.line.strip() and depth <= 0:
            yield from _keywords(STATEMENT_WORDS)
        yield from self._values()
        yield from self._layers()
        yield from self._constants()
        yield from self._functions()
        if depth > 0:
            yield from self._makers()

    def _in_header(self) -> bool:
        """Whether the cursor stands among the parameters of the item."""
        return bool(re.match(r"\s*(?:net|fn|extern)\s+\w+\s*\([^)]*\Z", self.lead))

    def _in_dict(self) -> bool:
        return bool(re.search(r"\{[^{}|>]*\Z", self.lead)) and "->" not in self.line

    # -- what there is -----------------------------------------------------------

    def _stages(self) -> Iterator[Completion]:
        yield from self._layers()
        yield from self._makers()
        yield from self._definitions(syntax.Fn)
        yield from self._functions()

    def _makers(self) -> Iterator[Completion]:
        """Nets and layers; a name of the file hides one of torch's."""
        for name in LAYERS:
            yield Completion(name, "class", "torch.nn")
        yield from self._definitions(syntax.Net | syntax.Extern)
        yield Completion("skip", "keyword", "hands on what it gets")

    def _definitions(self, kinds: object) -> Iterator[Completion]:
        files = self.page.files
        scope = dict(files.main.scope) if files is not None else {}
        for section in self.page.sections:
            name = getattr(section.item, "name", "")
            if name and section.item is not None:
                scope.setdefault(name, section.item)
        for name, item in scope.items():
            if isinstance(item, kinds):  # type: ignore[arg-type]
                kind = "function" if isinstance(item, syntax.Fn) else "class"
                yield Completion(name, kind, item_text(item))

    def _functions(self) -> Iterator[Completion]:
        for name in FUNCTIONS:
            if name.isidentifier():
                yield Completion(name, "function", "torch")
        for name in STATIC_FUNCTIONS:
            yield Completion(name, "function", "of static values")
        for name in sorted(NAMESPACES):
            yield Completion(name, "function", f"torch.{name}")
        yield from self._definitions(syntax.Fn)

    def _layers(self) -> Iterator[Completion]:
        text = _TYPED_LINE.sub("", self._text())
        names = dict.fromkeys(_LAYER.findall(text))
        if self.item is not None:
            names.update(dict.fromkeys(scope_of(self.item).layers))
        for name in names:
            if name != "_":
                yield Completion(name, "field", self._layer_text(name))

    def _layer_text(self, name: str) -> str:
        module = self.walk.layers.get(name) if self.walk is not None else None
        span = module.span if module is not None else None
        return " ".join(span.text.split()) if span is not None else ""

    def _values(self) -> Iterator[Completion]:
        for name, kind in self._kinds().items():
            sort = "size" if kind == "size" else "variable"
            yield Completion(name, sort, self._value_text(name) or kind)

    def _kind(self, name: str) -> str:
        return self._kinds().get(name, "")

    def _kinds(self) -> dict[str, str]:
        """The names of values: those of the item, and what its text looks like."""
        scope = scope_of(self.item).values if self.item is not None else {}
        names = {name: kind for name, (kind, _) in scope.items()}
        text = self._text()
        for kind, pattern in _NAMED:
            for found in pattern.findall(text):
                for name in re.findall(r"\w+", found):
                    names.setdefault(name, kind)
        for shape in _SHAPE.findall(text):
            for name in re.findall(r"[A-Za-z]\w*", shape):
                names.setdefault(name, "size")
        for name in _PARAMETER.findall(text.partition(":\n")[0]):
            names.setdefault(name, "hyperparameter")
        return names

    def _value_text(self, name: str) -> str:
        known = self.walk.scope.get(name) if self.walk is not None else None
        text = show(known.value) if known is not None else ""
        return "" if text == name else text

    def _constants(self) -> Iterator[Completion]:
        yield from (
            Completion(c.label, "constant", "let") for c in self._named_constants()
        )
        for name in ("True", "False", "None", "training"):
            yield Completion(name, "constant")

    def _named_constants(self) -> Iterator[Completion]:
        files = self.page.files
        for name, item in files.main.scope.items() if files is not None else ():
            if isinstance(item, syntax.Constant):
                yield Completion(name, "constant")

    def _types(self) -> Iterator[Completion]:
        yield from (Completion(name, "type") for name in TYPES)

    def _typed(self) -> Iterator[Completion]:
        """In the type of an input, parameter or buffer."""
        if self.line.count("[") > self.line.count("]"):
            static = ("hyperparameter", "let")
            for found in self._values():
                if found.kind == "size" or self._kind(found.label) in static:
                    yield found
            yield from self._named_constants()
        else:
            yield from (Completion(d, "type", "dtype") for d in sorted(DTYPES))
            yield from (Completion(t, "type") for t in ("int", "float", "bool"))

    def _arguments(
        self, name: str, given: Iterable[str], keyword: str
    ) -> Iterator[Completion]:
        """Arguments that are not given yet, and the words that one may be."""
        item = self.page.callable(name)
        if item is not None:
            if not keyword:
                yield from _hyperparameters(item, given)
            return
        declaration = declaration_of(name)
        if declaration is None:
            return
        known = declaration.signature.by_name
        if keyword:
            kinds = known[keyword].kinds if keyword in known else ()
            yield from (Completion(k, "constant") for k in kinds if k[:1] == '"')
            return
        for parameter in declaration.signature.parameters:
            if parameter.name not in given and not parameter.variadic:
                kind = " | ".join(parameter.kinds)
                label = f"{parameter.name}="
                yield Completion(label, "argument", kind)

    def _members(self, lead: str) -> Iterator[Completion]:
        """What stands behind a dot."""
        found = re.search(r"[\w.]+\Z", lead)
        name = found[0] if found is not None else ""
        for function in FUNCTIONS:
            if function.startswith(f"{name}."):
                yield Completion(function.partition(".")[2], "function", function)
        for layer in scope_of(self.item).layers if self.item is not None else ():
            if layer.startswith(f"{name}."):
                yield Completion(layer[len(name) + 1 :], "field")
        if self.walk is not None:
            yield from _inside(self.walk, name, self._value_text(name))

    def _text(self) -> str:
        return masked(self.section.chunk.text) if self.section is not None else ""


def _hyperparameters(item: syntax.Item, given: Iterable[str]) -> Iterator[Completion]:
    for name, (kind, _) in scope_of(item).values.items():
        if kind in ("hyperparameter", "size", "input") and name not in given:
            yield Completion(f"{name}=", "argument", kind)


def _inside(walk: Walk, name: str, value: str) -> Iterator[Completion]:
    """The members and parameters of a layer; what a tensor has."""
    module = walk.layers.get(name)
    if module is None:
        if value.startswith("[") or re.match(r"\w+\[", value):
            yield from (Completion(w, "field") for w in ("shape", "dtype", "T"))
        if name in LAYERS:
            same = [m for m in modules(walk) if _is_a(m, name)]
            for word in dict.fromkeys(w for m in same for w in held(m, walk)):
                yield Completion(word, "field")
        return
    for word, tensor in held(module, walk).items():
        yield Completion(word, "field", str(tensor))
    net = getattr(module, "net", None)
    inner = walk.program.known_class(net) if net is not None else None
    for word in inner.layers if inner is not None else ():
        yield Completion(word, "field")


def _is_a(module: object, name: str) -> bool:
    declaration = getattr(module, "declaration", None)
    return declaration is not None and declaration.name == name


def _keywords(words: Iterable[str]) -> Iterator[Completion]:
    return (Completion(w, "keyword", "", f"{w} ") for w in words)


def _exported(page: Page, path: str) -> Iterator[Completion]:
    """The names that another file defines."""
    try:
        _, data = page.reader(page.name, path)
    except ImportRefused:
        return
    text = data.decode("utf-8", "replace")
    for word, name in re.findall(r"(?m)^(net|fn|let|extern)\s+(\w+)", text):
        kind = {"let": "constant", "fn": "function"}.get(word, "class")
        yield Completion(name, kind, f"{word} of {path}")


def describe(label: str) -> str:
    """The documentation of a word that was offered."""
    declaration = declaration_of(label)
    if declaration is not None:
        return f"```net\n{written(declaration)}\n```\n\n{declaration.doc}"
    return "an initialiser" if label in INITIALISERS else ""
