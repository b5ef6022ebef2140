"""The parser's table: made from the grammar, kept as JSON since start-up counts."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Lark


_PACKAGE = Path(__file__).parent.parent


def grammar_path() -> Path:
    """`net.lark`: beside the package in a wheel, in `grammar/` of a checkout."""
    inside = _PACKAGE / "grammar" / "net.lark"
    if inside.exists():
        return inside
    return _PACKAGE.parent / "grammar" / "net.lark"


def table_path() -> Path:
    """The parser's table, made from the grammar by `python -m netdsl.parse`."""
    return _PACKAGE / "net.table.json"


def indenter() -> Any:
    from lark.indenter import Indenter

    class Indents(Indenter):
        NL_type = "_NL"
        OPEN_PAREN_types = ["LPAR", "LSQB", "LBRACE"]  # noqa: RUF012  lark's way
        CLOSE_PAREN_types = ["RPAR", "RSQB", "RBRACE"]  # noqa: RUF012
        INDENT_type = "_INDENT"
        DEDENT_type = "_DEDENT"
        tab_len = 8

    return Indents()


def build_parser(grammar: str) -> Lark:
    from lark import Lark

    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start=["item", "test"],
        propagate_positions=True,
        maybe_placeholders=True,
        postlex=indenter(),
    )


def make_table(grammar: str) -> str:
    """The table as JSON: lark's own cache is a pickle, and a pickle runs code."""
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, memo = build_parser(grammar).memo_serialize([TerminalDef, Rule])
    data["options"]["postlex"] = None
    stamp = zlib.crc32(grammar.encode())
    return json.dumps(
        {"grammar": stamp, "data": data, "memo": memo},
        separators=(",", ":"),
        sort_keys=True,
    )


def make_parser() -> Lark:
    """Lark's parser."""
    grammar = grammar_path().read_text(encoding="utf-8")
    path = table_path()
    if path.exists():
        table = json.loads(path.read_text(encoding="utf-8"))
        if table["grammar"] == zlib.crc32(grammar.encode()):
            from lark import Lark

            made = Lark.__new__(Lark)
            # JSON has no int keys: lark's states and memo are keyed by ints.
            memo = {int(k): v for k, v in table["memo"].items()}
            data = table["data"]
            data["parser"]["parser"]["states"] = {
                int(k): v for k, v in data["parser"]["parser"]["states"].items()
            }
            return made._load({"data": data, "memo": memo}, postlex=indenter())
    return build_parser(grammar)
