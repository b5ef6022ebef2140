"""`import model` for a file `model.net`: an import hook that is asked for.

It stands behind Python's own finders, so that a real module of that name wins, and
looks only for the modules that were named.  Nothing is written to disk.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

from netdsl.diagnostics import CompileError
from netdsl.limits import Limits

if TYPE_CHECKING:
    from torch import nn

SUFFIX = ".net"
_lock = threading.Lock()


def install_hook(
    packages: Iterable[str] | str,
    *,
    externs: Mapping[str, Callable[..., nn.Module]] | None = None,
    limits: Limits | None = None,
) -> Hook:
    """Lets `import` find `.net` files: `install_hook(["model", "mypackage"])`.

    Each name covers the module of that name and all modules in it; no other import
    is touched.  A module's attributes are the classes that `load_class` gives, and
    the functions of variants.  `externs` and `limits` are those of `load`.

    Gives the hook: `uninstall()` takes it away, and so does the end of a `with`.
    What was imported stays.  Importing a file with mistakes raises CompileError.
    """
    names = (packages,) if isinstance(packages, str) else tuple(packages)
    for name in names:
        if not (isinstance(name, str) and all(map(str.isidentifier, name.split(".")))):
            raise ValueError(f"{name!r} is not the name of a module or package")
    if not names:
        raise ValueError("name the modules or packages that may be `.net` files")
    hook = Hook(frozenset(names), dict(externs or {}), limits)
    hook.install()
    return hook


class Hook:
    """Finds the modules below some names, as long as it is installed."""

    def __init__(
        self,
        packages: frozenset[str],
        externs: Mapping[str, Callable[..., nn.Module]],
        limits: Limits | None,
    ) -> None:
        self.packages = packages
        self.externs = externs
        self.limits = limits

    def covers(self, name: str) -> bool:
        parts = name.split(".")
        heads = (".".join(parts[:i]) for i in range(1, len(parts) + 1))
        return any(head in self.packages for head in heads)

    def install(self) -> None:
        """Installs the hook again, if it was uninstalled."""
        with _lock:
            if self not in _FINDER.hooks:
                _FINDER.hooks += (self,)
            if _FINDER not in sys.meta_path:
                sys.meta_path.append(_FINDER)

    def uninstall(self) -> None:
        """No import finds a file by this hook from now on; once is enough."""
        with _lock:
            _FINDER.hooks = tuple(h for h in _FINDER.hooks if h is not self)
            if not _FINDER.hooks and _FINDER in sys.meta_path:
                sys.meta_path.remove(_FINDER)

    def __enter__(self) -> Hook:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.uninstall()

    def __repr__(self) -> str:
        state = "installed" if self in _FINDER.hooks else "not installed"
        return f"<netdsl hook for {', '.join(sorted(self.packages))}, {state}>"


class Finder(importlib.abc.MetaPathFinder):
    """Asks the hooks in the order in which they were installed.

    There is one for all hooks: as long as any is installed, `sys.meta_path` stays
    as it is, whatever another thread installs or uninstalls meanwhile.
    """

    def __init__(self) -> None:
        self.hooks: tuple[Hook, ...] = ()

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        for hook in self.hooks:
            if hook.covers(fullname):
                file = _find(fullname.rpartition(".")[2], path)
                if file is None:
                    return None
                loader = Loader(hook)
                return importlib.util.spec_from_file_location(
                    fullname, file, loader=loader
                )
        return None


def _find(name: str, path: Sequence[str] | None) -> str | None:
    """The file of that name in the first folder of the path that has one."""
    for entry in sys.path if path is None else path:
        if not isinstance(entry, str):
            continue
        folder = entry or os.getcwd()
        try:
            # The listing tells small letters from capitals where the disk doesn't.
            found = name + SUFFIX in os.listdir(folder)
        except OSError:
            continue
        file = os.path.join(folder, name + SUFFIX)
        if found and os.path.isfile(file):
            return os.path.abspath(file)
    return None


class Loader(importlib.abc.Loader):
    """Fills a module with the nets of its file."""

    def __init__(self, hook: Hook) -> None:
        self.hook = hook

    def exec_module(self, module: ModuleType) -> None:
        from netdsl.files import Unreadable
        from netdsl.loading import load_nets

        assert module.__file__ is not None
        try:
            nets = load_nets(
                module.__file__, externs=self.hook.externs, limits=self.hook.limits
            )
        except CompileError as error:
            # Where we found it is of no use to who made the mistake.
            raise error.with_traceback(None) from None
        except Unreadable as error:
            raise ImportError(
                str(error), name=module.__name__, path=module.__file__
            ) from None
        public = {
            k: v
            for k, v in vars(nets.module).items()
            if not (k.startswith("__") and k.endswith("__"))
        }
        vars(module).update(public)
        module.__doc__ = nets.module.__doc__
        vars(module)["__all__"] = list(nets.own)


_FINDER = Finder()
