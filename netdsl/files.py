"""Reading and writing at the doors: sources, imported files, products.

Everything a user names goes through here, so that a folder, a pipe that never
ends or a path out of the root ends in one plain sentence.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from netdsl.limits import ImportRefused, Limits

FOOTER = "# netdsl: made from "
_NEAR = 2000
"""Files of a folder that are looked at when a name is to be guessed."""


class Unreadable(OSError):
    """A path that can't be read: one line, and what may have been meant."""

    def __init__(self, text: str, help: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.help = help

    def __str__(self) -> str:
        return f"{self.text}; {self.help}" if self.help else self.text


class Missing(Unreadable, FileNotFoundError):
    """There is nothing at that path."""


def read_source(path: str, limits: Limits | None = None) -> bytes:
    """The bytes of a regular file, at most one more than the limit allows.

    The one byte more tells the compiler that the file is too large.
    """
    return _read(path, f"`{path}`", limits)


def _read(path: str, shown: str, limits: Limits | None) -> bytes:
    limit = (limits or Limits()).source_bytes
    with _open_regular(path, shown) as file:
        return file.read(limit + 1)


def read_standard_input(limits: Limits | None = None) -> bytes:
    limit = (limits or Limits()).source_bytes
    if sys.stdin is None:
        raise Unreadable("standard input is closed")
    try:
        return sys.stdin.buffer.read(limit + 1)
    except (OSError, ValueError) as error:
        raise Unreadable(f"standard input can't be read: {_reason(error)}") from None


@contextmanager
def _open_regular(path: str, shown: str) -> Iterator[BinaryIO]:
    # Opening a pipe would wait for its writer if it weren't for O_NONBLOCK.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        with open(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise Unreadable(f"{shown} is {_kind(mode)}, not a file")
            yield file
    except Unreadable:
        raise
    except FileNotFoundError:
        raise Missing(f"there is no file {shown}", _near(path)) from None
    except IsADirectoryError:
        raise Unreadable(f"{shown} is a folder, not a file") from None
    except (OSError, ValueError) as error:
        raise Unreadable(f"{shown} can't be read: {_reason(error)}") from None


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a pipe" if stat.S_ISFIFO(mode) else "a device"


def _reason(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return text[:1].lower() + text[1:]


def _near(path: str) -> str:
    folder, name = os.path.split(path)
    found = near_file(folder, name)
    return f"did you mean `{os.path.join(folder, found)}`?" if found else ""


def near_file(folder: str, name: str) -> str:
    """The `.net` file of a folder whose name is most like this one, if any is."""
    from difflib import get_close_matches
    from itertools import islice

    try:
        with os.scandir(folder or ".") as entries:
            names = [entry.name for entry in islice(entries, _NEAR)]
    except (OSError, ValueError):
        return ""
    nets = sorted(n for n in names if n.endswith(".net") and n != name)
    return next(iter(get_close_matches(name, nets, n=1)), "")


def directory_reader(
    root: str | os.PathLike[str],
    limits: Limits | None = None,
    open_text: Callable[[str], bytes | None] = lambda name: None,
) -> Callable[[str, str], tuple[str, bytes]]:
    """A reader of imports: files at or below `root`, and nothing else.

    The name it gives to an imported file is its path as seen from where `root`
    was seen, so that messages show `models/blocks.net` to who gave it `models`.
    `open_text` may know a file of that name better than the disk: an editor does.
    """
    top = os.fspath(root)
    prefix = f"{top.rstrip('/')}/" if top else ""

    def read(importer: str, path: str) -> tuple[str, bytes]:
        inner = _inner(_folder_below(importer, prefix), path)
        data = open_text(prefix + inner)
        if data is None:
            data = _read_below(top or ".", inner, path, limits)
        return prefix + inner, data

    return read


def _folder_below(importer: str, prefix: str) -> str:
    """The importing file's folder as seen from the root."""
    folder = posixpath.dirname(importer.removeprefix(prefix))
    # A name that isn't below the root is that of a file at its top.
    below = importer.startswith(prefix) and not os.path.isabs(folder)
    return folder if below else ""


def _inner(folder: str, path: str) -> str:
    """Where an import leads as seen from the root; refused if out of it."""
    _check_written(path)
    inner = posixpath.normpath(posixpath.join(folder, path))
    if inner == ".." or inner.startswith("../"):
        raise _outside(path)
    return inner


def _check_written(path: str) -> None:
    if path.startswith("/") or re.match(r"[A-Za-z]:", path):
        text = f'"{path}" is an absolute path'
        help = "write it relative to this file"
        raise ImportRefused(text, help, "import-outside")
    if "\\" in path:
        help = f'from "{path.replace(chr(92), "/")}" import ...'
        raise ImportRefused(f'"{path}" has backslashes', help)
    if not path.isprintable() or ":" in path or "//" in path:
        raise ImportRefused(f'"{path}" is not the path of a file')
    if not path.endswith(".net"):
        text = f'"{path}" is not a `.net` file'
        bare = "." not in posixpath.basename(path)
        help = f'did you mean "{path}.net"?' if bare else "Python comes by `extern`"
        raise ImportRefused(text, help)


def _outside(path: str) -> ImportRefused:
    text = f'"{path}" leads out of the folder of the file that is compiled'
    help = "move the file into that folder, or below it"
    return ImportRefused(text, help, "import-outside")


def _read_below(root: str, inner: str, path: str, limits: Limits | None) -> bytes:
    top = os.path.realpath(root)
    # The real path is what is opened: a link may not be swapped in between.
    real = os.path.realpath(os.path.join(top, *inner.split("/")))
    if os.path.commonpath([top, real]) != top:
        raise _outside(path)
    if not os.path.lexists(real) or not _spelled(top, inner):
        raise _missing(top, inner, path)
    try:
        return _read(real, f'"{path}"', limits)
    except Unreadable as error:
        raise ImportRefused(error.text) from None


def _spelled(top: str, inner: str) -> bool:
    """False where only a disk that ignores case takes the name for a file's."""
    folder = top
    for part in inner.split("/"):
        try:
            if part not in os.listdir(folder):
                return False
        except OSError:
            return True
        folder = os.path.join(folder, part)
    return True


def _missing(top: str, inner: str, path: str) -> ImportRefused:
    folder, name = posixpath.split(inner)
    found = near_file(os.path.join(top, folder), name)
    meant = posixpath.join(posixpath.dirname(path), found)
    help = f'did you mean "{meant}"?' if found else ""
    return ImportRefused(f'there is no file "{path}"', help)


def footer(name: str) -> str:
    """The comment that ends each file we write: by it we know our own again."""
    plain = re.sub(r"[^\w.<> -]", "_", re.split(r"[/\\]", name)[-1], flags=re.ASCII)
    return FOOTER + plain


def with_footer(text: str, name: str) -> str:
    """The text with its last comment, which it may have already."""
    if is_ours(text):
        return text
    return f"{text.rstrip()}\n\n\n{footer(name)}\n".lstrip()


def is_ours(text: str) -> bool:
    """Whether netdsl wrote this text."""
    return text.rstrip().rpartition("\n")[2].startswith(FOOTER)


def read_product(path: str) -> str | None:
    """What is written at a path now; None if nothing is, or no text can be."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None


def write_atomic(path: str, text: str) -> None:
    """Write a whole file or leave all as it was; raises OSError if it can't be.

    A link stays a link, and the file keeps its mode.
    """
    data = text.encode("utf-8")
    target = os.path.realpath(path)
    try:
        mode: int | None = os.stat(target).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and not stat.S_ISREG(mode):
        # /dev/null or a pipe must not be replaced by a file; a folder refuses.
        with open(target, "wb") as device:
            device.write(data)
        return
    if mode is not None and not os.access(target, os.W_OK):
        raise PermissionError(13, os.strerror(13), path)
    _replace(target, data, mode)


def _replace(target: str, data: bytes, mode: int | None) -> None:
    name = f".netdsl-{os.urandom(6).hex()}.tmp"
    draft = os.path.join(os.path.dirname(target), name)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    # 0o666 less the umask is what any new file gets.
    descriptor = os.open(draft, flags, 0o666)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        if mode is not None:
            os.chmod(draft, stat.S_IMODE(mode))
        os.replace(draft, target)
    except BaseException:
        os.unlink(draft)
        raise
