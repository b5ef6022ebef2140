"""Every rule of a function, compared with torch."""

from __future__ import annotations

import operator
import warnings
from functools import reduce
from typing import Any

import fourier_function_cases  # noqa: F401
import layer_function_cases  # noqa: F401  fills CASES, as do those it imports
import matrix_function_cases  # noqa: F401
import number_function_cases  # noqa: F401
import place_function_cases  # noqa: F401
import pytest
import torch
from function_cases import CASES, Case
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loss_cases import STRICTER as LOSSES_STRICTER
from torch.nn import functional

from netdsl import dims
from netdsl.dims import Atom, Dim, Name, Size, substitute, symbol
from netdsl.facts import Facts
from netdsl.layers import FUNCTIONS
from netdsl.layers.binding import bind
from netdsl.layers.call import Call
from netdsl.layers.spec import Unknown
from netdsl.shapes import DTYPES, Refusal, Shape, Tensor, Undecided, fixed

# Where we are stricter than torch: what our refusal says then, and why.
_NOTHING = ("floating point", "torch takes ints where dropout does nothing")
_FLOATS = ("floating point", "as the layer, for floating point only")
_SOME = ("at least 1", "as the layer: sizes are at least 1")
_TARGET = ("target", "torch takes [1] for the target of one example, [] is meant")
_DIMS = (1, 2, 3)
STRICTER: dict[str, tuple[tuple[str, str], ...]] = {
    **LOSSES_STRICTER,
    **{f"dropout{n}": (_NOTHING,) for n in ("", "1d", "2d", "3d")},
    "alpha_dropout": (_NOTHING,),
    "feature_alpha_dropout": (_NOTHING,),
    "clamp": (("mixed", "torch takes a tensor without sizes for a number"),),
    "clip": (("mixed", "torch takes a tensor without sizes for a number"),),
    "linear": (("bias", "torch adds any bias that broadcasts"),),
    "l1_loss": (_FLOATS,),
    "scaled_dot_product_attention": (
        ("attn_mask", "torch's kernel for 4 sizes refuses such a mask, others do not"),
    ),
    "cosine_similarity": (_FLOATS,),
    "pairwise_distance": (_FLOATS,),
    "local_response_norm": (_FLOATS,),
    **{f"{kind}_pool{n}d": (_FLOATS,) for kind in ("max", "avg", "lp") for n in _DIMS},
    **{
        f"adaptive_{k}_pool{n}d": (_FLOATS, _SOME)
        for k in ("max", "avg")
        for n in _DIMS
    },
    "trapezoid": (("`x` to have", "torch takes any `x` that broadcasts"),),
    "index_copy": (("its source", "torch takes a number for a vector of one"),),
    **dict.fromkeys(
        ("matrix_power", "matrix_exp", "linalg.matrix_power", "linalg.matrix_exp"),
        (("takes float32", "torch multiplies ints and halves as well"),),
    ),
    **{
        f"max_unpool{n}d": (("is a list here", "torch's types have no int there"),)
        for n in _DIMS
    },
    "stft": (("complex numbers", "torch gives pairs of numbers, which is deprecated"),),
    "conv_tbc": (("wider", "torch gives no window then"),),
    "nll_loss": (_TARGET,),
    "cross_entropy": (_TARGET,),
}

# Where ints stand for divisors, they are 1 and not 0.
DIVIDING = {"div", "floor_divide", "remainder", "fmod"}

# Where matrices stand for equations, they are 1 on the diagonal: those have solutions.
SOLVING = {"inverse", "linalg.inv", "linalg.cholesky", "linalg.solve"}

# Where what holds for names is less than what holds for numbers.
CONDITIONS_TOO_STRICT = {
    "chunk": "a size with a name is cut into equal parts only",
    "tensor_split": "a size with a name is cut into equal parts only",
}

OPERATORS = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "@": operator.matmul,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


# -- one use, by both ----------------------------------------------------------


def ours(
    name: str, args: tuple[Any, ...], keywords: dict[str, Any]
) -> tuple[Any, Call]:
    declaration = FUNCTIONS[name]
    call = Call(declaration, bind(declaration, args, keywords), Facts())
    return declaration.rule(call), call


