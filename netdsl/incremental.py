"""What an edit leaves alone: items whose text, and whose needs, did not change.

The parser hands out the same tree for an item with the same text.  An item is
walked again only if its tree is new, or that of an item whose name it reads, or
so on; else its messages of the last time hold, and their spans have moved with
the text.  Where an item is walked again, the classes that it uses and that did not
change are handed over by the program of the last run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from netdsl import syntax
from netdsl.diagnostics import Diagnostic
from netdsl.dims import Dim
from netdsl.elaborate.fns import define_fn
from netdsl.elaborate.program import Program
from netdsl.elaborate.state import Used
from netdsl.elaborate.values import leaves
from netdsl.elaborate.walk import Walk
from netdsl.reach import Numbers, Reach
from netdsl.shapes import Tensor

# Uses of nets that are handed over: the newest.
_USES = 2_000


class _Needs(NamedTuple):
    """What the walk of an item rests on."""

    reach: int
    """The item and all that it leads to by names (`reach.py`)."""
    others: tuple[int, ...]
    """The same of those that say what flows in, or what a net parameter stands for."""
    called: bool
    """Of a function: whether anything calls it."""
    lost: bool
    """Of a net that rests on all items: whether one that can't be read names it."""

    def same_reach(self, now: _Needs) -> bool:
        return self.reach == now.reach and self.called == now.called


class _Known(NamedTuple):
    """The messages about an item, and what they rest on."""

    needs: _Needs
    names: tuple[frozenset[str], ...]
    """If there are messages: all names, since `did you mean` looks through them."""
    line: int
    """Where the item begins, if they speak of lines by their number; else 0."""
    diagnostics: tuple[Diagnostic, ...]
    walk: Walk | None


