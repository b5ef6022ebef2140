"""One net as Python: a class, or a function that makes one."""

from __future__ import annotations

import re
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.elaborate.demand import in_expr, in_size, reached
from netdsl.elaborate.expressions import is_dynamic
from netdsl.elaborate.narrowing import Maybe
from netdsl.elaborate.values import (
    SKIP,
    Blur,
    Condition,
    Factory,
    NetParameter,
    OpenNets,
    Rounds,
    Val,
    size_names,
)
from netdsl.elaborate.walk import Walk
from netdsl.emit.annotations import Annotations
from netdsl.emit.constructors import Constructor, negated, opposite
from netdsl.emit.initial import init_rules
from netdsl.emit.lines import Lines
from netdsl.emit.naming import name_temporaries
from netdsl.emit.spelling import ATOM, Imports, Speller, quoted
from netdsl.emit.tensors import drawn_early, drawn_in_place, own_tensors, write_reset
from netdsl.facts import Comparison
from netdsl.graph import ChainModule, Symbol
from netdsl.layers import Unknown
from netdsl.layers.spec import Declaration
from netdsl.shapes import Shape, Tensor

WIDEST = 100


class ClassWriter:
    """Writes one net."""

    def __init__(
        self, program: Any, net: syntax.Net, imports: Imports, file: Any
    ) -> None:
        self.program = program
        self.net = net
        self.walk: Walk = program.define(net)
        self.imports = imports
        self.file = file
        self.sizes: list[Symbol] = program.class_sizes(net)
        self.size_texts = self._name_sizes()
        self.stored: dict[str, str] = {}
        """Attributes that forward reads, with what `__init__` gives them."""
        self.kept_tensors: set[str] = set()
        """Lets that hold tensors which forward reads: they move with the module."""
        self.unpacked: dict[int, Symbol] = {}
        self.local_names: dict[int, str] = {}
        self.in_forward = False
        self.init_speller = Speller(imports, file.net_name, self._in_init)
        self.init_speller.taken = {
            *self.walk.hypers,
            *self.walk.lets,
            *self.size_texts.values(),
        }
        self.forward_speller = Speller(imports, file.net_name, self._in_forward)
        self.reset_speller = Speller(imports, file.net_name, self._in_reset)
        self.forward_speller.is_static = self._is_static
        self.carried_names: dict[int, str] = {}

    # -- names -----------------------------------------------------------------

    def _name_sizes(self) -> dict[str, str]:
        """The parameter that each size of an input becomes."""
        taken = set(self.walk.hypers)
        names: dict[str, str] = {}
        for symbol in self.sizes:
            name = self._size_name(symbol)
            owner = symbol.place[0].name if symbol.place else "input"
            if name in taken:
                name = f"{owner}_{name.removeprefix('in_')}"
            while name in taken:
                name += "_"
            taken.add(name)
            names[symbol.name] = name
        return names

    def _size_name(self, symbol: Symbol) -> str:
        if len(symbol.name) > 1 and symbol.name.islower() and symbol.name[0] != "_":
            return symbol.name
        found = self.file.first_use(self.net, symbol)
        if found is not None:
            return str(found)
        return symbol.name.lower().lstrip("_") or "size"

    def _in_init(self, symbol: Symbol) -> str:
        if symbol.kind == "size":
            return self.size_texts.get(symbol.name, symbol.name)
        if symbol.kind == "carried":
            return self._carried(symbol)
        if symbol.kind == "lookup":
            return self.init_speller.text(symbol.value, ATOM)
        if symbol.kind == "constant":
            return str(self.file.constant_name(symbol))
        if symbol.kind == "own":
            return f"self.{symbol.name}"
        return symbol.name

    def _carried(self, symbol: Symbol) -> str:
        if isinstance(symbol.place, Symbol):
            # The running int of a loop within goes on with that of the outer one.
            return self._carried(symbol.place)
        known = self.carried_names.get(id(symbol))
        if known is None:
            known = self._free_name("channels", symbol.hint)
            self.carried_names[id(symbol)] = known
        return known

    def _free_name(self, name: str, owner: str) -> str:
        """`channels`, then `up_channels` for those of `ups`, then with a number."""
        taken = {
            *self.carried_names.values(),
            *self.walk.hypers,
            *self.size_texts.values(),
        }
        candidates = [name, *([f"{owner}_{name}"] if owner else [])]
        candidates += [f"{name}_{i}" for i in range(2, len(taken) + 3)]
        return next(c for c in candidates if c not in taken)

    def _in_forward(self, symbol: Symbol) -> str:
        known = self.local_names.get(id(symbol))
        if known is not None:
            return known
        if symbol.kind == "own":
            return f"self.{symbol.name}"
        if symbol.kind == "size":
            if self.forward_speller.in_static_test and symbol.name in self.size_texts:
                name = self.size_texts[symbol.name]
                return self._stored(name, name)
            return self._size_in_forward(symbol)
        if (
            symbol.kind == "let"
            and symbol.type == "Tensor"
            and symbol.place == "static"
        ):
            self.kept_tensors.add(symbol.name)
            return self._stored(symbol.name, symbol.name)
        if symbol.kind == "hyper" or (
            symbol.kind == "let" and symbol.place == "static"
        ):
            return self._stored(symbol.name, self._in_init(symbol))
        if symbol.kind == "carried":
            return self._stored(self._carried(symbol), self._carried(symbol))
        if symbol.kind == "constant":
            return str(self.file.constant_name(symbol))
        return symbol.name

    def _in_reset(self, symbol: Symbol) -> str:
        if symbol.kind == "let" and symbol.type == "Tensor":
            # Made anew: what `__init__` made is gone when a reset is asked for.
            return self.reset_speller.text(symbol.value, ATOM)
        if symbol.kind == "size":
            name = self._in_init(symbol)
            return self._stored(name, name)
        return self._in_forward(symbol)

    def _is_static(self, test: graph.Expr) -> bool:
        """Whether a test is settled when the module is built."""
        symbols = [p for p in graph.every(test) if isinstance(p, Symbol)]
        asks = (graph.Training, graph.Apply, graph.MethodOf)
        return not any(isinstance(p, asks) for p in graph.every(test)) and all(
            s.kind in ("hyper", "constant")
            or (s.kind == "let" and s.place == "static")
            or (s.kind == "size" and s.name in self.size_texts)
            for s in symbols
        )

    def _stored(self, name: str, value: str) -> str:
        attribute = name
        while attribute in self.walk.layers or _is_method(attribute):
            attribute += "_value"
        self.stored.setdefault(attribute, value)
        return f"self.{attribute}"

    def _size_in_forward(self, symbol: Symbol) -> str:
        if symbol.place is None:
            return symbol.name
        self.unpacked.setdefault(id(symbol), symbol)
        return self._local_size(symbol)

    def _local_size(self, symbol: Symbol) -> str:
        name = symbol.name
        if name.startswith("_"):
            name = f"size{name}".replace("-", "m")
        return f"{name}_" if name in ("I", "O", "l", "torch", "F", "nn") else name

    # -- the whole -------------------------------------------------------------

    def write(self) -> Lines:
        root = self.walk.root
        if root is None:
            return self._module_class()
        if isinstance(root, ChainModule):
            return self._sequential_class(root)
        return self._function(root)

    # -- signatures ------------------------------------------------------------

    def parameters(self) -> list[str]:
        parts = [f"{self.size_texts[s.name]}: int" for s in self.sizes]
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

    def annotation(self, symbol: Symbol) -> str:
        kind = symbol.type or "Any"
        default = symbol.value
        if re.search(r"\bnet\b", kind):
            kind = re.sub(r"\bnet\b", lambda m: self._net_type(symbol), kind)
        if default is not None and isinstance(default.value, list | dict):
            if kind.startswith("list"):
                self.imports.use("Sequence")
                return f"Sequence{kind[4:]}"
        if kind in ("Any", ""):
            self.imports.use("Any")
            return "Any"
        return kind.replace("any", self.imports.use("Any")) if "any" in kind else kind

    def _net_type(self, symbol: Symbol) -> str:
        val = self.walk.scope.get(symbol.name)
        bindings = (
            val.value.bindings
            if val is not None and isinstance(val.value, NetParameter | OpenNets)
            else ()
        )
        targets = [b.target for b in bindings]
        plain = all(
            isinstance(b.target, syntax.Net)
            and not b.positional
            and not b.keywords
            and not self.file.is_function(b.target)
            for b in bindings
        )
        if bindings and plain:
            names = dict.fromkeys(self.file.net_name(t) for t in targets)
            return f"type[{' | '.join(names)}]"
        self.imports.use("Callable")
        if bindings and all(isinstance(t, syntax.Net) for t in targets):
            made = dict.fromkeys(self._made_by(t) for t in targets)
            return f"Callable[..., {' | '.join(made)}]"
        return f"Callable[..., {self.imports.note('nn.Module')}]"

    def _made_by(self, net: syntax.Net) -> str:
        """The class of what a net makes."""
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
        if isinstance(value, list) and isinstance(default.expr, graph.Sequence):
            inner = graph.Sequence("tuple", default.expr.items)
            return self.init_speller.text(inner)
        return self.init_speller.text(default.expr)

    # -- classes ---------------------------------------------------------------

    def _module_class(self) -> Lines:
        forward = self._forward()
        lines = Lines()
        lines.add(
            f"class {self.file.net_name(self.net)}({self.imports.note('nn.Module')}):"
        )
        with lines.indented():
            self._docstring(lines)
            buffers = [
                s.symbol.name for s in own_tensors(self.walk.init) if s.kind == "buffer"
            ]
            buffers += [
                n for n, value in self.stored.items() if value in self.kept_tensors
            ]
            for name in buffers:
                lines.add(f"{name}: {self.imports.use('Tensor')}")
            if buffers:
                lines.add("")
            body = self._init_body()
            self._init(lines, body)
            self._reset(lines)
            lines.add("")
            lines.extend(forward)
        return lines

    def _docstring(self, lines: Lines) -> None:
        doc = self.net.doc
        if doc and not self.file.is_file_doc(self.net):
            docstring(lines, doc)
            lines.add("")

    def _init(self, lines: Lines, body: Lines) -> None:
        arguments = ", ".join(["self", *self.parameters()])
        lines.add(f"def __init__({arguments}) -> None:", self.net.name_span)
        with lines.indented():
            lines.extend(body)

    def _init_body(self) -> Lines:
        lines = Lines()
        lines.add("super().__init__()", self.net.name_span)
        self._checks(lines, static=True)
        before = lines
        inner = Lines()
        constructor = Constructor(
            self.program, self.init_speller, inner, self.walk.let_values
        )
        for name, value in self.stored.items():
            line = f"self.{name} = {value}"
            if value in self.kept_tensors:
                line = (
                    f"self.register_buffer({quoted(name)}, {value}, persistent=False)"
                )
            constructor.behind_lets[value] = line
        constructor.in_place = drawn_in_place(self.program, self.walk.init)
        if not constructor.in_place:
            constructor.fill_behind = drawn_early(self.program, self.walk.init)
        constructor.statements(self.walk.init, self._wanted_lets())
        owns = own_tensors(self.walk.init)
        if owns and not constructor.in_place and constructor.fill_behind is None:
            inner.add("self.reset_parameters()", owns[-1].span)
        for attribute, value in self._kept().items():
            inner.add(f"self.{attribute} = {value}", self.net.name_span)
        for tie in self.walk.ties:
            target = self.init_speller.text(tie.target)
            source = self.init_speller.text(tie.source)
            if ".get_parameter(" in target:
                owner, _, name = target.rpartition(".get_parameter(")
                inner.add(
                    f"{owner}.register_parameter({name.rstrip(')')}, {source})",
                    tie.span,
                )
            else:
                inner.add(f"{target} = {source}", tie.span)
        init_rules(self.program, self.walk, self.init_speller, inner)
        lets = {s.name for s, _ in self.walk.let_values}
        for name, value in self.stored.items():
            if value not in lets:
                before.add(f"self.{name} = {value}", self.net.name_span)
        before.extend(inner)
        return before

    def _kept(self) -> dict[str, str]:
        return {
            attribute: self.init_speller.size(size)[0]
            for attribute, size in self.program.kept(self.net).items()
        }

    def _wanted_lets(self) -> set[int]:
        """The lets that `__init__` reads, or that forward does."""
        wanted: set[int] = set()
        stack: list[Any] = [*self.walk.init, *self.walk.rules]
        for name in self.stored.values():
            for symbol, _ in self.walk.let_values:
                if symbol.name == name and id(symbol) not in wanted:
                    wanted.add(id(symbol))
                    stack.append(symbol.value)
        for part in self._static_conditions():
            stack.append(part[0].expr)
        while stack:
            for symbol in reached(self.program, stack.pop()):
                if symbol.kind == "let" and id(symbol) not in wanted:
                    wanted.add(id(symbol))
                    stack.append(symbol.value)
        return wanted

    # -- conditions ------------------------------------------------------------

    def _static_conditions(self) -> list[tuple[Val, syntax.Expression]]:
        return [(v, n) for v, n in self.walk.wheres if not is_dynamic(self.walk, v)]

    def _checks(self, lines: Lines, static: bool) -> None:
        """ValueErrors for conditions that nobody could decide."""
        speller = self.init_speller if static else self.forward_speller
        for val, node in self.walk.wheres:
            if is_dynamic(self.walk, val) is static:
                continue
            text = " ".join(node.span.text.split())
            lines.add(f"if {negated(speller, val.expr)}:", node.span)
            with lines.indented():
                lines.add(f"raise ValueError({quoted(text + ' is needed')})", node.span)
        if static:
            self._kept_conditions(lines)

    def _kept_conditions(self, lines: Lines) -> None:
        own = {s.name for s in self.sizes}
        seen: set[Comparison] = set()
        for comparison, _, span in self.walk.conditions:
            symbols = [
                s
                for size in (comparison.left, comparison.right)
                for s in in_size(self.program, size)
            ]
            static = symbols and all(
                s.kind == "hyper" or (s.kind == "size" and s.name in own)
                for s in symbols
            )
            atoms = [
                a
                for size in (comparison.left, comparison.right)
                for a in dims.atoms(size)
            ]
            plain = all(
                not isinstance(a, dims.Name) or isinstance(a.origin, Symbol)
                for a in atoms
            ) and not any(isinstance(a, dims.Element | dims.Choose) for a in atoms)
            if comparison.op != "==" or not static or not plain or comparison in seen:
                continue
            seen.add(comparison)
            self._condition(lines, comparison, span)

    def _condition(self, lines: Lines, comparison: Comparison, span: Any) -> None:
        remainder = as_remainder(comparison)
        speller = self.init_speller
        if remainder is not None:
            whole, part = (speller.size(s)[0] for s in remainder)
            wrapped = whole if whole.isidentifier() else f"({whole})"
            divisor = part if part.isidentifier() or part.isdigit() else f"({part})"
            lines.add(f"if {wrapped} % {divisor} != 0:", span)
            text = f"{divisor} must divide {wrapped}"
        else:
            left, right = (speller.size(s)[0] for s in comparison[1:])
            opposite = comparison.negated().op
            lines.add(f"if {left} {opposite} {right}:", span)
            text = f"{left} {comparison.op} {right} is needed"
        with lines.indented():
            lines.add(f"raise ValueError({quoted(text)})", span)

    # -- chains and functions --------------------------------------------------

    def _sequential_class(self, root: ChainModule) -> Lines:
        lines = Lines()
        lines.add(
            f"class {self.file.net_name(self.net)}"
            f"({self.imports.note('nn.Sequential')}):"
        )
        body = Lines()
        constructor = Constructor(self.program, self.init_speller, body)
        kept = self._kept()
        if constructor.needs_statements(root) or not root.members:
            head = constructor.members(root, constructor.leading(root))
            body.add(f"super().__init__({head})", self.net.name_span)
            self._checks(body, static=True)
            constructor.fill("self", root)
        else:
            text = constructor.expression(root)
            inner = text[text.index("(") + 1 : -1]
            self._checks(body, static=True)
            body.add(f"super().__init__({inner})", self.net.name_span)
        kept = self._kept()
        for attribute, value in kept.items():
            body.add(f"self.{attribute} = {value}", self.net.name_span)
        with lines.indented():
            self._docstring(lines)
            self._init(lines, body)
        return lines

    def _function(self, root: graph.Module) -> Lines:
        lines = Lines()
        constructor = Constructor(self.program, self.init_speller, lines)
        kind = self.file.return_type(root)
        arguments = ", ".join(self.parameters())
        name = self.file.net_name(self.net)
        lines.add(f"def {name}({arguments}) -> {kind}:", self.net.name_span)
        with lines.indented():
            if isinstance(root, graph.ChoiceModule):
                then, other = root.then, root.other
                test = self.init_speller.text(root.test)
                lines.add(f"if {test}:", self.net.name_span)
                with lines.indented():
                    lines.add(f"return {constructor.expression(then)}")
                lines.add(f"return {constructor.expression(other)}")
            else:
                text = constructor.expression(root)
                lines.add(f"return {text}", self.net.name_span)
        return lines

    # -- tensors of its own ----------------------------------------------------

    def _reset(self, lines: Lines) -> None:
        """`reset_parameters`: torch calls it after a module was made without memory."""
        if own_tensors(self.walk.init):
            lines.add("")
            lines.add("def reset_parameters(self) -> None:", self.net.name_span)
            with lines.indented():
                write_reset(self.reset_speller, lines, self.walk.init)

    # -- forward ---------------------------------------------------------------

    def _forward(self) -> Lines:
        statements = self._named_results(self.walk.forward)
        taken = {*self.file.function_names(), "torch", "nn", "F", "math", "self"}
        taken |= {self._local_size(v) for v in _size_symbols(self.walk)}
        self.local_names = name_temporaries(statements, self.walk.inputs, taken)
        body = Lines()
        writer = ForwardWriter(self, body)
        writer.annotations = Annotations(
            statements,
            self.forward_speller.symbol_text,
            self.walk.inputs,
            self._result_type(),
        )
        self._checks(body, static=False)
        writer.block(statements)
        # What a reset reads has to be kept, too.
        write_reset(self.reset_speller, Lines(), self.walk.init)
        lines = Lines()
        arguments = ["self"]
        for symbol in self.walk.inputs:
            arguments.append(self._input(symbol))
        result = self._result_type()
        lines.add(
            f"def forward({', '.join(arguments)}) -> {result}:", self.net.name_span
        )
        with lines.indented():
            self._shape_docstring(lines)
            self._unpack(lines, body)
            lines.extend(body)
        return lines

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

    def _named_results(self, statements: list[Any]) -> list[Any]:
        """The last value gets a name before it is returned, as people write."""
        out: list[Any] = []
        for statement in statements:
            if isinstance(statement, graph.Result) and _wants_name(statement.value):
                is_tensor = self._result_type() == "Tensor"
                hint = _source_name(statement.value) if is_tensor else "result"
                symbol = Symbol("", "temp", "Tensor", hint)
                out.append(graph.Assign(symbol, "=", statement.value, statement.span))
                out.append(graph.Result(graph.Ref(symbol), statement.span))
            elif isinstance(statement, graph.Branch):
                out.append(
                    graph.Branch(
                        statement.test,
                        self._named_results(statement.then),
                        self._named_results(statement.other),
                        statement.span,
                    )
                )
            else:
                out.append(statement)
        return out

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
            case Tensor():
                return self.imports.use("Tensor")
            case Blur() | Unknown():
                if isinstance(value, Unknown) and value.type in (
                    "int",
                    "float",
                    "bool",
                ):
                    return value.type
                return self.imports.use("Any")
            case Maybe():
                return f"{self.annotation_of(value.value)} | None"
            case None:
                return "None"
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

    # -- the docstring of forward ----------------------------------------------

    def _shape_docstring(self, lines: Lines) -> None:
        inputs = [
            f"{name}: {self._type_text(value)}"
            for name, value in self.walk.input_types
            if _has_tensor(value)
        ]
        result = self._result_text(self.walk.result)
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
        for part in others:
            lines.add(part)
        lines.add(f"-> {result}")
        lines.add('"""')

    def _type_text(self, value: Any) -> str:
        if isinstance(value, Maybe):
            return f"{self._type_text(value.value)} | None"
        shape = value.shape
        parts = [self._size_text(s) for s in shape.head]
        if shape.star is not None:
            parts.append(f"*{shape.star}")
            parts += [self._size_text(s) for s in shape.tail]
        text = f"[{', '.join(parts)}]"
        return text if value.dtype in ("float", "any") else f"{value.dtype}{text}"

    def _size_text(self, size: Any) -> str:
        for symbol, value in self.walk.let_values:
            if value == size and isinstance(size, dims.Dim):
                return symbol.name
        speller = Speller(Imports(), self.file.net_name, self._in_docstring)
        text = speller.size(size)[0]
        return text if len(text) <= 60 and "self." not in text else "_"

    def _in_docstring(self, symbol: Symbol) -> str:
        if symbol.kind == "size":
            shown = "_" if symbol.name.startswith("_") else symbol.name
            return self.size_texts.get(symbol.name, shown)
        return "_" if symbol.kind == "carried" else symbol.name

    def _result_text(self, value: Any) -> str:
        if isinstance(value, Tensor):
            return self._type_text(value)
        if isinstance(value, tuple | list):
            parts = [self._result_text(v) for v in value]
            return f"({', '.join(parts)})" if all(parts) else ""
        if isinstance(value, dict):
            pairs = [f"{k}: {self._result_text(v)}" for k, v in value.items()]
            return f"{{{', '.join(pairs)}}}"
        return ""

    def _unpack(self, lines: Lines, body: Lines) -> None:
        """`B, T, C = x.shape` for the sizes that forward reads."""
        by_input: dict[int, list[Symbol]] = {}
        for symbol in self.unpacked.values():
            by_input.setdefault(id(symbol.place[0]), []).append(symbol)
        for symbols in by_input.values():
            owner = symbols[0].place[0]
            name = owner.name
            shape = next(
                v.value.shape if isinstance(v, Maybe) else v.shape
                for n, v in self.walk.input_types
                if n == owner.name
            )
            at = {s.place[1]: self._local_size(s) for s in symbols}
            if len(symbols) > 1 and isinstance(shape, Shape) and shape.star is None:
                names = [at.get(i, "_") for i in range(len(shape.head))]
                lines.add(f"{', '.join(names)} = {name}.shape")
            else:
                for index, local in sorted(at.items()):
                    lines.add(f"{local} = {name}.shape[{index}]")


