"""What a shape rule sees of one use of a layer or function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from netdsl.dims import Atom, Dim, Name, Size, atoms, show, single
from netdsl.facts import Comparison, Facts
from netdsl.layers.spec import Declaration, Text, Unknown, Value
from netdsl.shapes import (
    FLOATS,
    Refusal,
    Shape,
    Tensor,
    Undecided,
    result_dtype,
)


class Call:
    """One use of a layer or function, as its rule sees it.

    Arguments and inputs are attributes, under torch's names.  `known` insists
    on a value; `require` and `equal` state what torch would check: a plain no
    is a Refusal, what cannot be decided here becomes a condition, decided at
    each concrete use.
    """

    def __init__(
        self,
        declaration: Declaration,
        values: Mapping[str, Value],
        facts: Facts,
    ) -> None:
        self.declaration = declaration
        self.values = dict(values)
        if isinstance(self.values.get("dtype"), Unknown):
            # `x.dtype` of a tensor that may have several is one of them.
            self.values["dtype"] = "any"
        self.facts = facts
        self.conditions: list[tuple[Comparison, str]] = []

    def __getattr__(self, name: str) -> Any:
        try:
            return self.values[name]
        except KeyError:
            raise AttributeError(name) from None

    def known(self, name: str) -> Any:
        """An argument's value; a rule that cannot go on without it stops here."""
        value = self.values[name]
        if isinstance(value, Unknown) or (
            isinstance(value, tuple) and any(isinstance(v, Unknown) for v in value)
        ):
            raise Undecided(name)
        return value

    def number(self, name: str) -> int:
        """An int argument whose value, not only its name, has to be known."""
        value = self.facts.normal(self.known(name))
        if isinstance(value, Dim):
            raise Undecided(name)
        return value

    def numbers(self, name: str) -> tuple[int, ...]:
        """An int or a list of ints, as a tuple of known numbers."""
        value = self.known(name)
        values = value if isinstance(value, tuple) else (value,)
        out = []
        for item in values:
            item = self.facts.normal(item)
            if isinstance(item, Dim):
                raise Undecided(name)
            out.append(item)
        return tuple(out)

    def refuse(self, text: str, note: str = "", help: str = "") -> Refusal:
        """A shape mistake, for `raise`."""
        return Refusal("shape-mismatch", text, note, help)

    def bad(self, name: str, text: str, help: str = "") -> Refusal:
        """An argument that torch never takes, for `raise`."""
        return Refusal("wrong-value", text, help=help, argument=name)

    def at_least(self, *names: str, least: int = 1) -> None:
        """States how small an argument, or each of its ints, may be.

        Only a plain no counts: what a name may be is not worth a condition, since
        each concrete use comes here with numbers.
        """
        for name in names:
            value = self.values[name]
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, int):
                    low = item < least
                elif isinstance(item, Dim):
                    low = self.facts.decide(Comparison(">=", item, least)) is False
                else:
                    continue
                if low:
                    raise self.bad(
                        name,
                        f"`{name}` of `{self.declaration.name}` is at least {least},"
                        f" not {show(item)}",
                    )

    def probability(self, name: str = "p") -> None:
        """States that an argument is between 0 and 1."""
        p = self.values[name]
        if isinstance(p, int | float) and not 0 <= p <= 1:
            text = f"`{name}` is a probability, between 0 and 1, not {p}"
            in_percent = isinstance(p, int) and 1 < p <= 100
            raise self.bad(name, text, f"{p} % is `{p / 100:g}`" * in_percent)

    def require(self, comparison: Comparison, text: Text, help: str = "") -> None:
        """States that a comparison must hold; `text` says what is wrong if not."""
        decided = self.facts.decide(comparison)
        if decided is True:
            return
        text = text if isinstance(text, str) else text()
        if decided is False:
            note = f"`{comparison}` is needed"
            # Of numbers alone the text says it better.
            open_ = isinstance(comparison.left, Dim) or isinstance(
                comparison.right, Dim
            )
            raise Refusal("shape-mismatch", text, note if open_ else "", help)
        if decided is None:
            self.conditions.append((comparison, text))
            self.facts = self.facts.assume(comparison)

    def equal(
        self, a: Size, b: Size, text: Text, help: str = "", note: str | None = None
    ) -> None:
        """States that two sizes must be equal."""
        decided = self.facts.equal(a, b)
        if decided is True:
            return
        text = text if isinstance(text, str) else text()
        if decided is None and self._parted(a, b):
            note = f"{show(a)} and {show(b)} may differ"
            refusal = Refusal("shape-mismatch", text, note, help)
            plain = single(a) is not None and single(b) is not None
            refusal.last_help = (
                f"if {show(a)} and {show(b)} are always equal,"
                f"{' give them one name, or' if plain else ''}"
                f" say `where {show(a)} == {show(b)}` behind an input"
            )
            raise refusal
        if decided is False:
            if note is None:
                note = f"{show(a)} is not {show(b)}"
                # A remainder says nothing that the text doesn't.
                note = "" if b == 0 or note in text else note
            raise Refusal("shape-mismatch", text, note, help)
        if decided is None:
            self.conditions.append((Comparison("==", a, b), text))
            self.facts = self.facts.assume(Comparison("==", a, b))

    def _parted(self, a: Size, b: Size) -> bool:
        """Whether two sizes are of inputs that give each a name of its own.  That
        they are equal would be said by one name, or by a `where`."""
        sides = self.facts.normal(a), self.facts.normal(b)
        for side, other in (sides, sides[::-1]):
            one = single(side)
            if one is not None and is_declared(one) and one not in atoms(other):
                if any(map(is_declared, atoms(other))):
                    return True
        return False

    def rank(self, tensor: Tensor, *ranks: int, name: str = "its input") -> None:
        """States how many sizes a tensor may have."""
        rank = tensor.shape.rank
        if rank is None:
            if tensor.shape.least_rank > max(ranks):
                rank = tensor.shape.least_rank
            else:
                raise Refusal(
                    "unknown-rank",
                    f"`{self.declaration.name}` wants {name} to have"
                    f" {' or '.join(str(r) for r in ranks)} sizes, and {tensor} may"
                    " have any number",
                    f"{tensor} flows in",
                    "write out the sizes of the input, without `*`",
                )
        if rank not in ranks:
            wanted = " or ".join(str(r) for r in ranks)
            raise self.refuse(
                f"`{self.declaration.name}` wants {name} to have {wanted} sizes,"
                f" and {tensor} has {rank}",
                f"{tensor} flows in",
            )

    def axis(self, tensor: Tensor, name: str = "dim") -> int:
        """The dimension of a tensor that an argument names."""
        try:
            return tensor.shape.place(self.number(name))
        except Refusal as refusal:
            refusal.argument = refusal.argument or name
            raise

    def axes(self, tensor: Tensor, name: str = "dim") -> tuple[int, ...]:
        """The dimensions of a tensor that an argument names; no two the same."""
        places = tuple(tensor.shape.place(d) for d in self.numbers(name))
        if len(set(places)) < len(places):
            raise Refusal(
                "bad-dimension",
                f"`{name}` of `{self.declaration.name}` names a size twice",
                f"{tensor} flows in",
                argument=name,
            )
        return places

    def same_dtype(self, *tensors: Tensor) -> str:
        """States that tensors have one dtype, and gives it."""
        dtypes = {t.dtype for t in tensors} - {"any"}
        precise = dtypes - {"float"}
        if len(precise) > 1 or ("float" in dtypes and not precise <= FLOATS):
            raise Refusal(
                "wrong-dtype",
                f"`{self.declaration.name}` wants one dtype, and is given"
                f" {', '.join(f'{t} of {t.dtype}' for t in tensors)}",
                "the dtypes differ",
                "bring one to the dtype of the other with `type_as`",
            )
        return next(iter(precise or dtypes or {"any"}))

    def integer(self, tensor: Tensor, *dtypes: str, name: str = "its input") -> None:
        """States that a tensor is of one of these integer dtypes (int64 if none)."""
        if tensor.dtype not in (dtypes or ("int64",)) and tensor.dtype != "any":
            raise Refusal(
                "wrong-dtype",
                f"`{self.declaration.name}` wants {name} to be"
                f" {' or '.join(dtypes or ('int64',))}, and {tensor} is {tensor.dtype}",
                f"{tensor} flows in",
            )

    def floating(self, tensor: Tensor, name: str = "its input") -> None:
        """States that a tensor is of a floating dtype."""
        if not tensor.is_float:
            raise Refusal(
                "wrong-dtype",
                f"`{self.declaration.name}` wants {name} to be floating point, and"
                f" {tensor} is {tensor.dtype}",
                f"{tensor} flows in",
            )

    def gives_floats(self, dtype: str) -> str:
        """States that the dtype asked for is a floating one, and gives it."""
        if dtype not in FLOATS and dtype != "any":
            raise Refusal(
                "wrong-dtype",
                f"`{self.declaration.name}` gives floating point, not {dtype}",
                "not a floating dtype",
                argument="dtype",
            )
        return dtype

    def broadcast(self, *tensors: Tensor) -> Tensor:
        """The type of an operation element by element."""
        shape = tensors[0].shape
        for other in tensors[1:]:
            shape = self.broadcast_shapes(shape, other.shape)
        return Tensor(shape, result_dtype(*tensors))

    def broadcast_shapes(self, a: Shape, b: Shape) -> Shape:
        if a == b:
            return a
        if a.star is not None or b.star is not None:
            return self._broadcast_star(a, b)
        long, short = (a, b) if len(a.head) >= len(b.head) else (b, a)
        gap = len(long.head) - len(short.head)
        sizes = list(long.head[:gap])
        for i, (x, y) in enumerate(zip(long.head[gap:], short.head, strict=True)):
            x, y = (x, y) if long is a else (y, x)
            sizes.append(self._broadcast_size(x, y, a, b, gap + i))
        return Shape(tuple(sizes))

    def _broadcast_star(self, a: Shape, b: Shape) -> Shape:
        if a.star is not None and b.star is not None:
            if (a.star, len(a.head), len(a.tail)) != (b.star, len(b.head), len(b.tail)):
                raise (b if a.star else a)._unknown(f"whether {a} and {b} fit")
            head = tuple(
                self._broadcast_size(x, y, a, b, i)
                for i, (x, y) in enumerate(zip(a.head, b.head, strict=True))
            )
            tail = tuple(
                self._broadcast_size(x, y, a, b, i - len(a.tail))
                for i, (x, y) in enumerate(zip(a.tail, b.tail, strict=True))
            )
            return Shape(head, a.star, tail)
        star, plain = (a, b) if a.star is not None else (b, a)
        if len(plain.head) > len(star.tail):
            raise star._unknown(f"whether {a} and {b} fit")
        keep = len(star.tail) - len(plain.head)
        tail = star.tail[:keep] + tuple(
            self._broadcast_size(x, y, a, b, i - len(plain.head))
            for i, (x, y) in enumerate(zip(star.tail[keep:], plain.head, strict=True))
        )
        return Shape(star.head, star.star, tail)

    def _broadcast_size(self, x: Size, y: Size, a: Shape, b: Shape, at: int) -> Size:
        # Only a literal 1 broadcasts: a size with a name is taken to be any.
        if x == 1 or self.facts.normal(x) == 1:
            return y
        if y == 1 or self.facts.normal(y) == 1:
            return x
        self.equal(
            x,
            y,
            f"`{self.declaration.name}` joins {a} and {b}: size {at} is {show(x)}"
            f" and {show(y)}",
        )
        return x


def is_declared(atom: Atom) -> bool:
    """Whether it is a size that an input names."""
    symbol: Any = atom.origin if isinstance(atom, Name) else None
    return getattr(symbol, "kind", "") == "size" and not symbol.name.startswith("_")
