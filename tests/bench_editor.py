"""How soon an editor knows: `python tests/bench_editor.py [KEYS]`.

A server runs as an editor runs it.  The time is that from a key's message to the
messages about the text with it, which are first those about the edited item; the
second line is until all that rests on it has been walked again, in this process.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parent))

from long_file import keys, long_file

BAR = 100.0
URI = "file:///long.net"


async def answered(count: int) -> list[float]:
    """Milliseconds from a key stroke to its messages, of a real server."""
    from lsprotocol import types
    from pytest_lsp import client_capabilities, make_test_lsp_client

    client = make_test_lsp_client()
    await client.start_io(sys.executable, "-m", "netdsl", "lsp")
    capabilities = client_capabilities("visual-studio-code")
    await client.initialize_session(types.InitializeParams(capabilities=capabilities))
    text = long_file()
    item = types.TextDocumentItem(URI, "net", 0, text)
    client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    found = []
    for version, changed in enumerate(keys(text, count), 1):
        await asyncio.sleep(0.2)  # a quick typist's next key
        document = types.VersionedTextDocumentIdentifier(version, URI)
        change = types.TextDocumentContentChangeWholeDocument(changed)
        start = time.perf_counter()
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(document, [change])
        )
        while True:
            params = await client.wait_for_notification(
                types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS
            )
            if params.version == version:
                break
        found.append(1000 * (time.perf_counter() - start))
    await client.shutdown_session()
    return found


def walked(count: int) -> tuple[list[float], list[float]]:
    """Milliseconds of work until the first messages, and until the last."""
    from netdsl.compiler import Session

    text = long_file()
    session = Session(observes=True)
    session.analyse("long.net", text.encode())
    first, last = [], []
    for changed in keys(text, count):
        data = changed.encode()
        start = time.process_time()
        steps = session.analysing("long.net", data)
        next(steps)
        first.append(1000 * (time.process_time() - start))
        for _ in steps:
            pass
        last.append(1000 * (time.process_time() - start))
    return first, last


def told(name: str, values: list[float], bar: float | None = None) -> bool:
    high = quantiles(values, n=20)[-1]
    good = bar is None or high <= bar
    verdict = "" if bar is None else f"bar {bar:g} ms  {'ok' if good else 'MISSED'}"
    print(f"{name:40} median {median(values):6.1f} ms, 95 % {high:6.1f} ms  {verdict}")
    return good


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    text = long_file()
    print(f"{len(text.splitlines())} lines, {len(text.encode()):,} bytes")
    first, last = walked(count)
    told("processor time, edited item", first)
    told("processor time, all that rests on it", last)
    good = told("key to messages, real server", asyncio.run(answered(count)), BAR)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
