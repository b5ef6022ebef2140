"""Arguments matched to hyperparameters, inputs and parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from netdsl import graph, syntax
from netdsl.diagnostics import Advice, Label
from netdsl.elaborate import arithmetic
from netdsl.elaborate.state import State
from netdsl.elaborate.types import (
    fits_type,
    type_text,
)
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    Factory,
    FunctionValue,
    NetParameter,
    Val,
    freeze,
    leaves,
    type_name,
)
from netdsl.elaborate.walk import Stop, Walk
from netdsl.graph import Argument, NetModule
from netdsl.layers import Unknown
from netdsl.shapes import Tensor
from netdsl.source import Span


def _layer_of(walk: Walk, value: Any, span: Span | None) -> Advice:
    """The layer that is like a function or a word: `ReLU` for `relu`."""
    if isinstance(value, FunctionValue) and span is not None:
        word = span.text.partition("=")[2].strip() or span.text
        layers = walk.program.layer_names(walk.owner)
        if word.isidentifier():
            place = Span(span.chunk, span.end - len(word), span.end)
            return walk.suggest(word, layers, place)
    return Advice()


class Arguments(State):
    """Arguments matched to hyperparameters, inputs and parameters."""

    def match_hyperparameters(
        self, walk: Walk, module: NetModule
    ) -> dict[str, Argument]:
        """A net's hyperparameters by name, as given; defaults are left out."""
        net: syntax.Net = module.net
        given: dict[str, Argument] = {}
        parameters = net.parameters
        for i, argument in enumerate(module.positional):
            if i >= len(parameters):
                raise walk.stop(
                    "too-many-arguments",
                    f"`{net.name}` takes {count(len(parameters))}, not"
                    f" {len(module.positional)}",
                    argument.span or module.span or net.name_span,
                    labels=[Label(net.name_span, "defined here")],
                    help=(
                        f"tensors flow into it: `x -> {net.name}`"
                        if isinstance(argument.value, Tensor)
                        else "sizes of the inputs are not written: they follow from"
                        " what flows in"
                    ),
                )
            given[parameters[i].name] = argument
        by_name = {p.name: p for p in parameters}
        for name, argument in module.keywords.items():
            if name in given:
                raise walk.stop(
                    "repeated-argument",
                    f"`{net.name}` is given `{name}` twice",
                    argument.span or module.span or net.name_span,
                )
            if name not in by_name and name not in self.size_words(net):
                known = [*by_name, *self.size_words(net)]
                raise walk.stop(
                    "unknown-argument",
                    f"`{net.name}` has no hyperparameter `{name}`",
                    argument.span or module.span or net.name_span,
                    help=walk.suggest(name, known, argument.span),
                )
            if name not in by_name:
                self._check_size_word(walk, net, name, argument)
            given[name] = argument
        for parameter in parameters:
            if parameter.name not in given and parameter.default is None:
                raise walk.stop(
                    "missing-argument",
                    f"`{net.name}` needs `{parameter.name}`",
                    module.span or net.name_span,
                    labels=[Label(parameter.span, "this hyperparameter")],
                )
            if parameter.name in given:
                self._check_type(walk, net, parameter, given[parameter.name])
        return given

    def _check_size_word(
        self, walk: Walk, net: syntax.Net, name: str, argument: Argument
    ) -> None:
        value = argument.value
        if isinstance(value, Blur) or arithmetic.is_int(value):
            if not isinstance(value, int) or value >= 1:
                return
        raise walk.stop(
            "wrong-value",
            f"the size {name} of `{net.name}` is an int of at least 1, not"
            f" {arithmetic.describe_value(value)}",
            argument.span or net.name_span,
        )

    def _check_type(
        self, walk: Walk, net: Any, parameter: syntax.Parameter, argument: Argument
    ) -> None:
        kind = self.parameter_kind(walk, parameter)
        value = argument.value
        if holds_net(kind):
            parts = [v for v in leaves(value) if v is not None]
            for part in parts:
                if isinstance(part, Factory | NetParameter | Unknown | Blur):
                    self.bind_net(net, parameter.name, part)
                elif kind == "net":
                    raise walk.stop(
                        "wrong-type",
                        f"`{parameter.name}` of `{net.name}` is a net, not"
                        f" {arithmetic.describe_value(value)}",
                        argument.span or net.name_span,
                        help=_layer_of(walk, part, argument.span),
                    )
            return
        if kind and not fits_type(value, kind):
            if self._contradicts_itself(walk, parameter, kind, argument):
                raise Stop
            raise walk.stop(
                "wrong-type",
                f"`{parameter.name}` of `{net.name}` is of type {kind}, not"
                f" {arithmetic.describe_value(value)}",
                argument.span or net.name_span,
                labels=[Label(parameter.span, "declared here")],
            )

    def _contradicts_itself(
        self, walk: Walk, parameter: syntax.Parameter, kind: str, given: Argument
    ) -> bool:
        """Whether a parameter's own default isn't of its type, which is told there."""
        if parameter.default is None or given.span == parameter.default.span:
            return False
        with walk.report.muted():
            default = walk.evaluate(parameter.default).value
        return not fits_type(default, kind)

    def bind_net(self, net: Any, name: str, value: Any) -> None:
        """Remembers what a net parameter stands for."""
        if isinstance(value, NetParameter):
            for binding in value.bindings:
                self.bind_net(net, name, binding)
        elif isinstance(value, Factory):
            if isinstance(value.target, NetParameter):
                for binding in value.target.bindings:
                    joined = Factory(
                        binding.target,
                        binding.positional + value.positional,
                        binding.keywords + value.keywords,
                        value.span,
                    )
                    self.bind_net(net, name, joined)
                return
            known = self.bindings.setdefault((id(net), name), {})
            known.setdefault(freeze(value), value)

    def parameter_kind(self, walk: Walk, parameter: syntax.Parameter) -> str:
        """The type of a hyperparameter: as written, or that of its default."""
        kind = self.kinds.get(id(parameter))
        if kind is None:
            kind = self.kinds[id(parameter)] = self._kind(walk, parameter)
        return kind

    def _kind(self, walk: Walk, parameter: syntax.Parameter) -> str:
        if parameter.type is not None:
            return type_text(walk, parameter.type)
        if parameter.default is None:
            return "int"
        with walk.report.muted():
            inner = Walk(self, walk.owner, defining=False)
            value = inner.evaluate(parameter.default).value
        if isinstance(value, Factory):
            return "net"
        kind = type_name(value)
        return "" if kind in ("Any", "None", "Tensor") else kind

    def inputs_by_name(
        self,
        walk: Walk,
        net: syntax.Net,
        vals: Sequence[Val],
        keywords: Mapping[str, Val],
        span: Span,
    ) -> dict[str, Val]:
        names = self.input_names(net)
        actual: dict[str, Val] = {}
        if names is None:
            names = [f"x{i}" if i else "x" for i in range(len(vals))]
        for i, val in enumerate(vals):
            if i >= len(names):
                raise walk.stop(
                    "bad-input",
                    f"`{net.name}` takes {inputs(len(names))}, and"
                    f" {len(vals)} flow in",
                    val.span or span,
                    labels=[Label(net.name_span, "defined here")],
                )
            actual[names[i]] = Val(val.value, val.expr, span)
        for name, val in keywords.items():
            if name not in names:
                raise walk.stop(
                    "unknown-argument",
                    f"`{net.name}` has no input `{name}`",
                    val.span or span,
                    help=walk.suggest(name, names, val.span),
                )
            if name in actual:
                raise walk.stop(
                    "repeated-argument",
                    f"`{net.name}` is given `{name}` twice",
                    val.span or span,
                )
            actual[name] = val
        if any(isinstance(v.value, Blur) and v.value.reason is None for v in vals):
            # What a mistake left without a type may be as many values as are due.
            for name in names:
                actual.setdefault(name, Val(BLUR, graph.Const(None), span))
        return actual

    def match_parameters(
        self,
        walk: Walk,
        fn: syntax.Fn,
        vals: Sequence[Val],
        keywords: Mapping[str, Val],
        span: Span,
    ) -> dict[str, Val]:
        given: dict[str, Val] = {}
        names = [p.name for p in fn.parameters]
        for i, val in enumerate(vals):
            if i >= len(names):
                raise walk.stop(
                    "too-many-arguments",
                    f"`{fn.name}` takes {count(len(names))}, not {len(vals)}",
                    val.span or span,
                )
            given[names[i]] = val
        for name, val in keywords.items():
            if name not in names or name in given:
                code = "repeated-argument" if name in given else "unknown-argument"
                raise walk.stop(
                    code,
                    (
                        f"`{fn.name}` has no argument `{name}`"
                        if name not in names
                        else f"`{fn.name}` is given `{name}` twice"
                    ),
                    val.span or span,
                    help=walk.suggest(name, names, val.span),
                )
            given[name] = val
        for parameter in fn.parameters:
            if parameter.name not in given and parameter.default is None:
                raise walk.stop(
                    "missing-argument", f"`{fn.name}` needs `{parameter.name}`", span
                )
        return given


@cache
def holds_net(kind: str) -> bool:
    words = kind.replace("[", " ").replace("]", " ").replace(",", " ").replace("|", " ")
    return "net" in words.split()


def count(n: int) -> str:
    return "no arguments" if n == 0 else "one argument" if n == 1 else f"{n} arguments"


def inputs(n: int) -> str:
    return "no inputs" if n == 0 else "one input" if n == 1 else f"{n} inputs"
