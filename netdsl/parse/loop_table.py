"""The table of `lalr.Loop`, made from lark's."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

from netdsl.parse.lalr import Loop
from netdsl.parse.table import build_parser, grammar_path, indenter, table_path


def loop_path() -> Path:
    """The loop's table, made from the grammar by `python -m netdsl.parse`."""
    return table_path().with_name("net.loop.json")


def make_loop() -> Loop:
    """The loop for the grammar."""
    grammar = grammar_path().read_bytes()
    path = loop_path()
    if path.exists():
        table = json.loads(path.read_bytes())
        if table["grammar"] == _stamp(grammar):
            return Loop(table)
    return Loop(json.loads(make_loop_table(grammar.decode())))


def _stamp(grammar: bytes) -> int:
    # To import a better hash would take longer than to parse a file.
    return zlib.crc32(grammar)


def make_loop_table(grammar: str) -> str:
    """The table as JSON."""
    made = build_parser(grammar)
    parser: Any = made.parser
    table = parser.parser._parse_table
    lexer = parser.lexer.lexer.root_lexer
    assert lexer.scanner and not lexer.callback, "a keyword is matched by a name"
    rules: list[Any] = []
    places: dict[Any, int] = {}
    for rule in made.rules:
        places[rule] = -len(rules) - 1
        rules.append(_rule(rule))
    actions: list[dict[str, int]] = []
    gotos: list[dict[str, int]] = []
    for state in range(len(table.states)):
        moves = table.states[state].items()
        actions.append({k: _action(m, places) for k, m in moves if _is_terminal(k)})
        gotos.append({k: m[1] for k, m in moves if not _is_terminal(k)})
    indents = indenter()
    out = {
        "grammar": _stamp(grammar.encode()),
        "terminals": [(t.name, t.pattern.to_regexp()) for t in lexer.terminals],
        "ignored": sorted(lexer.ignore_types),
        "opening": indents.OPEN_PAREN_types,
        "closing": indents.CLOSE_PAREN_types,
        "actions": actions,
        "gotos": gotos,
        "rules": rules,
        "starts": {
            s: [table.start_states[s], table.end_states[s]] for s in table.start_states
        },
    }
    return json.dumps(out, separators=(",", ":"), sort_keys=True)


def _is_terminal(name: str) -> bool:
    return name.isupper()


def _action(move: Any, places: dict[Any, int]) -> int:
    """The state to go to, or the rule to reduce, below 0."""
    kind, target = move
    return places[target] if str(kind) == "Reduce" else int(target)


def _rule(rule: Any) -> list[Any]:
    """Its origin; its length; the name of its node; whether a single part stands for
    itself; and the parts that it keeps: `i`, those of `[i]`, or an absent one."""
    options = rule.options
    absent = options.empty_indices or [False] * len(rule.expansion)
    takes: list[Any] = []
    at = 0
    for missing in absent:
        if missing:
            takes.append(None)
            continue
        symbol = rule.expansion[at]
        if not symbol.is_term and symbol.name.startswith("_"):
            takes.append([at])
        elif options.keep_all_tokens or not (symbol.is_term and symbol.filter_out):
            takes.append(at)
        at += 1
    plain = takes == list(range(len(rule.expansion)))
    single = bool(options.expand1 and not rule.alias)
    origin = str(rule.origin.name)
    name = str(rule.alias or options.template_source or origin)
    return [origin, len(rule.expansion), name, single, None if plain else takes]
