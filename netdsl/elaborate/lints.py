"""What a class leaves unused, and layers whose sizes nothing tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate.demand import registered, trial_sizes
from netdsl.elaborate.lacking import lint_sizes
from netdsl.elaborate.paths import lint_paths
from netdsl.elaborate.program import Program
from netdsl.elaborate.trees import every_module
from netdsl.elaborate.unsized import refuse_unsized
from netdsl.elaborate.values import NetParameter
from netdsl.elaborate.walk import Walk
from netdsl.graph import LayerModule, NetModule
from netdsl.source import Span


def lint(program: Program, net: syntax.Net) -> None:
    """Warnings about a net, once its class is defined; and what was never used."""
    walk = program.define(net)
    _lint_bindings(program, walk, net)
    lint_order(program, [(p.name, p.name_span, p.default) for p in net.parameters])
    inputs = [s for s in net.body if isinstance(s, syntax.Input)]
    lint_order(program, [(n.id, n.span, s.default) for s in inputs for n in s.names])
    if not program.report.failed:
        refuse_unsized(walk)
    if program.report.failed or walk.blurred:
        # What a mistake left alone, a misspelt name say, may be what uses them.
        return
    if id(net) not in program.specials:
        _lint_needs(program, walk)
    read = walk.used | _read_by_defaults(net)
    for parameter in net.parameters:
        if not (parameter.name in read or _is_shared(program, net, parameter.name)):
            program.report.warning(
                "unused-hyperparameter",
                f"`{net.name}` never uses its hyperparameter `{parameter.name}`",
                parameter.name_span,
            )
    for name, span in walk.lets.items():
        if name not in walk.used and name != "_":
            program.report.warning(
                "unused-let", f"`{name}` is never used", span, help="delete the line"
            )
    for names, span in walk.assigned:
        named = [n for n in names if not n.startswith("_")]
        if named and walk.used.isdisjoint(named):
            program.report.error(
                "unused-value",
                f"`{named[0]}` is given a value that leads nowhere",
                span,
                help="use it, or call it `_`",
            )
    _lint_layers(program, walk)
    lint_sizes(walk)
    lint_paths(program, walk, net)


def lint_order(program: Program, given: Sequence[tuple[str, Span, Any]]) -> None:
    """Python wants the parameters and inputs that have a default behind the others."""
    first = ""
    for name, span, default in given:
        if default is not None:
            first = first or name
        elif first:
            program.report.error(
                "unsupported",
                f"`{name}` has no default, and `{first}` ahead of it has one",
                span,
                help=f"put `{name}` first, or give it a default",
            )


def _lint_needs(program: Program, walk: Walk) -> None:
    """A net parameter is called in one way, so all that it stands for must take the
    same sizes; `skip` takes whatever it is given."""
    for statement in registered(walk.init):
        _lint_trials(program, statement.module, statement.span)
    if walk.root is not None:
        _lint_trials(program, walk.root, walk.owner.name_span)


def _lint_trials(program: Program, root: graph.Module, span: Span) -> None:
    for module in every_module(root):
        if not isinstance(module, graph.ParameterModule):
            continue
        needs = {
            _name_of(t): len(trial_sizes(program, t))
            for t in module.trials
            if not isinstance(t, graph.SkipModule)
        }
        if len(set(needs.values())) > 1:
            fewest, most = min(needs, key=needs.__getitem__), max(
                needs, key=needs.__getitem__
            )
            program.report.error(
                "unsupported",
                f"`{fewest}` and `{most}` need different sizes of their inputs, so"
                f" `{module.symbol.name}` can't stand for both",
                module.span or span,
                help="write a net for each of them",
            )


def _name_of(module: graph.Module) -> str:
    if isinstance(module, LayerModule):
        return module.declaration.name
    return str(module.net.name) if isinstance(module, NetModule) else "a net"


def _lint_bindings(program: Program, walk: Walk, net: syntax.Net) -> None:
    """Nets as parameters for which nobody chooses one; whoever hands on such a
    parameter of its own is told instead."""
    home = program.files.file_of(net)
    if program.files.may_be_used(net):
        return
    others = [n for n in program.users(net.name) if n is not net]
    if any(program.files.file_of(n) is home for n in others):
        return
    for parameter in net.parameters:
        value = walk.scope.get(parameter.name)
        if value is None or not isinstance(value.value, NetParameter):
            continue
        if not value.value.bindings:
            program.report.error(
                "unbound-net",
                f"nothing says which net `{parameter.name}` of `{net.name}` stands for",
                parameter.span,
                help=f"give it a default, `{parameter.name}: net = ...`, or add a net"
                " that says it",
            )


def _read_by_defaults(net: syntax.Net) -> set[str]:
    """The names that the defaults of hyperparameters read."""
    return {
        part.id
        for other in net.parameters
        if other.default is not None
        for part in syntax.walk(other.default)
        if isinstance(part, syntax.Name)
    }


def _is_shared(program: Program, net: syntax.Net, name: str) -> bool:
    """Whether a net that stands for the same net parameter uses a hyperparameter of
    this name: the one call gives it to both."""
    for bound in program.bindings.values():
        nets = [f.target for f in bound.values() if isinstance(f.target, syntax.Net)]
        if any(n is net for n in nets) and any(
            name in {p.name for p in other.parameters}
            and name in program.define(other).used
            for other in nets
            if other is not net
        ):
            return True
    return False


def _lint_layers(program: Program, walk: Walk) -> None:
    for statement in registered(walk.init):
        module = statement.module
        if not module.used:
            if _unknown_sizes(module):
                walk.error(
                    "size-not-inferred",
                    f"nothing flows into `{_label(statement.label)}`, so its sizes"
                    " can't be inferred",
                    statement.span,
                    help="send a tensor through it, or delete it",
                )
            else:
                program.report.warning(
                    "unused-layer",
                    f"the layer `{_label(statement.label)}` is never used",
                    statement.span,
                )
        elif not module.named and has_weights(program, module):
            program.report.warning(
                "unnamed-weights",
                f"a layer with weights has no name: its keys start with"
                f" `{_label(statement.label)}`, and change when another"
                " is put above it",
                statement.span,
                help=f"write `{_label(statement.label)}: ...`",
            )
        elif _never_reached(module) and not program.report.failed:
            walk.error(
                "size-not-inferred",
                f"no tensor tells the sizes of `{_label(statement.label)}`",
                statement.span,
                help="send a tensor through it, or write its sizes by name",
            )


def _label(label: Any) -> str:
    parts = label if isinstance(label, tuple) else (label,)
    return ".".join(p if isinstance(p, str) else "..." for p in parts)


def _unknown_sizes(module: graph.Module) -> bool:
    return any(
        (isinstance(m, LayerModule) and m.declaration.infers and not m.inferred
         and not _written(m))
        or isinstance(m, NetModule)
        for m in every_module(module)
    )  # fmt: skip


def _written(module: LayerModule) -> bool:
    return all(
        p.name in module.keywords
        for p in module.declaration.signature.parameters
        if p.inferred
    )


def _never_reached(module: graph.Module) -> bool:
    return any(
        isinstance(m, LayerModule)
        and m.declaration.infers
        and m.applied is None
        and not _written(m)
        for m in every_module(module)
        if not isinstance(m, graph.ParameterModule)
    )


def has_weights(program: Program, module: graph.Module) -> bool:
    return any(
        (isinstance(m, LayerModule) and m.declaration.has_weights)
        or isinstance(m, graph.ExternModule)
        or (isinstance(m, NetModule) and _net_has_weights(program, m.net))
        for m in every_module(module)
    )


def _net_has_weights(program: Program, net: syntax.Net) -> bool:
    walk = program.define(net)
    modules = [s.module for s in registered(walk.init)]
    if walk.root is not None:
        modules.append(walk.root)
    return bool(walk.owns) or any(has_weights(program, m) for m in modules)
