"""The files of an editor: texts that are open shadow those on the disk."""

from __future__ import annotations

import logging
import os
from collections.abc import Generator, Iterator
from itertools import islice

from pygls import uris

from netdsl.answers.page import Page
from netdsl.answers.reading import read
from netdsl.compiler import Analysis, Session
from netdsl.diagnostics import Diagnostic
from netdsl.files import Unreadable, directory_reader, read_source
from netdsl.resolve import Reader, no_imports

log = logging.getLogger(__name__)
# Files of a project that are looked through for a name, and folders for files: the
# folder of a file without a project may be somebody's home.
_MOST = 1_000
_FOLDERS = 2_000


class Document:
    """A file that is open."""

    def __init__(self, uri: str, name: str, text: str, version: int | None) -> None:
        self.uri = uri
        self.name = name
        self.text = text
        self.version = version
        self.session = Session(observes=True)
        self.page: Page | None = None
        self.fresh = False
        """Whether the page is of this text."""
        self.steps: Iterator[Analysis] | None = None
        """What is left to do about this text."""
        self.told: tuple[Diagnostic, ...] | None = None
        """The messages that were sent last."""
        self.published: set[str] = set()
        """The files that its messages were about."""

    def stop(self) -> None:
        """Leaves what is left: the text has changed again."""
        if isinstance(self.steps, Generator):
            self.steps.close()
        self.steps = None

    @property
    def imports(self) -> set[str]:
        """The names of all files that it rests on."""
        files = self.page.files if self.page is not None else None
        return set(files.files) - {self.name} if files is not None else set()


class Project:
    """All that is open, and the folders around it."""

    def __init__(self) -> None:
        self.roots: list[str] = []
        self.documents: dict[str, Document] = {}

    # -- texts -------------------------------------------------------------------

    def put(self, uri: str, text: str, version: int | None) -> Document:
        """A text as it is now."""
        document = self.documents.get(uri)
        if document is None:
            document = Document(uri, name_of(uri), text, version)
            self.documents[uri] = document
        document.text, document.version, document.fresh = text, version, False
        for other in self.users(document.name):
            other.fresh = False
        return document

    def close(self, uri: str) -> Document | None:
        document = self.documents.pop(uri, None)
        if document is not None:
            for other in self.users(document.name):
                other.fresh = False
        return document

    def changed_on_disk(self) -> None:
        for document in self.documents.values():
            document.fresh = False

    def users(self, name: str) -> list[Document]:
        """The open files that rest on a file."""
        return [d for d in self.documents.values() if name in d.imports]

    def page(self, document: Document) -> Page:
        """What is known of a text as it is now; what rests on the last edit may
        have messages of before it, until `settle` has been asked often enough."""
        if document.page is None or not document.fresh:
            document.stop()
            data = document.text.encode("utf-8", "replace")
            reader = self.reader(document.name)
            document.steps = document.session.analysing(document.name, data, reader)
            document.fresh = True
            try:
                analysis = next(document.steps)
            except Exception:
                # A mistake of ours about one file must not end the others.
                log.exception("netdsl failed on %s", document.uri)
                document.stop()
                analysis = Analysis((), None, None)
            self._step(document, analysis, reader)
        assert document.page is not None
        return document.page

    def settle(self, document: Document) -> bool:
        """Does one more step; False if there is none left."""
        if document.steps is None or document.page is None:
            return False
        try:
            analysis = next(document.steps, None)
        except Exception:
            log.exception("netdsl failed on %s", document.uri)
            analysis = None
        if analysis is None:
            document.steps = None
            return False
        self._step(document, analysis, document.page.reader)
        return True

    def _step(self, document: Document, analysis: Analysis, reader: Reader) -> None:
        document.page = Page(
            document.name,
            document.text,
            analysis,
            document.session,
            document.page,
            reader,
        )

    # -- files -------------------------------------------------------------------

    def reader(self, name: str) -> Reader:
        """What reads the imports of a file: no higher than its project's folder."""
        if not os.path.isabs(name):
            return no_imports
        return directory_reader(self._root(name), None, self._open_text)

    def _root(self, name: str) -> str:
        around = [r for r in self.roots if name.startswith(r.rstrip("/") + "/")]
        return max(around, key=len) if around else os.path.dirname(name)

    def _open_text(self, name: str) -> bytes | None:
        for document in self.documents.values():
            if document.name == name:
                return document.text.encode("utf-8", "replace")
        return None

    def pages(self, page: Page, word: str) -> Iterator[Page]:
        """The files that may use a name of this one."""
        yield page
        seen = {page.name}
        for document in list(self.documents.values()):
            if document.name not in seen and word in document.text:
                seen.add(document.name)
                yield self.page(document)
        for path in islice(self._paths(page.name), _MOST):
            if path not in seen:
                seen.add(path)
                other = self._read(path, word)
                if other is not None:
                    yield other

    def _paths(self, name: str) -> Iterator[str]:
        if not os.path.isabs(name):
            return
        for folder, inner, files in islice(os.walk(self._root(name)), _FOLDERS):
            inner[:] = sorted(d for d in inner if not d.startswith((".", "node_mod")))
            for file in sorted(files):
                if file.endswith(".net"):
                    yield os.path.join(folder, file)

    def _read(self, path: str, word: str) -> Page | None:
        try:
            data = read_source(path)
        except Unreadable:
            return None
        if word.encode() not in data:
            return None
        return read(path, data, self.reader(path))


def name_of(uri: str) -> str:
    """The path of a file, or the name of a text that has none."""
    if uri.startswith("file:"):
        return uris.to_fs_path(uri) or uri
    return uri


def uri_of(name: str) -> str:
    """The other way round."""
    if os.path.isabs(name):
        return uris.from_fs_path(name) or name
    return name
