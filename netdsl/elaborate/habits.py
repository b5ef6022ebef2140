"""What people write who come from Python and torch: told, mended where that is sure,
and where possible taken as it was meant, so that one mistake is one message."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from netdsl import syntax
from netdsl.diagnostics import Advice, Edit
from netdsl.elaborate.module_code import CONTAINERS, FOREIGN, bare, called
from netdsl.elaborate.values import (
    Blur,
    Factory,
    FunctionValue,
    ModuleValue,
    NetParameter,
    Val,
    for_torch,
)
from netdsl.elaborate.walk import Stop, Walk
from netdsl.layers import FUNCTIONS, LAYERS, Declaration, Unknown, bind
from netdsl.shapes import DTYPES, Refusal, Tensor
from netdsl.source import Span

_WORDS = {
    "Input": "a tensor comes in by a line `input x: [N, 784]`",
    "print": "a net prints nothing; `netdsl check` tells the shapes",
    "super": "a net has no constructor to call: delete the line",
    "isinstance": "a net knows its types when it is compiled",
    "cuda": "who builds the net moves it: `Net().cuda()`",
    "cpu": "who builds the net moves it: `Net().cpu()`",
    "pass": "a net without lines can't be; `skip` is the layer that does nothing",
    "true": "write `True`",
    "false": "write `False`",
    "none": "write `None`",
    "null": "write `None`",
    "break": "a loop goes over the whole of its list",
    "continue": "what a round leaves out stands under an `if`",
    "device": "new tensors live where the first input does",
    "modules": "`init` goes over layers: `init Conv2d.weight = ...` sets those of a"
    " type",
    "parameters": "who builds the net has its parameters: `net.parameters()`",
    "append": "a list grows by `+=`: `parts += [x]`",
    "item": "numbers for layers are known when the net is built: work them out by"
    " `let`",
    "tolist": "numbers for layers are known when the net is built: work them out by"
    " `let`",
    "numpy": "what a tensor holds is the caller's to read",
}
_VALUES = {"true": "True", "false": "False", "none": "None", "null": "None"}


def advice_on(word: str, span: Span) -> Advice:
    """What to do about a word of Python; empty if it is none."""
    text = _WORDS.get(word, "")
    meant = _VALUES.get(word)
    return Advice(text, (Edit(span, meant),) if meant else ())


def plain_name(walk: Walk, node: syntax.Expression) -> syntax.Expression:
    """`Linear` for `nn.Linear`: said, and then taken as it is meant."""
    root = node
    while isinstance(root, syntax.Attribute):
        root = root.value
    if not isinstance(node, syntax.Attribute) or not isinstance(root, syntax.Name):
        return node
    if root.id not in FOREIGN or root.id in walk.scope or root.id in walk.layers:
        return node
    end = node.span.end
    start = end - len(node.name)
    prefix = Span(node.span.chunk, node.span.start, start)
    name = syntax.Name(Span(node.span.chunk, start, end), node.name)
    if not _is_known(walk, node.name):
        return name  # one mistake, one message: the name's
    walk.error(
        "unknown-name",
        f"`{''.join(prefix.text.split())}` is not written in a `.net` file",
        prefix,
        help=Advice(f"write `{node.name}`", (Edit(prefix, ""),)),
    )
    return name


def _is_known(walk: Walk, name: str) -> bool:
    """Whether a name stands for something without what is written ahead of it."""
    from netdsl.elaborate.names import stages_known, values_known
    from netdsl.elaborate.starting import INITIALISERS

    if name in CONTAINERS:
        return name in walk.program.names(walk.owner)
    known = (*values_known(walk), *stages_known(walk), *DTYPES, *INITIALISERS)
    return name in known or name in walk.ahead


# -- methods -------------------------------------------------------------------


def refuse_method(walk: Walk, node: syntax.Call) -> None:
    """Stops at `x.relu()`, and at a chain of them."""
    calls: list[syntax.Call] = []
    owner: syntax.Expression = node
    while isinstance(owner, syntax.Call) and isinstance(
        owner.function, syntax.Attribute
    ):
        calls.append(owner)
        owner = owner.function.value
    calls.reverse()
    names = [c.function.name for c in calls if isinstance(c.function, syntax.Attribute)]
    if len(calls) > 1 and called(calls[0]):
        # `torch.ones(3).view(1, 3)`
        owner, calls, names = calls[0], calls[1:], names[1:]
    if not _is_tensor(walk, owner, names):
        return
    first = calls[0].function
    assert isinstance(first, syntax.Attribute)
    flowing = _ahead_of_dot(node, first)
    shape = _shape_call(flowing, node) if len(calls) == 1 else ""
    if shape:
        meant, sure = shape, True
    else:
        sure = all(n in FUNCTIONS for n in names)
        stages = [
            _stage(n, c, b)
            for n, c, b in zip(names, calls, [first.value, *calls], strict=False)
        ]
        meant = " -> ".join([flowing, *stages])
        if not _stands_alone(node.span):
            meant = f"({meant})"
    help_ = Advice(
        f"write `{' '.join(meant.split())}`", (Edit(node.span, meant),) if sure else ()
    )
    told = (advice_on(n, node.span).text for n in names if n not in FUNCTIONS)
    raise walk.stop(
        "unknown-name",
        "tensors have no methods here: they flow through functions",
        Span(
            node.span.chunk, node.span.start + len(_before(node, first)), node.span.end
        ),
        help=next((Advice(text) for text in told if text), help_),
    )


def _before(node: syntax.Call, first: syntax.Attribute) -> str:
    """The text of a chain of calls ahead of the dot of its first."""
    text = node.span.chunk.text[node.span.start : first.span.end - len(first.name)]
    return text.rstrip().removesuffix(".").rstrip()


def _ahead_of_dot(node: syntax.Call, first: syntax.Attribute) -> str:
    return bare(_before(node, first))


def refuse_attribute(walk: Walk, node: syntax.Attribute) -> Exception:
    """The message about `x.grad`, for `raise`."""
    meant = f"{node.name}({node.value.span.text})"
    place = Span(node.span.chunk, node.span.end - len(node.name), node.span.end)
    help_ = Advice("it has `shape`, `dtype` and `T`; the rest is functions: `x -> f`")
    if node.name in FUNCTIONS:
        help_ = Advice.to_write(meant, node.span)
    text = f"a tensor has no `{node.name}` here"
    return walk.stop("unknown-name", text, place, help=help_)


def _is_tensor(
    walk: Walk, node: syntax.Expression, methods: Sequence[str] = ()
) -> bool:
    root = node
    while isinstance(root, syntax.Subscript):
        root = root.value
    if isinstance(root, syntax.Name):
        if root.id not in walk.scope:
            return False
        with walk.report.muted():
            return isinstance(walk.evaluate(node).value, Tensor)
    if not any(m in FUNCTIONS or m in _SIZES for m in methods):
        return False
    # What is wrong inside is told; the rest of the call is left alone.
    value = walk.evaluate(node).value
    if isinstance(value, Blur):
        raise Stop
    return isinstance(value, Tensor)


_SIZES = ("size", "dim", "ndimension")


def _stage(name: str, call: syntax.Call, before: syntax.Expression) -> str:
    """`view(N, -1)` for `.view(N, -1)`."""
    tail = call.span.text[before.span.end - call.span.start :]
    arguments = tail[tail.index("(") + 1 : -1].strip()
    return f"{name}({arguments})" if arguments else name


def _shape_call(text: str, node: syntax.Call) -> str:
    assert isinstance(node.function, syntax.Attribute)
    name = node.function.name
    given = [a.span.text for a in node.arguments] + [
        k.value.span.text for k in node.keywords
    ]
    if name == "size":
        return f"{text}.shape[{given[0]}]" if given else f"{text}.shape"
    return f"len({text}.shape)" if name in ("dim", "ndimension") else ""


def _stands_alone(span: Span) -> bool:
    """Whether a flow may take the place of an expression without brackets."""
    text = span.chunk.text
    before = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    stop = text.find("\n", span.end)
    after = text[span.end : len(text) if stop < 0 else stop].split("#")[0].strip()
    starts = re.fullmatch(r"\s*(?:return\s+|[\w, ]+=\s*)?", before)
    return bool(starts) and (not after or after.startswith("->"))


# -- layers called as functions ------------------------------------------------


def made_and_called(walk: Walk, node: syntax.Call) -> Advice:
    """`Linear(4)(x)` and `ReLU(x)`, as they are meant."""
    function = node.function
    if isinstance(function, syntax.Call):
        layer, tensors = function.span.text, node.arguments
    else:
        tensors = tuple(a for a in node.arguments if _may_be_tensor(walk, a))
        rest = [a.span.text for a in node.arguments if a not in tensors]
        rest += [k.span.text for k in node.keywords]
        name = function.span.text
        layer = f"{name}({', '.join(rest)})" if rest else name
    layer = layer.removesuffix("()")
    if not tensors:
        return Advice(f"write `x -> {layer}`")
    flowing = ", ".join(t.span.text for t in tensors)
    flowing = f"({flowing})" if len(tensors) > 1 else flowing
    meant = f"{flowing} -> {layer}"
    if not _stands_alone(node.span):
        meant = f"({meant})"
    short = " ".join(meant.split())
    return Advice(f"write `{short}`", (Edit(node.span, meant),))


def _may_be_tensor(walk: Walk, node: syntax.Expression) -> bool:
    with walk.report.muted():
        return isinstance(walk.evaluate(node).value, Tensor)


# -- targets -------------------------------------------------------------------


def refuse_target(walk: Walk, node: syntax.Assign, target: syntax.Expression) -> Any:
    """The message about a target that is no name, for `raise`; what it would have
    named is left alone afterwards."""
    from netdsl import graph
    from netdsl.elaborate.values import BLUR

    text, help_ = "only names can be given a value", Advice("write `name = ...`")
    named: syntax.Expression | None = None
    between = Span(node.span.chunk, node.target.span.end, node.value.span.start)
    match target:
        case syntax.Flow(stages=(*_, syntax.Name() as named)):
            text = "a layer in a flow is named with `:`"
            shown = f"{named.id}: {_first_line(node.value.span.text)}"
            edits = (Edit(between, ": "),) if target is node.target else ()
            help_ = Advice(f"write `-> {shown}`", edits)
        case syntax.Labelled(label=syntax.Name() as named):
            cut = Span(node.span.chunk, named.span.end, target.span.end)
            text = "a value declares no type: it follows from what is right of `=`"
            help_ = Advice(f"write `{named.id} = ...`", (Edit(cut, ""),))
        case syntax.Attribute(value=syntax.Name(id="self")):
            named = syntax.Name(target.span, target.name)
            layer = _makes_layer(walk, node.value)
            text = "`self.` is not written in a `.net` file"
            meant = f"{target.name}: " if layer else f"{target.name} = "
            whole = Span(node.span.chunk, target.span.start, node.value.span.start)
            value = _first_line(node.value.span.text)
            help_ = Advice(f"write `{meant}{value}`", (Edit(whole, meant),))
        case syntax.Attribute() if isinstance(node.value, syntax.Attribute):
            text = "parameters are shared by `tie`"
            start = Span(node.span.chunk, node.span.start, node.span.start)
            help_ = Advice(f"write `tie {node.span.text}`", (Edit(start, "tie "),))
        case syntax.Attribute():
            text = "a parameter is not assigned: its starting value is set"
            help_ = Advice(f"write `init {target.span.text} = ...`")
        case syntax.Subscript(items=(syntax.Literal(value=str() as key),)):
            owner = target.value
            if isinstance(owner, syntax.Name) and owner.id in walk.scope:
                if isinstance(walk.scope[owner.id].value, Blur):
                    raise Stop
            text = "a dict is written whole"
            help_ = Advice(f'write `{{"{key}": ..., ...}}`')
        case syntax.Subscript():
            text = "a tensor isn't changed in place"
            help_ = Advice("make a new one with `cat`, `where` or `scatter`")
    if isinstance(named, syntax.Name):
        walk.bind(named.id, Val(BLUR, graph.Const(None), target.span))
        walk.layer_spans.setdefault(named.id, target.span)
    return walk.stop("syntax-error", text, target.span, help=help_)


def _first_line(text: str) -> str:
    line, _, more = text.partition("\n")
    return line + " ..." if more else line


def _makes_layer(walk: Walk, node: syntax.Expression) -> bool:
    if isinstance(node, syntax.ListOf):
        return True
    if isinstance(node, syntax.Flow):
        return False
    with walk.report.muted():
        return isinstance(walk.evaluate(node).value, Factory | NetParameter)


def declare_instead(node: syntax.Assign, shown: str) -> Advice:
    """`fc: Linear(4)` for `fc = Linear(4)`."""
    between = Span(node.span.chunk, node.target.span.end, node.value.span.start)
    text = f"a layer is declared with `:`, as in `{node.target.span.text}: {shown}`"
    return Advice(text, (Edit(between, ": "),))


def refuse_colon(walk: Walk, node: syntax.Labelled) -> Any:
    """`Linear(4, bias: False)`, for `raise`."""
    between = Span(node.span.chunk, node.label.span.end, node.value.span.start)
    shown = f"{node.label.span.text}={node.value.span.text}"
    return walk.stop(
        "syntax-error",
        "an argument is given with `=`, not with `:`",
        node.span,
        help=Advice(f"write `{shown}`", (Edit(between, "="),)),
    )


# -- stages --------------------------------------------------------------------


def advice_on_stage(walk: Walk, node: syntax.Expression) -> Advice:
    """What to do about a stage that is no layer and no function."""
    match node:
        case syntax.Literal(value=str() as word) if word in FUNCTIONS or word in LAYERS:
            return Advice("names stand without quotes", (Edit(node.span, word),))
        case syntax.Literal(value=str()):
            return Advice("in quotes stands the name of a layer that this net has")
        case syntax.Literal():
            return Advice(
                "arithmetic stands on a line of its own: `y = x -> f`, `2 * y`"
            )
        case syntax.Binary() | syntax.Unary() | syntax.Compare():
            return Advice("put arithmetic on a line of its own")
    return Advice()


def advice_on_value(value: Any, node: syntax.Expression) -> Advice:
    """What to do about a stage that is a value."""
    if isinstance(value, str) or (isinstance(value, Unknown) and value.type == "str"):
        shown = node.span.text
        return Advice(
            "a string is no function; choose one by it:"
            f' `-> (relu if {shown} == "relu" else gelu)`'
        )
    if not isinstance(value, Tensor):
        return Advice()
    if isinstance(node, syntax.Name):
        return Advice(f"to join two tensors, send both: `(x, {node.id}) -> add`")
    return Advice(
        "a condition at a stage chooses the stage; to choose a value, give the"
        " flow a name first: `y = x -> f`, then `y if test else x`"
    )


def refuse_parts(
    walk: Walk, function: FunctionValue, name: str, vals: Sequence[Val], span: Span
) -> None:
    """Stops where a pair of values flows into a function of one tensor."""
    target = function.target
    if len(vals) < 2 or not isinstance(target, Declaration):
        return
    parameters = target.signature.parameters[: len(vals)]
    if any(p.variadic or "tensors" in p.kinds for p in parameters):
        return
    if any({"tensor", "number", "any"} & {*p.kinds} for p in parameters[1:]):
        return
    if not all(isinstance(v.value, Tensor) for v in vals):
        return
    raise walk.stop(
        "bad-input",
        f"`{name}` takes one tensor, and {len(vals)} flow in",
        span,
        help="take the values apart, and go on with one: `first, second = x -> ...`",
    )


def refuse_function(
    walk: Walk,
    function: Declaration,
    refusal: Refusal,
    vals: Sequence[Val],
    keywords: Mapping[str, Val],
    span: Span,
) -> None:
    """Stops at `x -> linear(10)`, which is meant as the layer of that name."""
    if refusal.code not in _ARGUMENTS or not vals:
        return
    flowing, given = vals[0], [for_torch(v) for v in vals[1:]]
    name = _layer_name(function.name, flowing.value)
    named = {k: for_torch(v) for k, v in keywords.items()}
    if not name or not span.text.startswith(function.name):
        return
    try:
        bind(LAYERS[name], given, named)
    except Refusal:
        return
    place = Span(span.chunk, span.start, span.start + len(function.name))
    inside = flowing.span is not None and span.start <= flowing.span.start < span.end
    edits = () if inside else (Edit(place, name),)
    shown = f"x -> {name}" if inside else name + span.text[len(function.name) :]
    raise walk.stop(
        refusal.code,
        f"`{function.name}` is a function that is given its weights; the layer that"
        f" holds them is `{name}`",
        place,
        help=Advice(f"write `{' '.join(shown.split())}`", edits),
    )


_ARGUMENTS = frozenset(
    ("wrong-type", "wrong-value", "missing-argument", "too-many-arguments",
     "unknown-argument")
)  # fmt: skip


def _layer_name(function: str, flowing: Any) -> str:
    """The layer that has weights and the name of a function: `LayerNorm`, `Linear`."""
    word = function.replace("_", "")
    if function in ("batch_norm", "instance_norm") and isinstance(flowing, Tensor):
        word += f"{max((flowing.shape.rank or 4) - 2, 1)}d"
    found = (n for n in LAYERS if n.lower() == word and LAYERS[n].has_weights)
    return next(found, "")


def forward_call(walk: Walk, node: syntax.Call) -> None:
    """Stops at `fc.forward(x)`."""
    function = node.function
    if not isinstance(function, syntax.Attribute) or function.name != "forward":
        return
    with walk.report.muted():
        if not isinstance(walk.evaluate(function.value).value, ModuleValue):
            return
    cut = Span(function.span.chunk, function.value.span.end, function.span.end)
    raise walk.stop(
        "unknown-name",
        "a layer is called by its name alone",
        function.span,
        help=Advice(f"write `{function.value.span.text}(...)`", (Edit(cut, ""),)),
    )


def append_instead(node: syntax.Call) -> Advice:
    """`outs += [x]` for `outs.append(x)`."""
    function = node.function
    if not isinstance(function, syntax.Attribute) or len(node.arguments) != 1:
        return Advice()
    owner, given = function.value.span.text, node.arguments[0].span.text
    if function.name not in ("append", "extend"):
        return Advice()
    added = f"[{given}]" if function.name == "append" else given
    meant = f"{owner} += {added}"
    sure = _stands_alone(node.span)
    return Advice(f"write `{meant}`", (Edit(node.span, meant),) if sure else ())


def declared_below(walk: Walk, name: str) -> Span | None:
    """Where the body declares a name, if it does."""
    for statement in getattr(walk.owner, "body", ()) or ():
        names: tuple[syntax.Expression, ...] = ()
        if isinstance(statement, syntax.Input):
            names = statement.names
        elif isinstance(statement, syntax.Let):
            names = statement.targets
        elif isinstance(statement, syntax.Assign):
            names = (statement.target,)
        for target in names:
            if isinstance(target, syntax.Name) and target.id == name:
                return target.span
    return None