class ForwardWriter:
    """Writes the statements of `forward`, or of a function."""

    def __init__(self, owner: Any, lines: Lines) -> None:
        self.owner = owner
        self.lines = lines
        self.speller: Speller = owner.forward_speller
        self.annotations: Annotations | None = None

    def block(self, statements: list[Any]) -> None:
        speller = self.speller
        for statement in statements:
            span = statement.span
            match statement:
                case graph.Assign():
                    target = speller.target(statement.target)
                    if (
                        isinstance(statement.target, tuple)
                        and len(statement.target) == 1
                    ):
                        target += ","
                    value = self._value(statement.value)
                    added = _appended(statement)
                    if added is not None:
                        item = speller.text(added)
                        self.lines.add(f"{target}.append({item})", span)
                    elif value == "[]" and isinstance(statement.target, Symbol):
                        kind = self._list_type(statement.target)
                        self.lines.add(f"{target}: {kind} = []", span)
                    elif value != target:
                        if self.annotations is not None:
                            for name in self.annotations.ahead(statement):
                                self.lines.add(f"{name}: Tensor", span)
                            target += self.annotations.of(statement)
                        self.lines.add(f"{target} {statement.op} {value}", span)
                case graph.Result():
                    self.lines.add(f"return {self._value(statement.value)}", span)
                case graph.BindLet():
                    names = ", ".join(speller.symbol_text(s) for s in statement.symbols)
                    self.lines.add(f"{names} = {speller.text(statement.value)}", span)
                case graph.Branch():
                    self._branch(statement)
                case graph.Repeat():
                    iterable = speller.text(statement.loop.iterable)
                    target = speller.target(_read_names(statement))
                    self.lines.add(f"for {target} in {iterable}:", span)
                    with self.lines.indented():
                        self.block(statement.body)

    def _list_type(self, symbol: Symbol) -> str:
        """The annotation of a list that starts empty."""
        kind = symbol.type if symbol.type.startswith("list[") else "list[Tensor]"
        if "Tensor" in kind:
            self.owner.imports.use("Tensor")
        return kind

    def _value(self, expr: graph.Expr) -> str:
        if (
            isinstance(expr, graph.Sequence)
            and expr.kind == "tuple"
            and len(expr.items) > 1
        ):
            return ", ".join(self.speller.text(i) for i in expr.items)
        return self.speller.text(expr)

    def _branch(self, statement: graph.Branch) -> None:
        then, other = statement.then, statement.other
        test = self.speller.test(statement.test)
        if not then:
            then, other = other, []
            test = self.speller.test(opposite(statement.test))
        self.lines.add(f"if {test}:", statement.span)
        with self.lines.indented():
            self.block(then)
        if other and then and isinstance(then[-1], graph.Result):
            self.block(other)
        elif len(other) == 1 and isinstance(other[0], graph.Branch) and other[0].then:
            start = len(self.lines)
            self._branch(other[0])
            line = self.lines.lines[start]
            self.lines.lines[start] = line._replace(text=f"el{line.text}")
        elif other:
            self.lines.add("else:", statement.span)
            with self.lines.indented():
                self.block(other)


