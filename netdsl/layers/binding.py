"""Arguments bound to a signature: checked, and what is said of wrong ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from netdsl.dims import Dim, show
from netdsl.layers.spec import (
    WIDTHS,
    Declaration,
    OpenInts,
    Parameter,
    Signature,
    Unknown,
    Value,
)
from netdsl.shapes import (
    DTYPES,
    Refusal,
    Tensor,
)
from netdsl.suggestions import is_sure, nearest


def bind(
    declaration: Declaration,
    positional: Sequence[Value],
    keywords: Mapping[str, Value],
    *,
    running: bool = False,
) -> dict[str, Value]:
    """Arguments by name, checked and normalised; sizes to infer are left out.

    `running` binds what a layer takes when it runs.  Raises Refusal with the
    place or the name of the argument at fault.
    """
    signature = declaration.call if running else declaration.signature
    name = declaration.name
    places = signature.places
    values: dict[str, Value] = {}
    for i, value in enumerate(positional):
        if i < len(places) and places[i].variadic:
            values[places[i].name] = _checked_all(name, places[i], positional[i:], i)
            break
        if i >= len(places):
            raise _too_many(declaration, places, positional, i, running)
        values[places[i].name] = _checked(name, places[i], value, i)
    for key, value in keywords.items():
        parameter = signature.by_name.get(key)
        if parameter is None:
            raise _unknown(declaration, signature, key)
        if key in values:
            raise Refusal(
                "repeated-argument",
                f"`{name}` is given `{key}` twice",
                note="given by position already",
                argument=key,
            )
        if parameter.variadic:
            values[key] = _checked_all(name, parameter, (value,), None)
        else:
            values[key] = _checked(name, parameter, value, None)
    for parameter in signature.parameters:
        if parameter.name in values or parameter.inferred is not None:
            continue
        if parameter.variadic:
            values[parameter.name] = ()
        elif parameter.required:
            if running:
                raise Refusal(
                    "bad-input",
                    f"`{name}` needs its input `{parameter.name}` too",
                    help=f"write `({_example(declaration, running)}) -> ...`",
                )
            raise Refusal(
                "missing-argument",
                f"`{name}` needs `{parameter.name}`",
                note=f"`{parameter.name}` is missing",
                help=f"write `{name}({_example(declaration, running, values)})`",
            )
        else:
            values[parameter.name] = _normal(parameter, parameter.default)
    return values


def _unknown(declaration: Declaration, signature: Signature, word: str) -> Refusal:
    near = nearest(word, signature.by_name)
    return Refusal(
        "unknown-argument",
        f"`{declaration.name}` has no argument `{word}`",
        help=f"did you mean `{near}`?" if near else _known(signature, word),
        argument=word,
        meant=near if is_sure(word, near, signature.by_name) else "",
    )


def _known(signature: Signature, word: str) -> str:
    """What an argument that nothing is like could have been."""
    if word in ("device", "dtype"):
        return "the caller moves and converts the built module"
    known = ", ".join(f"`{p.name}`" for p in signature.parameters if not p.inferred)
    return f"it takes {known}" if known else "it takes no arguments"


def _example(
    declaration: Declaration, running: bool, given: Mapping[str, Value] | None = None
) -> str:
    signature = declaration.call if running else declaration.signature
    wanted = [p for p in signature.parameters if p.required and p.inferred is None]
    flows = not declaration.is_layer and wanted and "tensor" in wanted[0].kinds
    if flows and len(wanted) > 1:
        wanted = wanted[1:]
    known = {k: _literal_text(v) for k, v in (given or {}).items()}
    shown = []
    for p in wanted:
        word = known.get(p.name, "...")
        if word != "..." and not running:
            shown.append(word)
        else:
            shown.append(f"{p.name}=-1" if p.name == "dim" else p.name)
    return ", ".join(shown)


def _too_many(
    declaration: Declaration,
    places: list[Parameter],
    positional: Sequence[Value],
    at: int,
    running: bool,
) -> Refusal:
    name = declaration.name
    given = len(positional)
    inferred = [p for p in declaration.signature.parameters if p.inferred]
    named = [] if running else optional_names(declaration, positional)
    if named and inferred:
        rest = zip(named, positional[len(places) :], strict=True)
        shown = [f"{n}={_literal_text(v)}" for n, v in rest]
        first = [_literal_text(v) for v in positional[: len(places)]]
        return Refusal(
            "too-many-arguments",
            f"`{named[0]}` of `{name}` goes by name, as all optional arguments",
            help=f"write `{name}({', '.join([*first, *shown])})`",
            position=at,
            instead=shown[0] if len(shown) == 1 else "",
        )
    if declaration.infers and not running and inferred:
        return Refusal(
            "too-many-arguments",
            f"`{name}` takes {_count(len(places))} by position, not {given}:"
            f" `{inferred[0].name}` follows from the tensor that flows in",
            help=_without_sizes(declaration, positional),
            position=(
                at if inferred[0] is not declaration.signature.parameters[0] else 0
            ),
        )
    signature = declaration.call if running else declaration.signature
    if running:
        return Refusal(
            "bad-input",
            f"`{name}` takes {_tensors(len(places))}, and {given} flow in",
            position=at,
        )
    by_keyword = [p.name for p in signature.parameters if p.keyword]
    return Refusal(
        "too-many-arguments",
        f"`{name}` takes {_count(len(places))}"
        f"{' by position' if by_keyword else ''}, not {given}",
        note="one too many",
        help=f"`{by_keyword[0]}` is given by keyword" if by_keyword else "",
        position=at,
    )


def optional_names(declaration: Declaration, positional: Sequence[Value]) -> list[str]:
    """The names of optional arguments that are given by position behind the required
    ones, in the order of the signature; none if they don't fit."""
    signature = declaration.signature
    extra = positional[len(signature.places) :]
    rest = [
        p.name
        for p in signature.parameters
        if p not in signature.places and p.inferred is None and not p.variadic
    ]
    if not extra or len(extra) > len(rest):
        return []
    names = rest[: len(extra)]
    try:
        bind(
            declaration,
            positional[: len(signature.places)],
            dict(zip(names, extra, strict=True)),
        )
    except Refusal:
        return []
    return names


