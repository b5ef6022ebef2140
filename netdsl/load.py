"""A `.net` file as live modules: the emitted text, executed.

The text is registered as a module, so that `inspect.getsource`, tracebacks,
`torch.compile` and pickling find it; behind each of its lines stands the line
of the `.net` file that it comes from.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Callable, Mapping
from hashlib import sha256
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from netdsl.diagnostics import CompileError
from netdsl.limits import Limits

if TYPE_CHECKING:
    from torch import nn

    from netdsl.compiler import Analysis, Session

TEXT_NAME = "<text>"


class _Loaded(NamedTuple):
    """A file that was loaded: its module and what the doors ask of it."""

    module: ModuleType
    analysis: Analysis
    names: Mapping[str, str]
    sizes: Mapping[str, Mapping[str, str]]


_loaded: dict[Any, _Loaded] = {}
_checked: set[Any] = set()


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
    (`load("vae.net", C=1, H=28, W=28)`).  `externs` supplies the modules that
    the file declares with `extern`.

    Raises CompileError with all messages if the file or the use of the net has
    mistakes, OSError if there is no such file, TypeError for a value that no
    hyperparameter can have, and ValueError if no net is named and several could
    be meant.
    """
    loaded, name = _open(path, net, externs, limits)
    return _make(loaded, name, hyperparameters, limits)


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
    loaded = _load(TEXT_NAME, text.encode(), None, externs, limits)
    return _make(loaded, _choose(loaded, net), hyperparameters, limits)


def load_class(
    path: str | os.PathLike[str],
    net: str | None = None,
    /,
    *,
    externs: Mapping[str, Callable[..., nn.Module]] | None = None,
    limits: Limits | None = None,
) -> Callable[..., nn.Module]:
    """The class of a net, or the function that a variant of a net becomes."""
    loaded, name = _open(path, net, externs, limits)
    found: Callable[..., nn.Module] = getattr(loaded.module, loaded.names[name])
    return found


def _open(
    path: str | os.PathLike[str],
    net: str | None,
    externs: Mapping[str, Any] | None,
    limits: Limits | None,
) -> tuple[_Loaded, str]:
    from netdsl import files

    name = os.fspath(path)
    data = files.read_source(name, limits)
    reader = files.directory_reader(os.path.dirname(name), limits)
    loaded = _load(name, data, reader, externs, limits)
    return loaded, _choose(loaded, net)


def _choose(loaded: _Loaded, net: str | None) -> str:
    from netdsl.compiler import UsageError, choose_net

    assert loaded.analysis.tree is not None
    try:
        chosen = choose_net(loaded.analysis.tree, net)
    except UsageError as error:
        raise ValueError(str(error)) from None
    assert chosen is not None
    return chosen.name


# -- loading ---------------------------------------------------------------------------


def _load(
    name: str,
    data: bytes,
    reader: Any,
    externs: Mapping[str, Any] | None,
    limits: Limits | None,
) -> _Loaded:
    given = dict(externs or {})
    full = os.path.abspath(name) if name != TEXT_NAME else name
    key = (full, data, tuple((k, id(v)) for k, v in given.items()), limits)
    known = _loaded.get(key)
    if known is not None and not _imports_others(known):
        return known
    analysis = _session(limits).analyse(name, data, reader=reader)
    if analysis.failed or analysis.program is None:
        raise CompileError(d for d in analysis.diagnostics if d.level == "error")
    from netdsl.compiler import missing_externs
    from netdsl.emit.file import emit

    missing = missing_externs(analysis.program, given)
    if missing:
        raise CompileError(missing)
    emitted = emit(analysis.program, {n: "netdsl.externs" for n in given})
    shown = _shown(name)
    text = emitted.traced_text(shown)
    module = _execute(text, shown, given)
    loaded = _Loaded(module, analysis, emitted.names, emitted.sizes)
    _loaded[key] = loaded
    return loaded


def _session(limits: Limits | None) -> Session:
    from netdsl.compiler import Session

    return Session(limits)


def _imports_others(loaded: _Loaded) -> bool:
    program = loaded.analysis.program
    return program is not None and len(program.files.files) > 1


def _shown(name: str) -> str:
    """A file's name as a comment can hold it."""
    base = os.path.basename(name)
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in base)