def _appended(statement: graph.Assign) -> graph.Expr | None:
    """`x` of `skips += [x]`"""
    value = statement.value
    if (
        statement.op == "+="
        and isinstance(value, graph.Sequence)
        and value.kind == "list"
        and len(value.items) == 1
        and not isinstance(value.items[0], graph.Spread)
    ):
        return value.items[0]
    return None


def _read_names(statement: graph.Repeat) -> Any:
    """A loop's target; variables that nobody reads are `_`."""
    read = {id(part) for inner in statement.body for part in _parts(inner)}

    def visible(target: Any) -> Any:
        if isinstance(target, tuple):
            return tuple(visible(t) for t in target)
        return target if id(target) in read else graph.Raw("_")

    return visible(statement.loop.target)


def _parts(statement: Any) -> list[Any]:
    out: list[Any] = []
    match statement:
        case graph.Assign():
            out += graph.every(statement.value)
        case graph.Result() | graph.BindLet():
            out += graph.every(statement.value)
        case graph.Branch():
            out += graph.every(statement.test)
            for inner in (*statement.then, *statement.other):
                out += _parts(inner)
        case graph.Repeat():
            out += graph.every(statement.loop.iterable)
            for inner in statement.body:
                out += _parts(inner)
    flat = []
    for part in out:
        flat.append(part)
        if isinstance(part, dims.Dim):
            flat += size_names(part)
    return flat


