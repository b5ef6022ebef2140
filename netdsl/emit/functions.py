"""A `fn` of the file as a Python function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate.fns import define_fn
from netdsl.emit.annotations import Annotations
from netdsl.emit.classes import ClassWriter
from netdsl.emit.forward import ForwardWriter
from netdsl.emit.lines import Lines
from netdsl.emit.naming import name_temporaries
from netdsl.emit.signatures import docstring
from netdsl.emit.spelling import Imports, Speller
from netdsl.emit.unread import without_unread
from netdsl.graph import Symbol


class FunctionWriter(ClassWriter):
    """Writes one `fn`; its sizes are read from the tensors it is given."""

    def __init__(
        self, program: Any, fn: syntax.Fn, imports: Imports, file: Any
    ) -> None:
        self.program = program
        self.fn = fn
        self.imports = imports
        self.file = file
        self.size_texts = {}
        self.sizes = []
        self.stored = {}
        self.stored_symbols = {}
        self.unpacked = {}
        self.local_names = {}
        self.carried_names = {}
        self.walk = define_fn(program, fn)
        self.forward_speller = Speller(imports, file.net_name, self._in_forward)
        self.forward_speller.taken = {*self.walk.scope, *self.walk.lets}
        self.init_speller = self.forward_speller

    def write(self) -> Lines:
        statements = without_unread(self.walk.forward)
        taken = {*self.file.function_names, "torch", "nn", "F", "math"}
        self.local_names = name_temporaries(statements, self.walk.inputs, taken)
        annotations = self._annotations(statements)
        if any(annotations.is_any(e) for e in _returned_values(statements)):
            statements = self._named_results(statements)
            self.local_names = name_temporaries(statements, self.walk.inputs, taken)
            annotations = self._annotations(statements)
        body = Lines()
        writer = ForwardWriter(self, body)
        writer.annotations = annotations
        writer.block(statements)
        lines = Lines()
        lines.add(self.fn_signature())
        with lines.indented():
            if self.fn.doc:
                docstring(lines, self.fn.doc)
            self._unpack(lines, body)
            lines.extend(body)
        return lines

    def fn_signature(self) -> str:
        arguments = []
        for parameter in self.fn.parameters:
            val = self.walk.given_types[parameter.name]
            kind = self.read_only(self.annotation_of(val.value))
            text = f"{parameter.name}: {kind}"
            if parameter.default is not None:
                default = self.walk.evaluate(parameter.default)
                text += f" = {self.forward_speller.text(default.expr)}"
            arguments.append(text)
        result = self._result_type()
        name = self.file.net_name(self.fn)
        return f"def {name}({', '.join(arguments)}) -> {result}:"

    def _annotations(self, statements: list[Any]) -> Annotations:
        return Annotations(
            statements,
            self.forward_speller.symbol_text,
            self.walk.inputs,
            self._result_type(),
        )

    def _result_type(self) -> str:
        kind = self.annotation_of(self.walk.result)
        returned = _returned_values(self.walk.forward)
        return kind if all(map(_is_new, returned)) else self.read_only(kind)

    def _in_forward(self, symbol: Symbol) -> str:
        if symbol.kind in ("let", "hyper", "input"):
            return symbol.name
        return super()._in_forward(symbol)


def _is_new(expr: graph.Expr) -> bool:
    """Whether a list is made here, and not a part of what was given."""
    match expr:
        case graph.Choose():
            return _is_new(expr.then) and _is_new(expr.other)
        case graph.Item():
            return False
    return not isinstance(expr, graph.Ref)


def _returned_values(statements: list[Any]) -> Iterator[graph.Expr]:
    for statement in statements:
        match statement:
            case graph.Result():
                yield statement.value
            case graph.Branch():
                yield from _returned_values(statement.then)
                yield from _returned_values(statement.other)
