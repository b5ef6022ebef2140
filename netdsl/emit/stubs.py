"""The types of a generated file, as a stub: `model.pyi`.

Made of the same program by the same writers as the Python, so that both say the
same of every constructor and every `forward`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate.values import Factory, Val, type_name
from netdsl.emit.classes import ClassWriter
from netdsl.emit.file import Emitted, FileWriter
from netdsl.emit.functions import FunctionWriter
from netdsl.emit.lines import Lines
from netdsl.emit.signatures import docstring
from netdsl.emit.spelling import Imports, Speller
from netdsl.emit.tensors import all_statements, own_tensors
from netdsl.graph import ChainModule, Module
from netdsl.layers.spec import Declaration
from netdsl.reserved import is_attribute


def emit_stub(
    program: Any, externs: Mapping[str, str], only: str | None = None
) -> Emitted:
    """The stub of a file's nets, or of one net and what it needs."""
    return StubWriter(program, externs, only).write()


class StubClass(ClassWriter):
    """Writes the types of one net."""

    def stub(self) -> Lines:
        root = self.walk.root
        lines = Lines()
        if root is not None and not isinstance(root, ChainModule):
            lines.add(f"{self.function_signature(root)} ...")
            return lines
        base = "nn.Module" if root is None else "nn.Sequential"
        lines.add(f"class {self.name}({self.imports.note(base)}):")
        with lines.indented():
            self._docstring(lines)
            for name, kind in self._attributes().items():
                lines.add(f"{name}: {kind}")
            lines.add(f"{self.init_signature()} ...")
            if own_tensors(self.walk.init):
                lines.add("def reset_parameters(self) -> None: ...")
            self._calls(lines)
        return lines

    def _calls(self, lines: Lines) -> None:
        """`forward`, and the call of an instance, which is typed like it."""
        signature = self.forward_signature()
        start = len(lines)
        lines.add(signature)
        with lines.indented():
            self._shape_docstring(lines)
        if len(lines) == start + 1:
            lines.lines[start] = lines.lines[start]._replace(text=f"{signature} ...")
        lines.add(f"{signature.replace(' forward(', ' __call__(', 1)} ...")

    def forward_signature(self) -> str:
        if self.walk.root is None:
            return super().forward_signature()
        # A chain has the `forward` of nn.Sequential, and so its argument's name.
        kind = self.imports.use("Tensor")
        return f"def forward(self, input: {kind}) -> {self._result_type()}:"

    def _shown_inputs(self) -> list[tuple[str, Any]]:
        inputs = super()._shown_inputs()
        return inputs if self.walk.root is None else [("input", v) for _, v in inputs]

    # -- attributes ------------------------------------------------------------

    def _attributes(self) -> dict[str, str]:
        """What an object of the class holds, with types: in the order of `__init__`."""
        found: dict[str, str] = {}
        root = self.walk.root
        layers = self._members(root) if root is not None else self._held()
        for name, kind in layers:
            known = found.setdefault(name, kind)
            if known != kind:
                found[name] = self.imports.note("nn.Module")
        for name, symbol in self.stored_symbols.items():
            found.setdefault(name, self._stored_type(symbol))
        for name in self.program.kept(self.net):
            found.setdefault(name, "int")
        return found

    def _held(self) -> Iterator[tuple[str, str]]:
        for statement in all_statements(self.walk.init):
            match statement:
                case graph.OwnTensor(kind="param"):
                    yield statement.symbol.name, self.imports.note("nn.Parameter")
                case graph.OwnTensor():
                    yield statement.symbol.name, self.imports.use("Tensor")
                case graph.Register(label=(str() as name,)) if is_attribute(name):
                    yield name, self._layer_type(statement.module)
                case graph.Register(label=(str() as name, _, *_)):
                    yield name, self.imports.note("nn.ModuleDict")

    def _members(self, root: Module) -> Iterator[tuple[str, str]]:
        """The layers of a chain that have names."""
        assert isinstance(root, ChainModule)
        for member in root.members:
            if isinstance(member.label, str) and is_attribute(member.label):
                yield member.label, self._layer_type(member.module)

    def _layer_type(self, module: Module) -> str:
        match module:
            case graph.ChainModule():
                kind = "nn.ModuleList" if module.is_plain_list else "nn.Sequential"
                return self.imports.note(kind)
            case graph.ParameterModule():
                return self.made_type(module.symbol)
            case graph.SkipModule():
                return self.imports.note("nn.Identity")
        return str(self.file.return_type(module))

    def _stored_type(self, symbol: graph.Symbol) -> str:
        match symbol.kind:
            case "hyper":
                return self.annotation(symbol)
            case "let":
                for name in ("Tensor", "Any"):
                    if name in symbol.type:
                        self.imports.use(name)
                return symbol.type
        return "int"


class StubWriter(FileWriter):
    """Writes the types of a file."""

    is_stub = True

    def writer(self, net: syntax.Net) -> StubClass:
        known = self.writers.get(id(net))
        if known is None:
            known = StubClass(self.program, net, self.imports, self)
            self.writers[id(net)] = known
        assert isinstance(known, StubClass)
        return known

    def write(self) -> Emitted:
        # What objects keep and which constants there are is known when all of the
        # Python is written; what it imports is not what a stub does.
        whole = super().write()
        self.imports.names.clear()
        body = Lines()
        for part in self._parts():
            body.add("")
            body.extend(part)
        lines = Lines()
        if self._doc[0]:
            docstring(lines, self._doc[0])
            lines.add("")
        self._imports(lines)
        lines.extend(body)
        return whole._replace(lines=tuple(lines.lines))

    def _parts(self) -> Iterator[Lines]:
        constants, behind = self._constants()
        for lines in behind.values():
            constants.extend(lines)
        if len(constants):
            yield constants
        for fn in self.fns:
            lines = Lines()
            writer = FunctionWriter(self.program, fn, self.imports, self)
            lines.add(writer.fn_signature() + ("" if fn.doc else " ..."))
            if fn.doc:
                with lines.indented():
                    docstring(lines, fn.doc)
            yield lines
        for net in self.nets:
            yield self.writer(net).stub()

    def _constant_line(self, name: str, text: str, value: Any) -> str:
        kind = self._constant_type(value) or self._value_type(value)
        return f"{name}: {kind}"

    def _constant_text(self, value: Any) -> str:
        # Only the Python has values: what they need is not imported here.
        return Speller(Imports(), self.net_name, lambda s: s.name).table(value)

    def _value_type(self, value: Any) -> str:
        if isinstance(value, Val):
            return self._value_type(value.value)
        if isinstance(value, Factory):
            self.imports.use("partial")
            return f"partial[{self._made(value.target)}]"
        return type_name(value)

    def _made(self, target: Any) -> str:
        """The type of what a partial call makes."""
        if isinstance(target, Declaration):
            return self.imports.note(target.target)
        if isinstance(target, syntax.Net):
            if not self.is_function(target):
                return self.net_name(target)
            root = self.program.define(target).root
            return self.return_type(root)
        return self.imports.note("nn.Module")
