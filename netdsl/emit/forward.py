"""Statements of `forward`, or of a function, as Python."""

from __future__ import annotations

from typing import Any

from netdsl import dims, graph
from netdsl.elaborate.values import (
    size_names,
)
from netdsl.emit.annotations import Annotations
from netdsl.emit.levels import AND, CHOICE
from netdsl.emit.lines import Lines
from netdsl.emit.opposites import opposite
from netdsl.emit.spelling import Speller
from netdsl.graph import Symbol


class ForwardWriter:
    """Writes the statements of `forward`, or of a function."""

    def __init__(self, owner: Any, lines: Lines) -> None:
        self.owner = owner
        self.lines = lines
        self.speller: Speller = owner.forward_speller
        self.annotations: Annotations | None = None

    def block(self, statements: list[Any], arm: bool = False) -> None:
        speller = self.speller
        for statement in self._returned_at_once(statements) if arm else statements:
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
                        if not self._changed(target, statement):
                            self.lines.add(f"{target} {statement.op} {value}", span)
                case graph.Result():
                    self.lines.add(f"return {self._value(statement.value)}", span)
                case graph.BindLet():
                    names = ", ".join(speller.symbol_text(s) for s in statement.symbols)
                    with speller.lines_ahead(self.lines):
                        several = len(statement.symbols) > 1
                        spell = self._value if several else speller.text
                        value = spell(statement.value)
                    self.lines.add(f"{names} = {value}", span)
                case graph.Branch():
                    self._branch(statement)
                case graph.Repeat():
                    iterable = speller.iterable(statement.loop.iterable)
                    target = speller.target(_read_names(statement))
                    start = len(self.lines)
                    self.lines.add(f"for {target} in {iterable}:", span)
                    with self.lines.indented():
                        self.block(statement.body)
                    if len(self.lines) == start + 1:
                        del self.lines.lines[start:]  # nothing in it

    def _changed(self, target: str, statement: graph.Assign) -> bool:
        """Writes `y = y + x if c else y` as `if c: y = y + x`."""
        choice = statement.value
        if not isinstance(choice, graph.Choose) or statement.op != "=":
            return False
        then, other = self.speller.text(choice.then), self.speller.text(choice.other)
        if target not in (then, other):
            return False
        stays = target == then
        test = opposite(choice.test) if stays else choice.test
        self.lines.add(f"if {self.speller.test(test)}:", statement.span)
        with self.lines.indented():
            self.lines.add(f"{target} = {other if stays else then}", statement.span)
        return True

    def _returned_at_once(self, statements: list[Any]) -> list[Any]:
        """An arm that is nothing but its result needs no name for it, unless mypy
        has to be told its type."""
        match statements:
            case [
                graph.Assign(target=Symbol(kind="temp") as name, op="=") as made,
                graph.Result(value=graph.Ref(symbol=symbol)) as result,
            ] if symbol is name and not self._is_any(made.value):
                return [graph.Result(made.value, result.span)]
        return statements

    def _is_any(self, value: graph.Expr) -> bool:
        return self.annotations is not None and self.annotations.is_any(value)

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
        tests = [statement.test]
        if not then:
            then, other = other, []
            tests = [opposite(statement.test)]
        while not other and len(then) == 1 and isinstance(then[0], graph.Branch):
            # `if a:` with nothing but `if b:` in it is `if a and b:`
            if not then[0].then or then[0].other:
                break
            tests.append(then[0].test)
            then = then[0].then
        least = AND if len(tests) > 1 else CHOICE
        test = " and ".join(self.speller.test(t, least) for t in tests)
        start = len(self.lines)
        self.lines.add(f"if {test}:", statement.span)
        with self.lines.indented():
            self.block(then, arm=True)
        if len(self.lines) == start + 1:
            del self.lines.lines[start:]  # nothing in it
            if other:
                self._branch(statement.replaced(then=[], other=other))
            return
        if other and then and isinstance(then[-1], graph.Result):
            self.block(other)
        elif len(other) == 1 and isinstance(other[0], graph.Branch) and other[0].then:
            start = len(self.lines)
            self._branch(other[0])
            for line in self.lines.lines[start : start + 1]:
                self.lines.lines[start] = line._replace(text=f"el{line.text}")
        elif other:
            start = len(self.lines)
            self.lines.add("else:", statement.span)
            with self.lines.indented():
                self.block(other, arm=True)
            if len(self.lines) == start + 1:
                del self.lines.lines[start:]


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
