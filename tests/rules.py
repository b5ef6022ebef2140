"""Runs one use of a layer or function through our rule and through torch.

`check` is what tests call: a use with numbers goes through `bind`, inference of
sizes and the rule, and through torch; both must give the same shapes, dtypes,
parameters and buffers, or both refuse.  The rule is then run again with names
in place of the numbers (and with `*` in place of the leading sizes), and what
comes out must give the same numbers, under conditions that hold.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple, cast

import torch
from torch import nn
from torch.nn import functional

from netdsl.dims import Atom, Dim, Name, Size, of, substitute
from netdsl.facts import Comparison, Facts
from netdsl.layers import FUNCTIONS, LAYERS
from netdsl.layers.binding import bind
from netdsl.layers.call import Call
from netdsl.layers.spec import Declaration
from netdsl.shapes import DTYPES, Refusal, Shape, Tensor, Undecided, fixed

Value = Any
Sizes = Mapping[str, tuple[Value, ...]]


def tensor(*sizes: Size, dtype: str = "float") -> Tensor:
    return Tensor(fixed(*sizes), dtype)


@dataclass(frozen=True)
class Use:
    """A layer with its arguments (all by keyword) and its inputs; or a function,
    whose arguments are all inputs."""

    declaration: Declaration
    inputs: tuple[Value, ...]
    arguments: Mapping[str, Value] = field(default_factory=dict)
    keywords: Mapping[str, Value] = field(default_factory=dict)
    training: bool = False

    def __str__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.arguments.items())
        inputs = ", ".join(
            [str(i) for i in self.inputs]
            + [f"{k}={v}" for k, v in self.keywords.items()]
        )
        made = f"({arguments})" if self.declaration.is_layer else ""
        return f"{self.declaration.name}{made}({inputs})"


def layer_use(
    name: str,
    *inputs: Value,
    keywords: Mapping[str, Value] | None = None,
    training: bool = False,
    **arguments: Value,
) -> Use:
    return Use(LAYERS[name], inputs, arguments, keywords or {}, training)


def function_use(name: str, *args: Value, **keywords: Value) -> Use:
    return Use(FUNCTIONS[name], args, {}, keywords)


class Answer(NamedTuple):
    """What a use gives.  `refusal` is why not; the rest is then empty.

    Parameters whose number is not known (`num_layers` is a name) are None.
    """

    result: Value = None
    parameters: Sizes | None = MappingProxyType({})
    buffers: Sizes | None = MappingProxyType({})
    refusal: str = ""


# -- our side ------------------------------------------------------------------


def _inferred(declaration: Declaration, call: Call) -> Mapping[str, Value]:
    """The constructor's arguments that follow from the inputs."""
    found = {}
    for parameter in declaration.signature.parameters:
        if parameter.inferred is not None and parameter.name not in call.values:
            source, index = parameter.inferred
            name = source or declaration.call.parameters[0].name
            found[parameter.name] = call.values[name].shape.at(index)
    call.values.update(found)
    if declaration.infer is not None:
        found.update(declaration.infer(call))
    return found


def _bound(use: Use) -> Call:
    declaration = use.declaration
    if not declaration.is_layer:
        values = bind(declaration, use.inputs, use.keywords)
        return Call(declaration, values, Facts())
    values = bind(declaration, (), use.arguments)
    inputs = bind(declaration, use.inputs, use.keywords, running=True)
    return Call(declaration, {**values, **inputs}, Facts())


def apply_rule(use: Use) -> tuple[Call, Value]:
    """The call as the rule saw it, and the result; or a Refusal."""
    call = _bound(use)
    refusal: Refusal | None = None
    try:
        call.values.update(_inferred(use.declaration, call))
    except Refusal as error:
        # The rule knows better words, if it looks at the input first.
        refusal = error
    try:
        return call, use.declaration.rule(call)
    except (AttributeError, KeyError):
        if refusal is None:
            raise
        raise refusal from None


def _our_answer(use: Use) -> tuple[Answer, Call | None]:
    try:
        call, result = apply_rule(use)
    except Refusal as refusal:
        return Answer(refusal=f"{refusal.code}: {refusal.text}"), None
    declaration = use.declaration
    return (
        Answer(
            result,
            _sizes(declaration.parameters, call),
            _sizes(declaration.buffers, call),
        ),
        call,
    )


def _sizes(rule: Callable[[Call], Sizes] | None, call: Call) -> Sizes | None:
    try:
        return {k: tuple(v) for k, v in rule(call).items()} if rule else {}
    except Undecided:
        return None


def our_answer(use: Use) -> Answer:
    return _our_answer(use)[0]


# -- torch's side --------------------------------------------------------------

_REFUSALS = (
    RuntimeError,
    ValueError,
    TypeError,
    IndexError,
    AssertionError,
    ZeroDivisionError,
    OverflowError,
)


