"""Starting values: of a net's own tensors, and `init` rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate import arithmetic
from netdsl.elaborate.building import if_built
from netdsl.elaborate.habits import plain_name
from netdsl.elaborate.members import last_word
from netdsl.elaborate.values import Blur, Factory, ModuleValue, Val
from netdsl.elaborate.walk import Stop, Walk
from netdsl.facts import Facts
from netdsl.layers import LAYERS, Call, Unknown, bind
from netdsl.layers.spec import Declaration
from netdsl.records import Record
from netdsl.shapes import Refusal, Shape, Tensor, Undecided

_WORDS = " ".join(f'"{word}"' for word in arithmetic.NONLINEARITIES)
_KAIMING = (
    'a: float = 0, mode: "fan_in" "fan_out" = "fan_in",'
    f' nonlinearity: {_WORDS} = "leaky_relu"'
)
# torch.nn.init: what stands before `_`, and the arguments behind the tensor.
INITIALISERS = {
    "uniform": "a: float = 0.0, b: float = 1.0",
    "normal": "mean: float = 0.0, std: float = 1.0",
    "trunc_normal": "mean: float = 0.0, std: float = 1.0, a: float = -2.0,"
    " b: float = 2.0",
    "constant": "val: float",
    "ones": "",
    "zeros": "",
    "eye": "",
    "dirac": "groups: int = 1",
    "xavier_uniform": "gain: float = 1.0",
    "xavier_normal": "gain: float = 1.0",
    "kaiming_uniform": _KAIMING,
    "kaiming_normal": _KAIMING,
    "orthogonal": "gain: float = 1",
    "sparse": "sparsity: float, std: float = 0.01",
}


class Initialiser(Record):
    """`normal(std=0.02)`: a function of torch.nn.init, or a constant."""

    name: str
    arguments: tuple[graph.Expr, ...]
    keywords: tuple[tuple[str, graph.Expr], ...]


def initialiser(walk: Walk, node: syntax.Expression) -> Initialiser | None:
    """An initialiser, if the expression is one."""
    name = node.function if isinstance(node, syntax.Call) else node
    if not isinstance(name, syntax.Name) or name.id in walk.scope:
        return None
    signature = INITIALISERS.get(name.id)
    if signature is None:
        return None
    if not isinstance(node, syntax.Call) and signature and "=" not in signature:
        return None
    positional: list[Val] = []
    keywords: dict[str, Val] = {}
    if isinstance(node, syntax.Call):
        if name.id in ("zeros", "ones", "eye") and node.arguments:
            return None  # the tensor function: `ones(T, T)`
        positional = [if_built(walk, walk.evaluate(a)) for a in node.arguments]
        keywords = {
            k.name: if_built(walk, walk.evaluate(k.value)) for k in node.keywords
        }
    declaration = Declaration(name.id, signature, "", lambda c: ())
    try:
        bind(
            declaration,
            [v.value for v in positional],
            {k: v.value for k, v in keywords.items()},
        )
    except Refusal as refusal:
        raise walk.stop(
            refusal.code, refusal.text, node.span, help=refusal.help
        ) from None
    return Initialiser(
        name.id,
        tuple(v.expr for v in positional),
        tuple((k, v.expr) for k, v in keywords.items()),
    )


@contextmanager
def _fans(walk: Walk) -> Iterator[None]:
    """`fan_in` and `fan_out` are names in starting values."""
    names = ("fan_in", "fan_out")
    with walk.shadowed(names):
        for name in names:
            walk.bind(name, Val(Unknown("int", graph.Raw(name)), graph.Raw(name)))
        yield


def starting_value(
    walk: Walk, node: syntax.Expression, tensor: Tensor, kind: str
) -> Initialiser | Val:
    """The value of a `param` or `buffer`: an initialiser, a number or a tensor."""
    with _fans(walk):
        found = initialiser(walk, node)
    if found is not None:
        return found
    inputs, walk.inputs = walk.inputs, []
    try:
        with _fans(walk):
            val = if_built(walk, walk.evaluate(node))
    finally:
        walk.inputs = inputs
    _refuse_flowing(walk, node, val.expr)
    value = val.value
    if isinstance(value, Tensor):
        _check_shape(walk, node, tensor, value)
    elif not isinstance(value, Blur | Unknown) and not arithmetic.is_number(value):
        raise walk.stop(
            "wrong-type",
            f"a {kind} starts as a number or a tensor, not"
            f" {arithmetic.describe_value(value)}",
            node.span,
        )
    return val


def _check_shape(
    walk: Walk, node: syntax.Expression, tensor: Tensor, value: Tensor
) -> None:
    declared, given = tensor.shape, value.shape
    if given.rank is not None and len(declared.head) == len(given.head):
        answers = [
            walk.facts.equal(a, b)
            for a, b in zip(declared.head, given.head, strict=True)
        ]
        if False not in answers:
            return
    elif given == Shape(()):
        return
    raise walk.stop(
        "size-mismatch",
        f"this is {value}, and {tensor.shape} is declared",
        node.span,
    )


def _check_initialiser(walk: Walk, node: syntax.Expression) -> None:
    """Stops at a misspelt initialiser."""
    name = node.function if isinstance(node, syntax.Call) else node
    if isinstance(name, syntax.Attribute):
        name = plain_name(walk, name)
    if not isinstance(name, syntax.Name) or name.id in walk.scope:
        return
    if walk.program.definition(walk.owner, name.id) is not None:
        return
    if walk.program.constant(walk.owner, name.id, name.span) is not None:
        return
    near = walk.suggest(name.id, INITIALISERS, name.span)
    if near and name.id not in INITIALISERS:
        text = f"there is no initialiser `{name.id}`"
        raise walk.stop("unknown-name", text, name.span, help=near)


def init_rule(walk: Walk, node: syntax.Init) -> graph.InitRule | graph.InitPart:
    """`init Conv2d.weight = normal(std=0.02)`, `init "h.*.weight" = ...`"""
    with _fans(walk):
        value: Any = initialiser(walk, node.value)
        if value is None:
            _check_initialiser(walk, node.value)
            _refuse_choice(walk, node.value)
        val = if_built(walk, walk.evaluate(node.value)) if value is None else None
    if val is not None:
        if not isinstance(val.value, Blur | Unknown) and not arithmetic.is_number(
            val.value
        ):
            raise walk.stop(
                "wrong-type",
                "an initial value is a number or one of torch.nn.init's",
                node.value.span,
                help=walk.suggest(
                    node.value.span.text.split("(")[0], INITIALISERS, node.value.span
                )
                or "as in `normal(std=0.02)`",
            )
        value = Initialiser("constant", (val.expr,), ())
    exprs = (*value.arguments, *(e for _, e in value.keywords))
    _refuse_flowing(walk, node.value, *exprs)
    if isinstance(node.pattern, syntax.Subscript):
        return graph.InitPart(_part(walk, node.pattern), value, None, node.span)
    owner, path, parameter = _pattern(walk, node.pattern)
    return graph.InitRule(owner, path, parameter, value, None, node.span)


def _refuse_choice(walk: Walk, node: syntax.Expression) -> None:
    """Stops at `zeros if small else ones`: only numbers are chosen in a line."""
    if not isinstance(node, syntax.IfElse):
        return
    for arm in (node.then, node.other):
        if isinstance(arm, syntax.IfElse):
            _refuse_choice(walk, arm)
        elif initialiser(walk, arm) is not None:
            raise walk.stop(
                "wrong-type",
                f"`{arm.span.text}` is no number to choose",
                arm.span,
                help="write an `init` line below `if`, and another below `else`",
            )


def _refuse_flowing(walk: Walk, node: syntax.Expression, *exprs: graph.Expr) -> None:
    """Says so where a starting value reads what only flows once the net is built."""
    if not walk.defining:
        return  # the class's own walk refuses for both
    for part in graph.every(exprs):
        if isinstance(part, graph.Symbol) and part.kind in ("input", "var", "temp"):
            walk.error(
                "wrong-value",
                "a starting value can't depend on what flows through the net",
                node.span,
                note=f"`{part.name}` is known when the net runs",
                help="it may read hyperparameters and sizes",
            )
            return


def _part(walk: Walk, node: syntax.Subscript) -> graph.Expr:
    """A part of a parameter: `embedding.weight[0]`."""
    whole = walk.evaluate(node.value)
    if not isinstance(whole.value, Tensor | Blur):
        raise walk.stop(
            "wrong-value",
            f"`{node.value.span.text}` is no parameter",
            node.value.span,
            help="write `init layer.weight[0] = ...`",
        )
    return walk.evaluate(node).expr


def _check_own(walk: Walk, node: syntax.Attribute, value: Any) -> None:
    """Stops at `init conv.kernel_size = ...`, which is no parameter, and at a bias that
    isn't there."""
    if not walk.defining or isinstance(value, Tensor | Blur | ModuleValue):
        return
    raise walk.stop(
        "unknown-name",
        f"`{node.value.span.text}` has no parameter `{node.name}`",
        node.span,
        help="delete the line, or give the layer its bias" if value is None else "",
    )


