"""The server: what the editor asks, and what is said without being asked."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Iterator
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from netdsl.answers import completing, hints, hover, outline, referring, signing
from netdsl.answers.colouring import Colours
from netdsl.answers.page import Page
from netdsl.diagnostics import Diagnostic
from netdsl.fixing import fix
from netdsl.formatting import Formatter
from netdsl.lsp.positions import UTF16, Positions
from netdsl.lsp.project import Document, Project, name_of, uri_of
from netdsl.lsp.wire import LEGEND, Wire

# Seconds without another key before a text is read: keys that come together are
# read together.
DELAY = 0.005
# Seconds between steps, in which the editor may ask something.
PAUSE = 0.001
# Seconds without a key before memory is tidied up, which takes as long as reading.
REST = 2.0


class Server(LanguageServer):
    """The texts of one editor, and what is known of them."""

    def __init__(self, version: str) -> None:
        sync = types.TextDocumentSyncKind.Full
        super().__init__("netdsl", version, text_document_sync_kind=sync)
        self.project = Project()
        self.colours: Colours | None = None
        self.formatter = Formatter()
        self.waiting: dict[str, asyncio.TimerHandle] = {}
        self.tidying: asyncio.TimerHandle | None = None
        self.is_leaving = False
        """Whether the editor has said that it needs no more."""
        self._is_reporting = False

    @property
    def wire(self) -> Wire:
        encoding = self.workspace.position_encoding
        return Wire(encoding or UTF16)

    def page(self, uri: str) -> Page | None:
        document = self.project.documents.get(uri)
        return self.project.page(document) if document is not None else None

    def place(self, params: Any) -> tuple[Page, int] | None:
        """The page and the offset that a request is about."""
        page = self.page(params.text_document.uri)
        if page is None:
            return None
        return page, self.positions(page).offset(params.position)

    def positions(self, page: Page) -> Positions:
        return self.wire.positions(page.source)

    # -- messages ----------------------------------------------------------------

    def put(self, uri: str) -> None:
        """A text is new, or has changed."""
        text = self.workspace.get_text_document(uri)
        document = self.project.put(uri, text.source, text.version)
        self.later(document)

    def later(self, document: Document) -> None:
        """Reads a text as soon as no more keys come."""
        waiting = self.waiting.pop(document.uri, None)
        if waiting is not None:
            waiting.cancel()
        if self.tidying is not None:
            self.tidying.cancel()
        if self.is_leaving:
            return
        loop = asyncio.get_running_loop()
        self.tidying = loop.call_later(REST, gc.collect)
        self.waiting[document.uri] = loop.call_later(DELAY, self.tell, document.uri)

    def tell(self, uri: str) -> None:
        """Sends the messages about a text: first those about what was edited."""
        self.waiting.pop(uri, None)
        document = self.project.documents.get(uri)
        if document is None:
            return
        self._publish(document, self.project.page(document))
        self._go_on(uri)

    def settle(self, uri: str) -> None:
        """Does a step of what is left to do; keys that come in between are first."""
        self.waiting.pop(uri, None)
        document = self.project.documents.get(uri)
        if document is None or document.page is None:
            return
        more = self.project.settle(document)
        if document.page.diagnostics != document.told:
            self._publish(document, document.page)
        if more:
            self._go_on(uri)
            return
        self._tell_others()

    def _tell_others(self) -> None:
        """Reads again what rests on a text that changed; a request for it may have
        been first, which says nothing of the messages."""
        for document in self.project.documents.values():
            page = document.page
            known = page is not None and page.diagnostics == document.told
            if document.uri not in self.waiting and not (document.fresh and known):
                self.later(document)

    def _go_on(self, uri: str) -> None:
        loop = asyncio.get_running_loop()
        self.waiting[uri] = loop.call_later(PAUSE, self.settle, uri)

    def leave(self) -> None:
        """The editor goes: nobody waits for what is left."""
        self.is_leaving = True
        for timer in (*self.waiting.values(), self.tidying):
            if timer is not None:
                timer.cancel()
        self.waiting.clear()

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Tells the editor; but not that it can't be told, which would never end."""
        if self._is_reporting or self.is_leaving:
            return
        self._is_reporting = True
        try:
            super().report_server_error(error, source)
        finally:
            self._is_reporting = False

    def _publish(self, document: Document, page: Page) -> None:
        document.told = page.diagnostics
        by_file: dict[str, list[Diagnostic]] = {document.name: []}
        for d in page.diagnostics:
            by_file.setdefault(d.span.source.name, []).append(d)
        opened = {d.name for d in self.project.documents.values()}
        about = {n for n in by_file if n == document.name or n not in opened}
        for name in about | document.published:
            found = by_file.get(name, []) if name in about else []
            if name in opened and name != document.name:
                continue
            version = document.version if name == document.name else None
            self.text_document_publish_diagnostics(
                types.PublishDiagnosticsParams(
                    uri=document.uri if name == document.name else uri_of(name),
                    version=version,
                    diagnostics=[self.wire.diagnostic(d) for d in found],
                )
            )
        document.published = about - {document.name}

    def forget(self, uri: str) -> None:
        document = self.project.close(uri)
        if document is None:
            return
        for name in {document.uri, *map(uri_of, document.published)}:
            params = types.PublishDiagnosticsParams(uri=name, diagnostics=[])
            self.text_document_publish_diagnostics(params)
        self._tell_others()


