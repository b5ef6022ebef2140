"""What each item of a file leads to by the names it reads, as one number.

Two runs give an item the same number if it, and all that it leads to, are the same
trees.  Items that lead to each other share one, and each number is made of those of
the items that are read: a chain of any length costs what its items do.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from netdsl import syntax
from netdsl.resolve import Files


class Numbers:
    """The numbers of this run and of the one before; they hold their items, so that
    no other item takes the identity of one of them."""

    def __init__(self) -> None:
        self._now: dict[object, tuple[int, object]] = {}
        self._before: dict[object, tuple[int, object]] = {}
        self._last = 0

    def start(self) -> None:
        """A new run: numbers that the last one did not ask for are forgotten."""
        self._before, self._now = self._now, {}

    def of(self, key: object, items: object) -> int:
        """The number of a key, which is made of the identities of these items."""
        known = self._now.get(key) or self._before.get(key)
        if known is None:
            self._last += 1
            known = self._last, items
        self._now[key] = known
        return known[0]


class Reach:
    """What the items of one run lead to."""

    def __init__(self, files: Files, numbers: Numbers) -> None:
        self._files = files
        self._numbers = numbers
        self._group: dict[int, int] = {}
        """The group of each item: those that lead to each other."""
        self._groups: list[tuple[list[syntax.Item], set[int], int]] = []
        """Their items, the groups that these read, and their number; what is read
        stands ahead of what reads it."""

    def number(self, item: syntax.Item) -> int:
        return self._groups[self._group_of(item)][2]

    def leading_to(self, items: Container[int]) -> Callable[[syntax.Item], bool]:
        """Tells whether an item is one of these, given by identity, or leads to one."""
        flags: list[bool] = []

        def leads(item: syntax.Item) -> bool:
            group = self._group_of(item)
            for members, read, _ in self._groups[len(flags) :]:
                own = any(id(m) in items for m in members)
                flags.append(own or any(flags[g] for g in read))
            return flags[group]

        return leads

    def _group_of(self, item: syntax.Item) -> int:
        if id(item) not in self._group:
            self._explore(item)
        return self._group[id(item)]

    def _read(self, item: syntax.Item) -> Iterator[syntax.Item]:
        """The items whose names an item reads, in a fixed order."""
        scope = self._files.scope_of(item)
        for word in sorted(syntax.names_in(item) & scope.keys()):
            yield scope[word]

    def _explore(self, first: syntax.Item) -> None:
        """Groups an item and all that it leads to, by Tarjan's algorithm."""
        entered = {id(first): 0}
        lowest = {id(first): 0}
        path = [first]
        open_ = [(first, self._read(first))]
        while open_:
            here, left = open_[-1]
            for other in left:
                if id(other) in self._group:
                    continue
                if id(other) not in entered:
                    entered[id(other)] = lowest[id(other)] = len(entered)
                    path.append(other)
                    open_.append((other, self._read(other)))
                    break
                lowest[id(here)] = min(lowest[id(here)], entered[id(other)])
            else:
                open_.pop()
                low = lowest[id(here)]
                if open_:
                    above = id(open_[-1][0])
                    lowest[above] = min(lowest[above], low)
                if low == entered[id(here)]:
                    at = next(i for i in reversed(range(len(path))) if path[i] is here)
                    self._close(path[at:])
                    del path[at:]

    def _close(self, members: list[syntax.Item]) -> None:
        """A group is whole; all that it reads has groups already."""
        members.sort(key=id)
        read: list[int] = []
        broken: set[str] = set()
        for member in members:
            broken |= syntax.names_in(member) & self._files.file_of(member).broken
            groups = (self._group.get(id(o)) for o in self._read(member))
            read += [g for g in groups if g is not None]
        numbers = tuple(self._groups[g][2] for g in read)
        key = tuple(map(id, members)), numbers, frozenset(broken)
        number = self._numbers.of(key, members)
        self._group.update((id(m), len(self._groups)) for m in members)
        self._groups.append((members, set(read), number))