def _check_parameter(
    walk: Walk, node: syntax.Attribute, declaration: Declaration
) -> None:
    """Stops at `init BatchNorm2d.gamma = ...`."""
    known = parameter_names(declaration)
    stem = re.sub(r"_l\d+(_reverse)?$", "_l0", node.name)
    if known and stem not in known and not stem.startswith(("weight_", "bias_")):
        raise walk.stop(
            "unknown-name",
            f"`{declaration.name}` has no parameter `{node.name}`",
            node.span,
            help=walk.suggest(node.name, known, last_word(node.span, node.name))
            or f"it has {', '.join(f'`{name}`' for name in known)}",
        )


def parameter_names(declaration: Declaration) -> list[str]:
    """The parameters of a torch layer with its defaults; none if only its arguments
    tell them."""
    values: dict[str, Any] = {}
    for parameter in declaration.signature.parameters:
        given = parameter.inferred is not None or parameter.required
        values[parameter.name] = 4 if given else parameter.default
    if "kernel_size" in values:
        values["kernel_size"] = (4, 4, 4)
    call = Call(declaration, values, Facts())
    names: list[str] = []
    for source in (declaration.parameters, declaration.buffers):
        try:
            names += source(call) if source is not None else ()
        except (Refusal, Undecided, TypeError):  # the arguments are made up
            return []
    return names