def make_server(version: str) -> Server:
    """The server with all that it answers."""
    server = Server(version)
    _add_texts(server)
    _add_names(server)
    _add_renaming(server)
    _add_writing(server)
    _add_views(server)
    _add_mending(server)
    return server


# -- texts -----------------------------------------------------------------------


def _add_texts(server: Server) -> None:
    @server.feature(types.INITIALIZED)
    def initialized(ls: Server, params: types.InitializedParams) -> None:
        folders = ls.workspace.folders or {}
        roots = [ls.workspace.root_path, *(f.uri for f in folders.values())]
        ls.project.roots = [name_of(r) for r in roots if r]

    @server.feature(types.SHUTDOWN)
    def shut_down(ls: Server, params: None) -> None:
        ls.leave()

    @server.feature(types.EXIT)
    def leave(ls: Server, params: None) -> None:
        ls.leave()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(ls: Server, params: types.DidOpenTextDocumentParams) -> None:
        ls.put(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(ls: Server, params: types.DidChangeTextDocumentParams) -> None:
        ls.put(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        ls.forget(params.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_files(ls: Server, params: types.DidChangeWatchedFilesParams) -> None:
        ls.project.changed_on_disk()
        for document in ls.project.documents.values():
            ls.later(document)


# -- names -----------------------------------------------------------------------


def _add_names(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def on_hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
        place = ls.place(params)
        found = hover.hover(*place) if place is not None else None
        if place is None or found is None:
            return None
        text = types.MarkupContent(types.MarkupKind.Markdown, found.text)
        return types.Hover(text, ls.positions(place[0]).range(found.start, found.end))

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(
        ls: Server, params: types.DefinitionParams
    ) -> list[types.Location] | None:
        place = ls.place(params)
        if place is None:
            return None
        return [ls.wire.location(w) for w in referring.definition(*place)]

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(
        ls: Server, params: types.ReferenceParams
    ) -> list[types.Location] | None:
        place = ls.place(params)
        found = place[0].place_at(place[1]) if place is not None else None
        if place is None or found is None:
            return None
        thing = found[1].thing
        pages = ls.project.pages(place[0], thing.name)
        declared = params.context.include_declaration
        return [
            ls.wire.location(where)
            for where, role in referring.all_places(pages, thing)
            if declared or role != "definition"
        ]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlight(
        ls: Server, params: types.DocumentHighlightParams
    ) -> list[types.DocumentHighlight] | None:
        place = ls.place(params)
        found = place[0].place_at(place[1]) if place is not None else None
        if place is None or found is None:
            return None
        places = referring.references([place[0]], found[1].thing)
        wire = ls.wire
        return [
            types.DocumentHighlight(wire.range(w.source, w.start, w.end))
            for w in places
        ]


def _add_renaming(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare(ls: Server, params: types.PrepareRenameParams) -> types.Range | None:
        place = ls.place(params)
        if place is None:
            return None
        try:
            section, name = referring.renamable(*place)
        except referring.Unrenamable as problem:
            raise JsonRpcInvalidParams(str(problem)) from None
        shown = section.outside(name.span)
        return ls.positions(place[0]).range(*shown) if shown is not None else None

    @server.feature(
        types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True)
    )
    def rename(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
        place = ls.place(params)
        if place is None:
            return None
        page, offset = place
        try:
            _, name = referring.renamable(page, offset)
            pages = ls.project.pages(page, name.thing.name)
            found = referring.rename(page, pages, offset, params.new_name)
        except referring.Unrenamable as problem:
            raise JsonRpcInvalidParams(str(problem)) from None
        return ls.wire.replacements(found)


# -- writing ---------------------------------------------------------------------


def _add_writing(server: Server) -> None:
    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(
            trigger_characters=[">", "(", ".", "{", "|", "=", ","],
            resolve_provider=True,
        ),
    )
    def complete(
        ls: Server, params: types.CompletionParams
    ) -> types.CompletionList | None:
        place = ls.place(params)
        if place is None:
            return None
        found = [ls.wire.completion(c) for c in completing.complete(*place)]
        return types.CompletionList(is_incomplete=False, items=found)

    @server.feature(types.COMPLETION_ITEM_RESOLVE)
    def resolve(ls: Server, item: types.CompletionItem) -> types.CompletionItem:
        text = completing.describe(item.label)
        if text:
            markdown = types.MarkupKind.Markdown
            item.documentation = types.MarkupContent(markdown, text)
        return item

    @server.feature(
        types.TEXT_DOCUMENT_SIGNATURE_HELP,
        types.SignatureHelpOptions(trigger_characters=["(", ","]),
    )
    def signature(
        ls: Server, params: types.SignatureHelpParams
    ) -> types.SignatureHelp | None:
        place = ls.place(params)
        found = signing.signature_help(*place) if place is not None else None
        return ls.wire.signature(found) if found is not None else None


# -- beside the text ---------------------------------------------------------------


def _add_views(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(
        ls: Server, params: types.DocumentSymbolParams
    ) -> list[types.DocumentSymbol] | None:
        page = ls.page(params.text_document.uri)
        if page is None:
            return None
        return [ls.wire.symbol(page.source, e) for e in outline.outline(page)]

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def inlay_hints(
        ls: Server, params: types.InlayHintParams
    ) -> list[types.InlayHint] | None:
        page = ls.page(params.text_document.uri)
        if page is None:
            return None
        positions = ls.positions(page)
        start = positions.offset(params.range.start)
        end = positions.offset(params.range.end)
        wire = ls.wire
        return [wire.hint(page.source, h) for h in hints.shape_hints(page, start, end)]

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    def lenses(ls: Server, params: types.CodeLensParams) -> list[types.CodeLens] | None:
        page = ls.page(params.text_document.uri)
        if page is None:
            return None
        wire = ls.wire
        return [wire.lens(page.source, x) for x in hints.parameter_lenses(page)]

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, LEGEND)
    def tokens(
        ls: Server, params: types.SemanticTokensParams
    ) -> types.SemanticTokens | None:
        page = ls.page(params.text_document.uri)
        if page is None:
            return None
        ls.colours = ls.colours or Colours()
        return ls.wire.tokens(page.source, ls.colours.tokens(page))


# -- mending ---------------------------------------------------------------------


def _add_mending(server: Server) -> None:
    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(
        ls: Server, params: types.DocumentFormattingParams
    ) -> list[types.TextEdit] | None:
        document = ls.project.documents.get(params.text_document.uri)
        page = ls.page(params.text_document.uri)
        if document is None or page is None:
            return None
        done = ls.formatter.canonical(document.name, document.text.encode())
        if done.text is None or done.text == document.text:
            return []
        return [ls.wire.whole(page.source, done.text)]

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(
            code_action_kinds=[
                types.CodeActionKind.QuickFix,
                types.CodeActionKind.SourceFixAll,
            ]
        ),
    )
    def actions(
        ls: Server, params: types.CodeActionParams
    ) -> list[types.CodeAction] | None:
        page = ls.page(params.text_document.uri)
        if page is None:
            return None
        return list(_actions(ls, page, params))


def _actions(
    ls: Server, page: Page, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    """The repairs of the messages at a place; all of them, where that is asked."""
    positions = ls.positions(page)
    start = positions.offset(params.range.start)
    end = positions.offset(params.range.end)
    wanted = params.context.only
    for d in page.diagnostics:
        length = d.span.end - d.span.start
        meets = d.span.offset <= end and start <= d.span.offset + length
        if d.edits and meets and d.span.source.name == page.name:
            if wanted is None or types.CodeActionKind.QuickFix in wanted:
                yield ls.wire.action(d)
    if wanted is not None and types.CodeActionKind.SourceFixAll in wanted:
        yield from _fix_all(ls, page, params.text_document.uri)


def _fix_all(ls: Server, page: Page, uri: str) -> Iterator[types.CodeAction]:
    from netdsl.compiler import check

    document = ls.project.documents[uri]
    reader = page.reader
    done = fix(
        page.name,
        document.text.encode("utf-8", "replace"),
        lambda data: check(page.name, data, reader=reader).diagnostics,
    )
    if done.mended:
        text = done.data.decode("utf-8")
        edit = types.WorkspaceEdit(changes={uri: [ls.wire.whole(page.source, text)]})
        yield types.CodeAction(
            title="mend all that is sure",
            kind=types.CodeActionKind.SourceFixAll,
            edit=edit,
        )


def serve(version: str) -> None:
    """Talks to an editor over standard input and output."""
    # Python tidies up in the middle of a key stroke otherwise.
    gc.set_threshold(200_000, 50, 1_000)
    # The server closes what it writes to, and the process flushes its own at the end.
    # What it reads from is left open: a thread may still wait there.
    make_server(version).start_io(
        os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    )
