"""A net's own parameters and buffers: how they are made, and `reset_parameters`,
which torch calls after a module was made without memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate.lints import has_weights
from netdsl.elaborate.starting import Initialiser
from netdsl.emit.initial import fans, fans_read
from netdsl.emit.lines import Lines
from netdsl.emit.literals import quoted
from netdsl.emit.opposites import negated
from netdsl.emit.spelling import Speller
from netdsl.graph import OwnTensor
from netdsl.shapes import Tensor

_CONSTANT = frozenset({"zeros", "ones", "constant", "eye", "dirac"})
_RANDOM = frozenset({
    "torch.bernoulli", "torch.normal", "torch.rand", "torch.rand_like",
    "torch.randint", "torch.randn", "torch.randn_like", "torch.randperm",
})  # fmt: skip


def own_tensors(statements: list[Any]) -> list[OwnTensor]:
    return [s for s in all_statements(statements) if isinstance(s, OwnTensor)]


def all_statements(statements: list[Any]) -> Iterator[Any]:
    """The statements of an `__init__`, those under conditions too."""
    for statement in statements:
        if isinstance(statement, graph.Branch):
            yield from all_statements(statement.then)
            yield from all_statements(statement.other)
        else:
            yield statement


# -- when values are drawn -----------------------------------------------------


def drawn_in_place(program: Any, statements: list[Any]) -> bool:
    """Whether each tensor gets its value where it is made.

    Random numbers are drawn in the order of the text: one call that fills all
    tensors can stand for that only if no layer draws in between.
    """
    flat = list(all_statements(statements))
    draws = [
        i for i, s in enumerate(flat) if isinstance(s, OwnTensor) and _draws(program, s)
    ]
    if not draws:
        return False
    last = max(i for i, s in enumerate(flat) if isinstance(s, OwnTensor))
    return any(_layer_draws(program, s) for s in flat[draws[0] : last + 1])


def drawn_early(program: Any, statements: list[Any]) -> Any:
    """The statement behind which all are filled, if layers behind it draw, too."""
    flat = list(all_statements(statements))
    owns = [i for i, s in enumerate(flat) if isinstance(s, OwnTensor)]
    if not any(_draws(program, flat[i]) for i in owns):
        return None
    if not any(_layer_draws(program, s) for s in flat[owns[-1] :]):
        return None
    return [s for s in statements if own_tensors([s])][-1]


def _layer_draws(program: Any, statement: Any) -> bool:
    return isinstance(statement, graph.Register) and has_weights(
        program, statement.module
    )


def _draws(program: Any, statement: OwnTensor) -> bool:
    value = statement.value
    if isinstance(value, Initialiser):
        return value.name not in _CONSTANT
    return any(
        (
            part.target in _RANDOM
            if isinstance(part.target, str)
            else _fn_draws(program, part.target, set())
        )
        for part in graph.every(value.expr)
        if isinstance(part, graph.CallOf)
    )


def _fn_draws(program: Any, fn: syntax.Item, seen: set[int]) -> bool:
    """Whether a function of the file draws random numbers, or one that it calls."""
    seen.add(id(fn))
    names = syntax.names_in(fn)
    if any(f"torch.{name}" in _RANDOM for name in names):
        return True
    called = (program.definition(fn, name) for name in names)
    return any(
        _fn_draws(program, inner, seen)
        for inner in called
        if isinstance(inner, syntax.Fn) and id(inner) not in seen
    )


# -- making them ---------------------------------------------------------------


def write_own(
    speller: Speller, lines: Lines, statement: OwnTensor, in_place: bool
) -> None:
    """`self.name = nn.Parameter(...)`, or a buffer."""
    name = statement.symbol.name
    value = _made(speller, statement, in_place)
    options = "".join(f", {k}={speller.text(v)}" for k, v in statement.options)
    if statement.kind == "param":
        note = speller.imports.note("nn.Parameter")
        lines.add(f"self.{name} = {note}({value}{options})", statement.span)
    else:
        lines.add(
            f"self.register_buffer({quoted(name)}, {value}{options})", statement.span
        )
    if in_place and value.startswith("torch.empty("):
        if _is_copied_apart(statement):
            _copy(speller, lines, [statement])
        else:
            _fill(speller, lines, statement)


def _made(speller: Speller, statement: OwnTensor, in_place: bool) -> str:
    sizes = ", ".join(speller.text(s) for s in statement.sizes)
    value = statement.value
    note = speller.imports.note
    dtype = statement.dtype
    kind = f", dtype={note(f'torch.{dtype}')}" if dtype not in ("float", "any") else ""
    if isinstance(value, Initialiser):
        whole = in_place or statement.kind == "buffer"
        if whole and value.name in ("zeros", "ones"):
            return f"{note(f'torch.{value.name}')}({sizes or '()'}{kind})"
    elif fans_read(value):
        pass  # they are those of the tensor, which is made first
    elif isinstance(value.value, Tensor) and (in_place or dtype == "any"):
        return speller.text(value.expr)
    elif isinstance(value.value, float) and in_place:
        shape = f"({sizes},)" if len(statement.sizes) == 1 else f"({sizes})"
        return f"{note('torch.full')}({shape}, {speller.text(value.expr)}{kind})"
    return f"{note('torch.empty')}({sizes or '()'}{kind})"


def write_ties(speller: Speller, lines: Lines, ties: list[Any]) -> None:
    """`self.head.weight = self.wte.weight`"""
    for tie in ties:
        if isinstance(tie, graph.Branch):
            write_branch(speller, lines, tie, write_ties)
        else:
            target, source = speller.target(tie.target), speller.text(tie.source)
            lines.add(f"{target} = {source}", tie.span)


def write_branch(
    speller: Speller,
    lines: Lines,
    branch: graph.Branch,
    write: Callable[[Speller, Lines, list[Any]], None],
) -> None:
    """An `if`, with what `write` makes of its sides; one of them may be empty."""
    then, other = branch.then, branch.other
    test = speller.text(branch.test)
    if not then:
        then, other, test = other, [], negated(speller, branch.test)
    lines.add(f"if {test}:", branch.span)
    with lines.indented():
        write(speller, lines, then)
    if other:
        lines.add("else:", branch.span)
        with lines.indented():
            write(speller, lines, other)


# -- filling them again --------------------------------------------------------


def write_reset(speller: Speller, lines: Lines, statements: list[Any]) -> None:
    """The body of `reset_parameters`."""
    filled = [s for s in statements if own_tensors([s])]
    for copied, group in groupby(filled, key=_is_copied_apart):
        if copied:
            _copy(speller, lines, list(group))
            continue
        for statement in group:
            if isinstance(statement, graph.Branch):
                _reset_branch(speller, lines, statement)
            else:
                _fill(speller, lines, statement)


def _copy(speller: Speller, lines: Lines, statements: list[OwnTensor]) -> None:
    """Formulas, copied where gradients don't follow."""
    lines.add(f"with {speller.imports.note('torch.no_grad')}():", statements[0].span)
    with lines.indented():
        for statement in statements:
            _fill(speller, lines, statement)


