"""A `.net` file as live modules: the emitted text, executed.

Behind each line of the text stands the line of the `.net` file that it comes
from, so that a traceback shows both.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from netdsl.diagnostics import CompileError, Diagnostic
from netdsl.limits import Limits

if TYPE_CHECKING:
    from torch import nn

    from netdsl import syntax
    from netdsl.compiler import Analysis, Reader
    from netdsl.elaborate.program import Program
    from netdsl.live import LiveModule

TEXT_NAME = "<text>"


class _File(NamedTuple):
    """What was asked for: a file's name and bytes, and all that may change what
    it becomes."""

    name: str
    data: bytes
    externs: Mapping[str, Any]
    limits: Limits | None

    def key(self, define: Mapping[str, str], net: str | None) -> Any:
        full = os.path.abspath(self.name) if self.name != TEXT_NAME else self.name
        externs = tuple((k, id(v)) for k, v in self.externs.items())
        return full, self.data, externs, self.limits, net, tuple(define.items())


class _Loaded:
    """A file that was loaded: its module and what the doors ask of it."""

    def __init__(
        self,
        file: _File,
        analysis: Analysis,
        reads: Mapping[tuple[str, str], bytes],
        module: LiveModule,
        names: Mapping[str, str],
        sizes: Mapping[str, Mapping[str, str]],
    ) -> None:
        self.file = file
        self.analysis = analysis
        self.reads = reads
        self.module = module
        self.names = names
        self.sizes = sizes
        self.checked: set[Any] = set()


_loaded: dict[Any, _Loaded] = {}
# Walking a program changes it: one thread at a time.
_lock = threading.RLock()


def load(
    path: str | os.PathLike[str],
    net: str | None = None,
    /,
    *,
    externs: Mapping[str, Callable[..., nn.Module]] | None = None,
    limits: Limits | None = None,
    **hyperparameters: Any,
) -> nn.Module:
    """A net of a `.net` file as a live module, with fresh weights.

    `net` is the net's name; without it, the only net that no other uses.
    Hyperparameters go by their names, and so do sizes that no tensor tells
    (`load("vae.net", C=1, H=28, W=28)`).  One of kind `net` is given as in a
    `.net` file (`Norm="BatchNorm2d(eps=0.001)"`) or as a class of torch or of
    the file.  `externs` supplies the modules that the file declares with
    `extern`.

    Raises CompileError with all messages if the file or the use of the net has
    mistakes, OSError if there is no such file, TypeError for a value that no
    hyperparameter can have, and ValueError if there is no such net, or if none
    is named and several could be meant.
    """
    file = _read(path, externs, limits)
    return _make(file, _reader(path, limits), net, hyperparameters)


def loads(
    text: str,
    net: str | None = None,
    /,
    *,
    externs: Mapping[str, Callable[..., nn.Module]] | None = None,
    limits: Limits | None = None,
    **hyperparameters: Any,
) -> nn.Module:
    """Like `load`, for the text of a `.net` file; it can't import others."""
    file = _File(TEXT_NAME, text.encode(), dict(externs or {}), limits)
    return _make(file, None, net, hyperparameters)


def load_class(
    path: str | os.PathLike[str],
    net: str | None = None,
    /,
    *,
    externs: Mapping[str, Callable[..., nn.Module]] | None = None,
    limits: Limits | None = None,
) -> Callable[..., nn.Module]:
    """The class of a net, or the function that a variant of a net becomes."""
    with _lock:
        loaded = _load(_read(path, externs, limits), _reader(path, limits))
        name = loaded.names[_choose(loaded.analysis, net)]
    found: Callable[..., nn.Module] = getattr(loaded.module, name)
    return found


class Nets(NamedTuple):
    """What a file holds when it is live: the module of its Python, and the Python
    names of the nets that stand in the file itself, in their order."""

    module: LiveModule
    own: tuple[str, ...]


def load_nets(
    path: str | os.PathLike[str],
    *,
    externs: Mapping[str, Callable[..., nn.Module]] | None = None,
    limits: Limits | None = None,
) -> Nets:
    """All nets of a file, as `load_class` gives them."""
    with _lock:
        return _nets(_load(_read(path, externs, limits), _reader(path, limits)))


def load_checked(
    name: str,
    data: bytes,
    reader: Reader,
    supplies: Callable[[str], Any],
    limits: Limits | None = None,
) -> tuple[tuple[Diagnostic, ...], Nets]:
    """The nets of a text that stands alone, and what `check` says of it.

    `supplies` gives the module that an extern stands for, or None.
    """
    from netdsl.compiler import Session, externs_of

    with _lock, _uncollected():
        analysis = Session(limits).analyse(name, data, reader=reader)
        if analysis.failed or analysis.program is None:
            raise CompileError(analysis.diagnostics)
        found = {e.name: supplies(e.name) for e in externs_of(analysis.program)}
        externs = {k: v for k, v in found.items() if v is not None}
        loaded = _run(_File(name, data, externs, limits), analysis, {})
        return analysis.diagnostics, _nets(loaded)


