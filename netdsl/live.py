"""Emitted text as live Python: a module that inspect, tracebacks, torch and pickle
can find again."""

from __future__ import annotations

import linecache
import sys
from collections.abc import Mapping
from hashlib import sha256
from types import ModuleType
from typing import Any, cast


class LiveModule(ModuleType):
    """A module that was made from text, and what it takes to make it again."""

    __netdsl__: Origin


class Origin:
    """Where a live module comes from: its text, the name of its file, and the
    modules that the caller supplied.

    It travels in the pickles of the module's objects, so that a process which
    has not loaded the file can make the module again.
    """

    def __init__(self, text: str, shown: str, externs: Mapping[str, Any]) -> None:
        self.text = text
        self.shown = shown
        self.externs = dict(externs)

    def is_like(self, text: str, shown: str, externs: Mapping[str, Any]) -> bool:
        return (
            (self.text, self.shown) == (text, shown)
            and self.externs.keys() == externs.keys()
            and all(self.externs[k] is v for k, v in externs.items())
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _origin, (self.text, self.shown, self.externs)

    def __deepcopy__(self, memo: object) -> Origin:
        # A copied extern would be another one, and would make another class.
        return self


def execute(text: str, shown: str, externs: Mapping[str, Any]) -> LiveModule:
    """Runs emitted text as a module; the same text is run once."""
    stem = "".join(c if c.isalnum() and c.isascii() else "_" for c in shown)
    digest = sha256(f"{shown}\n{text}".encode()).hexdigest()[:12]
    name = base = f"netdsl.live.{stem}_{digest}"
    number = 1
    while (known := sys.modules.get(name)) is not None:
        if cast(LiveModule, known).__netdsl__.is_like(text, shown, externs):
            return cast(LiveModule, known)
        number += 1
        name = f"{base}_{number}"
    return _run(name, Origin(text, shown, externs))


def _run(name: str, origin: Origin) -> LiveModule:
    file_name = f"<{name}>"
    module = LiveModule(name)
    module.__netdsl__ = origin
    module.__file__ = file_name
    for extern, value in origin.externs.items():
        setattr(module, extern, value)
    # No modification time: linecache keeps what no file on disk holds.
    lines = origin.text.splitlines(keepends=True)
    linecache.cache[file_name] = (len(origin.text), None, lines, file_name)
    sys.modules[name] = module
    try:
        exec(compile(origin.text, file_name, "exec"), module.__dict__)
    except BaseException:
        del sys.modules[name]
        raise
    _make_picklable(module)
    _show_lines()
    return module


def _show_lines() -> None:
    """Errors that nobody catches are printed with the lines of live modules, too.

    Before 3.13 the interpreter looks for lines on the disk alone, where a live
    module has none.  A hook of the program's own stays.
    """
    if sys.version_info < (3, 13) and sys.excepthook is sys.__excepthook__:
        from traceback import print_exception

        sys.excepthook = print_exception


# -- pickling ------------------------------------------------------------------


def _make_picklable(module: LiveModule) -> None:
    from torch import nn

    for value in list(vars(module).values()):
        own = isinstance(value, type) and value.__module__ == module.__name__
        if own and issubclass(value, nn.Module):
            value.__reduce_ex__ = _reduce_ex


def _reduce_ex(self: Any, protocol: Any) -> Any:
    cls = type(self)
    module = sys.modules.get(cls.__module__)
    reduced = object.__reduce_ex__(self, max(int(protocol), 2))
    if not isinstance(module, LiveModule) or vars(module).get(cls.__name__) is not cls:
        # A class that somebody derived from ours: it says itself where it is.
        return reduced
    return _empty, (module.__netdsl__, cls.__name__), *reduced[2:]


def _origin(text: str, shown: str, externs: Mapping[str, Any]) -> Origin:
    return execute(text, shown, externs).__netdsl__


def _empty(origin: Origin, name: str) -> Any:
    """An object of a live class, before it gets its state."""
    module = execute(origin.text, origin.shown, origin.externs)
    cls = getattr(module, name)
    return cls.__new__(cls)
