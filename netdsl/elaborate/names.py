"""Which name is meant: it depends on the place."""

from __future__ import annotations

from typing import Any

from netdsl import graph, syntax
from netdsl.diagnostics import Advice
from netdsl.elaborate.arithmetic import STATIC_FUNCTIONS
from netdsl.elaborate.habits import advice_on, declared_below
from netdsl.elaborate.values import (
    BLUR,
    SKIP,
    DType,
    Factory,
    FunctionValue,
    ModuleValue,
    NetParameter,
    Val,
)
from netdsl.elaborate.walk import Walk
from netdsl.layers import FUNCTIONS, LAYERS, NAMESPACES, Unknown
from netdsl.shapes import DTYPES, Tensor


def lookup_value(walk: Walk, node: syntax.Name) -> Val:
    """A name in an argument: a value, then a layer, then what makes layers."""
    name = node.id
    found = walk.scope.get(name)
    if found is not None:
        walk.used.add(name)
        return Val(found.value, found.expr, node.span)
    constant = walk.program.constant(walk.owner, name, node.span)
    if constant is not None:
        return Val(constant.value, constant.expr, node.span)
    layer = walk.named_layer(name)
    if layer is not None:
        layer.used = True
        return module_val(layer, node)
    made = definition(walk, name, node)
    if made is not None:
        return made
    if name == "training":
        walk.program.asked_training += 1
        value: Any = walk.training
        if value is None:
            value = Unknown("bool", graph.Training())
        return Val(value, graph.Training(), node.span)
    if (name in DTYPES and name != "float") or name == "bool":
        return Val(DType(name), graph.Raw(f"torch.{name}"), node.span)
    if name == "float":
        return Val(DType("float32"), graph.Raw("torch.float32"), node.span)
    if name in FUNCTIONS:
        expr = graph.Raw(FUNCTIONS[name].target)
        return Val(FunctionValue(FUNCTIONS[name]), expr, node.span)
    if name in walk.absent:
        # The definition of the net says where it may be read.
        return Val(BLUR, graph.Const(None), node.span)
    if any(_stars(value) == name for _, value in walk.input_types):
        raise walk.stop(
            "unknown-name",
            f"`*{name}` stands for any number of sizes, and is no value",
            node.span,
            help="work on the last sizes: `unflatten(-1, (8, 4))`, `flatten(-2)`",
        )
    raise walk.stop(
        "unknown-name",
        f"there is no `{name}` here",
        node.span,
        help=_advice_on_value(walk, node),
    )


def _stars(value: Any) -> str | None:
    """The name of the `*` in the shape of an input."""
    return value.shape.star if isinstance(value, Tensor) else None


def definition(walk: Walk, name: str, node: syntax.Name) -> Val | None:
    """A net, layer or function that the file or torch defines."""
    own = walk.program.definition(walk.owner, name)
    if isinstance(own, syntax.Fn):
        value = FunctionValue(own)
        return Val(value, graph.Definition(value), node.span)
    if own is None and walk.program.files.is_broken(walk.owner, name):
        walk.blurred = True
        return Val(BLUR, graph.Const(None), node.span)
    target: Any = own if own is not None else LAYERS.get(name)
    if target is None and name == SKIP:
        target = SKIP
    if target is None:
        return None
    factory = Factory(target, (), (), node.span)
    return Val(factory, graph.Definition(factory), node.span)


def dotted_function(walk: Walk, node: syntax.Attribute) -> Val | None:
    """`linalg.norm`: a function that torch keeps in a module of its own."""
    owner = node.value
    if not isinstance(owner, syntax.Name) or owner.id not in NAMESPACES:
        return None
    if owner.id in walk.scope or owner.id in walk.layers:
        return None
    name = f"{owner.id}.{node.name}"
    if name not in FUNCTIONS:
        known = [n for n in FUNCTIONS if n.startswith(f"{owner.id}.")]
        raise walk.stop(
            "unknown-function",
            f"there is no function called `{name}`",
            node.span,
            help=walk.suggest(name, known, node.span),
        )
    declaration = FUNCTIONS[name]
    return Val(FunctionValue(declaration), graph.Raw(declaration.target), node.span)


def module_val(module: graph.Module, node: syntax.Expression) -> Val:
    expr = graph.ModuleRef(module.path)
    return Val(ModuleValue(module, expr), expr, node.span)


