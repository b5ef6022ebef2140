"""What a class takes and gives: parameters, annotations, docstrings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.elaborate.specialise import asked_sizes
from netdsl.elaborate.values import (
    PLAIN,
    Blur,
    Condition,
    Factory,
    Gathered,
    Maybe,
    NetParameter,
    OpenNets,
    Rounds,
    Val,
)
from netdsl.emit.lines import Lines
from netdsl.emit.literals import quoted
from netdsl.emit.spelling import Imports, Speller
from netdsl.emit.symbols import Symbols
from netdsl.graph import Symbol
from netdsl.layers import Unknown
from netdsl.layers.spec import Declaration
from netdsl.shapes import Parts, Tensor

WIDEST = 100
_BLANK = re.compile(r"\b_\b")
_LIST = re.compile(r"(?:^|(?<=\| ))list(?=\[|$)")


class Signatures(Symbols):
    """What a class takes and gives: parameters, annotations, docstrings."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.out_names: dict[str, Any] = {}
        """Sizes of results that have a name in the docstring alone."""

    def parameters(self) -> list[str]:
        given = self.program.given_sizes.get(id(self.net), {})
        parts = [
            f"{self.size_texts[s.name]}: int"
            + (f" = {given[s.name]}" if s.name in given else "")
            for s in self.sizes
        ]
        for parameter in self.net.parameters:
            symbol = self.walk.hypers[parameter.name]
            kind = self.annotation(symbol)
            default = symbol.value
            if default is None:
                parts.append(f"{symbol.name}: {kind}")
            else:
                value = self._default(symbol, default)
                parts.append(f"{symbol.name}: {kind} = {value}")
        return parts

    def init_signature(self) -> str:
        return f"def __init__({', '.join(['self', *self.parameters()])}) -> None:"

    def forward_signature(self) -> str:
        inputs = ", ".join(["self", *map(self._input, self.walk.inputs)])
        return f"def forward({inputs}) -> {self._result_type()}:"

    def function_signature(self, root: graph.Module) -> str:
        """Of the function that a variant of a net becomes."""
        kind = self.file.return_type(root)
        return f"def {self.name}({', '.join(self.parameters())}) -> {kind}:"

    def annotation(self, symbol: Symbol) -> str:
        kind = symbol.type or "Any"
        if re.search(r"\bnet\b", kind):
            kind = re.sub(r"\bnet\b", lambda m: self._net_type(symbol), kind)
        kind = self.read_only(kind)
        if kind in ("Any", ""):
            self.imports.use("Any")
            return "Any"
        return kind.replace("any", self.imports.use("Any")) if "any" in kind else kind

    def read_only(self, kind: str) -> str:
        """The type of a list that is given: a default is a tuple in Python, and
        whoever has one may hand it on."""
        if not _LIST.search(kind):
            return kind
        return _LIST.sub(self.imports.use("Sequence"), kind)

    def _bindings(self, symbol: Symbol) -> tuple[Any, ...]:
        """What a net parameter stands for."""
        val = self.walk.scope.get(symbol.name)
        opens = val is not None and isinstance(val.value, NetParameter | OpenNets)
        return val.value.bindings if val is not None and opens else ()

    def stands_in_itself(self) -> bool:
        """Whether the class may be handed to one of its own."""
        return any(
            isinstance(b.target, syntax.Net) and self._made_by(b.target) == self.name
            for symbol in self.walk.hypers.values()
            for b in self._bindings(symbol)
        )

    @property
    def name(self) -> str:
        return str(self.file.net_name(self.net))

    def _union(self, names: Iterable[str]) -> str:
        """One of the classes; the one that is being defined has no name yet."""
        made = dict.fromkeys(names)
        text = " | ".join(made)
        return quoted(text) if self.name in made and not self.file.is_stub else text

    def _net_type(self, symbol: Symbol) -> str:
        bindings = self._bindings(symbol)
        plain = all(
            isinstance(b.target, syntax.Net)
            and not b.positional
            and not b.keywords
            and not self.file.is_function(b.target)
            for b in bindings
        )
        made = self.made_type(symbol)
        if bindings and plain:
            return f"type[{made}]"
        self.imports.use("Callable")
        return f"Callable[..., {made}]"

    def made_type(self, symbol: Symbol) -> str:
        """The type of what a net parameter makes."""
        targets = [b.target for b in self._bindings(symbol)]
        nets = all(isinstance(t, syntax.Net) for t in targets)
        layers = all(isinstance(t, syntax.Net | Declaration) for t in targets)
        if targets and (nets or (layers and self._is_asked(symbol))):
            return self._union(map(self._made_by, targets))
        return self.imports.note("nn.Module")

    def _is_asked(self, symbol: Symbol) -> bool:
        """Whether what a net parameter makes has to tell sizes of its results."""
        modules = [out.module for out in asked_sizes(self.program, self.walk)]
        return any(getattr(m, "symbol", None) is symbol for m in modules)

    def _made_by(self, net: syntax.Net | Declaration) -> str:
        """The class of what a net makes."""
        if isinstance(net, Declaration):
            return self.imports.note(net.target)
        if not self.file.is_function(net):
            return str(self.file.net_name(net))
        return str(self.file.return_type(self.program.define(net).root))

    def _default(self, symbol: Symbol, default: Val) -> str:
        value = default.value
        if isinstance(value, Factory):
            if value.positional or value.keywords:
                return str(self.file.default_constant(symbol, value))
            return self.init_speller.factory(value)
        if isinstance(value, dict):
            return str(self.file.default_constant(symbol, value))
        if isinstance(value, list):
            return self.init_speller.text(_as_tuple(default.expr, value))
        return self.init_speller.text(default.expr)

    def _docstring(self, lines: Lines) -> None:
        doc = self.net.doc
        if doc and not self.file.is_file_doc(self.net):
            docstring(lines, doc)
            lines.add("")

    def _input(self, symbol: Symbol) -> str:
        kind = symbol.type
        if "Tensor" in kind:
            self.imports.use("Tensor")
        default = self.walk.input_defaults.get(symbol.name)
        text = f"{symbol.name}: {kind}"
        return (
            text
            if default is None
            else (f"{text} = {self.forward_speller.text(default.expr)}")
        )

    def _result_type(self) -> str:
        """The type of forward's result; of all its returns, where they differ."""
        values = [v for v, _ in self.walk.results]
        if isinstance(self.walk.result, Blur) and len(values) > 1:
            kinds = dict.fromkeys(self.annotation_of(v) for v in values)
            return " | ".join(kinds) if "Any" not in kinds else "Any"
        return self.annotation_of(self.walk.result)

    def annotation_of(self, value: Any) -> str:
        """The type of a result, as Python writes it."""
        match value:
            case Tensor() | Blur(is_tensor=True):
                return self.imports.use("Tensor")
            case Gathered(parts=parts):
                kinds = dict.fromkeys(
                    self.annotation_of(p.at(0) if isinstance(p, Rounds) else p)
                    for p in parts
                )
                return f"list[{' | '.join(kinds)}]"
            case Blur() | Unknown():
                if isinstance(value, Unknown) and _is_plain(value.type):
                    return value.type
                return self.imports.use("Any")
            case Maybe():
                return f"{self.annotation_of(value.value)} | None"
            case None:
                return "None"
            case Parts():
                return f"tuple[{self.imports.use('Tensor')}, ...]"
            case tuple():
                inner = ", ".join(self.annotation_of(v) for v in value)
                return f"tuple[{inner}]"
            case Rounds():
                return f"list[{self.annotation_of(value.at(0))}]"
            case list():
                kinds = dict.fromkeys(self.annotation_of(v) for v in value)
                return f"list[{' | '.join(kinds)}]"
            case dict():
                kinds = dict.fromkeys(self.annotation_of(v) for v in value.values())
                return f"dict[str, {' | '.join(kinds)}]"
            case bool() | Condition():
                return "bool"
            case int() | dims.Dim():
                return "int"
            case float():
                return "float"
        return self.imports.use("Any")

    def _shape_docstring(self, lines: Lines) -> None:
        inputs = [
            f"{name}: {self._type_text(value)}"
            for name, value in self._shown_inputs()
            if _has_tensor(value)
        ]
        result = self._result_texts()
        if not inputs or not result:
            return
        text = f"{', '.join(inputs)} -> {result}"
        if len(text) + 4 * 2 + 6 <= WIDEST:
            lines.add(f'"""{text}"""')
            return
        together = ", ".join(inputs)
        if len(together) + 4 * 2 + 3 <= WIDEST:
            inputs = [together]
        first, *others = [f"{part}," for part in inputs[:-1]] + [inputs[-1]]
        lines.add(f'"""{first}')
        for part in [*others, f"-> {result}"]:
            for line in _wrapped(part, WIDEST - 4 * 2):
                lines.add(line)
        lines.add('"""')

    def _shown_inputs(self) -> list[tuple[str, Any]]:
        return self.walk.input_types

    def _out_names(self, value: Any) -> dict[int, str]:
        """Names for the sizes of a result that no short text says: `H_out` where an
        input has `H`."""
        shape = _tensor_of(value).shape
        alike = (
            _tensor_of(v).shape for _, v in self.walk.input_types if _has_tensor(v)
        )
        given = [s.head for s in alike if s.rank == shape.rank is not None]
        names: dict[int, str] = {}
        for at, size in enumerate(shape.head if given else ()):
            name = _out_name(self._size_text(given[0][at]), at, shape.rank)
            taken = {**self.out_names, **self.program.kept(self.net)}
            if name and isinstance(size, dims.Dim) and taken.get(name, size) == size:
                self.out_names[name] = size
                names[at] = name
        return names

    def _type_text(self, value: Any, names: Mapping[int, str] | None = None) -> str:
        if isinstance(value, Maybe):
            return f"{self._type_text(value.value, names)} | None"
        shape = value.shape
        parts = [self._size_text(s) for s in shape.head]
        if names:
            parts = [names.get(i, p) if p == "_" else p for i, p in enumerate(parts)]
        if shape.star is not None:
            parts.append(f"*{shape.star}")
            parts += [self._size_text(s) for s in shape.tail]
        text = f"[{', '.join(parts)}]"
        return text if value.dtype in ("float", "any") else f"{value.dtype}{text}"

    def _size_text(self, size: Any) -> str:
        for symbol, value in self.walk.let_values:
            if value == size and isinstance(size, dims.Dim):
                return symbol.name
        text = "_"
        if not any(_has_no_name(atom) for atom in dims.atoms(size)):
            speller = Speller(Imports(), self.file.net_name, self._in_docstring)
            text = speller.size(size)[0]
        if len(text) <= 60 and "self." not in text and _BLANK.search(text) is None:
            return text
        kept = self.program.kept(self.net).items()
        return next((str(name) for name, value in kept if value == size), "_")

    def _in_docstring(self, symbol: Symbol) -> str:
        if symbol.kind == "size":
            shown = "_" if symbol.name.startswith("_") else symbol.name
            return self.size_texts.get(symbol.name, shown)
        if symbol.kind == "carried" and symbol.value is not None:
            return self._size_text(symbol.value)
        return "_" if symbol.kind in ("carried", "loop") else symbol.name

    def _result_texts(self) -> str:
        """The shapes of the result; of all returns, where they differ."""
        if not isinstance(self.walk.result, Blur):
            return self._result_text(self.walk.result)
        texts = [self._result_text(v) for v, _ in self.walk.results]
        return " or ".join(dict.fromkeys(texts)) if all(texts) else ""

    def _result_text(self, value: Any) -> str:
        if value is None:
            return "None"
        if _has_tensor(value):
            return self._type_text(value, self._out_names(value))
        if isinstance(value, tuple | list):
            parts = [self._result_text(v) for v in value]
            return f"({', '.join(parts)})" if all(parts) else ""
        if isinstance(value, dict):
            pairs = [f"{k}: {self._result_text(v)}" for k, v in value.items()]
            return f"{{{', '.join(pairs)}}}"
        return ""