def _to_torch(value: Value, device: str) -> Value:
    if isinstance(value, Tensor):
        dtype = "float32" if value.dtype == "float" else value.dtype
        real = getattr(torch, dtype)
        sizes = cast("tuple[int, ...]", value.shape.sizes)
        if device == "cpu" and real.is_floating_point:
            return torch.rand(sizes, dtype=real)
        return torch.zeros(sizes, dtype=real, device=device)
    if isinstance(value, tuple | list):
        return type(value)(_to_torch(v, device) for v in value)
    if isinstance(value, str) and value in DTYPES:
        return getattr(torch, value)
    return value


def _from_torch(value: Value) -> Value:
    if isinstance(value, torch.Tensor):
        return Tensor(fixed(*value.shape), str(value.dtype).removeprefix("torch."))
    if isinstance(value, tuple | list):
        return tuple(_from_torch(v) for v in value)
    return value


def _target(target: str) -> Callable[..., Value]:
    if target.startswith("."):
        name = target[1:]
        return lambda first, *rest, **keywords: getattr(first, name)(*rest, **keywords)
    place: Value = {"torch": torch, "nn": nn, "F": functional}
    found: Value = None
    for i, part in enumerate(target.split(".")):
        found = place[part] if i == 0 else getattr(found, part)
    return found  # type: ignore[no-any-return]


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def torch_module(use: Use, device: str = "cpu") -> nn.Module:
    """The layer.  Sizes that can't be inferred are 4, so that it is the input's
    rank that torch refuses."""
    try:
        inferred = _inferred(use.declaration, _bound(use))
    except Refusal:
        parameters = use.declaration.signature.parameters
        inferred = {p.name: 4 for p in parameters if p.inferred is not None}
    with torch.device(device):
        module = _target(use.declaration.target)(**{**inferred, **use.arguments})
    return module.train(use.training)  # type: ignore[no-any-return]


def torch_answer(use: Use, device: str = "cpu") -> Answer:
    try:
        with _quiet(), torch.random.fork_rng():
            inputs = [_to_torch(i, device) for i in use.inputs]
            keywords = {k: _to_torch(v, device) for k, v in use.keywords.items()}
            if not use.declaration.is_layer:
                result = _target(use.declaration.target)(*inputs, **keywords)
                return Answer(_from_torch(result))
            module = torch_module(use, device)
            result = module(*inputs, **keywords)
    except NotImplementedError as error:
        if "Meta" in str(error):
            raise
        return Answer(refusal=str(error) or "not implemented")
    except _REFUSALS as error:
        return Answer(refusal=str(error) or type(error).__name__)
    return Answer(
        _from_torch(result),
        {k: tuple(v.shape) for k, v in module.named_parameters()},
        {k: tuple(v.shape) for k, v in module.named_buffers()},
    )


# -- with names for numbers ----------------------------------------------------


# Bounds of arguments are not worth a condition: see Call.at_least.
_BOUNDS = ("wrong-value", "bad-dimension")
# How a size times such a number is rounded depends on the size.
_ROUNDED = ("scale_factor", "output_ratio")


class _Names:
    """Gives each number a name of its own, and knows the numbers again."""

    def __init__(self) -> None:
        self.values: dict[Atom, Value] = {}

    def name(self, number: int, letter: str, lo: int | None) -> Dim:
        atom = Name(f"{letter}{len(self.values)}", lo)
        self.values[atom] = number
        return of(atom)

    def of_input(self, value: Value) -> Value:
        if isinstance(value, Tensor):
            # Only a literal 1 broadcasts, so a 1 has to stay one.
            sizes = [
                self.name(s, "n", 1) if isinstance(s, int) and s > 1 else s
                for s in value.shape.sizes
            ]
            return value.with_shape(Shape(tuple(sizes)))
        if isinstance(value, tuple | list):
            return type(value)(self.of_input(v) for v in value)
        return value

    def of_argument(self, value: Value) -> Value:
        if isinstance(value, int) and not isinstance(value, bool):
            return self.name(value, "a", None)
        if isinstance(value, tuple | list):
            return type(value)(self.of_argument(v) for v in value)
        return value

    def back(self, value: Value) -> Value:
        if isinstance(value, Tensor):
            return value.with_shape(
                Shape(tuple(self.back(s) for s in value.shape.sizes))
            )
        if isinstance(value, tuple | list):
            return tuple(self.back(v) for v in value)
        return substitute(value, self.values) if isinstance(value, Dim) else value


def _holds(call: Call, names: _Names) -> bool:
    return all(
        Facts().decide(Comparison(c.op, names.back(c.left), names.back(c.right)))
        for c, _ in call.conditions
    )


