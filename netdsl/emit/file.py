"""A whole generated file: what it holds, in which order, and its imports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from netdsl import dims, graph, syntax
from netdsl.elaborate.demand import nets_behind
from netdsl.elaborate.trees import every_module
from netdsl.elaborate.values import Factory, NetParameter, Val, leaves, type_name
from netdsl.elaborate.walk import Walk
from netdsl.emit.classes import ClassWriter
from netdsl.emit.functions import FunctionWriter
from netdsl.emit.lines import Line, Lines
from netdsl.emit.signatures import docstring
from netdsl.emit.spelling import Imports, Speller
from netdsl.emit.wrapping import wrapped
from netdsl.graph import ChainModule, LayerModule, NetModule, Symbol
from netdsl.source import Span


class Emitted(NamedTuple):
    """Python text in lines, each with the place it comes from.

    `names` are the Python names of the nets, and `sizes` the parameters that
    their sizes became.
    """

    lines: tuple[Line, ...]
    names: Mapping[str, str]
    sizes: Mapping[str, Mapping[str, str]]

    def text(self) -> str:
        """The file, not yet formatted."""
        return "".join(text + "\n" for text, _ in self._texts())

    def _texts(self) -> Iterator[tuple[str, Span | None]]:
        """The lines of the file; those inside strings stay as they are."""
        inside = False
        for line in self.lines:
            quotes = line.text.count('"""')
            if inside or quotes:
                yield _plain(line), None
            else:
                for indent, text in wrapped(line.text, 4 * line.depth):
                    yield " " * indent + text if text else "", line.span
            if quotes % 2:
                inside = not inside

    def traced_text(self) -> str:
        """The file with the `.net` line behind each line, for tracebacks.

        Lines inside strings stay as they are.
        """
        out: list[str] = []
        for text, span in self._texts():
            place = f"  # {_place(span)}" if span is not None else ""
            out.append(f"{text}{place}\n")
        return "".join(out)


def _place(span: Span) -> str:
    """A file's name, as a comment can hold it, and a line of it."""
    name = span.source.name.rpartition("/")[2]
    plain = "".join(c if c.isascii() and c.isprintable() else "?" for c in name)
    return f"{plain}:{span.line}"


def _plain(line: Line) -> str:
    return f"{'    ' * line.depth}{line.text}" if line.text else ""


def emit(program: Any, externs: Mapping[str, str], only: str | None = None) -> Emitted:
    """The Python of a file's nets, or of one net and what it needs."""
    return FileWriter(program, externs, only).write()