def _nets(loaded: _Loaded) -> Nets:
    from netdsl.compiler import nets_of

    assert loaded.analysis.tree is not None
    found = (loaded.names.get(n.name) for n in nets_of(loaded.analysis.tree))
    return Nets(loaded.module, tuple(n for n in found if n is not None))


def _read(
    path: str | os.PathLike[str],
    externs: Mapping[str, Any] | None,
    limits: Limits | None,
) -> _File:
    from netdsl import files

    name = os.fspath(path)
    return _File(name, files.read_source(name, limits), dict(externs or {}), limits)


def _reader(path: str | os.PathLike[str], limits: Limits | None) -> Any:
    from netdsl import files

    return files.directory_reader(os.path.dirname(os.fspath(path)), limits)


def _choose(analysis: Analysis, net: str | None) -> str:
    from netdsl.compiler import UsageError, choose_net

    assert analysis.tree is not None
    try:
        chosen = choose_net(analysis.tree, net)
    except UsageError as error:
        raise ValueError(str(error)) from None
    assert chosen is not None
    return chosen.name


# -- loading -------------------------------------------------------------------


def _load(
    file: _File,
    reader: Any,
    net: str | None = None,
    define: Mapping[str, str] | None = None,
) -> _Loaded:
    """A file's live module; with `define`, one whose net has other defaults."""
    known = _known(file, reader, net, define)
    if known is not None:
        return known
    reads: dict[tuple[str, str], bytes] = {}
    with _uncollected():
        analysis = _analyse(file, _noting(reader, reads), net, define)
        if analysis.failed or analysis.program is None:
            raise CompileError(d for d in analysis.diagnostics if d.level == "error")
        loaded = _run(file, analysis, reads)
    _loaded[file.key(define or {}, net)] = loaded
    return loaded


def _known(
    file: _File,
    reader: Any,
    net: str | None = None,
    define: Mapping[str, str] | None = None,
) -> _Loaded | None:
    """What was loaded before, if the file and its imports are as they were."""
    known = _loaded.get(file.key(define or {}, net))
    return known if known is not None and _reads_the_same(known, reader) else None


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage is collected inside: with torch loaded, looking for it takes
    longer than compiling."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _analyse(
    file: _File, reader: Any, net: str | None, define: Mapping[str, str] | None
) -> Analysis:
    from netdsl.compiler import Session

    session = Session(file.limits)
    return session.analyse(
        file.name,
        file.data,
        reader=reader,
        net=net,
        define=define,
        expects=False,
        defaults=False,
    )


def _noting(reader: Any, reads: dict[tuple[str, str], bytes]) -> Any:
    """The reader of imports, writing down what it gave."""
    if reader is None:
        return None

    def read(importer: str, path: str) -> tuple[str, bytes]:
        name, data = reader(importer, path)
        reads[importer, path] = data
        return name, data

    return read


def _reads_the_same(loaded: _Loaded, reader: Any) -> bool:
    """Whether the files that were imported are as they were."""
    from netdsl.limits import ImportRefused

    try:
        return all(reader(*k)[1] == data for k, data in loaded.reads.items())
    except ImportRefused:
        return False


def _run(
    file: _File, analysis: Analysis, reads: Mapping[tuple[str, str], bytes]
) -> _Loaded:
    from netdsl.compiler import missing_externs
    from netdsl.emit.file import emit
    from netdsl.live import execute

    program = analysis.program
    assert program is not None
    missing = missing_externs(program, file.externs)
    if missing:
        raise CompileError(missing)
    emitted = emit(program, dict.fromkeys(file.externs, _EXTERNS))
    # The module has the externs already: what the caller gave need not be
    # importable.
    lines = emitted.traced_text().splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(f"from {_EXTERNS} "))
    module = execute(text, os.path.basename(file.name), file.externs)
    return _Loaded(file, analysis, reads, module, emitted.names, emitted.sizes)


_EXTERNS = "netdsl.externs"


# -- building ------------------------------------------------------------------


def _make(
    file: _File, reader: Any, net: str | None, hyperparameters: dict[str, Any]
) -> nn.Module:
    """Checks this use of the net with its numbers, then builds it."""
    with _lock:
        loaded, name, values = _prepare(file, reader, net, hyperparameters)
        _check_use(loaded, name, values)
        words = loaded.sizes.get(name, {})
        own = _parameters(loaded, name)
        # A size that the class has no use for was checked, and that is all.
        arguments = {
            words.get(k, k): v for k, v in values.items() if k in words or k in own
        }
    made: nn.Module = getattr(loaded.module, loaded.names[name])(**arguments)
    return made