def _without_sizes(declaration: Declaration, positional: Sequence[Value]) -> str:
    """The call, had it been written as torch wants it: `Linear(784, 10)`."""
    name = declaration.name
    parameters = declaration.signature.parameters
    given = list(zip(parameters, positional, strict=False))
    words = [_literal_text(v) for p, v in given if p.required and not p.inferred]
    words += [
        f"{p.name}={_literal_text(v)}"
        for p, v in given
        if not p.required and not p.inferred
    ]
    required = sum(p.required and not p.inferred for p in parameters)
    written = sum(p.required and not p.inferred for p, _ in given)
    if len(positional) > len(parameters) or written < required or "..." in words:
        example = _example(declaration, running=False)
        return f"write `{name}({example})`, and all else by name"
    shown = f"{name}({', '.join(words)})" if words else name
    return f"leave it out and write `{shown}`; all optional arguments go by name"


def _literal_text(value: Value) -> str:
    if isinstance(value, tuple | list):
        inner = ", ".join(_literal_text(v) for v in value)
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    if isinstance(value, str):
        return f'"{value}"' if value.isascii() and value.isprintable() else "..."
    if isinstance(value, Dim):
        return show(value)
    if isinstance(value, float):
        return str(value).replace("e-0", "e-")
    return str(value) if isinstance(value, int) or value is None else "..."


def _tensors(n: int) -> str:
    return "one tensor" if n == 1 else f"{n} tensors"


def _count(n: int) -> str:
    return "no arguments" if n == 0 else "one argument" if n == 1 else f"{n} arguments"


def _checked(name: str, parameter: Parameter, value: Value, at: int | None) -> Value:
    if not any(_fits(kind, value) for kind in parameter.kinds):
        worded = isinstance(value, str) and any(k[0] == '"' for k in parameter.kinds)
        words = [kind[1:-1] for kind in parameter.kinds if kind[0] == '"']
        near = nearest(value, words) if isinstance(value, str) else ""
        raise Refusal(
            "wrong-value" if worded else "wrong-type",
            f"`{parameter.name}` of `{name}` is {describe_kinds(parameter.kinds)},"
            f" not {describe(value)}",
            help=f'did you mean `"{near}"`?' if near else _plainly(parameter, value),
            argument=parameter.name,
            position=at,
            instead=(
                f'"{near}"'
                if near and is_sure(str(value), near, words)
                else _unquoted(parameter, value)
            ),
        )
    return _normal(parameter, value)


def _unquoted(parameter: Parameter, value: Value) -> str:
    """`4` for `"4"`, `True` for `"True"`."""
    if not isinstance(value, str):
        return ""
    plain: Value = value == "True" if value in ("True", "False") else None
    if re.fullmatch(r"-?\d{1,9}", value):
        plain = int(value)
    elif re.fullmatch(r"-?\d{0,9}\.\d{1,9}", value):
        plain = float(value)
    fits = plain is not None and any(_fits(kind, plain) for kind in parameter.kinds)
    return value if fits else ""


def _plainly(parameter: Parameter, value: Value) -> str:
    if isinstance(value, Unknown) and "None" in value.type.split(" | "):
        return "it may be None: use it below `if NAME is not None:`"
    if _unquoted(parameter, value):
        return f"write `{value}`, without quotes"
    whole = isinstance(value, float) and value == int(value)
    if whole and any(_fits(kind, 1) for kind in parameter.kinds):
        return "`//` divides ints; `/` gives a float, as in Python"
    return ""


