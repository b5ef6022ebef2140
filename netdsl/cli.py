"""The command line: `netdsl compile`, `stub`, `check`, `fmt` and `explain`.

Products go to files or standard output, messages to standard error.  Whatever
happens to one file, the others are still done; the worst result is the exit
code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from netdsl import files
from netdsl.delivery import Delivery, folder_of, targets
from netdsl.telling import BUG, FORMATS, Messages, version

if TYPE_CHECKING:
    from netdsl.compiler import Outcome, Reader
    from netdsl.diagnostics import Diagnostic
    from netdsl.formatting import Formatter

STANDARD_INPUT = "<stdin>"


class Options(NamedTuple):
    """What holds for all files of a run."""

    net: str | None
    define: Mapping[str, str]
    externs: Mapping[str, str]


# -- options -------------------------------------------------------------------


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"netdsl {version()}")
        context.exit()


def _defined(
    _context: click.Context, _parameter: click.Parameter, pairs: Sequence[str]
) -> dict[str, str]:
    return dict(_split(pairs, "-D", "name=value"))


def _given_layers(
    _context: click.Context, _parameter: click.Parameter, pairs: Sequence[str]
) -> dict[str, str]:
    given = dict(_split(pairs, "--layer", "NAME=package"))
    for name, package in given.items():
        _check_layer(name, package)
    return given


def _split(pairs: Sequence[str], option: str, form: str) -> Iterator[tuple[str, str]]:
    seen = set()
    for pair in pairs:
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not (name and equals and value):
            raise click.BadParameter(f"`{pair}` is not of the form {form}")
        if name in seen:
            raise click.BadParameter(f"`{option} {name}` is given twice")
        seen.add(name)
        yield name, value


def _check_layer(name: str, package: str) -> None:
    # Both end up in an import line of the generated file.
    if not _is_name(name):
        raise click.BadParameter(f"`{name}` is not the name of a layer")
    if not all(map(_is_name, package.split("."))):
        raise click.BadParameter(f"`{package}` is not the name of a Python package")


def _is_name(text: str) -> bool:
    from keyword import iskeyword

    return text.isascii() and text.isidentifier() and not iskeyword(text)


def _project_layers() -> dict[str, str]:
    """`[tool.netdsl.layers]` of the nearest pyproject.toml at or above us."""
    path = _nearest("pyproject.toml")
    if path is None:
        return {}
    try:
        with open(path, "rb") as file:
            data = file.read()
        table = _layer_table(data)
        for name, package in table.items():
            _check_layer(name, package)
    except (OSError, ValueError, click.BadParameter) as error:
        raise click.UsageError(f"{path}: {error}") from None
    return table


def _nearest(name: str) -> str | None:
    folder = os.getcwd()
    while not os.path.isfile(os.path.join(folder, name)):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return os.path.join(folder, name)


def _layer_table(data: bytes) -> dict[str, str]:
    # Most projects have no such table, and reading TOML costs every run.
    if b"netdsl" not in data or b"layers" not in data:
        return {}
    import tomllib

    found: Any = tomllib.loads(data.decode("utf-8"))
    for key in ("tool", "netdsl", "layers"):
        found = found.get(key, {}) if isinstance(found, dict) else found
    if not isinstance(found, dict) or any(type(v) is not str for v in found.values()):
        raise ValueError('[tool.netdsl.layers] wants lines like `Name = "package"`')
    return found


# -- commands ------------------------------------------------------------------

_net = click.option("--net", metavar="NAME", help="The net that is meant.")
_define = click.option(
    "-D",
    "define",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_defined,
    help="A hyperparameter or inferred size of that net, as written in `.net`.",
)
_form = click.option(
    "--error-format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="How messages are written.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the version.",
)
def cli() -> None:
    """Write neural networks in a few lines, compile them to plain PyTorch."""


def _makes_products(command: Callable[..., None]) -> Callable[..., None]:
    """The options of the commands that write a file for each file."""
    for option in reversed(_PRODUCT_OPTIONS):
        command = option(command)
    return command


_PRODUCT_OPTIONS: list[Callable[..., Any]] = [
    click.argument("paths", metavar="FILE...", nargs=-1, required=True),
    click.option(
        "-o",
        "--output",
        metavar="PATH",
        help="Where to write: a file, a folder for several files, or - for the screen."
        " Without it, beside each FILE.net.",
    ),
    _net,
    _define,
    click.option(
        "--layer",
        "layers",
        multiple=True,
        metavar="NAME=PACKAGE",
        callback=_given_layers,
        help="The Python package that an `extern` comes from.",
    ),
    click.option(
        "--check", is_flag=True, help="Write nothing; 1 if a file would change."
    ),
    click.option("--diff", is_flag=True, help="Write nothing; show what would change."),
    click.option(
        "--force", is_flag=True, help="Overwrite files that netdsl didn't write."
    ),
    _form,
    click.pass_context,
]


@cli.command("compile")
@_makes_products
def compile_command(context: click.Context, **given: Any) -> None:
    """Compile each FILE to Python, FILE.py; - reads standard input."""
    _write_products(context, "compile", ".py", **given)


@cli.command("stub")
@_makes_products
def stub_command(context: click.Context, **given: Any) -> None:
    """Write the types of each FILE, FILE.pyi, for mypy, pyright and editors."""
    _write_products(context, "stub", ".pyi", **given)


def _write_products(
    context: click.Context,
    verb: str,
    suffix: str,
    *,
    paths: Sequence[str],
    output: str | None,
    net: str | None,
    define: Mapping[str, str],
    layers: Mapping[str, str],
    check: bool,
    diff: bool,
    force: bool,
    form: str,
) -> None:
    messages = Messages(form)
    options = Options(net, define, {**_project_layers(), **layers})
    sources = list(dict.fromkeys(paths))
    folder = folder_of(sources, output)
    delivery = Delivery(messages, folder, check=check, diff=diff, force=force)
    for path, target in targets(sources, output, folder, suffix, check or diff):
        outcome = _outcome(messages, path, options, verb)
        if outcome is not None and outcome.text is not None:
            delivery.deliver(files.with_footer(outcome.text, _name(path)), target)
    context.exit(messages.close())


@cli.command("check")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--fix", is_flag=True, help="Make the changes that are surely meant.")
@_net
@_define
@_form
@click.pass_context
def check_command(
    context: click.Context,
    paths: Sequence[str],
    fix: bool,
    net: str | None,
    define: Mapping[str, str],
    form: str,
) -> None:
    """Check files, and all `.net` files below folders, without torch."""
    messages = Messages(form)
    options = Options(net, define, _project_layers())
    if fix and "-" in paths:
        raise click.UsageError("--fix changes files, and - is none")
    number = 0
    for path in _sources(paths, messages):
        if fix:
            _fix(messages, path, options)
        number += _outcome(messages, path, options, "check") is not None
    if number:
        messages.remark(_summary(number, messages.counts))
    context.exit(messages.close())


@cli.command("fmt")
@click.argument("paths", metavar="[PATH...|-]", nargs=-1)
@click.option("--check", is_flag=True, help="Write nothing; 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@_form
@click.pass_context
def format_command(
    context: click.Context, paths: Sequence[str], check: bool, diff: bool, form: str
) -> None:
    """Write files in the one canonical form, comments and meaning unchanged.

    Formats files, and all `.net` files below folders; without a PATH, below this
    folder.  - reads standard input and writes standard output.
    """
    from netdsl.formatting import Formatter

    messages, formatter = Messages(form), Formatter()
    delivery = Delivery(messages, None, check=check, diff=diff, force=True)
    results = [
        _format(messages, formatter, delivery, path)
        for path in _sources(paths or ".", messages)
    ]
    known = [r for r in results if r is not None]
    if known and "-" not in paths:
        verb = "would change" if check or diff else "changed"
        told = f"{sum(known) or 'none'} {verb}"
        messages.remark(f"{_count(len(known), 'file')} formatted: {told}")
    context.exit(messages.close())


@cli.command("lsp")
def lsp_command() -> None:
    """Serve an editor over standard input and output (LSP)."""
    try:
        import pygls  # noqa: F401
    except ImportError:
        raise click.ClickException(
            "the language server needs pygls: pip install 'netdsl[lsp]'"
        ) from None
    from netdsl.lsp.server import serve

    serve(version())


@cli.command("explain")
@click.argument("code", required=False)
def explain_command(code: str | None) -> None:
    """Explain a message by its CODE; without one, list the codes."""
    from netdsl.codes import CODES, explain

    if code is None:
        width = max(map(len, CODES))
        for name, about in CODES.items():
            click.echo(f"{name:{width}}  {about.title}")
        return
    try:
        click.echo(explain(code), nl=False)
    except LookupError as error:
        raise click.UsageError(str(error.args[0])) from None


# -- one file ------------------------------------------------------------------


def _outcome(
    messages: Messages, path: str, options: Options, verb: str
) -> Outcome | None:
    """What the compiler says of a file, told; None if it had nothing to say."""
    try:
        data = _read(path)
    except files.Unreadable as error:
        messages.refuse(error.text, _name(path), error.help)
        return None
    try:
        outcome = _run(_name(path), data, options, verb)
        rendered = [messages.render(d) for d in outcome.diagnostics]
    except Exception as error:
        if _is_usage(error):
            messages.refuse(str(error), _name(path))
        else:
            messages.bug(error, _name(path))
        return None
    messages.show(outcome.diagnostics, rendered)
    return outcome


def _fix(messages: Messages, path: str, options: Options) -> None:
    """Makes the edits that messages are sure of; what is left is told afterwards."""
    from netdsl import fixing

    def check(data: bytes) -> Sequence[Diagnostic]:
        return _run(path, data, options, "check").diagnostics

    try:
        data = files.read_source(path)
        fixed = fixing.fix(path, data, check)
        if fixed.mended:
            files.write_atomic(path, fixed.data.decode("utf-8"))
            messages.remark(f"{path}: {_count(fixed.mended, 'mistake')} mended")
    except files.Unreadable:
        pass  # checking it says so
    except OSError as error:
        messages.refuse(f"`{path}` can't be written: {error.strerror or error}", path)
    except Exception as error:
        # A call that can't be right, or a mistake of ours, is told by checking.
        if not _is_usage(error):
            messages.bug(error, path)


def _format(
    messages: Messages, formatter: Formatter, delivery: Delivery, path: str
) -> bool | None:
    """Formats a file; whether that changes it, None if it can't be formatted."""
    try:
        data = _read(path)
        done = formatter.canonical(_name(path), data)
        rendered = [messages.render(d) for d in done.diagnostics]
    except files.Unreadable as error:
        messages.refuse(error.text, _name(path), error.help)
        return None
    except Exception as error:
        messages.bug(error, _name(path))
        return None
    messages.show(done.diagnostics, rendered)
    if done.text is None:
        return None
    if path == "-" and (delivery.check or delivery.diff):
        delivery.compare(data.decode("utf-8"), done.text, _name(path))
    else:
        delivery.deliver(done.text, path)
    return data != done.text.encode("utf-8")


