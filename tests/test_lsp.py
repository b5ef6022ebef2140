"""The language server, spoken to as an editor speaks to it."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from edits import edits
from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities, make_test_lsp_client

EXAMPLES = Path(__file__).parent.parent / "examples"
# Hangs are bounded, not speed: a busy machine is slow.
pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]
EDITS = int(os.environ.get("NETDSL_EDITS", "60"))

TEXT = """\
# Wide: 🎉 and é.
net Body(width: int):
    input x: [N, C]
    x -> fc: Linear(width) -> relu

net Model(classes: int = 10):
    input x: [N, 20]
    x -> body: Body(32) -> head: Linear(classes)  # 🎉
"""


class Editor:
    """A client with files in a folder."""

    def __init__(self, client: LanguageClient, folder: Path, encoding: str) -> None:
        self.client = client
        self.folder = folder
        self.encoding = {"utf-16": "utf-16-le"}.get(encoding, encoding)
        self.width = 2 if encoding == "utf-16" else 1
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.heard: dict[str, int | None] = {}
        """The versions that the last messages were about."""
        self._notes()

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def open(self, text: str, name: str = "a.net") -> None:
        self.texts[name], self.versions[name] = text, 1
        item = types.TextDocumentItem(self.uri(name), "net", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    def close(self, name: str = "a.net") -> None:
        document = types.TextDocumentIdentifier(self.uri(name))
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(document))

    def write(self, text: str, name: str = "a.net") -> None:
        self.texts[name] = text
        self.versions[name] += 1
        document = types.VersionedTextDocumentIdentifier(
            self.versions[name], self.uri(name)
        )
        change = types.TextDocumentContentChangeWholeDocument(text)
        params = types.DidChangeTextDocumentParams(document, [change])
        self.client.text_document_did_change(params)

    def _notes(self) -> None:
        """Keeps all messages that come: those of two files can come at once."""
        features = self.client.protocol.fm.features
        name = types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS
        before = features[name]

        def noted(params: types.PublishDiagnosticsParams) -> None:
            before(params)
            self.published.put_nowait(params)
            self.heard[params.uri] = params.version

        features[name] = noted

    async def told(self, name: str = "a.net") -> list[types.Diagnostic]:
        """The next messages about a file, as it is now."""
        while not self.published.empty():
            self.published.get_nowait()
        while True:
            params = await self.published.get()
            if params.uri == self.uri(name) and params.version in (
                None,
                self.versions.get(name),
            ):
                return list(params.diagnostics)

    async def settled(self, name: str = "a.net") -> list[Any]:
        """The messages about a file as it is now, once no more come."""
        uri = self.uri(name)
        while True:
            before = self.client.diagnostics.get(uri)
            await asyncio.sleep(0.5)
            if before is not self.client.diagnostics.get(uri):
                continue
            if self.heard.get(uri) == self.versions[name]:
                return [(d.range, d.code, d.message, d.severity) for d in before or ()]

    async def agree(self, one: str, other: str) -> None:
        """Waits until the messages about two files are the same: none come while
        the server takes a long step, so the first silence need not be the end."""
        for _ in range(10):
            found, expected = await self.settled(one), await self.settled(other)
            if found == expected:
                return
        assert found == expected

    def place(self, mark: str, name: str = "a.net") -> types.Position:
        """The place of `^` in a piece of the text, in the units agreed on."""
        before, _, after = mark.partition("^")
        text = self.texts[name]
        assert text.count(before + after) == 1, mark
        offset = text.index(before + after) + len(before)
        line = text.count("\n", 0, offset)
        head = text[text.rfind("\n", 0, offset) + 1 : offset]
        return types.Position(line, len(head.encode(self.encoding)) // self.width)

    def spot(self, mark: str, name: str = "a.net") -> dict[str, Any]:
        return {
            "text_document": types.TextDocumentIdentifier(self.uri(name)),
            "position": self.place(mark, name),
        }

    def document(self, name: str = "a.net") -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    def applied(self, found: list[types.TextEdit], name: str = "a.net") -> str:
        """The text after edits."""
        lines = self.texts[name].split("\n")

        def offset(place: types.Position) -> int:
            line = lines[place.line].encode(self.encoding)
            ahead = sum(len(line) + 1 for line in lines[: place.line])
            inside = line[: self.width * place.character].decode(self.encoding)
            return ahead + len(inside)

        text = self.texts[name]
        for edit in sorted(found, key=lambda e: -offset(e.range.start)):
            start, end = offset(edit.range.start), offset(edit.range.end)
            text = text[:start] + edit.new_text + text[end:]
        return text


@pytest_asyncio.fixture(params=["visual-studio-code", "neovim"])
async def editor(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[Editor]:
    client = make_test_lsp_client()
    await client.start_io(sys.executable, "-m", "netdsl", "lsp")
    agreed = await client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities(request.param),
            workspace_folders=[types.WorkspaceFolder(tmp_path.as_uri(), "folder")],
        )
    )
    encoding = agreed.capabilities.position_encoding or "utf-16"
    yield Editor(client, tmp_path, str(getattr(encoding, "value", encoding)))
    await client.shutdown_session()


async def test_messages_come_and_go(editor: Editor) -> None:
    editor.open(TEXT.replace("Body(32)", "Bdy(32)"))
    (found,) = await editor.told()
    assert found.code == "unknown-layer"
    assert found.severity == types.DiagnosticSeverity.Error
    assert found.range.start == editor.place("x -> body: ^Bdy(32)")
    assert found.range.end == editor.place("x -> body: Bdy^(32)")
    editor.write(TEXT)
    assert await editor.told() == []


async def test_wide_characters_count_as_the_protocol_says(editor: Editor) -> None:
    text = TEXT.replace("# 🎉\n", '# 🎉\n\nlet NAME = "🎉🎉"; nonsense\n')
    text = text.replace('"; nonsense', '" + nonsense')
    editor.open(text)
    (found,) = await editor.told()
    assert found.range.start == editor.place('"🎉🎉" + ^nonsense')
    assert found.range.end == editor.place('"🎉🎉" + nonsense^')
    if editor.width == 2:
        assert found.range.start.character == 20


async def test_a_mistake_is_mended_by_its_action(editor: Editor) -> None:
    editor.open(TEXT.replace("-> relu", "-> rellu"))
    (found,) = await editor.told()
    actions = await editor.client.text_document_code_action_async(
        types.CodeActionParams(
            editor.document(), found.range, types.CodeActionContext([found])
        )
    )
    assert actions is not None and len(actions) == 1
    (action,) = actions
    assert isinstance(action, types.CodeAction)
    assert action.kind == types.CodeActionKind.QuickFix
    assert action.edit is not None and action.edit.changes is not None
    changes = list(action.edit.changes[editor.uri("a.net")])
    assert editor.applied(changes) == TEXT


async def test_hover_and_signature(editor: Editor) -> None:
    editor.open(TEXT)
    hover = await editor.client.text_document_hover_async(
        types.HoverParams(**editor.spot("he^ad: Linear(classes)"))
    )
    assert hover is not None and isinstance(hover.contents, types.MarkupContent)
    assert "`[N, 32]` → `[N, classes]`" in hover.contents.value
    assert hover.range is not None
    assert hover.range.start == editor.place("-> ^head: Linear(classes)")
    help_ = await editor.client.text_document_signature_help_async(
        types.SignatureHelpParams(**editor.spot("Body(^32)"))
    )
    assert help_ is not None and help_.signatures[0].label == "Body(width: int)"


async def test_completion(editor: Editor) -> None:
    editor.open(TEXT + "    x -> \n")
    editor.write(TEXT + "    y = x -> \n")
    found = await editor.client.text_document_completion_async(
        types.CompletionParams(editor.document(), types.Position(TEXT.count("\n"), 13))
    )
    assert isinstance(found, types.CompletionList)
    labels = {item.label: item for item in found.items}
    assert {"body", "head", "Body", "Linear", "relu"} <= labels.keys()
    linear = await editor.client.completion_item_resolve_async(labels["Linear"])
    assert isinstance(linear.documentation, types.MarkupContent)
    assert "Affine map" in linear.documentation.value


async def test_names_across_files(editor: Editor) -> None:
    blocks = "net Cell(width: int):\n    input x: [N, C]\n    x -> fc: Linear(width)\n"
    main = 'from "blocks.net" import Cell\n\nnet Main:\n    input x: [N, 4]\n'
    main += "    x -> a: Cell(8) -> b: Cell(width=2)\n"
    (editor.folder / "blocks.net").write_text(blocks, encoding="utf-8")
    (editor.folder / "other.net").write_text(
        'from "blocks.net" import Cell as Part\n\nnet O:\n    input x: [N, 4]\n'
        "    x -> a: Part(8)\n",
        encoding="utf-8",
    )
    editor.open(main, "main.net")
    assert await editor.told("main.net") == []
    where = await editor.client.text_document_definition_async(
        types.DefinitionParams(**editor.spot("a: Ce^ll(8)", "main.net"))
    )
    assert isinstance(where, list) and isinstance(where[0], types.Location)
    assert where[0].uri == editor.uri("blocks.net")
    assert where[0].range.start == types.Position(0, 4)
    found = await editor.client.text_document_references_async(
        types.ReferenceParams(
            context=types.ReferenceContext(include_declaration=True),
            **editor.spot("a: Ce^ll(8)", "main.net"),
        )
    )
    assert found is not None
    assert sorted(Path(w.uri).name for w in found) == [
        *["blocks.net"], *["main.net"] * 3, *["other.net"] * 3
    ]  # fmt: skip
    edit = await editor.client.text_document_rename_async(
        types.RenameParams(new_name="Block", **editor.spot("a: Ce^ll(8)", "main.net"))
    )
    assert edit is not None and edit.changes is not None
    changes = {Path(uri).name: list(e) for uri, e in edit.changes.items()}
    assert editor.applied(changes["main.net"], "main.net") == main.replace(
        "Cell", "Block"
    )
    assert len(changes["blocks.net"]) == 1
    # `Part` is the other file's own name for it, and stays.
    assert len(changes["other.net"]) == 1


async def test_open_texts_shadow_the_disk(editor: Editor) -> None:
    (editor.folder / "blocks.net").write_text(
        "net Old:\n    input x: [N, C]\n    x -> relu\n"
    )
    text = 'from "blocks.net" import New\n\nnet Main:\n    input x: [N, 4]\n'
    text += "    x -> a: New\n"
    editor.open(text, "main.net")
    (found,) = await editor.told("main.net")
    assert found.code == "missing-net"
    new = "net New:\n    input x: [N, C]\n    x -> relu\n"
    editor.open(new, "blocks.net")
    editor.write(text + "\n", "main.net")
    assert await editor.told("main.net") == []
    # A change there is told here.
    editor.write(new.replace("[N, C]", "[N, 7]"), "blocks.net")
    (found,) = await editor.told("main.net")
    assert found.code == "size-mismatch"
    editor.close("blocks.net")
    (found,) = await editor.told("main.net")
    assert found.code == "missing-net"


async def test_views(editor: Editor) -> None:
    editor.open(TEXT)
    await editor.told()
    whole = types.Range(types.Position(0, 0), types.Position(100, 0))
    hints = await editor.client.text_document_inlay_hint_async(
        types.InlayHintParams(editor.document(), whole)
    )
    assert [(h.label, h.position.line) for h in hints or ()] == [
        ("[N, width]", 3), ("[N, classes]", 7)
    ]  # fmt: skip
    lenses = await editor.client.text_document_code_lens_async(
        types.CodeLensParams(editor.document())
    )
    titles = [x.command.title for x in lenses or () if x.command]
    assert titles == ["width * (C + 1) parameters", "1,002 parameters"]
    symbols = await editor.client.text_document_document_symbol_async(
        types.DocumentSymbolParams(editor.document())
    )
    assert [s.name for s in symbols or ()] == ["Body", "Model"]
    tokens = await editor.client.text_document_semantic_tokens_full_async(
        types.SemanticTokensParams(editor.document())
    )
    assert tokens is not None and len(tokens.data) % 5 == 0
    length = editor.place("and é.^").character
    assert list(tokens.data[:5]) == [0, 0, length, 0, 0], "the comment"


async def test_formatting(editor: Editor) -> None:
    editor.open(TEXT.replace("Linear(width) -> relu", "Linear( width )->relu"))
    found = await editor.client.text_document_formatting_async(
        types.DocumentFormattingParams(
            editor.document(), types.FormattingOptions(4, True)
        )
    )
    assert found and editor.applied(list(found)) == TEXT
    editor.write(TEXT + "net (:\n")
    nothing = await editor.client.text_document_formatting_async(
        types.DocumentFormattingParams(
            editor.document(), types.FormattingOptions(4, True)
        )
    )
    assert not nothing


async def test_one_bad_file_leaves_the_others_alone(editor: Editor) -> None:
    editor.open("net A:\n    input x: [N, \x00]\n", "bad.net")
    assert [d.code for d in await editor.told("bad.net")] == ["bad-character"]
    editor.open("((((" * 100, "deep.net")
    assert await editor.told("deep.net")
    editor.open(TEXT)
    assert await editor.told() == []


@pytest.mark.parametrize("polite", [True, False])
async def test_an_editor_leaves_while_there_is_work(polite: bool) -> None:
    """The server ends, and says nothing on its way out."""
    text = (EXAMPLES / "resnet.net").read_text(encoding="utf-8")
    item = {"uri": "file:///a.net", "languageId": "net", "version": 1, "text": text}
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": {"capabilities": {}}},
        {"method": "initialized", "params": {}},
        {"method": "textDocument/didOpen", "params": {"textDocument": item}},
        {"id": 2, "method": "textDocument/documentSymbol", "params": {
            "textDocument": {"uri": item["uri"]}}},
        {"id": 3, "method": "shutdown"},
        {"method": "exit"},
    ]  # fmt: skip
    sent = b""
    for message in messages if polite else messages[:4]:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        sent += b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    done = subprocess.run(
        [sys.executable, "-m", "netdsl", "lsp"],
        input=sent,
        capture_output=True,
        timeout=100,
    )
    assert done.returncode == 0
    assert b"documentSymbol" in done.stdout or b'"id": 2' in done.stdout
    assert done.stderr == b""


@pytest.mark.timeout(120 + EDITS)
@pytest.mark.parametrize("editor", ["visual-studio-code"], indirect=True)
@pytest.mark.parametrize("name", ["tutorial.net", "resnet.net", "gpt2.net"])
async def test_edits_end_as_a_fresh_open_does(editor: Editor, name: str) -> None:
    """Random edits, as fast as they can be sent; `NETDSL_EDITS` says how many."""
    original = (EXAMPLES / name).read_text(encoding="utf-8")
    editor.open(original)
    for number, text in enumerate(edits(7, original, EDITS), 1):
        editor.write(text)
        if number % 5 == 0:
            # The server reads a text when no more keys come.
            await asyncio.sleep(0.02)
        if number % 50 == 0 or number == EDITS:
            fresh = f"fresh{number}.net"
            editor.open(text, fresh)
            await editor.agree("a.net", fresh)
            editor.close(fresh)
