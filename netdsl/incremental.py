"""What an edit leaves alone: items whose text, and whose needs, did not change.

The parser hands out the same tree for an item with the same text.  An item is
walked again only if its tree is new, or that of an item whose name it reads, or
so on; else its messages of the last time hold, and their spans have moved with
the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from netdsl import syntax
from netdsl.diagnostics import Diagnostic
from netdsl.elaborate.program import Program


class _Known(NamedTuple):
    """The messages about an item, and the items that they rest on."""

    needs: tuple[syntax.Item, ...]
    diagnostics: tuple[Diagnostic, ...]


class Memory:
    """The messages of the last run, by item."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._next: dict[int, _Known] = {}
        self._words: dict[int, tuple[syntax.Item, frozenset[str]]] = {}

    def start(self) -> None:
        """A new run: what it does not ask for is forgotten at its end."""
        self._next = {}

    def finish(self) -> None:
        self._known = self._next
        alive = {id(i) for known in self._known.values() for i in known.needs}
        self._words = {k: v for k, v in self._words.items() if k in alive}

    def recall(
        self, program: Program, item: syntax.Item
    ) -> tuple[Diagnostic, ...] | None:
        """The messages about an item, if nothing that they rest on has changed."""
        known = self._known.get(id(item))
        if known is None:
            return None
        needs = self._needs(program, item)
        if len(needs) != len(known.needs) or any(
            a is not b for a, b in zip(needs, known.needs, strict=True)
        ):
            return None
        self._next[id(item)] = known
        return known.diagnostics

    def keep(
        self, program: Program, item: syntax.Item, diagnostics: Iterable[Diagnostic]
    ) -> None:
        self._next[id(item)] = _Known(self._needs(program, item), tuple(diagnostics))

    def _needs(self, program: Program, item: syntax.Item) -> tuple[syntax.Item, ...]:
        """The item and all that it reaches by names, in a fixed order.

        What a net parameter stands for is found in the whole file, so whatever
        reaches a net with one rests on every item.
        """
        found = list(self._reached(program, item))
        if any(_takes_nets(i) for i in found):
            others = [i for f in program.files.files.values() for i in f.program.items]
            found += [i for i in others if all(i is not k for k in found)]
        return tuple(found)

    def _reached(self, program: Program, item: syntax.Item) -> Iterator[syntax.Item]:
        seen = {id(item)}
        stack = [item]
        while stack:
            here = stack.pop()
            yield here
            scope = program.files.scope_of(here)
            for word in sorted(self._names(here)):
                other = scope.get(word)
                if other is not None and id(other) not in seen:
                    seen.add(id(other))
                    stack.append(other)

    def _names(self, item: syntax.Item) -> frozenset[str]:
        known = self._words.get(id(item))
        if known is None or known[0] is not item:
            words = frozenset(
                part.id for part in syntax.walk(item) if isinstance(part, syntax.Name)
            )
            known = self._words[id(item)] = (item, words)
        return known[1]


def _takes_nets(item: syntax.Item) -> bool:
    return isinstance(item, syntax.Net) and any(
        isinstance(part, syntax.TypeName) and part.name == "net"
        for parameter in item.parameters
        if parameter.type is not None
        for part in syntax.walk(parameter.type)
    )