def _pattern(walk: Walk, node: syntax.Expression) -> tuple[Any, str, str]:
    """The owner (a layer type or net) or the path, and the parameter's name."""
    if isinstance(node, syntax.Literal) and isinstance(node.value, str):
        head, _, parameter = node.value.rpartition(".")
        return None, head, parameter
    if isinstance(node, syntax.Attribute) and isinstance(node.value, syntax.Name):
        name = node.value.id
        if name in walk.layers:
            _check_own(walk, node, walk.evaluate(node).value)
            return None, name, node.name
        own = walk.program.definition(walk.owner, name)
        target: Any = own if isinstance(own, syntax.Net) else LAYERS.get(name)
        if target is not None:
            if isinstance(target, Declaration):
                _check_parameter(walk, node, target)
            return target, "", node.name
        raise walk.stop(
            "unknown-layer",
            f"there is no layer or net called `{name}`",
            node.value.span,
            help=walk.suggest(
                name, walk.program.layer_names(walk.owner), node.value.span
            ),
        )
    if isinstance(node, syntax.Attribute):
        path = _dotted(walk, node.value)
        if any(isinstance(part, syntax.Subscript) for part in syntax.walk(node)):
            walk.evaluate(node)
        return None, path, node.name
    if isinstance(node, syntax.Name) and node.id in walk.owns:
        return None, "", node.id
    if isinstance(node, syntax.Name | syntax.Call):
        value = walk.evaluate(node).value
        what = value.name if isinstance(value, Factory) else node.span.text
        raise walk.stop(
            "wrong-value",
            f"`init` needs a parameter of `{what}`",
            node.span,
            help=f"write `init {what}.weight = ...`",
        )
    raise walk.stop("wrong-value", "this names no parameter", node.span)


def _dotted(walk: Walk, node: syntax.Expression) -> str:
    """The path of a layer, as `named_modules` has it: `layers.0` for `layers[0]`."""
    match node:
        case syntax.Name():
            return node.id
        case syntax.Attribute():
            return f"{_dotted(walk, node.value)}.{node.name}"
        case syntax.Subscript(items=(item,)):
            if isinstance(walk.evaluate(node).value, Blur):
                raise Stop
            module = getattr(walk.evaluate(node.value).value, "module", None)
            index = walk.evaluate(item).value
            key = _key(module, index) if isinstance(index, int) else None
            if key is not None:
                return f"{_dotted(walk, node.value)}.{key}"
    raise walk.stop(
        "wrong-value",
        f"`{node.span.text}` is no layer whose path is known",
        node.span,
        help='write the path as a pattern: `init "layers.*.weight" = ...`',
    )


def _key(module: graph.Module | None, index: int) -> str | None:
    """The key of a layer in a list, if it is known."""
    if not isinstance(module, graph.ChainModule):
        return None
    members = module.members
    if not any(isinstance(m.module, graph.RepeatModule) for m in members):
        index %= len(members)
        label = members[index].label
        return label if isinstance(label, str) else str(index)
    for member in members:
        if isinstance(member.module, graph.RepeatModule):
            members = [*members, *member.module.members]
    named = any(member.label is not None for member in members)
    return str(index) if index >= 0 and not named else None
