"""`%%net` for notebooks: a cell of `.net` text whose nets become Python classes.

`%load_ext netdsl` comes here.  IPython is imported only then.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from netdsl.diagnostics import CompileError, Diagnostic
from netdsl.limits import Limits

# Cells import each other in place of files, and a notebook may have many.
LIMITS = Limits(files=1000, depth=100)


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext netdsl` calls."""
    magic = NetMagic(shell)
    shell.register_magic_function(magic.net, magic_kind="cell", magic_name="net")


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext netdsl` calls."""
    shell.magics_manager.magics["cell"].pop("net", None)


class CellError(CompileError):
    """A cell has mistakes: shown as messages, without a traceback."""

    color = True

    def _render_traceback_(self) -> list[str]:
        return [_rendered(self.diagnostics, self.color)]


class Cells:
    """The cells that ran, and which of them defines each name.

    A cell sees the nets of earlier cells as they were when it runs: defining a net
    again changes what later cells see, and no class that was made before.
    """

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}
        self.homes: dict[str, str] = {}

    def name(self, count: int) -> str:
        """What messages call a cell; one that runs uncounted gets a name, too."""
        name, again = f"In[{count}]", 1
        while name in self.texts:
            again += 1
            name = f"In[{count}, {again}]"
        return name

    def data(self, cell: str) -> bytes:
        """The text of a cell that sees all earlier ones, so that a name which is
        misspelled is guessed."""
        own = _names(cell)[1]
        return _importing(cell, {n: h for n, h in self.homes.items() if n not in own})

    def read(self, importer: str, path: str) -> tuple[str, bytes]:
        """An earlier cell, or a file below the folder where the notebook runs."""
        if path in self.texts:
            return path, self.texts[path]
        from netdsl.files import directory_reader

        return directory_reader("", LIMITS)(importer, path)

    def keep(self, name: str, cell: str) -> None:
        """Lets later cells see a cell, which itself sees no more than it uses."""
        words, own = _names(cell)
        wanted = {n: h for n, h in self.homes.items() if n in words - own}
        self.texts[name] = _importing(cell, wanted)
        self.homes |= dict.fromkeys(own, name)


def _importing(cell: str, homes: Mapping[str, str]) -> bytes:
    """A cell as a file, with lines behind it that import names."""
    # One line ahead stands for `%%net`, so that lines count as the reader does.
    lines = ["", cell.rstrip("\n"), ""]
    lines += [f'from "{home}" import {name}' for name, home in homes.items()]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _names(cell: str) -> tuple[set[str], set[str]]:
    """The names that a cell uses, and those that it defines."""
    from netdsl import syntax
    from netdsl.diagnostics import Report
    from netdsl.parse import Parser, decode
    from netdsl.resolve import broken_names, defined_names

    report = Report()
    source = decode("", cell.encode("utf-8", "surrogatepass"), report, LIMITS)
    if source is None:
        return set(), set()
    tree = Parser().parse(source, report, LIMITS)
    own = broken_names(tree)
    words: set[str] = set()
    for item in tree.items:
        own.update(word for word, _ in defined_names(item))
        if isinstance(item, syntax.Import):
            own.update(name.alias for name in item.names)
        words |= syntax.names_in(item)
    return words, own


class NetMagic:
    """The magic of one shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.cells = Cells()
        self.parser = _arguments()
        type(self).net.__doc__ = self.parser.format_help()

    def net(self, line: str, cell: str) -> None:
        given = self.parser.parse_argstring(line)
        # Versions of IPython differ in when they count a cell that runs.
        count = len(self.shell.history_manager.input_hist_parsed) - 1
        name = self.cells.name(count)
        data = self.cells.data(cell)
        diagnostics, made = self._load(name, data)
        chosen = _chosen(given.names, made)
        if diagnostics and not given.quiet:
            print(_rendered(diagnostics, self._color()), file=sys.stderr)
        self.cells.keep(name, cell)
        self.shell.push(chosen)
        if given.show:
            self._show(name, data, given.names)
        elif not given.quiet:
            for word, value in chosen.items():
                print(_told(word, value))

    def _load(
        self, name: str, data: bytes
    ) -> tuple[tuple[Diagnostic, ...], dict[str, Any]]:
        """What is to be said of a cell, and its nets."""
        from netdsl.loading import load_checked

        try:
            diagnostics, nets = load_checked(
                name, data, self.cells.read, self._supplied, LIMITS
            )
        except CompileError as error:
            told = CellError(error.diagnostics)
            told.color = self._color()
            raise told from None
        return diagnostics, {n: getattr(nets.module, n) for n in nets.own}

    def _supplied(self, extern: str) -> Any:
        """The module of an `extern`: what the notebook calls by that name."""
        found = self.shell.user_ns.get(extern)
        return found if callable(found) else None

    def _show(self, name: str, data: bytes, names: list[str]) -> None:
        from IPython.display import Code, display

        from netdsl import compiler

        homes = {
            k: v.__module__
            for k, v in self.shell.user_ns.items()
            if callable(v) and getattr(v, "__module__", None)
        }
        only = names[0] if len(names) == 1 else None
        outcome = compiler.compile(
            name, data, reader=self.cells.read, net=only, externs=homes, limits=LIMITS
        )
        if outcome.text is not None:
            display(Code(outcome.text, language="python"))

    def _color(self) -> bool:
        return str(getattr(self.shell, "colors", "")).lower() != "nocolor"


def _arguments() -> Any:
    from IPython.core.magic_arguments import MagicArgumentParser

    parser = MagicArgumentParser(
        "%net",
        add_help=False,
        description="Compile the cell; its nets become classes of the notebook, its"
        " variants functions. It sees the nets of earlier `%%net` cells. An"
        " `extern` is what the notebook calls by that name.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="the nets to define; without, all"
    )
    parser.add_argument(
        "-q", "--quiet", action="store_true", help="say nothing but errors"
    )
    parser.add_argument("--show", action="store_true", help="show the Python")
    return parser


def _chosen(names: list[str], made: dict[str, Any]) -> dict[str, Any]:
    """The nets that are asked for, or all."""
    from IPython.core.error import UsageError

    for name in names:
        if name not in made:
            known = ", ".join(made) or "none"
            raise UsageError(f"there is no net {name} in the cell; it has: {known}")
    return {name: made[name] for name in names} if names else made


def _rendered(diagnostics: Iterable[Diagnostic], color: bool) -> str:
    from netdsl.render import render_text

    return "\n".join(render_text(d, color=color) for d in diagnostics)


def _told(name: str, value: Any) -> str:
    """How a class or function is called, and the shapes of its `forward`."""
    import inspect

    bare = inspect.Parameter.empty
    parameters = inspect.signature(value).parameters.values()
    shown = ", ".join(str(p.replace(annotation=bare)) for p in parameters)
    forward = vars(value).get("forward") if isinstance(value, type) else None
    shapes = inspect.getdoc(forward) if forward is not None else ""
    return f"{name}({shown})" + (f"  {' '.join(shapes.split())}" if shapes else "")