class Memory:
    """The messages of the last run, by item, and the classes of its nets."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._next: dict[int, _Known] = {}
        self._classes: dict[int, tuple[Walk, _Needs]] = {}
        """The walks that defined the nets of the last run, by net."""
        self._uses: dict[Any, Used] = {}
        self._serial = 0
        self._handed = False
        self._found: dict[int, _Needs] = {}
        self._numbers = Numbers()
        self._names: tuple[frozenset[str], ...] = ()

    def start(self, program: Program) -> None:
        """A new run: what it does not ask for is forgotten at its end."""
        self._next = {}
        self._found = {}
        # Names that a walk makes differ from those of the classes handed over.
        program.serial = self._serial
        self._names = tuple(frozenset(f.scope) for f in program.files.files.values())
        self._numbers.start()
        self._reach = Reach(program.files, self._numbers)
        items = tuple(_all_items(program))
        self._all = self._numbers.of(tuple(map(id, items)), items)
        open_ = {id(n) for n in items if isinstance(n, syntax.Net) and _is_open(n)}
        self._rests_on_all = self._reach.leading_to(open_)

    def finish(self, program: Program, whole: bool) -> None:
        """The run is over; if not the whole of it, what was known before may serve."""
        if program.walked:
            self._note(program)
        self._known = self._next if whole else {**self._known, **self._next}

    # -- messages ----------------------------------------------------------------

    def recall(
        self, program: Program, item: syntax.Item
    ) -> tuple[Diagnostic, ...] | None:
        """The messages about an item, if nothing that they rest on has changed."""
        known = self._known.get(id(item))
        if known is None or known.needs != self._needs(program, item):
            return None
        if known.names and known.names != self._names:
            return None
        if known.line and known.line != item.span.line:
            return None
        self._next[id(item)] = known
        return known.diagnostics

    def is_known(self, item: syntax.Item) -> bool:
        """Whether the last run had this item, as it is now."""
        return id(item) in self._known

    def told(
        self,
        tree: syntax.Program,
        known: Mapping[int, tuple[Diagnostic, ...] | None],
    ) -> tuple[Diagnostic, ...]:
        """All messages as of now: of items that are not walked yet, those of the
        last time that are about text which is still there."""
        there = {id(c) for c in tree.chunks}
        found: list[Diagnostic] = []
        for item in tree.items:
            diagnostics = known[id(item)]
            if diagnostics is not None:
                found += diagnostics
            elif id(item) in self._known:
                old = self._known[id(item)].diagnostics
                found += [d for d in old if _is_there(d, there)]
        return tuple(found)

    def keep(
        self, program: Program, item: syntax.Item, diagnostics: Iterable[Diagnostic]
    ) -> None:
        told = tuple(diagnostics)
        names = self._names if told else ()
        walk = program.known_class(item)
        if isinstance(item, syntax.Fn) and program.observes:
            walk = define_fn(program, item)
        line = item.span.line if any(map(_has_line, told)) else 0
        needs = self._needs(program, item)
        self._next[id(item)] = _Known(needs, names, line, told, walk)

    def walk_of(self, item: syntax.Item) -> Walk | None:
        """The walk that defined a net, as of the last run that walked it."""
        known = self._next.get(id(item)) or self._known.get(id(item))
        return known.walk if known is not None else None

    # -- classes -----------------------------------------------------------------

    def hand_over(self, program: Program) -> None:
        """Gives the program the classes of the last one that still hold.

        That what flows into a list of layers is still the same is taken for
        granted; `misfed` says in the end whether it was.
        """
        classes: dict[int, Walk] = {}
        for key, (walk, needs) in self._classes.items():
            if program.files.holds(walk.owner):
                now = self._needs(program, walk.owner)
                # What was said may rest on more: all names, say, or line numbers.
                still = needs.same_reach(now) and not walk.said
                if still and not self._rests_on_all(walk.owner):
                    classes[key] = walk
        self._handed = bool(classes)
        uses = {k: u for k, u in self._uses.items() if _net_of(k) in classes}
        program.take_over(classes.values(), uses)

    def misfed(
        self, program: Program, items: Iterable[syntax.Item]
    ) -> list[syntax.Item]:
        """The items to walk again, since into lists of layers that they rest on
        flows something else now; their classes are forgotten."""
        nets = {id(n) for n in program.misfed()} if self._handed else set()
        if not nets:
            return []
        rests = self._reach.leading_to(nets)
        owners = [w.owner for w in program.classes()]
        program.drop(n for n in owners if rests(n))
        return [i for i in items if rests(i)]

    def _note(self, program: Program) -> None:
        """Keeps the classes of a program that has walked its items."""
        items = {id(i) for i in _all_items(program)}
        self._classes = {
            id(walk.owner): (walk, self._needs(program, walk.owner))
            for walk in program.classes()
            if id(walk.owner) in items
        }
        newest = islice(reversed(program.uses().items()), _USES)
        kept = [(k, u) for k, u in newest if not u.said and _is_plain(u.value)]
        self._uses = dict(reversed(kept))
        self._serial = program.serial

    # -- needs -------------------------------------------------------------------

    def _needs(self, program: Program, item: syntax.Item) -> _Needs:
        known = self._found.get(id(item))
        if known is None:
            known = self._found[id(item)] = self._find_needs(program, item)
        return known

    def _find_needs(self, program: Program, item: syntax.Item) -> _Needs:
        """What a net parameter stands for is found in the whole file, so whatever
        reaches a net with one rests on every item; and what flows into a list of
        layers is found where it is used."""
        others: tuple[int, ...] = ()
        lost = False
        if self._rests_on_all(item):
            others = (self._all,)
            lost = isinstance(item, syntax.Net) and program.files.may_be_used(item)
        elif isinstance(item, syntax.Net) and program.is_fed(item):
            users = [u for u in program.users(item.name) if u is not item]
            others = tuple(map(self._reach.number, users))
        called = isinstance(item, syntax.Fn) and program.is_called(item)
        return _Needs(self._reach.number(item), others, called, lost)


def _is_plain(value: Any) -> bool:
    """Whether a result is only types and numbers, and none of it can be asked for
    more, as a sequence of unknown length can."""
    return all(
        part is None or isinstance(part, Tensor | Dim | int | float | str)
        for part in leaves(value)
    )


def _has_line(d: Diagnostic) -> bool:
    """Whether a message says the number of a line."""
    return any("line " in text for text in (d.text, d.note, d.help))


def _is_there(d: Diagnostic, chunks: set[int]) -> bool:
    """Whether all that a message points at is text of these chunks."""
    spans = (d.span, *(label.span for label in d.labels))
    return all(id(s.chunk) in chunks for s in spans)


def _net_of(key: Any) -> int:
    """The net that a remembered use is of."""
    net: int = key[0][0]
    return net


def _all_items(program: Program) -> Iterator[syntax.Item]:
    for file in program.files.files.values():
        yield from file.program.items


def _is_open(net: syntax.Net) -> bool:
    """Whether a net has a parameter that stands for nets, or may have one."""
    for parameter in net.parameters:
        for part in syntax.walk(parameter.type) if parameter.type else ():
            if isinstance(part, syntax.TypeName) and part.name == "net":
                return True
        if parameter.type is None and parameter.default is not None:
            parts = syntax.walk(parameter.default)
            if any(isinstance(p, syntax.Name) for p in parts):
                return True
    return False