class FileWriter:
    """Writes a file; the writers of its nets ask it for names."""

    is_stub = False
    """Whether only types are written, which may name what is defined below."""

    def __init__(
        self, program: Any, externs: Mapping[str, str], only: str | None
    ) -> None:
        self.program = program
        self.externs = externs
        self.imports = Imports()
        self.main = program.files.main
        self.nets = self._ordered(only)
        self.fns = self._functions()
        self.names: dict[int, str] = {}
        self._give_names()
        self.constants: dict[int, tuple[str, Symbol]] = {}
        self.defaults: dict[str, tuple[str, Any]] = {}
        self.writers: dict[int, ClassWriter] = {}
        self._first_uses: dict[tuple[int, int], str | None] = {}
        self._return_types: dict[int, str] = {}
        self._doc = self._file_doc()

    # -- what there is ---------------------------------------------------------

    def _ordered(self, only: str | None) -> list[syntax.Net]:
        """The nets to write, each behind those that it needs."""
        own = [i for i in self.main.program.items if isinstance(i, syntax.Net)]
        wanted = [
            n
            for n in own
            if (only is None or n.name == only) and id(n) not in self.program.specials
        ]
        out: list[syntax.Net] = []
        seen: set[int] = set()

        def visit(net: syntax.Net) -> None:
            if id(net) in seen:
                return
            seen.add(id(net))
            for other in needed_nets(self.program, net):
                visit(other)
            out.append(net)

        for net in wanted:
            visit(net)
        return out

    def _functions(self) -> list[syntax.Fn]:
        """The functions that the nets call, each behind those that it calls."""
        out: list[syntax.Fn] = []
        seen: set[int] = set()

        def visit(owner: Any) -> None:
            for part in syntax.walk(owner):
                if not isinstance(part, syntax.Name):
                    continue
                found = self.program.definition(owner, part.id)
                if isinstance(found, syntax.Fn) and id(found) not in seen:
                    seen.add(id(found))
                    visit(found)
                    out.append(found)

        for net in self.nets:
            visit(net)
        return out

    def _give_names(self) -> None:
        """The importer keeps its names; another file's clashing one goes ahead."""
        taken: set[str] = set()
        items: list[Any] = [*self.nets, *self.fns]
        own = [i for i in items if self.program.files.file_of(i) is self.main]
        for item in own:
            self.names[id(item)] = item.name
            taken.add(item.name)
        for item in items:
            if id(item) in self.names:
                continue
            name = self._foreign_name(item, item.name, taken)
            taken.add(name)
            self.names[id(item)] = name

    def _foreign_name(self, item: Any, name: str, taken: set[str]) -> str:
        """An imported name, with its file's ahead where it clashes."""
        if name in taken:
            stem = self.program.files.file_of(item).name.rpartition("/")[2]
            stem = stem.rpartition(".")[0] or stem
            word = "".join(c if c.isalnum() else "_" for c in stem).strip("_")
            camel = "".join(p.capitalize() for p in word.split("_"))
            if name.isupper():
                name = f"{word.upper()}_{name}"
            else:
                name = f"{camel}{name}" if name[:1].isupper() else f"{word}_{name}"
        while name in taken:
            name += "_"
        return name

    def _file_doc(self) -> tuple[str | None, syntax.Net | None]:
        """The file's docstring: its own, or that of its only documented net."""
        for item in self.main.program.items:
            if isinstance(item, syntax.Docstring):
                return item.text, None
        documented = [n for n in self.nets if n.doc]
        if len(documented) == 1 and not self._is_part(documented[0]):
            return documented[0].doc, documented[0]
        return None, None

    def _is_part(self, net: syntax.Net) -> bool:
        """Whether another class of the file is made of it."""
        return any(
            isinstance(part, syntax.Name) and part.id == net.name
            for other in self.nets
            if other is not net
            and (other.layer is None or isinstance(other.layer, syntax.ListOf))
            for part in syntax.walk(other)
        )

    # -- what the writers ask --------------------------------------------------

    def is_file_doc(self, net: syntax.Net) -> bool:
        return self._doc[1] is net

    def net_name(self, net: Any) -> str:
        if isinstance(net, syntax.Extern):
            self.imports.use(f"extern:{net.name}")
            return net.name
        name: str = self.names.get(id(net)) or net.name
        return name

    @cached_property
    def function_names(self) -> list[str]:
        """What no local variable of the file may be called."""
        return [self.names[id(f)] for f in self.fns] + [
            self.names[id(n)] for n in self.nets if self.is_function(n)
        ]

    def is_function(self, net: syntax.Net) -> bool:
        walk: Walk = self.program.define(net)
        return walk.root is not None and not isinstance(walk.root, ChainModule)

    def constant_name(self, symbol: Symbol) -> str:
        """The name of a constant; one that is asked for gets a line of its own."""
        known = self.constants.get(id(symbol))
        if known is not None:
            return known[0]
        name, item = symbol.name, symbol.place
        taken = {*self.names.values(), *(n for n, _ in self.constants.values())}
        if self.program.files.file_of(item) is not self.main:
            name = self._foreign_name(item, name, taken | self._own_constants())
        self.constants[id(symbol)] = name, symbol
        return name

    def _own_constants(self) -> set[str]:
        return {
            t.id
            for i in self.main.program.items
            if isinstance(i, syntax.Constant)
            for t in i.let.targets
        }

    def default_constant(self, symbol: Symbol, value: Any) -> str:
        """A default such as `BatchNorm2d(eps=0.001)`, or a table: a name of the file,
        since a call and what can change can't stand as a default."""
        text = self._constant_text(value)
        for name, (known, _) in self.defaults.items():
            if known == text:
                return name
        name = f"default_{symbol.name.lower()}"
        while name in self.defaults:
            name += "_"
        self.defaults[name] = text, value
        return name

    def _constant_text(self, value: Any) -> str:
        return Speller(self.imports, self.net_name, lambda s: s.name).table(value)

    def return_type(self, root: graph.Module) -> str:
        """What a function gives that stands for this layer."""
        match root:
            case NetModule():
                known = self._return_types.get(id(root.net))
                if known is None:
                    inner = self.program.define(root.net).root
                    if inner is None or isinstance(inner, ChainModule):
                        known = self.net_name(root.net)
                    else:
                        known = self.return_type(inner)
                    self._return_types[id(root.net)] = known
                return known
            case LayerModule():
                return self.imports.note(root.declaration.target)
        return self.imports.note("nn.Module")

    def first_use(self, net: syntax.Net, symbol: Symbol) -> str | None:
        """The name that a size goes by where a layer first asks for it."""
        key = id(net), id(symbol)
        if key not in self._first_uses:
            self._first_uses[key] = self._first_use(net, symbol)
        return self._first_uses[key]

    def _first_use(self, net: syntax.Net, symbol: Symbol) -> str | None:
        walk: Walk = self.program.define(net)
        roots = [s.module for s in _registered(walk.init)]
        if walk.root is not None:
            roots.append(walk.root)
        wanted = next(
            (
                a
                for v in walk.sizes.values()
                if isinstance(v.value, dims.Dim)
                and (a := dims.single(v.value)) is not None
                and isinstance(a, dims.Name)
                and a.origin is symbol
            ),
            None,
        )
        for root in roots:
            for module in every_module(root):
                name = self._asked_as(module, symbol, wanted)
                if name is not None:
                    return name
        return None

    def _asked_as(
        self, module: graph.Module, symbol: Symbol, wanted: dims.Atom | None
    ) -> str | None:
        def is_it(size: Any) -> bool:
            size = _first_round(size)
            atom = dims.single(size) if isinstance(size, dims.Dim) else None
            return (isinstance(atom, dims.Name) and atom.origin is symbol) or (
                atom is not None and atom == wanted
            )

        if isinstance(module, LayerModule):
            for parameter in module.declaration.signature.parameters:
                if parameter.inferred and is_it(module.inferred.get(parameter.name, 0)):
                    last = parameter.inferred[1] == -1
                    return "in_features" if last else "in_channels"
        if isinstance(module, NetModule):
            writer = self.writer(module.net)
            for inner in writer.sizes:
                if is_it(module.sizes.get(inner.name, 0)):
                    return writer.size_name(inner)
        if isinstance(module, graph.RepeatModule):
            for running, before, _ in module.carried:
                if is_it(before):
                    for member in module.members:
                        for part in every_module(member.module):
                            name = self._asked_as(part, running, None)
                            if name is not None:
                                return name
        return None

    def writer(self, net: syntax.Net) -> ClassWriter:
        known = self.writers.get(id(net))
        if known is None:
            known = ClassWriter(self.program, net, self.imports, self)
            self.writers[id(net)] = known
        return known

    # -- writing ---------------------------------------------------------------

    def write(self) -> Emitted:
        blocks: list[Lines] = []
        for fn in self.fns:
            blocks.append(FunctionWriter(self.program, fn, self.imports, self).write())
        written = [self.writer(net).write() for net in self.nets]
        constants, behind = self._constants()
        for net, block in zip(self.nets, written, strict=True):
            blocks.append(block)
            if id(net) in behind:
                blocks.append(behind[id(net)])
        lines = Lines()
        doc = self._doc[0]
        if doc:
            docstring(lines, doc)
            lines.add("")
        self._imports(lines)
        if len(constants):
            lines.add("")
            lines.extend(constants)
        for block in blocks:
            lines.add("")
            lines.add("")
            lines.extend(block)
        # Of two nets of one name, that of the file itself is meant by it.
        files = self.program.files
        nets = sorted(reversed(self.nets), key=lambda n: files.file_of(n) is self.main)
        names = {n.name: self.names[id(n)] for n in nets}
        sizes = {n.name: self.writer(n).size_texts for n in nets}
        return Emitted(tuple(lines.lines), names, sizes)

    def _constants(self) -> tuple[Lines, dict[int, Lines]]:
        """Constants at the top of the file, and those that name a class of it:
        behind that class."""
        first = Lines()
        behind: dict[int, Lines] = {}
        entries = [
            (name, self._written(symbol), symbol.value)
            for name, symbol in self.constants.values()
        ]
        entries += [
            (name, text, value) for name, (text, value) in self.defaults.items()
        ]
        for name, text, value in entries:
            nets = [n for n in self.nets if any(n is v for v in _value_nets(value))]
            lines = behind.setdefault(id(nets[-1]), Lines()) if nets else first
            lines.add(self._constant_line(name, text, value))
        return first, behind

    def _written(self, symbol: Symbol) -> str:
        """A constant's text: `1 - 0.9997` of numbers stays as it was written."""
        item: syntax.Constant = symbol.place
        parts = (syntax.Literal, syntax.Binary, syntax.Unary)
        if all(isinstance(p, parts) for p in syntax.walk(item.let.value)):
            expr = (
                Walk(self.program, item, defining=False).evaluate(item.let.value).expr
            )
            return Speller(self.imports, self.net_name, lambda s: s.name).text(expr)
        return self._constant_text(symbol.value)

    def _constant_line(self, name: str, text: str, value: Any) -> str:
        kind = self._constant_type(value)
        return f"{name}: {kind} = {text}" if kind else f"{name} = {text}"

    def _constant_type(self, value: Any) -> str:
        """The type of a table of nets, which Python can't tell."""
        if isinstance(value, Factory) or not any(
            isinstance(v, Factory) for v in leaves(value)
        ):
            return ""
        self.imports.use("Callable")
        kind = f"Callable[..., {self.imports.note('nn.Module')}]"
        if isinstance(value, dict):
            return f"dict[{type_name(next(iter(value)))}, {kind}]"
        return f"list[{kind}]" if isinstance(value, list) else f"tuple[{kind}, ...]"

    def _imports(self, lines: Lines) -> None:
        used = self.imports.names
        standard = []
        if "math" in used:
            standard.append("import math")
        for name, module in (
            ("OrderedDict", "collections"),
            (("Callable", "Sequence"), "collections.abc"),
            ("fnmatchcase", "fnmatch"),
            ("partial", "functools"),
            ("Any", "typing"),
        ):
            wanted = [
                n for n in ((name,) if isinstance(name, str) else name) if n in used
            ]
            if wanted:
                standard.append(f"from {module} import {', '.join(wanted)}")
        for text in standard:
            lines.add(text)
        if standard:
            lines.add("")
        if "torch" in used:
            lines.add("import torch")
        if "F" in used:
            lines.add("import torch.nn.functional as F")
        froms: dict[str, list[str]] = {}
        wanted = [n for n in ("Tensor", "nn") if n in used]
        if wanted:
            froms["torch"] = wanted
        for name in sorted(n[7:] for n in used if n.startswith("extern:")):
            froms.setdefault(self.externs.get(name, "externs"), []).append(name)
        for package in sorted(froms):
            lines.add(f"from {package} import {', '.join(froms[package])}")