def _execute(text: str, shown: str, externs: Mapping[str, Any]) -> ModuleType:
    """Runs emitted text as a module that torch and Python can find again."""
    stem = "".join(c if c.isalnum() and c.isascii() else "_" for c in shown)
    module_name = f"netdsl.live.{stem}_{sha256(text.encode()).hexdigest()[:12]}"
    known = sys.modules.get(module_name)
    if known is not None and not externs:
        return known
    file_name = f"<{module_name}>"
    module = ModuleType(module_name)
    module.__file__ = file_name
    lines = [line for line in text.split("\n") if "from netdsl.externs import" not in line]
    source = "\n".join(lines)
    for name, value in externs.items():
        setattr(module, name, value)
    # No modification time: linecache keeps what no file on disk holds.
    linecache.cache[file_name] = (
        len(source), None, source.splitlines(keepends=True), file_name,
    )  # fmt: skip
    sys.modules[module_name] = module
    exec(compile(source, file_name, "exec"), module.__dict__)
    _make_picklable(module, source, shown)
    return module


# -- pickling -----------------------------------------------------------------------------


def _make_picklable(module: ModuleType, text: str, shown: str) -> None:
    """Lets a module's instances carry the text of their class to a process that
    has not loaded the file."""
    from torch import nn

    for value in list(vars(module).values()):
        if (
            isinstance(value, type)
            and issubclass(value, nn.Module)
            and value.__module__ == module.__name__
        ):
            value.__reduce_ex__ = _reducer(text, shown)  # type: ignore[method-assign]


def _reducer(text: str, shown: str) -> Any:
    def __reduce_ex__(self: Any, protocol: Any) -> Any:
        return _restore, (text, shown, type(self).__qualname__), self.__dict__

    return __reduce_ex__


def _restore(text: str, shown: str, name: str) -> Any:
    """An empty instance of a class whose text came with the pickle."""
    module_name = _module_of(text, shown)
    module = sys.modules.get(module_name)
    if module is None:
        module = _execute(text, shown, {})
    cls = getattr(module, name)
    return cls.__new__(cls)


def _module_of(text: str, shown: str) -> str:
    for name, module in list(sys.modules.items()):
        if name.startswith("netdsl.live."):
            cached = linecache.cache.get(getattr(module, "__file__", "") or "")
            if cached and "".join(cached[2]) == text:
                return name
    stem = "".join(c if c.isalnum() and c.isascii() else "_" for c in shown)
    return f"netdsl.live.{stem}_{sha256(text.encode()).hexdigest()[:12]}"


# -- building -----------------------------------------------------------------------------


def _make(
    loaded: _Loaded, name: str, hyperparameters: dict[str, Any], limits: Limits | None
) -> nn.Module:
    """Checks this use of the net with its numbers, then builds it."""
    _check_use(loaded, name, hyperparameters)
    words = loaded.sizes.get(name, {})
    arguments = {words.get(k, k): v for k, v in hyperparameters.items()}
    made = getattr(loaded.module, loaded.names[name])(**arguments)
    result: nn.Module = made
    return result


def _check_use(loaded: _Loaded, name: str, given: dict[str, Any]) -> None:
    from netdsl.compiler import choose_net, python_arguments
    from netdsl.diagnostics import Report
    from netdsl.elaborate.expects import use_concrete
    from netdsl.elaborate.values import freeze
    from netdsl.elaborate.walk import Stop, TooMuch, Walk

    arguments = python_arguments(given)
    key = (id(loaded.module), name, freeze(list(given)), freeze(list(given.values())))
    if key in _checked:
        return
    program, tree = loaded.analysis.program, loaded.analysis.tree
    assert program is not None and tree is not None
    net = choose_net(tree, name)
    assert net is not None
    report = Report()
    program.report = report
    program.start()
    walk = Walk(program, net, defining=False, training=False)
    try:
        use_concrete(walk, net, [], arguments, {}, False, net.name_span)
    except (Stop, TooMuch):
        pass
    if report.failed:
        raise CompileError(d for d in report if d.level == "error")
    needed = [
        s.name
        for s in program.class_sizes(net)
        if s.name not in given
    ]
    if needed:
        listed = ", ".join(f"{n}=..." for n in needed)
        raise TypeError(f"{name} needs the sizes that no tensor tells: {listed}")
    _checked.add(key)
