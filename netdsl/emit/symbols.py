"""How each place of a class spells the net's names."""

from __future__ import annotations

from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate.demand import registered
from netdsl.elaborate.lacking import optional_owner
from netdsl.elaborate.trees import every_module
from netdsl.elaborate.walk import Walk
from netdsl.elaborate.words import LENGTH_WORDS
from netdsl.emit.carried import Mentions
from netdsl.emit.levels import ATOM
from netdsl.emit.spelling import Imports, Speller
from netdsl.graph import Symbol


class Symbols:
    """How each place of a class spells the net's names."""

    mentions: Mentions | None = None
    """Where running ints are mentioned, as long as that is being found out."""

    def __init__(
        self, program: Any, net: syntax.Net, imports: Imports, file: Any
    ) -> None:
        self.program = program
        self.net = net
        self.walk: Walk = program.define(net)
        self.imports = imports
        self.file = file
        self.sizes: list[Symbol] = program.class_sizes(net)
        self.size_texts = self._name_sizes()
        self.loop_variables = _loop_variables(self.walk)
        self._part_loop_variables()
        self.stored: dict[str, str] = {}
        """Attributes that forward reads, with what `__init__` gives them."""
        self.stored_symbols: dict[str, Symbol] = {}
        """What those attributes stand for."""
        self.kept_tensors: set[str] = set()
        """Lets that hold tensors which forward reads: they move with the module."""
        self.unpacked: dict[int, Symbol] = {}
        self.local_names: dict[int, str] = {}
        self.init_speller = Speller(imports, file.net_name, self._in_init)
        self.init_speller.taken = {
            *self.walk.hypers,
            *self.walk.lets,
            *self.size_texts.values(),
        }
        self.forward_speller = Speller(imports, file.net_name, self._in_forward)
        self.reset_speller = Speller(imports, file.net_name, self._in_reset)
        self.forward_speller.is_static = self._is_static
        self.carried_names: dict[int, str] = {}

    def _name_sizes(self) -> dict[str, str]:
        """The parameter that each size of an input becomes."""
        taken = {*self.walk.hypers, *self.walk.lets}
        names: dict[str, str] = {}
        for symbol in self.sizes:
            name = self.size_name(symbol)
            owner = symbol.place[0].name if symbol.place else "input"
            if name in taken:
                name = f"{owner}_{name.removeprefix('in_')}"
            while name in taken:
                name += "_"
            taken.add(name)
            names[symbol.name] = name
        return names

    def size_name(self, symbol: Symbol) -> str:
        """What a size is called as a parameter, unless that name is taken."""
        if len(symbol.name) > 1 and symbol.name.islower() and symbol.name[0] != "_":
            return symbol.name
        found = self.file.first_use(self.net, symbol)
        if found is not None:
            return str(found)
        if symbol.name in LENGTH_WORDS:
            return LENGTH_WORDS[symbol.name]
        return symbol.name.lower().lstrip("_") or "size"

    def _in_init(self, symbol: Symbol) -> str:
        if symbol.kind == "size":
            return self.size_texts.get(symbol.name, symbol.name)
        if symbol.kind == "carried":
            return self._carried(symbol)
        if symbol.kind == "lookup":
            return self.init_speller.text(symbol.value, ATOM)
        if symbol.kind == "constant":
            return str(self.file.constant_name(symbol))
        if symbol.kind == "own":
            return f"self.{symbol.name}"
        return symbol.name

    def _carried(self, symbol: Symbol) -> str:
        if isinstance(symbol.place, Symbol):
            # The running int of a loop within goes on with that of the outer one.
            return self._carried(symbol.place)
        known = self.carried_names.get(id(symbol))
        if known is None:
            known = self._free_name(symbol.name, symbol.hint)
            self.carried_names[id(symbol)] = known
        if self.mentions is not None:
            self.mentions.note(symbol)
        return known

    def _part_loop_variables(self) -> None:
        """A loop that builds leaves its variables behind: they take no name that the
        lines below it read."""
        taken = {*self.walk.hypers, *self.walk.lets, *self.size_texts.values()}
        for symbol in self.loop_variables:
            if symbol.name in taken:
                symbol.name += "_"

    def _free_name(self, name: str, owner: str) -> str:
        """`channels`, then `up_channels` for those of `ups`, then with a number."""
        taken = {
            *self.carried_names.values(),
            *self.walk.hypers,
            *self.walk.lets,
            *self.size_texts.values(),
            *(s.name for s in self.loop_variables),
        }
        candidates = [name, *([f"{owner}_{name}"] if owner else [])]
        candidates += [f"{name}_{i}" for i in range(2, len(taken) + 3)]
        return next(c for c in candidates if c not in taken)

    def _in_forward(self, symbol: Symbol) -> str:
        known = self.local_names.get(id(symbol))
        if known is not None:
            return known
        if symbol.kind == "own":
            return f"self.{symbol.name}"
        if symbol.kind == "size":
            if self.forward_speller.in_static_test and symbol.name in self.size_texts:
                name = self.size_texts[symbol.name]
                return self._stored(name, name, symbol)
            return self._size_in_forward(symbol)
        if (
            symbol.kind == "let"
            and symbol.type == "Tensor"
            and symbol.place == "static"
        ):
            self.kept_tensors.add(symbol.name)
            return self._stored(symbol.name, symbol.name, symbol)
        if symbol.kind == "hyper" or (
            symbol.kind == "let" and symbol.place == "static"
        ):
            return self._stored(symbol.name, self._in_init(symbol), symbol)
        if symbol.kind == "carried":
            name = self._carried(symbol)
            return self._stored(name, name, symbol)
        if symbol.kind == "constant":
            return str(self.file.constant_name(symbol))
        return symbol.name

    def _in_reset(self, symbol: Symbol) -> str:
        if symbol.kind == "let" and symbol.type == "Tensor":
            # Made anew: what `__init__` made is gone when a reset is asked for.
            return self.reset_speller.text(symbol.value, ATOM)
        if symbol.kind == "size":
            name = self._in_init(symbol)
            return self._stored(name, name, symbol)
        return self._in_forward(symbol)

    def _is_static(self, test: graph.Expr) -> bool:
        """Whether a test is settled when the module is built."""
        symbols = [p for p in graph.every(test) if isinstance(p, Symbol)]
        asks = (graph.Training, graph.Apply, graph.MethodOf)
        return not any(isinstance(p, asks) for p in graph.every(test)) and all(
            s.kind in ("hyper", "constant")
            or (s.kind == "let" and s.place == "static")
            or (s.kind == "size" and s.name in self.size_texts)
            for s in symbols
        )

    def _stored(self, name: str, value: str, symbol: Symbol) -> str:
        attribute = name
        while attribute in self.walk.layers or _is_method(attribute):
            attribute += "_value"
        self.stored.setdefault(attribute, value)
        self.stored_symbols.setdefault(attribute, symbol)
        return f"self.{attribute}"

    def _size_in_forward(self, symbol: Symbol) -> str:
        if symbol.place is None:
            return symbol.name
        owner = optional_owner(symbol)
        if owner is not None:
            # It can be read only where the input is there.
            return f"{self._in_forward(owner)}.shape[{symbol.place[1]}]"
        self.unpacked.setdefault(id(symbol), symbol)
        return self._local_size(symbol)

    def _local_size(self, symbol: Symbol) -> str:
        name = symbol.name
        if name.startswith("_"):
            name = f"size{name}".replace("-", "m")
        return f"{name}_" if name in ("I", "O", "l", "torch", "F", "nn") else name


def _loop_variables(walk: Walk) -> list[Symbol]:
    """What the loops that build call what they go over."""
    roots = [r.module for r in registered(walk.init)]
    roots += [walk.root] if walk.root is not None else []
    return [
        part
        for root in roots
        for module in every_module(root)
        if isinstance(module, graph.RepeatModule)
        for loop in module.loops
        for part in graph.every(loop.target)
        if isinstance(part, Symbol)
    ]


def _is_method(name: str) -> bool:
    from netdsl.reserved import why_reserved

    return bool(why_reserved(name))
