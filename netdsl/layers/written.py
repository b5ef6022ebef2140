"""Signatures of layers and functions, as they are written in a `.net` file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netdsl.layers.spec import REQUIRED, Declaration, Parameter


def written(declaration: Declaration) -> str:
    """`Linear(out_features, *, bias=True)`"""
    return f"{declaration.name}({', '.join(arguments(declaration))})"


def arguments(declaration: Declaration) -> Iterator[str]:
    """Arguments as they are written: those behind `*` by keyword alone."""
    parameters = [p for p in declaration.signature.parameters if p.inferred is None]
    if not declaration.infers:
        yield from listed(parameters)
        return
    yield from (p.name for p in parameters if p.required)
    optional = [p for p in parameters if not p.required]
    if optional:
        yield "*"
        yield from map(argument, optional)


def listed(parameters: Iterable[Parameter]) -> Iterator[str]:
    keyword = False
    for parameter in parameters:
        if parameter.keyword and not keyword:
            yield "*"
        keyword = keyword or parameter.keyword or parameter.variadic
        yield argument(parameter)


def argument(parameter: Parameter) -> str:
    if parameter.variadic:
        return f"*{parameter.name}"
    if parameter.default is REQUIRED:
        return parameter.name
    return f"{parameter.name}={_value(parameter.default)}"


def _value(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