def lookup_stage(walk: Walk, node: syntax.Name) -> Val:
    """A name at a stage or before `(`: a layer of this net, then nets and torch's
    layers, then functions; a loop variable that holds a layer is a layer, and in
    its loop nearer than one of the net."""
    name = node.id
    found = walk.scope.get(name)
    stage = found is not None and isinstance(
        found.value, ModuleValue | Factory | NetParameter | FunctionValue
    )
    layer = walk.named_layer(name)
    if layer is not None and not (stage and name in walk.loop_names):
        layer.used = True
        return module_val(layer, node)
    if found is not None and stage:
        walk.used.add(name)
        value = found.value
        if isinstance(value, ModuleValue) and isinstance(found.expr, graph.Ref):
            # A loop variable: the layer goes by the variable's name.
            value = ModuleValue(value.module, found.expr)
        return Val(value, found.expr, node.span)
    if found is not None and found.value is BLUR:
        return Val(BLUR, found.expr, node.span)
    made = definition(walk, name, node)
    if made is not None:
        return made
    if name in STATIC_FUNCTIONS or name in FUNCTIONS:
        target: Any = FUNCTIONS.get(name)
        return Val(FunctionValue(target), graph.Raw(name), node.span)
    if found is not None:
        walk.used.add(name)
        return Val(found.value, found.expr, node.span)
    constant = walk.program.constant(walk.owner, name, node.span)
    if constant is not None:
        return Val(constant.value, constant.expr, node.span)
    raise _unknown_stage(walk, node)


def _unknown_stage(walk: Walk, node: syntax.Name) -> Exception:
    name = node.id
    code = "unknown-layer" if name[:1].isupper() else "unknown-function"
    kind = "net" if name[:1].isupper() else "function"
    if name in walk.ahead:
        text = f"the layer `{name}` is named further down, and can't be used yet"
        help_ = Advice(f"declare it above, on a line of its own: `{name}: ...`")
    else:
        text = f"there is no layer or {kind} called `{name}`"
        help_ = (
            advice_on(name, node.span)
            or left_out(name)
            or walk.suggest(name, stages_known(walk), node.span)
            or Advice(
                f"a layer gets its name where it is made: `{name}: LAYER`"
                if name[:1].islower()
                else "a layer of another package is declared: `extern"
                f" {name}(...): [SIZES] -> [SIZES]`"
            )
        )
    return walk.stop(
        code,
        text,
        node.span,
        help=help_,
    )


def _advice_on_value(walk: Walk, node: syntax.Name) -> Advice:
    below = declared_below(walk, node.id)
    if below is not None and below.start > node.span.start:
        return Advice(f"move line {below.line}, which declares it, above this one")
    known = values_known(walk)
    if node.id[:1].islower():
        # A layer is meant for a value only where the letters are the same.
        known = [n for n in known if n[:1].islower() or n.lower() == node.id.lower()]
    found = advice_on(node.id, node.span)
    found = found or walk.suggest(node.id, known, node.span) or _unused(walk)
    if not found and not walk.inputs and isinstance(walk.owner, syntax.Net):
        return Advice(f"a tensor comes in by `input {node.id}: [SIZES]`")
    return found


def _unused(walk: Walk) -> Advice:
    """The one hyperparameter that the net never names, if there is one."""
    if not isinstance(walk.owner, syntax.Net) or walk.owner.layer is not None:
        return Advice()
    read = {
        part.id
        for statement in walk.owner.body
        for part in syntax.walk(statement)
        if isinstance(part, syntax.Name)
    }
    left = [p.name for p in walk.owner.parameters if p.name not in read]
    return Advice(f"nothing uses `{left[0]}` yet" if len(left) == 1 else "")


def left_out(name: str) -> Advice:
    """Why netdsl doesn't have a layer or function of torch, or what to write for it."""
    from netdsl.layers.left_out import FUNCTIONS_LEFT_OUT, LAYERS_LEFT_OUT

    return Advice(LAYERS_LEFT_OUT.get(name) or FUNCTIONS_LEFT_OUT.get(name, ""))


def values_known(walk: Walk) -> list[str]:
    return [
        *walk.scope,
        *(n for n in walk.layers if walk.named_layer(n)),
        *walk.program.names(walk.owner),
        *FUNCTIONS,
        *STATIC_FUNCTIONS,
        *LAYERS,
        "training",
    ]


def stages_known(walk: Walk) -> list[str]:
    return [
        *(n for n in walk.layers if walk.named_layer(n)),
        *walk.program.names(walk.owner),
        *LAYERS,
        *(n for n in FUNCTIONS if n.isidentifier()),
        *walk.scope,
        "skip",
    ]
