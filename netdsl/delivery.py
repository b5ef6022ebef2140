"""Where products go: which path each is written to, and the writing.

A file that netdsl didn't write is left alone; `--check` and `--diff` only tell.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from netdsl import files
from netdsl.telling import MISTAKES, Messages


def folder_of(sources: Sequence[str], output: str | None) -> str | None:
    """The folder that -o names, if it names one."""
    several = len(sources) > 1
    if output is None or not (several or _is_folder(output)):
        return None
    # `x.py` that isn't there yet is a file that is meant, too.
    is_file = os.path.isfile(output) or output.endswith((".py", ".pyi", ".net"))
    if several and (output == "-" or (is_file and not _is_folder(output))):
        raise click.UsageError(f"several files want a folder for -o, not `{output}`")
    return output


def targets(
    sources: Sequence[str],
    output: str | None,
    folder: str | None,
    suffix: str,
    compares: bool,
) -> list[tuple[str, str]]:
    """Each file with the path it is written to; `-` is the screen."""
    found: dict[str, str] = {}
    for source in sources:
        target = _target(source, output, folder, suffix)
        if target == "-" and compares:
            raise click.UsageError(
                "--check and --diff compare with a file: use -o FILE"
            )
        other = found.setdefault(target, source)
        if other != source:
            raise click.UsageError(f"`{other}` and `{source}` would both be `{target}`")
        if target != "-" and os.path.normpath(target) == os.path.normpath(source):
            raise click.UsageError(
                f"`{source}` would be overwritten by its own product"
            )
    return [(source, target) for target, source in found.items()]


def _is_folder(path: str) -> bool:
    return path.endswith(("/", os.sep)) or os.path.isdir(path)


def _target(source: str, output: str | None, folder: str | None, suffix: str) -> str:
    if source == "-":
        if folder is not None:
            raise click.UsageError("standard input has no name: -o wants a file for it")
        return output or "-"
    product = os.path.splitext(source)[0] + suffix
    if folder is not None:
        return os.path.join(folder, os.path.basename(product))
    return output or product


class Delivery:
    """Writes products, or tells how they differ from what is there."""

    def __init__(
        self,
        messages: Messages,
        folder: str | None,
        *,
        check: bool,
        diff: bool,
        force: bool,
    ) -> None:
        self.messages = messages
        self.folder = folder
        self.check = check
        self.diff = diff
        self.force = force

    def deliver(self, text: str, target: str) -> None:
        try:
            self._deliver(text, target)
        except BrokenPipeError:
            # Who reads has seen enough, as `head` has: click ends quietly.
            raise
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            place = "standard output" if target == "-" else target
            self.messages.refuse(f"`{place}` can't be written: {reason}", place)

    def _deliver(self, text: str, target: str) -> None:
        if target == "-":
            _print(text)
            return
        old = files.read_product(target)
        if old == text:
            return
        if self.check or self.diff:
            self.compare(old, text, target)
        elif old and not self.force and not files.is_ours(old):
            reason = f"`{target}` was not written by netdsl, so it is left alone"
            self.messages.refuse(reason, target, "--force overwrites it")
        else:
            if self.folder is not None:
                os.makedirs(self.folder, exist_ok=True)
            files.write_atomic(target, text)
            self.messages.remark(f"wrote {target}")

    def compare(self, old: str | None, new: str, target: str) -> None:
        """Tells that a text would change, and how."""
        if old == new:
            return
        if self.diff:
            _print(_difference(old, new, target))
        if self.check:
            self.messages.fail(MISTAKES)
            change = "does not exist yet" if old is None else "would change"
            self.messages.remark(f"{target} {change}")


def _difference(old: str | None, new: str, target: str) -> str:
    from difflib import unified_diff

    there = "/dev/null" if old is None else target
    return "".join(unified_diff(_lines(old or ""), _lines(new), there, target))


def _lines(text: str) -> list[str]:
    """The lines of a text with their ends; of a last one without, what `diff` says."""
    *lines, last = text.split("\n")
    ended = [f"{line}\n" for line in lines]
    return [*ended, f"{last}\n\\ No newline at end of file\n"] if last else ended


def _print(text: str) -> None:
    # Bytes: no line ends of the platform, no encoding of the terminal.
    click.echo(text.encode("utf-8"), nl=False)