def _prepare(
    file: _File, reader: Any, net: str | None, hyperparameters: dict[str, Any]
) -> tuple[_Loaded, str, dict[str, Any]]:
    """The loaded file, the net's name, and the values it is called with.

    A hyperparameter of kind `net` makes other classes: it becomes a default.
    """
    layers = {k: v for k, v in hyperparameters.items() if _may_be_net(v)}
    if layers:
        known = _known(file, reader)
        analysis = known.analysis if known else _analyse(file, reader, None, None)
        if analysis.program is None or analysis.tree is None:
            raise CompileError(d for d in analysis.diagnostics if d.level == "error")
        name = _choose(analysis, net)
        kinds = _net_parameters(analysis.program, analysis.tree, name)
        define = {k: _net_text(v) for k, v in layers.items() if k in kinds}
        if define:
            loaded = _load(file, reader, name, define)
            rest = {k: v for k, v in hyperparameters.items() if k not in define}
            return loaded, name, _plain_values(rest)
    loaded = _load(file, reader)
    return loaded, _choose(loaded.analysis, net), _plain_values(hyperparameters)


def _plain_values(hyperparameters: dict[str, Any]) -> dict[str, Any]:
    from netdsl.compiler import static_value

    values = {}
    for name, value in hyperparameters.items():
        try:
            values[name] = static_value(value)
        except TypeError as error:
            raise TypeError(f"{name}={value!r}: {error}") from None
    return values


def _tree_net(tree: syntax.Program | None, name: str) -> syntax.Net:
    from netdsl.compiler import choose_net

    assert tree is not None
    net = choose_net(tree, name)
    assert net is not None
    return net


def _parameters(loaded: _Loaded, name: str) -> set[str]:
    return {p.name for p in _tree_net(loaded.analysis.tree, name).parameters}


def _check_use(loaded: _Loaded, name: str, given: dict[str, Any]) -> None:
    from netdsl.compiler import python_arguments
    from netdsl.diagnostics import Report
    from netdsl.elaborate.expects import use_concrete
    from netdsl.elaborate.values import freeze
    from netdsl.elaborate.walk import Stop, TooMuch, Walk

    key = name, freeze(given)
    if key in loaded.checked:
        return
    program, net = loaded.analysis.program, _tree_net(loaded.analysis.tree, name)
    assert program is not None
    report = Report()
    program.report = report
    program.start()
    walk = Walk(program, net, defining=False, training=False)
    with suppress(Stop, TooMuch):
        use_concrete(walk, net, [], python_arguments(given), {}, False, net.name_span)
    if report.failed:
        raise CompileError(d for d in report if d.level == "error")
    needed = [s.name for s in program.class_sizes(net) if s.name not in given]
    if needed:
        listed = ", ".join(f"{n}=..." for n in needed)
        raise TypeError(f"{name} needs sizes that no tensor tells: {listed}")
    loaded.checked.add(key)


# -- nets as hyperparameters ---------------------------------------------------


def _may_be_net(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_may_be_net, value))
    if isinstance(value, dict):
        return any(map(_may_be_net, value.values()))
    return isinstance(value, str | type | partial) or callable(value)


def _net_parameters(program: Program, tree: syntax.Program, name: str) -> set[str]:
    from netdsl.elaborate.walk import Walk

    net = _tree_net(tree, name)
    walk = Walk(program, net, defining=False)
    kinds = {p.name: program.parameter_kind(walk, p) for p in net.parameters}
    return {k for k, kind in kinds.items() if "net" in _words(kind)}


def _words(kind: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in kind).split()


def _net_text(value: Any) -> str:
    """A net as a `.net` file says it."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_net_text, value))}]"
    if isinstance(value, dict):
        pairs = (f"{k!r}: {_net_text(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, partial):
        return f"{_net_text(value.func)}({', '.join(_arguments(value))})"
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    name = getattr(value, "__name__", "")
    if _is_known_class(value, name):
        return str(name)
    raise TypeError(
        f"{value!r} is no layer of torch and no net of the file; write it as in"
        ' a `.net` file: Norm="BatchNorm2d(eps=0.001)"'
    )


def _arguments(value: partial[Any]) -> Iterator[str]:
    yield from (repr(a) for a in value.args)
    yield from (f"{k}={v!r}" for k, v in value.keywords.items())


def _is_known_class(value: Any, name: str) -> bool:
    from torch import nn

    from netdsl.live import LiveModule

    home = sys.modules.get(getattr(value, "__module__", ""))
    return getattr(nn, name, None) is value or isinstance(home, LiveModule)
