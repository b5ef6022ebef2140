"""Which file defines which name: imports, duplicates, cycles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from netdsl import syntax
from netdsl.diagnostics import Label, Report
from netdsl.limits import ImportRefused, Limits
from netdsl.parse import Parser, decode
from netdsl.source import Span
from netdsl.suggestions import did_you_mean, nearest


class Reader(Protocol):
    """Reads an imported file: `reader(importer, path)` gives its name and bytes.

    Raises ImportRefused.
    """

    def __call__(self, importer: str, path: str, /) -> tuple[str, bytes]: ...


def no_imports(importer: str, path: str) -> tuple[str, bytes]:
    """The reader of a text that has no folder."""
    raise ImportRefused(
        "this text has no folder to import from", "compile it as a file"
    )


class File:
    """One `.net` file: its tree, and the names that it sees."""

    def __init__(self, name: str, program: syntax.Program) -> None:
        self.name = name
        self.program = program
        self.scope: dict[str, syntax.Item] = {}
        self.own: dict[str, syntax.Item] = {}
        self.broken = broken_names(program)
        """Names whose definition has a mistake that was told."""
        self.lost = lost_words(program)
        """The words of items with syntax errors: what they may have used."""


class Files:
    """The file that is compiled, the first, and all that it imports."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self._file_of: dict[int, File] = {}
        self._items: list[syntax.Item] = []

    @property
    def main(self) -> File:
        return next(iter(self.files.values()))

    @property
    def items(self) -> list[syntax.Item]:
        """The items of the file that is compiled, and those that they lead to."""
        if not self._items:
            self._items = list(self._reached())
        return self._items

    def _reached(self) -> Iterator[syntax.Item]:
        seen = {id(i) for i in self.main.program.items}
        stack = list(self.main.program.items)
        for item in stack:
            yield item
            scope = self.scope_of(item) if len(self.files) > 1 else {}
            for word in sorted(scope.keys() & syntax.names_in(item)):
                if id(scope[word]) not in seen:
                    seen.add(id(scope[word]))
                    stack.append(scope[word])

    def scope_of(self, owner: Any) -> dict[str, syntax.Item]:
        """The names that an item of one of the files sees."""
        return self.file_of(owner).scope

    def file_of(self, owner: Any) -> File:
        return self._file_of.get(id(owner)) or self.main

    def holds(self, item: syntax.Item) -> bool:
        """Whether it is an item of one of the files."""
        return id(item) in self._file_of

    def is_broken(self, owner: Any, name: str) -> bool:
        """Whether a name is defined for the owner, but by nothing that can be used."""
        return name in self.file_of(owner).broken

    def may_be_used(self, item: syntax.Net) -> bool:
        """Whether an item of its file that can't be read names a net."""
        return item.name in self.file_of(item).lost

    def adopt(self, item: syntax.Item, like: syntax.Item) -> None:
        """Lets an item that no text holds see what another sees."""
        self._file_of[id(item)] = self.file_of(like)

    def add(self, file: File) -> None:
        self.files[file.name] = file
        for item in file.program.items:
            self._file_of[id(item)] = file
            if isinstance(item, syntax.Constant):
                self._file_of[id(item.let)] = file


def resolve(
    program: syntax.Program,
    parser: Parser,
    reader: Reader,
    report: Report,
    limits: Limits,
) -> Files:
    """The files of a compile, each with its scope."""
    files = Files()
    name = program.span.source.name
    _Resolver(files, parser, reader, report, limits).load(name, program, ())
    return files


