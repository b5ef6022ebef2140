"""Names for values that the user gave none: `x` as long as it is free, then `y`.

A value takes over the name of the one it comes from where nobody needs that one
any more, as people write `x = self.conv(x)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from netdsl import graph
from netdsl.graph import Symbol

_NEXT = ["y", "z", "u", "v", "w"]
_BUSY = frozenset({"input", "var", "item"})


class Events:
    """Where symbols are written and read, in the order of the text."""

    def __init__(self) -> None:
        self.writes: dict[int, list[int]] = {}
        self.reads: dict[int, list[int]] = {}
        self.symbols: dict[int, Symbol] = {}
        self.devices: list[tuple[int, int]] = []
        """Where the device of a symbol is read: another tensor of its name tells it."""
        self.at = 0
        self._last: dict[int, int] = {}

    def write(self, target: Any) -> None:
        if isinstance(target, tuple):
            for part in target:
                self.write(part)
        elif isinstance(target, Symbol):
            self.symbols[id(target)] = target
            self.writes.setdefault(id(target), []).append(self.at)

    def read(self, expr: Any) -> None:
        if isinstance(expr, Symbol):
            expr = graph.Ref(expr)
        stack = [expr]
        while stack:
            part = stack.pop()
            if isinstance(part, Symbol):
                self.symbols[id(part)] = part
                self.reads.setdefault(id(part), []).append(self.at)
            if _is_device(part):
                self.devices += [(id(s), self.at) for s in graph.parts_of(part.value)]
            else:
                stack += graph.parts_of(part)

    def body(self, statements: Iterable[Any]) -> None:
        for statement in statements:
            self.at += 1
            match statement:
                case graph.Assign():
                    self.read(statement.value)
                    if statement.op != "=":
                        self.read(statement.target)
                    self.at += 1
                    self.write(statement.target)
                case graph.Result() | graph.Check():
                    self.read(
                        statement.value
                        if isinstance(statement, graph.Result)
                        else statement.test
                    )
                case graph.BindLet():
                    self.read(statement.value)
                case graph.Branch():
                    self.read(statement.test)
                    self.body(statement.then)
                    self.body(statement.other)
                case graph.Repeat():
                    self._loop(statement)

    def _loop(self, statement: graph.Repeat) -> None:
        self.read(statement.loop.iterable)
        start = self.at
        self.write(statement.loop.target)
        before = {k for k, w in self.writes.items() if any(p < start for p in w)}
        self.body(statement.body)
        self.at += 1
        # What comes from outside is needed in every round, to the last line.
        for key, places in list(self.reads.items()):
            inside = [p for p in places if p > start]
            symbol = self.symbols[key]
            if inside and (key in before or symbol.kind == "input"):
                places.append(self.at)

    def last(self, key: int) -> int:
        """The last place where anything is asked of a symbol."""
        if not self._last:
            for places in (self.writes, self.reads):
                for k, ats in places.items():
                    self._last[k] = max(self._last.get(k, 0), *ats)
            for k, at in self.devices:
                self._last[k] = max(self._last.get(k, 0), at)
        return self._last.get(key, 0)

    def live(self, key: int, at: int) -> bool:
        """Whether a value written before a place is read behind it."""
        for place in sorted(self.reads.get(key, ())):
            if place > at:
                return not any(at < w <= place for w in self.writes.get(key, ()))
        return False

    def busy(self, key: int, start: int, end: int, by: Symbol) -> bool:
        """Whether a symbol's value has to stay in its name from start to end, rather
        than that of another."""
        if any(start <= w < end for w in self.writes.get(key, ())):
            return True
        tells = by.type == "Tensor"
        return self.live(key, start) or (
            not tells and any(k == key and at > start for k, at in self.devices)
        )


def _is_device(part: Any) -> bool:
    """`x.device`, which any tensor tells that has taken over the name."""
    return isinstance(part, graph.AttributeOf) and part.name == "device"


def name_temporaries(
    statements: list[Any], inputs: Iterable[Symbol], taken: Iterable[str]
) -> dict[int, str]:
    """Names for all symbols of a body, by their identity."""
    events = Events()
    for symbol in inputs:
        events.write(symbol)
    events.body(statements)
    names: dict[int, str] = {
        k: s.name for k, s in events.symbols.items() if s.kind in _BUSY
    }
    holders: dict[str, list[int]] = {}
    for key, name in names.items():
        holders.setdefault(name, []).append(key)
    blocked = set(taken)
    temps = [k for k, s in events.symbols.items() if s.kind == "temp"]
    temps.sort(key=lambda k: events.writes.get(k, [0])[0])
    for key in temps:
        start = events.writes.get(key, [0])[0]
        end = max([*events.reads.get(key, [start]), start])
        symbol = events.symbols[key]
        hint = symbol.hint or "x"
        for name in _candidates(hint):
            if name in blocked and name != hint:
                continue
            # The names are given in the order of the text: who is done stays done.
            held = [k for k in holders.get(name, ()) if events.last(k) >= start]
            holders[name] = held
            if not any(events.busy(k, start, end, symbol) for k in held):
                names[key] = name
                held.append(key)
                break
    return names


def _candidates(hint: str) -> Iterable[str]:
    yield hint
    if len(hint) == 1:
        for name in _NEXT:
            if name != hint:
                yield name
    number = 2
    while True:
        yield f"{hint}_{number}" if len(hint) > 1 else f"{hint}{number}"
        number += 1
