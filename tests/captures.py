"""`python tests/captures.py` writes the captures of README.md: what the command line
says about a mistake, and what the language server shows of the first example."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

PAGE = Path(__file__).parent.parent / "README.md"
NAME = "classify.net"
# A name that isn't there: the mistake of the message.
RIGHT, WRONG = "for w in widths]", "for w in width]"
# What the pointer stands on for the hover: the first of these in the last net.
POINTED = "head: Linear"


def example(page: str) -> str:
    """The first `.net` block of the page."""
    found = re.search(r"^```net[^\n]*\n(.*?)^```$", page, re.M | re.S)
    assert found is not None
    return found[1]


# -- the command line --------------------------------------------------------------


def message(text: str) -> str:
    """What a terminal shows of checking the example with the mistake."""
    assert text.count(RIGHT) == 1
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, NAME).write_text(text.replace(RIGHT, WRONG), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "netdsl", "check", NAME],
            cwd=folder,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    assert done.returncode == 1 and not done.stdout
    return f"$ netdsl check {NAME}\n{done.stderr}"


# -- the language server -----------------------------------------------------------


class Shown:
    """What an editor gets to show of a text."""

    def __init__(
        self,
        hover: types.Hover | None,
        hints: Sequence[types.InlayHint],
        lenses: Sequence[types.CodeLens],
    ) -> None:
        assert hover is not None and isinstance(hover.contents, types.MarkupContent)
        self.hover = hover.contents.value
        self.hints = {h.position.line: str(h.label) for h in hints}
        self.lenses = {
            lens.range.start.line: lens.command.title
            for lens in lenses
            if lens.command is not None
        }


async def asked(text: str) -> Shown:
    """Starts the server, opens the text and asks."""
    client = LanguageClient("captures", "1")
    await client.start_io(sys.executable, "-m", "netdsl", "lsp")
    capabilities = types.ClientCapabilities()
    await client.initialize_async(types.InitializeParams(capabilities))
    client.initialized(types.InitializedParams())
    with tempfile.TemporaryDirectory() as folder:
        uri = Path(folder, NAME).as_uri()
        item = types.TextDocumentItem(uri, "net", 1, text)
        client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        document = types.TextDocumentIdentifier(uri)
        line = text.count("\n", 0, text.index(POINTED))
        column = text.split("\n")[line].index(POINTED) + POINTED.index("Linear")
        whole = types.Range(
            types.Position(0, 0), types.Position(text.count("\n") + 1, 0)
        )
        hover = await client.text_document_hover_async(
            types.HoverParams(document, types.Position(line, column))
        )
        hints = await client.text_document_inlay_hint_async(
            types.InlayHintParams(document, whole)
        )
        lenses = await client.text_document_code_lens_async(
            types.CodeLensParams(document)
        )
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()
    return Shown(hover, hints or (), lenses or ())


def drawn(text: str, shown: Shown) -> str:
    """The text as an editor draws it: counts above nets, shapes behind lines."""
    lines = []
    for number, line in enumerate(text.rstrip("\n").split("\n")):
        if number in shown.lenses:
            lines.append(f"── {shown.lenses[number]}")
        hint = shown.hints.get(number)
        lines.append(line if hint is None else f"{line}  ⟨{hint.strip()}⟩")
    return "\n".join(lines) + "\n"


# -- the page ----------------------------------------------------------------------


def with_captures(page: str, captures: Mapping[str, str]) -> str:
    """The page with each capture between its markers."""
    for name, text in captures.items():
        fence = "" if name == "hover" else "```"
        body = text.strip("\n")
        if fence:
            body = f"{fence}text\n{body}\n{fence}"
        else:
            body = "\n".join(f"> {line}".rstrip() for line in body.split("\n"))
        place = re.compile(
            rf"(<!-- capture: {name} -->\n).*?(<!-- end of capture -->)", re.S
        )
        found = place.findall(page)
        assert len(found) == 1, f"README.md has no place for the capture {name}"
        page = place.sub(lambda m, b=body: f"{m[1]}{b}\n{m[2]}", page)
    return page


def captures(page: str) -> dict[str, str]:
    text = example(page)
    shown = asyncio.run(asked(text))
    return {
        "message": message(text),
        "hover": shown.hover,
        "hints": drawn(text, shown),
    }


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_captures(page, captures(page)), encoding="utf-8")


if __name__ == "__main__":
    main()