def _checked_all(
    name: str, parameter: Parameter, given: Sequence[Value], at: int | None
) -> Value:
    """What a `*name` takes: values, or one list of them."""
    if len(given) == 1:
        only = given[0]
        if isinstance(only, Unknown) and only.type.startswith(("list", "tuple")):
            return (only,)
        if isinstance(only, tuple | list):
            given = only
    return tuple(
        _checked(name, parameter, value, None if at is None else at + i)
        for i, value in enumerate(given)
    )


def _normal(parameter: Parameter, value: Value) -> Value:
    if parameter.width and _is_int(value):
        return (value,) * parameter.width
    if parameter.width and isinstance(value, OpenInts):
        return tuple(value.at(i) for i in range(parameter.width))
    if isinstance(value, list):
        return tuple(value)
    return value


def _is_int(value: Value) -> bool:
    return isinstance(value, int | Dim) and not isinstance(value, bool)


def _fits(kind: str, value: Value) -> bool:
    if isinstance(value, Unknown):
        return kind not in ("tensor", "tensors") and _may_fit(kind, value.type)
    width = WIDTHS.get(kind)
    if width:
        return _is_int(value) or (
            isinstance(value, tuple | list)
            and len(value) == width
            and all(_is_int(v) or isinstance(v, Unknown) for v in value)
        )
    match kind:
        case "int":
            return _is_int(value)
        case "float":
            return _is_int(value) or isinstance(value, float)
        case "number":
            return _is_int(value) or isinstance(value, float | bool | Tensor)
        case "bool":
            return isinstance(value, bool)
        case "str":
            return isinstance(value, str) and value not in DTYPES
        case "ints":
            return _is_int(value) or (
                isinstance(value, tuple | list)
                and all(
                    v is None or _is_int(v) or isinstance(v, Unknown) for v in value
                )
            )
        case "floats":
            return _fits("float", value) or (
                isinstance(value, tuple | list)
                and all(_fits("float", v) for v in value)
            )
        case "tensor":
            return isinstance(value, Tensor)
        case "tensors":
            return isinstance(value, tuple | list) and all(
                isinstance(v, Tensor) for v in value
            )
        case "dtype":
            return isinstance(value, str) and value in DTYPES
        case "?":
            return value is None
        case "any":
            return not isinstance(value, Tensor)
    if kind.startswith('"'):
        return isinstance(value, str) and value == kind[1:-1]
    return kind.startswith("size[") and (
        _is_int(value)
        or (isinstance(value, tuple | list) and all(_is_int(v) for v in value))
    )


def _may_fit(kind: str, type_: str) -> bool:
    names = {part.strip() for part in type_.split("|")}
    if "any" in names or (kind in ("any", "?") and "None" in names):
        return True
    if kind.startswith('"'):
        return "str" in names
    if kind in WIDTHS or kind in ("ints", "floats"):
        return bool(names & {"int", kind[:-1]}) or any(
            n.startswith(("list", "tuple")) for n in names
        )
    accepted = {
        "float": {"float", "int"},
        "number": {"float", "int", "bool"},
        "dtype": {"dtype"},
    }.get(kind, {kind})
    return bool(names & accepted)


_KIND_WORDS = {
    "int": "an int",
    "float": "a number",
    "bool": "True or False",
    "str": "a string",
    "int1": "an int",
    "int2": "an int or a pair of ints",
    "int3": "an int or three ints",
    "int4": "an int or four ints",
    "int6": "an int or six ints",
    "ints": "an int or a list of ints",
    "floats": "a number or a list of numbers",
    "tensor": "a tensor",
    "tensors": "a list of tensors",
    "number": "a number or a tensor",
    "dtype": "a dtype such as `float32`",
    "?": "None",
    "any": "a value",
}


def describe_kinds(kinds: Sequence[str]) -> str:
    words = [
        "an int" if kind.startswith("size[") else _KIND_WORDS.get(kind, kind)
        for kind in kinds
    ]
    return " or ".join(dict.fromkeys(words))


def describe(value: Value) -> str:
    """A value as a message says it: `the string "same"`, `the tensor [N, 3]`."""
    if isinstance(value, Tensor):
        return f"a tensor {value}"
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, Dim):
        return f"the int `{show(value)}`"
    if isinstance(value, int):
        return f"the int {value}"
    if isinstance(value, float):
        return f"the float {value}"
    if isinstance(value, str):
        return f"the string {value!a}" if value not in DTYPES else f"dtype {value}"
    if isinstance(value, Unknown):
        return f"a value of type {value.type}"
    if isinstance(value, tuple | list):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return f"a {kind} of {len(value)}"
    if isinstance(value, dict):
        return "a dict"
    return str(value)
