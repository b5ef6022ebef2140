"""netdsl: say what a network is, get the PyTorch that a careful engineer writes.

    import netdsl

    model = netdsl.load("resnet.net", "resnet18", num_classes=10)
    text = netdsl.compile("resnet.net")
    for diagnostic in netdsl.check("resnet.net"):
        print(diagnostic.text)
    text = netdsl.format("net Small = [Linear(8),ReLU]")

Importing this package imports neither torch nor lark nor black.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from netdsl.diagnostics import CompileError, Diagnostic
    from netdsl.doors import check, compile, format, stub
    from netdsl.hook import install_hook
    from netdsl.limits import Limits
    from netdsl.loading import load, load_class, loads

__version__ = "0.1.0"
__all__ = [
    "CompileError",
    "Diagnostic",
    "Limits",
    "__version__",
    "check",
    "compile",
    "format",
    "install_hook",
    "load",
    "load_class",
    "loads",
    "stub",
]

_HOMES = {
    "CompileError": "netdsl.diagnostics",
    "Diagnostic": "netdsl.diagnostics",
    "Limits": "netdsl.limits",
    "check": "netdsl.doors",
    "compile": "netdsl.doors",
    "format": "netdsl.doors",
    "install_hook": "netdsl.hook",
    "load": "netdsl.loading",
    "load_class": "netdsl.loading",
    "load_ipython_extension": "netdsl.notebook",
    "loads": "netdsl.loading",
    "stub": "netdsl.doors",
    "unload_ipython_extension": "netdsl.notebook",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'netdsl' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