# -- what a net needs ----------------------------------------------------------


def _first_round(size: Any) -> Any:
    """A size in the first round of the loop that builds."""
    if not isinstance(size, dims.Dim):
        return size
    rounds: dict[dims.Atom, dims.Size] = {
        a: 0
        for a in dims.atoms(size)
        if isinstance(a, dims.Name)
        and isinstance(a.origin, Symbol)
        and a.origin.kind == "loop"
    }
    return dims.substitute(size, rounds)


def _registered(statements: list[Any]) -> Iterator[graph.Register]:
    for statement in statements:
        if isinstance(statement, graph.Register):
            yield statement
        elif isinstance(statement, graph.Branch):
            yield from _registered(statement.then)
            yield from _registered(statement.other)


def needed_nets(program: Any, net: syntax.Net) -> Iterator[syntax.Net]:
    """The nets that a net's Python mentions."""
    walk: Walk = program.define(net)
    roots = [s.module for s in _registered(walk.init)]
    if walk.root is not None:
        roots.append(walk.root)
    for symbol in walk.hypers.values():
        val = walk.scope.get(symbol.name)
        if val is not None and isinstance(val.value, NetParameter):
            for binding in val.value.bindings:
                yield from _factory_nets(binding)
        if isinstance(symbol.value, Val):
            yield from _value_nets(symbol.value.value)
    for root in roots:
        for module in every_module(root):
            if isinstance(module, NetModule):
                yield module.net
                yield from nets_behind(program, module)
            for argument in (
                *getattr(module, "positional", ()),
                *getattr(module, "keywords", {}).values(),
            ):
                yield from _value_nets(argument.value)
    for rule in walk.rules:
        if isinstance(rule, graph.InitRule) and isinstance(rule.owner, syntax.Net):
            yield rule.owner


def _value_nets(value: Any) -> Iterator[syntax.Net]:
    for leaf in leaves(value):
        if isinstance(leaf, Factory):
            yield from _factory_nets(leaf)


def _factory_nets(factory: Factory) -> Iterator[syntax.Net]:
    if isinstance(factory.target, syntax.Net):
        yield factory.target
    for argument in (*factory.positional, *(a for _, a in factory.keywords)):
        yield from _value_nets(argument.value)