def _out_name(name: str, at: int, rank: int) -> str:
    """What a size of a result is called that stands where an input has another."""
    if name.startswith("in_"):
        return f"out_{name[3:]}"
    if name.isdigit():
        return {1: "out_channels", rank - 1: "out_features"}.get(at, "")
    return f"{name}_out" if name.isidentifier() and name != "_" else ""


def _has_no_name(atom: dims.Atom) -> bool:
    """Whether it is of a list that has no name, or of one of tensors."""
    named = graph.Ref | graph.AttributeOf
    return isinstance(atom, dims.Element) and not isinstance(atom.origin, named)


def _as_tuple(expr: graph.Expr, value: list[Any]) -> graph.Expr:
    """A list as a tuple, which is safe as a default."""
    match expr:
        case graph.Sequence(kind="list"):
            return graph.Sequence("tuple", expr.items)
        case graph.Op(op="*", operands=(graph.Sequence() as once, times)):
            return graph.Op("*", (graph.Sequence("tuple", once.items), times))
        case graph.Comprehend() if all(type(v) in PLAIN for v in value):
            return graph.Sequence("tuple", tuple(map(graph.Const, value)))
    return expr


def _wrapped(text: str, width: int) -> list[str]:
    """A shape in lines that are not too wide, broken between its sizes."""
    if len(text) <= width:
        return [text]
    lines: list[str] = []
    depth = start = at = 0
    for i, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            if i - start > width and at > start:
                lines.append(text[start:at])
                start = at + 1
            at = i + 1
    if len(text) - start > width and at > start:
        lines.append(text[start:at])
        start = at + 1
    lines.append(text[start:])
    return [lines[0], *(f"    {line}" for line in lines[1:])]


def docstring(lines: Lines, text: str) -> None:
    """A docstring of plain ASCII, whatever the text holds."""
    escaped = ascii(text)[1:-1].replace("\\'", "'").replace("\\n", "\n")
    escaped = escaped.replace('"""', '\\"\\"\\"')
    if escaped.endswith('"'):
        escaped = escaped[:-1] + '\\"'
    parts = escaped.split("\n")
    if len(parts) == 1:
        lines.add(f'"""{escaped}"""')
        return
    lines.add(f'"""{parts[0]}')
    for part in parts[1:]:
        lines.add(part.rstrip())
    lines.add('"""')


def _is_plain(kind: str) -> bool:
    """Whether a type is of Python's own: `list[tuple[int, float]]`."""
    words = {"int", "float", "bool", "str", "list", "tuple", "dict"}
    return set(re.findall(r"\w+", kind)) <= words


def _has_tensor(value: Any) -> bool:
    return isinstance(_tensor_of(value), Tensor)


def _tensor_of(value: Any) -> Any:
    return value.value if isinstance(value, Maybe) else value