class _Resolver:
    def __init__(
        self,
        files: Files,
        parser: Parser,
        reader: Reader,
        report: Report,
        limits: Limits,
    ) -> None:
        self.files = files
        self.parser = parser
        self.reader = reader
        self.report = report
        self.limits = limits

    def load(self, name: str, program: syntax.Program, above: tuple[str, ...]) -> File:
        file = File(name, program)
        self.files.add(file)
        for item in program.items:
            if isinstance(item, syntax.Import):
                self._import(file, item, (*above, name))
            else:
                for word, span in defined_names(item):
                    self._define(file, word, span, item)
        return file

    def _define(self, file: File, word: str, span: Span, item: syntax.Item) -> None:
        from netdsl.reserved import is_taken

        reason = is_taken(word)
        if reason:
            self.report.error(
                "reserved-name",
                f"`{word}` can't be defined: it is {reason}",
                span,
                help=f"write `{word}_`",
            )
        first = file.own.get(word)
        if first is not None:
            self.report.error(
                "duplicate-name",
                f"`{word}` is defined twice",
                span,
                labels=[Label(dict(defined_names(first))[word], "the first")],
            )
            return
        file.own[word] = item
        file.scope[word] = item

    def _import(self, file: File, item: syntax.Import, above: tuple[str, ...]) -> None:
        other = self._file(file, item, above)
        if other is None:
            file.broken |= {i.alias for i in item.names}
            return
        for imported in item.names:
            found = other.own.get(imported.name)
            if found is None:
                file.broken.add(imported.alias)
                if imported.name in other.broken:
                    continue
                span = imported.span
                word = Span(span.chunk, span.start, span.start + len(imported.name))
                # One mistake, one message: the word that was meant may be in use.
                near = nearest(imported.name, other.own)
                file.broken |= {near} - file.own.keys() - {""}
                self.report.error(
                    "missing-net",
                    f"`{item.path}` has no `{imported.name}`",
                    imported.span,
                    help=did_you_mean(imported.name, other.own, word),
                )
                continue
            if imported.alias in file.own:
                self.report.error(
                    "duplicate-name",
                    f"`{imported.alias}` is defined twice",
                    imported.span,
                    help=f"write `{imported.name} as ANOTHER_NAME`",
                )
            file.scope[imported.alias] = found
            file.own.setdefault(imported.alias, found)

    def _file(
        self, file: File, item: syntax.Import, above: tuple[str, ...]
    ) -> File | None:
        if len(above) > self.limits.depth or len(self.files.files) > self.limits.files:
            self.report.error(
                "too-deep",
                f"imports go more than {self.limits.depth} deep",
                item.path_span,
            )
            return None
        try:
            name, data = self.reader(file.name, item.path)
        except ImportRefused as refused:
            self.report.error(
                refused.code, refused.text, item.path_span, help=refused.help
            )
            return None
        if name in above:
            circle = " -> ".join([*above[above.index(name) :], name])
            self.report.error(
                "import-cycle",
                f"`{item.path}` imports this file, which imports it",
                item.path_span,
                note=circle,
                help="move what both need into a third file",
            )
            return None
        known = self.files.files.get(name)
        if known is not None:
            return known
        source = decode(name, data, self.report, self.limits)
        if source is None:
            return None
        program = self.parser.parse(source, self.report, self.limits)
        return self.load(name, program, above)


_HEAD = re.compile(r"^(?:net|fn|extern|let)\s+(\w+(?:\s*,\s*\w+)*)", re.MULTILINE)
_IMPORTED = re.compile(r"^from\b(.*)", re.MULTILINE | re.DOTALL)


def broken_names(program: syntax.Program) -> set[str]:
    """The names that items with syntax errors would have defined."""
    names: set[str] = set()
    for text in _unread(program):
        for head in _HEAD.finditer(text):
            names.update(re.findall(r"\w+", head[1]))
        for imported in _IMPORTED.finditer(text):
            names.update(re.findall(r"\w+", imported[1]))
    return names


def lost_words(program: syntax.Program) -> set[str]:
    """The words of items with syntax errors."""
    return {w for text in _unread(program) for w in re.findall(r"[^\W\d]\w*", text)}


def _unread(program: syntax.Program) -> list[str]:
    sound = {id(item.span.chunk) for item in program.items}
    return [chunk.text for chunk in program.chunks if id(chunk) not in sound]


def defined_names(item: syntax.Item) -> list[tuple[str, Span]]:
    """The names that an item defines, with their places."""
    if isinstance(item, syntax.Net | syntax.Fn | syntax.Extern):
        return [(item.name, item.name_span)]
    if isinstance(item, syntax.Constant):
        return [(t.id, t.span) for t in item.let.targets]
    return []
