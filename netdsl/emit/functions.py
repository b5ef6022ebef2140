"""A `fn` of the file as a Python function."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate.fns import note_places
from netdsl.elaborate.inputs import _symbolic
from netdsl.elaborate.narrowing import open_value
from netdsl.elaborate.types import dtype_of, shape_items, type_text
from netdsl.elaborate.values import Val, type_name
from netdsl.elaborate.walk import Stop, Walk
from netdsl.emit.annotations import Annotations
from netdsl.emit.classes import ClassWriter
from netdsl.emit.forward import ForwardWriter
from netdsl.emit.lines import Lines
from netdsl.emit.naming import name_temporaries
from netdsl.emit.signatures import docstring
from netdsl.emit.spelling import Imports, Speller
from netdsl.graph import Symbol
from netdsl.shapes import Shape, Tensor


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
        self.unpacked = {}
        self.local_names = {}
        self.carried_names = {}
        self.walk = _define(program, fn)
        self.forward_speller = Speller(imports, file.net_name, self._in_forward)
        self.init_speller = self.forward_speller

    def write(self) -> Lines:
        statements = self.walk.forward
        taken = {*self.file.function_names(), "torch", "nn", "F", "math"}
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
        arguments = []
        for parameter in self.fn.parameters:
            val = self.walk.given_types[parameter.name]
            kind = self.annotation_of(val.value)
            text = f"{parameter.name}: {kind}"
            if parameter.default is not None:
                default = self.walk.evaluate(parameter.default)
                text += f" = {self.forward_speller.text(default.expr)}"
            arguments.append(text)
        result = self.annotation_of(self.walk.result)
        name = self.file.net_name(self.fn)
        lines.add(f"def {name}({', '.join(arguments)}) -> {result}:")
        with lines.indented():
            if self.fn.doc:
                docstring(lines, self.fn.doc)
            self._unpack(lines, body)
            lines.extend(body)
        return lines

    def _annotations(self, statements: list[Any]) -> Annotations:
        return Annotations(
            statements,
            self.forward_speller.symbol_text,
            self.walk.inputs,
            self.annotation_of(self.walk.result),
        )

    def _in_forward(self, symbol: Symbol) -> str:
        if symbol.kind in ("let", "hyper", "input"):
            return symbol.name
        return super()._in_forward(symbol)


def _returned_values(statements: list[Any]) -> Iterator[graph.Expr]:
    for statement in statements:
        match statement:
            case graph.Result():
                yield statement.value
            case graph.Branch():
                yield from _returned_values(statement.then)
                yield from _returned_values(statement.other)


def _define(program: Any, fn: syntax.Fn) -> Walk:
    """A walk over a function with its parameters open."""
    with program.report.muted():
        walk = Walk(program, fn, defining=True)
        seen = program.fn_calls.get(id(fn), {})
        for parameter in fn.parameters:
            val = _open(walk, parameter, seen.get(parameter.name))
            walk.given_types[parameter.name] = val
            walk.bind(parameter.name, val)
        try:
            if fn.value is not None:
                val = walk.evaluate(fn.value)
                walk.say(graph.Result(val.expr, fn.value.span))
                walk.result = val.value
            else:
                walk.execute(fn.body)
                if walk.pending is not None:
                    val, span = walk.pending
                    walk.results.append((val.value, span))
                    walk.say(graph.Result(val.expr, span))
                walk.result = walk.results[-1][0] if walk.results else None
        except Stop:
            walk.result = None
    known = program.fn_results.get(id(fn))
    if not isinstance(walk.result, Tensor | tuple | list | dict) and known is not None:
        walk.result = known
    return walk


def _open(walk: Walk, parameter: syntax.Parameter, seen: Any) -> Val:
    """A parameter's value: by its type as written, else as it was called."""
    symbol = Symbol(parameter.name, "input", "Tensor")
    value: Any = seen
    if parameter.type is not None:
        items = shape_items(parameter.type)
        if items is None:
            symbol.type = type_text(walk, parameter.type)
            value = open_value(symbol.type, graph.Ref(symbol))
        else:
            dtype = (
                dtype_of(walk, parameter.type)
                if isinstance(parameter.type, syntax.TypeOf)
                else "float"
            )
            value = Tensor(_symbolic(walk, items, symbol), dtype)
            walk.input_types.append((parameter.name, value))
            note_places(walk, items, symbol)
    elif isinstance(seen, Tensor):
        walk.input_types.append((parameter.name, seen))
    elif seen is None and parameter.default is not None:
        seen = walk.evaluate(parameter.default).value
        symbol.type = type_name(seen)
        value = open_value(symbol.type, graph.Ref(symbol))
    elif seen is None:
        value = Tensor(Shape((), ""), "float")
    else:
        symbol.type = type_name(seen)
        value = open_value(symbol.type, graph.Ref(symbol))
    if isinstance(value, Tensor):
        walk.inputs.append(symbol)
    return Val(value, graph.Ref(symbol), parameter.name_span)