def _run(name: str, data: bytes, options: Options, verb: str) -> Outcome:
    from netdsl import compiler

    run: Callable[..., Outcome] = getattr(compiler, verb)
    folder = "" if name == STANDARD_INPUT else os.path.dirname(name)
    reader: Reader = files.directory_reader(folder)
    net, define, externs = options
    return run(name, data, reader=reader, net=net, define=define, externs=externs)


def _is_usage(error: Exception) -> bool:
    # Where the compiler itself can't be imported, nothing of it can be asked.
    compiler = sys.modules.get("netdsl.compiler")
    return isinstance(error, getattr(compiler, "UsageError", ()))


def _read(path: str) -> bytes:
    return files.read_standard_input() if path == "-" else files.read_source(path)


def _name(path: str) -> str:
    return STANDARD_INPUT if path == "-" else path


def _summary(number: int, counts: Mapping[str, int]) -> str:
    told = [_count(n, level) for level, n in counts.items() if n]
    return f"{_count(number, 'file')} checked: {', '.join(told) or 'all fine'}"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")


# -- which files ---------------------------------------------------------------


def _sources(paths: Sequence[str], messages: Messages) -> Iterator[str]:
    """The files that are named, and those below the folders that are."""
    seen = set()
    for path in paths:
        found = sorted(_below(path, messages)) if os.path.isdir(path) else [path]
        if not found:
            messages.refuse(f"there are no `.net` files in `{path}`", path)
        for file in found:
            if os.path.normpath(file) not in seen:
                seen.add(os.path.normpath(file))
                yield file


def _below(folder: str, messages: Messages) -> Iterator[str]:
    def closed(error: OSError) -> None:
        path = str(error.filename)
        messages.refuse(f"`{path}` can't be read: {error.strerror}", path)

    for here, folders, names in os.walk(folder, onerror=closed):
        folders[:] = [f for f in folders if not f.startswith(".")]
        for name in names:
            if name.endswith(".net") and not name.startswith("."):
                yield os.path.join(here, name).removeprefix("./")


def main() -> None:
    """The `netdsl` command."""
    import gc

    # A short run makes trees that stay: looking through them again is a waste.
    gc.set_threshold(100_000, 20, 20)
    try:
        cli(prog_name="netdsl")
    except SystemExit as done:
        _leave(done.code)
    except Exception as error:
        Messages("text").bug(error, "the command line")
        sys.exit(BUG)


def _leave(code: object) -> None:
    """Ends the process; to take its trees apart first would cost a tenth of a run."""
    if not isinstance(code, int):
        sys.exit(code)  # type: ignore[arg-type]
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        sys.exit(code)  # Python knows what to do about a broken pipe
    os._exit(code)