def real(value: Any) -> Any:
    """A tensor of torch for a type."""
    if isinstance(value, Tensor):
        dtype = getattr(torch, "float32" if value.dtype == "float" else value.dtype)
        # Ints are indices, and probabilities are not all 0.
        made = torch.ones if dtype.is_floating_point else torch.zeros
        return made([int(str(s)) for s in value.shape.sizes], dtype=dtype)
    if isinstance(value, tuple | list):
        return type(value)(real(v) for v in value)
    if isinstance(value, str) and value in DTYPES:
        return getattr(torch, value)
    return value


def typed(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return Tensor(fixed(*value.shape), str(value.dtype).removeprefix("torch."))
    return tuple(typed(v) for v in value)


def theirs(name: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    target = FUNCTIONS[name].target
    values = [real(a) for a in args]
    if target in OPERATORS or name in DIVIDING:
        values = [
            torch.ones_like(v) if isinstance(v, torch.Tensor) else v for v in values
        ]
    if name in SOLVING and values[0].dim() > 1:
        values[0] = (
            torch.eye(*values[0].shape[-2:]).expand_as(values[0]).type_as(values[0])
        )
    named = {k: real(v) for k, v in keywords.items()}
    if target in OPERATORS:
        if len(values) < 2:
            raise TypeError("one side only")
        return typed(reduce(OPERATORS[target], values))
    if target.startswith("."):
        return typed(getattr(values[0], target[1:])(*values[1:], **named))
    home, *path = target.split(".")
    found: Any = {"torch": torch, "F": functional}[home]
    for attribute in path:
        found = getattr(found, attribute)
    return typed(found(*values, **named))


def alike(mine: Any, other: Any) -> bool:
    if isinstance(mine, Tensor) and isinstance(other, Tensor):
        dtype = "float32" if mine.dtype == "float" else mine.dtype
        return mine.shape == other.shape and dtype in ("any", other.dtype)
    return (
        isinstance(mine, tuple)
        and isinstance(other, tuple)
        and len(mine) == len(other)
        and all(alike(a, b) for a, b in zip(mine, other, strict=True))
    )


TORCH_ERRORS = (
    RuntimeError,
    TypeError,
    ValueError,
    IndexError,
    NotImplementedError,
    AssertionError,
    ZeroDivisionError,
)


def agree(name: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    """We and torch give the same, or both refuse; so do names for the numbers."""
    use = f"{name}({args}, {keywords})"
    try:
        mine: Any = ours(name, args, keywords)[0]
        refusal = ""
    except Refusal as refused:
        mine, refusal = None, f"{refused.code}: {refused.text}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other: Any = theirs(name, args, keywords)
            error = ""
    except TORCH_ERRORS as raised:
        other, error = None, f"{type(raised).__name__}: {raised}"
    if refusal and not error:
        stricter = any(words in refusal for words, _ in STRICTER.get(name, ()))
        assert stricter, f"{use}: we refuse ({refusal}), torch gives {other}"
    elif error and not refusal:
        pytest.fail(f"{use}: we give {mine}, torch refuses ({error})")
    elif not refusal:
        assert alike(mine, other), f"{use}: we give {mine}, torch {other}"
    for distinct in (False, True):
        with_names(name, args, keywords, mine, distinct)
    with_star(name, args, keywords, mine)


# -- names for the numbers -----------------------------------------------------


class Names:
    """Gives sizes names: one for each number, or one for each place."""

    def __init__(self, distinct: bool) -> None:
        self.distinct = distinct
        self.values: dict[Atom, int | Dim] = {}

    def name(self, number: Any) -> Any:
        if not isinstance(number, int) or number < 2:
            return number
        key = f"n{len(self.values)}" if self.distinct else f"s{number}"
        atom = Name(key)
        self.values[atom] = number
        return dims.of(atom)

    def into(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.with_shape(Shape(tuple(map(self.name, value.shape.sizes))))
        if isinstance(value, tuple | list):
            return type(value)(self.into(v) for v in value)
        return value

    def back(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            sizes = (substitute(s, self.values) for s in value.shape.sizes)
            return value.with_shape(Shape(tuple(sizes)))
        return tuple(self.back(v) for v in value)

    def hold(self, call: Call) -> bool:
        return all(
            Facts().decide(
                c._replace(
                    left=substitute(c.left, self.values),
                    right=substitute(c.right, self.values),
                )
            )
            for c, _ in call.conditions
        )


def with_names(
    name: str,
    args: tuple[Any, ...],
    keywords: dict[str, Any],
    expected: Any,
    distinct: bool,
) -> None:
    names = Names(distinct)
    symbolic = names.into(args)
    use = f"{name}({symbolic}, {keywords}) for {args}"
    try:
        result, call = ours(name, symbolic, keywords)
    except Undecided:
        return
    except Refusal as refused:
        assert expected is None, f"{use}: refused: {refused.text}"
        return
    if not names.hold(call):
        allowed = expected is None or name in CONDITIONS_TOO_STRICT
        assert allowed, f"{use}: {call.conditions} do not hold"
        return
    assert expected is not None, f"{use}: accepted"
    assert names.back(result) == expected, f"{use}: {result}, not {expected}"


def with_star(
    name: str, args: tuple[Any, ...], keywords: dict[str, Any], expected: Any
) -> None:
    """The leading sizes of the only tensor become `*`."""
    count = sum(isinstance(a, Tensor | list) for a in args)
    if count != 1 or not isinstance(args[0], Tensor) or not args[0].shape.sizes:
        return
    sizes = args[0].shape.sizes
    for i in (1, len(sizes)):
        starred = args[0].with_shape(Shape((), "S", sizes[i:]))
        try:
            result, call = ours(name, (starred, *args[1:]), keywords)
        except Undecided:
            continue
        except Refusal as refused:
            allowed = expected is None or refused.code == "unknown-rank"
            assert allowed, f"{name}({starred}, {args[1:]}): {refused.text}"
            continue
        use = f"{name}({starred}, {args[1:]}, {keywords}) for {args[0]}"
        assert expected is not None, f"{use}: accepted"
        assert unstarred(result, sizes[:i]) == expected, f"{use}: {result}"
        assert not call.conditions


def unstarred(value: Any, sizes: tuple[Any, ...]) -> Any:
    if isinstance(value, Tensor):
        head, star, tail = value.shape.head, value.shape.star, value.shape.tail
        return value.with_shape(Shape(head + (sizes if star else ()) + tail))
    return tuple(unstarred(v, sizes) for v in value)


# -- tests ---------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_rule_and_torch_agree(name: str) -> None:
    @settings(
        max_examples=30,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def check(data: st.DataObject) -> None:
        use: Case = data.draw(CASES[name])
        agree(name, *use)

    check()


def test_every_function_has_cases() -> None:
    assert set(CASES) == set(FUNCTIONS)


def of(*sizes: Size) -> Tensor:
    return Tensor(fixed(*sizes))


def starred(star: str, *tail: Size) -> Tensor:
    return Tensor(Shape((), star, tail))


# -- over names ----------------------------------------------------------------

B, T, C, H, W = (symbol(n) for n in ("B", "T", "C", "H", "W"))
HEADS = symbol("heads")


def over_names(name: str, *args: Any, **keywords: Any) -> tuple[list[str], list[str]]:
    """The shapes of the results, and the conditions."""
    result, call = ours(name, args, keywords)
    results = (result,) if isinstance(result, Tensor) else result
    return [str(t.shape) for t in results], [str(c) for c, _ in call.conditions]


@pytest.mark.parametrize(
    ("use", "shapes", "conditions"),
    [
        (
            ("view", of(B, T, C), B, T, HEADS, C // HEADS),
            ["[B, T, heads, C // heads]"],
            ["C % heads == 0"],
        ),
        (
            ("view", of(B, T, C), B, T, HEADS, -1),
            ["[B, T, heads, C // heads]"],
            ["C % heads == 0"],
        ),
        (
            ("view", of(B, T, 3 * C), B, T, 3, HEADS, -1),
            ["[B, T, 3, heads, C // heads]"],
            ["C % heads == 0"],
        ),
        (
            ("view", of(B, H, W, C), B, H // 7, 7, W // 7, 7, C),
            ["[B, H // 7, 7, W // 7, 7, C]"],
            ["H % 7 == 0", "W % 7 == 0"],
        ),
        (("reshape", of(B, C, H, W), B, -1), ["[B, C * H * W]"], []),
        (("reshape", of(B, T, HEADS, C), -1, C), ["[B * T * heads, C]"], []),
        (("flatten", of(B, C, H, W), 1), ["[B, C * H * W]"], []),
        (
            ("unflatten", starred("S", C), -1, (HEADS, -1)),
            ["[*S, heads, C // heads]"],
            ["C % heads == 0"],
        ),
        (("chunk", of(B, T, 3 * C), 3, -1), ["[B, T, C]"] * 3, []),
        (("chunk", of(B, C), 2, 1), ["[B, C // 2]"] * 2, ["C % 2 == 0"]),
        (("split", of(B, T, 3 * C), C, 2), ["[B, T, C]"] * 3, []),
        (("split", of(B, T + C), [T, C], 1), ["[B, T]", "[B, C]"], []),
        (("cat", [of(B, C, T), of(B, H, T)], 1), ["[B, C + H, T]"], []),
        (("cat", [starred("S", C), starred("S", 3)], -1), ["[*S, C + 3]"], []),
        (("cat", [of(B, C), of(T, C)], 1), ["[B, 2 * C]"], ["B == T"]),
        (("+", of(B, T, C), of(T, 1)), ["[B, T, C]"], []),
        (("+", starred("S", C), of(C)), ["[*S, C]"], []),
        (("softmax", starred("S", C), -1), ["[*S, C]"], []),
        (("mean", of(B, C, H, W), (2, 3)), ["[B, C]"], []),
        (("mean", starred("S", H, W), (-2, -1)), ["[*S]"], []),
        (("max", of(B, C), 1), ["[B]", "[B]"], []),
        (("transpose", starred("S", H, W), -2, -1), ["[*S, W, H]"], []),
        (("unsqueeze", starred("S", C), -1), ["[*S, C, 1]"], []),
        (("expand", of(1, 1, C), B, 1, -1), ["[B, 1, C]"], []),
        (("@", of(B, HEADS, T, C), of(B, HEADS, C, T)), ["[B, heads, T, T]"], []),
        (("matmul", starred("S", C), of(C, H)), ["[*S, H]"], []),
        (
            ("einsum", "...id,...jd->...ij", starred("S", T, C), starred("S", H, C)),
            ["[*S, T, H]"],
            [],
        ),
        (
            ("pixel_shuffle", of(B, C, H, W), 2),
            ["[B, C // 4, 2 * H, 2 * W]"],
            ["C % 4 == 0"],
        ),
        (("arange", T), ["[T]"], []),
        (("arange", 0, T, 2), ["[(T - 1) // 2 + 1]"], []),
        (("zeros", B, 2 * C), ["[B, 2 * C]"], []),
        (("max_pool2d", of(B, C, 2 * H, 2 * W), 2), ["[B, C, H, W]"], []),
        (
            ("scaled_dot_product_attention", *[of(B, HEADS, T, C)] * 3),
            ["[B, heads, T, C]"],
            [],
        ),
        (("topk", of(B, C), 5), ["[B, 5]", "[B, 5]"], ["5 <= C"]),
        (("linear", starred("S", C), of(H, C), of(H)), ["[*S, H]"], []),
    ],
)
def test_names_stay(
    use: tuple[Any, ...], shapes: list[str], conditions: list[str]
) -> None:
    assert over_names(*use) == (shapes, conditions)


# -- refusals ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("use", "text"),
    [
        (
            ("cat", [of(B, 64, 32, 32), of(B, 64, 16, 16)], 1),
            "`cat` joins [B, 64, 32, 32] and [B, 64, 16, 16] along size 1:"
            " sizes 2 and 3 differ: 32 and 16, 32 and 16",
        ),
        (
            ("view", of(2, 6), 4, 2),
            "`view` turns [2, 6] into [4, 2]: 12 elements don't fit into 8",
        ),
        (("softmax", of(B, C), 2), "dim=2 is out of range for [B, C]"),
        (
            ("matmul", of(B, 3), of(4, C)),
            "`matmul` multiplies [B, 3] by [4, C]: the inner sizes are 3 and 4",
        ),
        (("gelu", of(B), "tanh"), "`gelu` takes one argument by position, not 2"),
    ],
)
def test_refusals_name_both_shapes(use: tuple[Any, ...], text: str) -> None:
    with pytest.raises(Refusal) as refused:
        over_names(*use)
    assert refused.value.text == text


def test_a_list_of_unknown_ints_waits() -> None:
    with pytest.raises(Undecided):
        over_names("view", of(B, T), Unknown("list[int]"))
    with pytest.raises(Undecided):
        over_names("mean", of(B, T), Unknown("int"))