def as_remainder(comparison: Comparison) -> tuple[dims.Size, dims.Size] | None:
    """`C - C % heads == C` as (C, heads): what must be divisible by what."""
    if comparison.op != "==":
        return None
    difference = dims.expand(comparison.left - comparison.right)
    if not isinstance(difference, dims.Dim) or len(difference.terms) != 1:
        return None
    monomial, _ = difference.terms[0]
    remainders = [a for a, _ in monomial if isinstance(a, dims.Mod)]
    if len(remainders) != 1:
        return None
    whole, part = remainders[0].parts()
    return whole, part


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


def _is_method(name: str) -> bool:
    from netdsl.reserved import why_reserved

    return bool(why_reserved(name))


def _wants_name(expr: graph.Expr) -> bool:
    return not isinstance(expr, graph.Ref | graph.Sequence | graph.Mapped | graph.Const)


def _source_name(expr: graph.Expr) -> str:
    for part in graph.every(expr):
        if isinstance(part, Symbol) and part.kind in ("input", "var", "temp"):
            name = part.name or part.hint
            return name if len(name) == 1 else "x"
    return "x"


def _size_symbols(walk: Walk) -> list[Symbol]:
    return [v.expr.symbol for v in walk.sizes.values() if isinstance(v.expr, graph.Ref)]


def _has_tensor(value: Any) -> bool:
    if isinstance(value, Maybe):
        return isinstance(value.value, Tensor)
    return isinstance(value, Tensor)


__all__ = [
    "SKIP",
    "ClassWriter",
    "Declaration",
    "ForwardWriter",
    "docstring",
    "in_expr",
]