def check_symbolic(use: Use, *, arguments: bool = False) -> None:
    """The rule over names gives what it gives over numbers.

    With `arguments`, the layer's ints are names too, and a rule may say that
    it needs one of them as a number.
    """
    expected = our_answer(use)
    if arguments and expected.refusal.startswith(_BOUNDS):
        return
    names = _Names()
    symbolic = Use(
        use.declaration,
        names.of_input(use.inputs),
        (
            {k: names.of_argument(v) for k, v in use.arguments.items()}
            if arguments
            else use.arguments
        ),
        {k: names.of_input(v) for k, v in use.keywords.items()},
    )
    try:
        answer, call = _our_answer(symbolic)
    except Undecided as undecided:
        allowed = arguments or str(undecided) in _ROUNDED
        assert allowed, f"{use}: with names, {undecided} is undecided"
        return
    _compare_again(f"{symbolic} for {use}", expected, answer, call, names)


def check_starred(use: Use) -> None:
    """The rule over `*` for the leading sizes gives the same, or needs the rank."""
    if len(use.inputs) != 1 or use.keywords or not isinstance(use.inputs[0], Tensor):
        return
    expected = our_answer(use)
    if expected.refusal:
        # Rules let `*` pass where some ranks are right; a use with numbers decides.
        return
    sizes = use.inputs[0].shape.sizes
    for i in range(1, len(sizes) + 1):
        names = _Names()
        starred = use.inputs[0].with_shape(Shape((), "S", sizes[i:]))
        again = Use(use.declaration, (starred,), use.arguments)
        try:
            call, result = apply_rule(again)
        except Refusal as refusal:
            assert (
                refusal.code == "unknown-rank"
            ), f"{again}: {refusal.text}, but not so for {use}"
            continue
        answer = expected._replace(result=_expand(result, sizes[:i]))
        _compare_again(f"{again} for {use}", expected, answer, call, names)


def _expand(value: Value, sizes: tuple[Size, ...]) -> Value:
    if isinstance(value, Tensor):
        shape = value.shape
        if shape.star is None:
            return value
        return value.with_shape(Shape((*shape.head, *sizes, *shape.tail)))
    if isinstance(value, tuple):
        return tuple(_expand(v, sizes) for v in value)
    return value


def _compare_again(
    what: str, expected: Answer, answer: Answer, call: Call | None, names: _Names
) -> None:
    if call is None:
        assert expected.refusal, f"{what}: refused, {answer.refusal}"
        return
    if expected.refusal:
        assert not _holds(call, names), f"{what}: accepted, not {expected.refusal}"
        return
    assert _holds(call, names), f"{what}: {call.conditions} do not hold"
    assert names.back(answer.result) == expected.result, f"{what}: {answer.result}"
    for one, other in (
        (answer.parameters, expected.parameters),
        (answer.buffers, expected.buffers),
    ):
        if one is not None and other is not None:
            assert {k: names.back(v) for k, v in one.items()} == dict(other), what


# -- both ----------------------------------------------------------------------


def check(use: Use, *, device: str = "cpu", symbolic: bool = True) -> bool:
    """Compares our answer with torch's; says whether both accept."""
    ours, theirs = our_answer(use), torch_answer(use, device)
    if ours.refusal:
        refused = theirs.refusal or _is_empty(theirs.result)
        assert refused, f"{use}: we refuse ({ours.refusal}), torch does not"
    elif theirs.refusal:
        raise AssertionError(f"{use}: torch refuses ({theirs.refusal}), we do not")
    else:
        assert _alike(
            ours.result, theirs.result
        ), f"{use}: we say {_say(ours.result)}, torch {_say(theirs.result)}"
        for what in ("parameters", "buffers"):
            mine, other = getattr(ours, what), getattr(theirs, what)
            assert mine is not None and list(mine.items()) == list(
                other.items()
            ), f"{use}: our {what} are {mine}, torch's {other}"
    if symbolic:
        check_symbolic(use)
        check_starred(use)
        if use.arguments:
            check_symbolic(use, arguments=True)
    return not ours.refusal


def _is_empty(value: Value) -> bool:
    """Whether a tensor has no elements.  Our sizes are at least 1."""
    if isinstance(value, Tensor):
        return 0 in value.shape.sizes
    return isinstance(value, tuple) and any(_is_empty(v) for v in value)


def _alike(ours: Value, theirs: Value) -> bool:
    if isinstance(ours, Tensor):
        if not isinstance(theirs, Tensor) or ours.shape != theirs.shape:
            return False
        if ours.dtype == "float":
            return theirs.dtype == "float32"
        return ours.dtype in ("any", theirs.dtype)
    if isinstance(ours, tuple):
        return (
            isinstance(theirs, tuple)
            and len(ours) == len(theirs)
            and all(_alike(a, b) for a, b in zip(ours, theirs, strict=True))
        )
    return bool(ours == theirs)


def _say(value: Value) -> str:
    if isinstance(value, Tensor):
        return f"{value} {value.dtype}"
    if isinstance(value, tuple):
        return f"({', '.join(_say(v) for v in value)})"
    return str(value)
