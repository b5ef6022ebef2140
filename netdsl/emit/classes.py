"""One net as Python: a class, or a function that makes one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.elaborate.demand import in_size, reached
from netdsl.elaborate.expressions import is_dynamic
from netdsl.elaborate.specialise import asked_sizes
from netdsl.elaborate.values import Maybe, Val
from netdsl.elaborate.walk import Walk
from netdsl.emit.annotations import Annotations
from netdsl.emit.carried import Mentions
from netdsl.emit.constructors import Constructor
from netdsl.emit.forward import ForwardWriter
from netdsl.emit.initial import init_rules
from netdsl.emit.lines import Lines
from netdsl.emit.literals import quoted
from netdsl.emit.naming import name_temporaries
from netdsl.emit.opposites import negated
from netdsl.emit.signatures import Signatures
from netdsl.emit.tensors import (
    drawn_early,
    drawn_in_place,
    own_tensors,
    write_reset,
    write_ties,
)
from netdsl.emit.unread import without_unread
from netdsl.facts import Comparison
from netdsl.graph import ChainModule, Symbol
from netdsl.shapes import Shape


class ClassWriter(Signatures):
    """Writes one net."""

    def write(self) -> Lines:
        root = self.walk.root
        if root is None:
            return self._module_class()
        if isinstance(root, ChainModule):
            return self._sequential_class(root)
        return self._function(root)

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
            if len(body) > 1 or self.parameters():
                self._init(lines, body)
                self._reset(lines)
                lines.add("")
            lines.extend(forward)
        return lines

    def _init(self, lines: Lines, body: Lines) -> None:
        lines.add(self.init_signature(), self.net.name_span)
        with lines.indented():
            lines.extend(body)

    def _init_body(self) -> Lines:
        lines = Lines()
        lines.add("super().__init__()", self.net.name_span)
        self._checks(lines, static=True)
        inner = self._named_anew(self._init_lines)
        lets = {s.name for s, _ in self.walk.let_values}
        for name, value in self.stored.items():
            if value not in lets:
                lines.add(f"self.{name} = {value}", self.net.name_span)
        lines.extend(inner)
        return lines

    def _named_anew(self, write: Callable[[Lines], None]) -> Lines:
        """Lines that are written again where running ints can share a name."""
        known, taken = len(self.init_speller.known), {*self.init_speller.taken}
        lines = Lines()
        self.mentions = Mentions(lines)
        write(lines)
        names = self.mentions.shared(
            {
                key: name
                for key, name in self.carried_names.items()
                if all(id(s) != key for s in self.stored_symbols.values())
            }
        )
        self.mentions = None
        if names.items() <= self.carried_names.items():
            return lines
        self.carried_names |= names
        del self.init_speller.known[known:]
        self.init_speller.taken = taken
        lines = Lines()
        write(lines)
        return lines

    def _init_lines(self, inner: Lines) -> None:
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
        asked = asked_sizes(self.program, self.walk)
        constructor.asked_of = {id(out.module) for out in asked}
        constructor.in_place = drawn_in_place(self.program, self.walk.init)
        if not constructor.in_place:
            constructor.fill_behind = drawn_early(self.program, self.walk.init)
        constructor.statements(self.walk.init, self._wanted_lets())
        owns = own_tensors(self.walk.init)
        if owns and not constructor.in_place and constructor.fill_behind is None:
            inner.add("self.reset_parameters()", owns[-1].span)
        # mypy can't infer what a class asks of another of its own.
        kind = ": int" if self.stands_in_itself() else ""
        for attribute, value in self._kept().items():
            inner.add(f"self.{attribute}{kind} = {value}", self.net.name_span)
        write_ties(self.init_speller, inner, self.walk.ties)
        init_rules(self.walk, self.init_speller, inner)

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
        divisible: list[tuple[dims.Size, dims.Size] | None] = []
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
            if _may_divide_by_zero(comparison, divisible):
                continue
            seen.add(comparison)
            divisible.append(as_remainder(comparison))
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

    def _sequential_class(self, root: ChainModule) -> Lines:
        lines = Lines()
        lines.add(
            f"class {self.file.net_name(self.net)}"
            f"({self.imports.note('nn.Sequential')}):"
        )
        body = self._named_anew(lambda body: self._sequential_body(root, body))
        with lines.indented():
            self._docstring(lines)
            self._init(lines, body)
        return lines

    def _sequential_body(self, root: ChainModule, body: Lines) -> None:
        constructor = Constructor(self.program, self.init_speller, body)
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
        for attribute, value in self._kept().items():
            body.add(f"self.{attribute} = {value}", self.net.name_span)

    def _function(self, root: graph.Module) -> Lines:
        lines = Lines()
        constructor = Constructor(self.program, self.init_speller, lines)
        lines.add(self.function_signature(root), self.net.name_span)
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

    def _reset(self, lines: Lines) -> None:
        """`reset_parameters`: torch calls it after a module was made without memory."""
        if own_tensors(self.walk.init):
            lines.add("")
            lines.add("def reset_parameters(self) -> None:", self.net.name_span)
            with lines.indented():
                write_reset(self.reset_speller, lines, self.walk.init)

    def _forward(self) -> Lines:
        statements = self._named_results(without_unread(self.walk.forward))
        taken = {*self.file.function_names, "torch", "nn", "F", "math", "self"}
        taken |= {self._local_size(v) for v in _size_symbols(self.walk)}
        self.local_names = name_temporaries(statements, self.walk.inputs, taken)
        body = Lines()
        names = self.local_names.values()
        self.forward_speller.taken = {*self.walk.scope, *self.walk.lets, *names}
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
        lines.add(self.forward_signature(), self.net.name_span)
        with lines.indented():
            self._shape_docstring(lines)
            self._unpack(lines, body)
            lines.extend(body)
        return lines

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


def _may_divide_by_zero(comparison: Comparison, divisible: Sequence[Any]) -> bool:
    """Whether a check divides by a quotient that may be zero: `C % (C // heads)`,
    unless `heads` is known to divide `C`."""
    divisors = [
        part
        for size in (comparison.left, comparison.right)
        for atom in dims.atoms(size)
        if isinstance(atom, dims.FloorDiv | dims.Mod)
        for part in dims.atoms(atom.parts()[1])
    ]
    return any(
        isinstance(part, dims.Mod)
        or (isinstance(part, dims.FloorDiv) and part.parts() not in divisible)
        for part in divisors
    )


def _wants_name(expr: graph.Expr) -> bool:
    return not isinstance(expr, graph.Ref | graph.Sequence | graph.Mapped | graph.Const)


def _source_name(expr: graph.Expr) -> str:
    """The name of what a value is made from; `x` if a function makes it of several."""
    for part in graph.every(expr):
        if isinstance(part, graph.CallOf) and _reads_several(part):
            return "x"
        if isinstance(part, Symbol) and part.kind in ("input", "var", "temp"):
            name = part.name or part.hint
            return name if len(name) == 1 else "x"
    return "x"


def _reads_several(call: graph.CallOf) -> bool:
    first = {id(a.symbol) for a in call.arguments if isinstance(a, graph.Ref)}
    return len(first) > 1


def _size_symbols(walk: Walk) -> list[Symbol]:
    return [v.expr.symbol for v in walk.sizes.values() if isinstance(v.expr, graph.Ref)]
