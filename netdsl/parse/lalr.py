"""The loop of the parser, over the table that lark makes of the grammar.

It reads what is right, ten times as fast as lark, and lark need not be imported.
Where it finds anything wrong it gives up, and lark reads the text again to say
what and where (`parser.py`).  That both read every text alike is tested.

Tokens are lark's: the first terminal, in lark's order, that matches and that the
state accepts.  The one that matches first of all is tried first; only where the
state doesn't accept it (`where(...)` in an expression) is a scanner made for that
state.  Rules are reduced straight to nodes, as lark would shape its tree: `_rule`
and `?rule` vanish, terminals that begin with `_` are left out, absent parts in
`[...]` are None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

# What makes a node: the rule's name, where it starts and ends, and its parts.
Make = Callable[[str, int, int, list[Any], int], Any]


class Unreadable(Exception):
    """The text is not of the language."""


class Token(str):
    """The text of a terminal, and where it stands."""

    __slots__ = ("end_pos", "start_pos", "type")

    start_pos: int
    end_pos: int
    type: str


class Loop:
    """A parser for one grammar: `table` is what `tables.loop_table` gives."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._terminals: list[tuple[str, str]] = table["terminals"]
        self._ignored = frozenset(table["ignored"])
        self._actions: list[dict[str, int]] = table["actions"]
        self._gotos: list[dict[str, int]] = table["gotos"]
        self.rules: list[Any] = table["rules"]
        self._starts: dict[str, list[int]] = table["starts"]
        self._opening = frozenset(table["opening"])
        self._closing = frozenset(table["closing"])
        self._scan = _scanner(self._terminals)
        self._scanners: dict[int, Any] = {}

    def parse(self, text: str, start: str, make: Make, *, whole: bool = False) -> Any:
        """What the start rule makes of a text; Unreadable if it is none.

        The `whole` of it holds every token, those too that say nothing.
        """
        return _Run(self, text, make, whole).parse(*self._starts[start])

    @cached_property
    def whole_rules(self) -> list[Any]:
        """The rules, as they are where no token is left out."""
        return [[*rule[:4], _whole(rule[1], rule[4])] for rule in self.rules]

    def scanner(self, state: int) -> Any:
        """What matches the terminals that a state accepts."""
        known = self._scanners.get(state)
        if known is None:
            own = self._actions[state].keys() | self._ignored | {"_NL"}
            known = _scanner([t for t in self._terminals if t[0] in own])
            self._scanners[state] = known
        return known


def _scanner(terminals: Sequence[tuple[str, str]]) -> Any:
    return re.compile("|".join(f"(?P<{n}>{r})" for n, r in terminals)).match


class _Run:
    """One parse.  The stacks hold states; and values with their places and depth."""

    def __init__(self, loop: Loop, text: str, make: Make, whole: bool) -> None:
        self.loop = loop
        self.text = text
        self.make = make
        self.whole = whole
        self.rules = loop.whole_rules if whole else loop.rules
        self.states: list[int] = []
        self.values: list[Any] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.depths: list[int] = []
        self.nested = 0
        self.indents = [0]

    def parse(self, first: int, last: int) -> Any:
        self.states.append(first)
        loop, text = self.loop, self.text
        ignored, actions = loop._ignored, loop._actions
        opening, closing = loop._opening, loop._closing
        scan, at, end = loop._scan, 0, len(text)
        before = 0
        while at < end:
            found = scan(text, at)
            if found is None:
                raise Unreadable
            kind = found.lastgroup
            if kind not in ignored and kind not in actions[self.states[-1]]:
                if kind != "_NL":
                    found = loop.scanner(self.states[-1])(text, at)
                    if found is None:
                        raise Unreadable
                    kind = found.lastgroup
            before, at = at, found.end()
            if kind in ignored:
                continue
            if kind == "_NL":
                if not self.nested:
                    self._new_line(found.group(), before, at)
                continue
            self._feed(kind, found.group(), before, at)
            if kind in opening:
                self.nested += 1
            elif kind in closing:
                self.nested -= 1
        for _ in self.indents[1:]:
            self._feed("_DEDENT", "", before, at)
        self._reduce("$END", last)
        return self.values[-1]

    def _new_line(self, text: str, start: int, end: int) -> None:
        """A line's end, and the blocks that begin or end behind it."""
        self._feed("_NL", text, start, end)
        margin = text.rpartition("\n")[2]
        indent = margin.count(" ") + 8 * margin.count("\t")
        if indent > self.indents[-1]:
            self.indents.append(indent)
            self._feed("_INDENT", margin, start, end)
        while indent < self.indents[-1]:
            self.indents.pop()
            self._feed("_DEDENT", margin, start, end)
        if indent != self.indents[-1]:
            raise Unreadable

    def _feed(self, kind: str, text: str, start: int, end: int) -> None:
        self.states.append(self._reduce(kind, -1))
        token: Any = None
        if kind[0] != "_" or self.whole:
            token = Token(text)
            token.type, token.start_pos, token.end_pos = kind, start, end
        self.values.append(token)
        self.starts.append(start)
        self.ends.append(end)
        self.depths.append(0)

    def _reduce(self, kind: str, last: int) -> int:
        """Reduces what ends before a token; the state that the token leads to."""
        states, actions = self.states, self.loop._actions
        rules, gotos = self.rules, self.loop._gotos
        while True:
            action = actions[states[-1]].get(kind)
            if action is None:
                raise Unreadable
            if action >= 0:
                return action
            origin, size, name, single, takes = rules[-action - 1]
            if size != 1 or takes is not None or not single:
                self._shape(size, name, single, takes)
            if size:
                del states[-size:]
            states.append(gotos[states[-1]][origin])
            if states[-1] == last:
                return last

    def _shape(self, size: int, name: str, single: bool, takes: Any) -> None:
        """Replaces the last values by what their rule makes of them."""
        values, starts, ends, depths = self.values, self.starts, self.ends, self.depths
        if size:
            parts = values[-size:]
            full = [i for i in range(-size, 0) if starts[i] >= 0]
            start = starts[full[0]] if full else -1
            end = ends[full[-1]] if full else -1
            depth = max(depths[-size:])
            del values[-size:], starts[-size:], ends[-size:], depths[-size:]
        else:
            parts, start, end, depth = [], -1, -1, 0
        if takes is not None:
            parts = _taken(parts, takes)
        if name[0] == "_":
            values.append(parts)
        elif single and len(parts) == 1:
            values.append(parts[0])
        else:
            values.append(self.make(name, max(start, 0), max(end, 0), parts, depth))
            depth += 1
        starts.append(start)
        ends.append(end)
        depths.append(depth)


def _taken(parts: list[Any], takes: Sequence[Any]) -> list[Any]:
    """The parts that a rule keeps; a number stands for so many absent ones."""
    kept: list[Any] = []
    if takes and isinstance(takes[0], list):
        # A list that grows by one with each rule: copied, it would take its square.
        kept, takes = parts[takes[0][0]], takes[1:]
    for take in takes:
        if isinstance(take, int):
            kept.append(parts[take])
        elif take is None:
            kept.append(None)
        else:
            kept += parts[take[0]]
    return kept


def _whole(size: int, takes: Sequence[Any] | None) -> list[Any] | None:
    """What a rule keeps where it keeps all."""
    if takes is None:
        return None
    kept: list[Any] = []
    at = 0
    for take in [*takes, size]:
        place = take[0] if isinstance(take, list) else take
        if place is not None:
            kept += range(at, place)
            at = place + 1
        kept.append(take)
    return kept[:-1]
