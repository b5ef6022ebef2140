"""MESSAGES.md, and the tables of LANGUAGE.md: layers and functions by family, messages.

`python tests/reference.py` writes them between their marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from netdsl import compiler
from netdsl.codes import CODES, Code
from netdsl.layers import FUNCTIONS, LAYERS, Declaration
from netdsl.layers.families import FAMILIES
from netdsl.layers.left_out import FUNCTIONS_LEFT_OUT, LAYERS_LEFT_OUT
from netdsl.layers.spec import Signature
from netdsl.layers.written import listed, written
from netdsl.limits import ImportRefused
from netdsl.render import render_text

PAGE = Path(__file__).parent.parent / "LANGUAGE.md"
MESSAGES = PAGE.with_name("MESSAGES.md")
BEGIN = "<!-- tables: `python tests/reference.py` writes them -->\n"
END = "<!-- end of tables -->\n"

# The families of one title, in the order of the page.
TITLES = {
    "Linear maps and products": ("linear", "products", "einsum", "matrices", "norms"),
    "Convolution and pooling": ("convolution", "pooling", "sampling"),
    "Activations and pointwise functions": ("activation", "pointwise", "special"),
    "Normalisation": ("normalization",),
    "Dropout": ("dropout",),
    "Embedding, recurrence, attention": ("embedding", "recurrent", "attention"),
    "Layers as functions": ("functional",),
    "Shapes": ("resampling", "reshaping", "rearranging", "diagonals", "padding"),
    "Joining and splitting": ("joining", "stacking"),
    "Arithmetic and comparison": ("arithmetic",),
    "Reductions": ("reduction", "statistics"),
    "Selecting": ("selecting", "scattering"),
    "Fourier transforms and windows": ("fourier",),
    "New tensors and dtypes": ("creation", "casting"),
    "Distances and losses": ("distance", "losses", "comparing", "criteria"),
}


def tables() -> str:
    """All tables, as Markdown."""
    assert sorted(f for group in TITLES.values() for f in group) == sorted(FAMILIES)
    parts = [_family(title, families) for title, families in TITLES.items()]
    return "\n".join([*parts, _left_out(), _messages()])


def _family(title: str, families: Iterable[str]) -> str:
    layers = [LAYERS[n] for f in families for n in FAMILIES[f][0].split()]
    names = [n for f in families for n in FAMILIES[f][1].split() if n[0].isalpha()]
    rows: list[str] = []
    if layers:
        rows += ["| layer | inferred | |", "|---|---|---|"]
        rows += [f"| {_code(d)} | {_inferred(d)} | {_meaning(d)} |" for d in layers]
    if names:
        rows += [""] if rows else []
        rows += ["| function | |", "|---|---|"]
        rows += [f"| {_code(FUNCTIONS[n])} | {_meaning(FUNCTIONS[n])} |" for n in names]
    return "\n".join([f"### {title}", "", *rows, ""])


def _code(declaration: Declaration) -> str:
    return _cell(f"`{written(declaration)}`")


def _inferred(declaration: Declaration) -> str:
    names = (p.name for p in declaration.signature.parameters if p.inferred)
    return ", ".join(f"`{name}`" for name in names)


def _meaning(declaration: Declaration) -> str:
    inputs = _inputs(declaration.call) if declaration.is_layer else ""
    return _cell(declaration.doc + inputs)


def _inputs(call: Signature) -> str:
    if len(call.parameters) < 2:
        return ""
    return f" Takes `{', '.join(listed(call.parameters))}`."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _left_out() -> str:
    tables = (("layer", LAYERS_LEFT_OUT), ("function", FUNCTIONS_LEFT_OUT))
    lines = ["### What is left out of torch", ""]
    for kind, reasons in tables:
        rows = (f"| `{name}` | {_cell(why)} |" for name, why in reasons.items())
        lines += [f"| {kind} | why, or what to write |", "|---|---|", *rows, ""]
    return "\n".join(lines)


def _messages() -> str:
    rows = [
        f"| [`{code}`](MESSAGES.md#{code}) | {_cell(CODES[code].title)} |"
        for code in sorted(CODES)
    ]
    return "\n".join(
        [
            "## Messages",
            "",
            "[MESSAGES.md](MESSAGES.md) has a page on each, with an example; so has"
            " `netdsl explain CODE`.",
            "",
            "| code | |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def messages() -> str:
    """MESSAGES.md: what `netdsl explain` says of each code, and how it looks."""
    parts = [
        "# Messages\n\n"
        "What each message means, the smallest file that gets it, and that file mended."
        " `netdsl explain CODE` says the same; `netdsl check --fix` makes the changes"
        " that are surely meant.\n"
    ]
    return "\n".join([*parts, *map(_message, sorted(CODES))])


def _message(code: str) -> str:
    about = CODES[code]
    parts = [f"## {code}", f"{about.title[0].upper()}{about.title[1:]}."]
    parts.append(about.explanation.rstrip())
    if about.example:
        parts += [_block("net", about.example), _block("text", _told(about))]
        parts += ["Mended:", _block("net", about.mended)]
    for path, text in about.files:
        parts += [f"With `{path}` beside it:", _block("net", text)]
    return "\n\n".join(parts) + "\n"


def _block(kind: str, text: str) -> str:
    return f"```{kind}\n{text.rstrip()}\n```"


def _told(about: Code) -> str:
    files = {path: text.encode() for path, text in about.files}

    def read(importer: str, path: str) -> tuple[str, bytes]:
        if path not in files:
            raise ImportRefused(f'there is no file "{path}"')
        return path, files[path]

    data = about.example.encode()
    found = compiler.check("example.net", data, reader=read).diagnostics
    if not found:
        found = compiler.compile("example.net", data, reader=read).diagnostics
    return "\n".join(map(render_text, found))


def with_tables(page: str) -> str:
    """The page with the tables as they are now."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.S)
    made = f"{BEGIN}\n{tables()}\n{END}"
    changed, count = pattern.subn(lambda _: made, page)
    assert count == 1, "LANGUAGE.md has lost its marks"
    return changed


if __name__ == "__main__":
    MESSAGES.write_text(messages(), encoding="utf-8")
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
