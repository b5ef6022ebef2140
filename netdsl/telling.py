"""What the commands say: messages in the form asked for, and the exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from netdsl.diagnostics import Diagnostic
    from netdsl.sarif import Problem

FINE, MISTAKES, USAGE, BUG = 0, 1, 2, 3
FORMATS = ("text", "short", "json", "github", "sarif")


class Messages:
    """What goes to standard error, in the form asked for, and the exit code."""

    def __init__(self, form: str) -> None:
        self.form = form
        self.code = FINE
        self.counts = {"error": 0, "warning": 0}
        self.log: list[Diagnostic | Problem] = []
        """What a SARIF log, which is written at the end, will hold."""
        self.color = _wants_color()
        self.ascii = "utf" not in (getattr(sys.stderr, "encoding", "") or "").lower()

    def render(self, d: Diagnostic) -> str:
        if self.form == "sarif":
            return ""
        from netdsl import render

        if self.form == "short":
            return render.render_short(d)
        if self.form == "json":
            return render.render_json(d)
        if self.form == "github":
            return render.render_github(d)
        width = _terminal_width()
        return render.render_text(d, color=self.color, width=width, ascii=self.ascii)

    def show(self, diagnostics: Sequence[Diagnostic], rendered: Iterable[str]) -> None:
        if self.form == "sarif":
            self.log += diagnostics
        else:
            for text in rendered:
                self.say(text)
        for d in diagnostics:
            self.counts[d.level] = self.counts.get(d.level, 0) + 1
        if any(d.level == "error" for d in diagnostics):
            self.fail(MISTAKES)

    def refuse(self, text: str, path: str, help: str = "", code: int = USAGE) -> None:
        """A message about a whole file, or about how we were called."""
        from netdsl.render import printable

        self.fail(code)
        level = "error[internal]" if code == BUG else "error"
        if self.form == "sarif":
            from netdsl.sarif import Problem

            self.log.append(Problem(text, path, help))
        elif self.form == "json":
            self.say(_record(text, path, help, "internal" if code == BUG else ""))
        elif self.form == "github":
            self.say(_command(text, path, help))
        elif self.form == "short":
            self.say(f"{printable(path)}: {level}: {printable(text)}")
        else:
            head = click.style(level, fg="red", bold=True)
            place = "" if path in text else f"\n  --> {printable(path)}"
            tail = f"\n   = help: {printable(help)}" if help else ""
            self.say(f"{head}: {printable(text)}{place}{tail}\n")

    def bug(self, error: Exception, path: str) -> None:
        """A mistake of ours: enough of it to report, and no wall of text."""
        if os.environ.get("NETDSL_DEBUG"):
            import traceback

            self.say("".join(traceback.format_exception(error)))
        text = f"netdsl itself failed on {path}: {_told(error)}"
        help = (
            f"please report it, with the file if you may show it (netdsl {version()})"
        )
        help += "; NETDSL_DEBUG=1 shows more"
        self.refuse(text, path, help, BUG)

    def remark(self, text: str) -> None:
        """What a person likes to know and a program doesn't."""
        if self.form == "text":
            from netdsl.render import printable

            self.say(printable(text))

    def fail(self, code: int) -> None:
        self.code = max(self.code, code)

    def close(self) -> int:
        """Writes what waits for the end of the run; the exit code."""
        if self.form == "sarif":
            from netdsl.sarif import render_log

            finished = self.code in (FINE, MISTAKES)
            self.say(render_log(self.log, version(), finished=finished))
        return self.code

    def say(self, text: str) -> None:
        click.echo(text, err=True, color=self.color)


def _wants_color() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _terminal_width() -> int | None:
    if not sys.stderr.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns - len(" 1000 | ")


def _record(text: str, path: str, help: str, code: str) -> str:
    """The JSON record of a message that has no place in a file."""
    import json

    record: dict[str, Any] = {"level": "error", "code": code, "message": text}
    record |= {"note": "", "help": help, "file": path, "line": None, "column": None}
    return json.dumps(
        record | {"end_line": None, "end_column": None, "labels": []} | {"edits": []}
    )


def _command(text: str, path: str, help: str) -> str:
    from netdsl.render import workflow_command

    whole = text + (f"\nhelp: {help}" if help else "")
    return workflow_command("error", whole, {"file": path, "title": "netdsl"})


def _told(error: Exception) -> str:
    """The error and the innermost of our own lines that led to it."""
    home = os.path.dirname(os.path.abspath(__file__))
    place, trace = "", error.__traceback__
    while trace:
        name = trace.tb_frame.f_code.co_filename
        if os.path.abspath(name).startswith(home):
            inside = os.path.relpath(name, os.path.dirname(home))
            place = f" in {inside}, line {trace.tb_lineno}"
        trace = trace.tb_next
    text = str(error)[:200]
    return type(error).__name__ + (f": {text}" if text else "") + place


def version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("netdsl")
    except PackageNotFoundError:
        return "(not installed)"
