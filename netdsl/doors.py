"""`netdsl.compile`, `stub`, `check` and `format` for programs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from netdsl.diagnostics import CompileError, Diagnostic
from netdsl.limits import Limits

if TYPE_CHECKING:
    from netdsl.compiler import Outcome


def compile(
    path: str | os.PathLike[str],
    net: str | None = None,
    /,
    *,
    layers: Mapping[str, str] | None = None,
    define: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> str:
    """The Python of a `.net` file, formatted.

    `net` names one net: it is emitted with what it needs.  `layers` says from
    which package each extern is imported; `define` changes defaults of the
    net's hyperparameters, each value as text of a `.net` file.

    Raises CompileError with all messages, and OSError if there is no such file.
    """
    from netdsl import compiler

    outcome = compiler.compile(
        **_source(path, limits), net=net, externs=layers, define=define, limits=limits
    )
    return _text(outcome)


def stub(
    path: str | os.PathLike[str],
    net: str | None = None,
    /,
    *,
    layers: Mapping[str, str] | None = None,
    define: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> str:
    """The types of the Python that `compile` gives for the same arguments: the text
    of a `.pyi` file."""
    from netdsl import compiler

    outcome = compiler.stub(
        **_source(path, limits), net=net, externs=layers, define=define, limits=limits
    )
    return _text(outcome)


def _text(outcome: Outcome) -> str:
    if outcome.text is None:
        raise CompileError(d for d in outcome.diagnostics if d.level == "error")
    return outcome.text


def check(
    path: str | os.PathLike[str],
    net: str | None = None,
    /,
    *,
    define: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> tuple[Diagnostic, ...]:
    """The messages about a `.net` file, in the order of their positions."""
    from netdsl import compiler

    return compiler.check(
        **_source(path, limits), net=net, define=define, limits=limits
    ).diagnostics


def format(text: str, /, *, limits: Limits | None = None) -> str:
    """The text of a `.net` file in its canonical form, as `netdsl fmt` writes it.

    Raises CompileError with all messages if it can't be read.
    """
    from netdsl.formatting import Formatter

    data = text.encode("utf-8", "surrogatepass")
    done = Formatter(limits).canonical("<text>", data)
    if done.text is None:
        raise CompileError(done.diagnostics)
    return done.text


def _source(path: str | os.PathLike[str], limits: Limits | None) -> dict[str, Any]:
    from netdsl import files

    text = os.fspath(path)
    data = files.read_source(text, limits)
    reader = files.directory_reader(os.path.dirname(text), limits)
    return {"name": text, "data": data, "reader": reader}