def _reset_branch(speller: Speller, lines: Lines, branch: graph.Branch) -> None:
    then, other = (s if own_tensors(s) else [] for s in (branch.then, branch.other))
    sides = graph.Branch(branch.test, then, other, branch.span)
    write_branch(speller, lines, sides, write_reset)


def _fill(speller: Speller, lines: Lines, statement: OwnTensor) -> None:
    """The line that gives a tensor its starting value."""
    name = f"self.{statement.symbol.name}"
    value, note = statement.value, speller.imports.note
    for line in fans(value, name):
        lines.add(line, statement.span)
    if isinstance(value, Initialiser):
        parts = [name, *(speller.text(a) for a in value.arguments)]
        parts += [f"{k}={speller.text(v)}" for k, v in value.keywords]
        text = f"{note('nn.init')}.{value.name}_({', '.join(parts)})"
    elif _is_copied(statement):
        source = value.expr
        symbol = source.symbol if isinstance(source, graph.Ref) else None
        if symbol is not None and isinstance(symbol.value, graph.Expr):
            source = symbol.value
        text = f"{name}.copy_({speller.text(source)})"
    else:
        text = f"{note('nn.init')}.constant_({name}, {speller.text(value.expr)})"
    lines.add(text, statement.span)


def _is_copied(statement: OwnTensor) -> bool:
    value = statement.value
    return not isinstance(value, Initialiser) and isinstance(value.value, Tensor)


def _is_copied_apart(statement: Any) -> bool:
    """Whether it is copied where gradients don't follow."""
    own = isinstance(statement, OwnTensor)
    return own and _is_copied(statement) and _has_gradient(statement)


def _has_gradient(statement: OwnTensor) -> bool:
    """Whether gradients may flow where a formula is copied: it is a parameter, or is
    made of the net's own tensors."""
    return statement.kind == "param" or any(
        isinstance(part, graph.Symbol) and part.kind == "own"
        for part in graph.every(statement.value.expr)
    )
