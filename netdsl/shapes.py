"""Types of tensors: a shape of symbolic sizes and a dtype; and how rules refuse."""

from __future__ import annotations

from netdsl.dims import Dim, Size, show
from netdsl.records import Record

# What is told apart of dtypes: torch's names, and `float` for "some floating type".
FLOATS = frozenset({"float", "float16", "float32", "float64", "bfloat16"})
INTEGERS = frozenset({"int8", "int16", "int32", "int64", "uint8"})
COMPLEX = frozenset({"complex64", "complex128"})
DTYPES = FLOATS | INTEGERS | COMPLEX | {"bool"}


class Refusal(Exception):
    """A rule says no.  The elaborator knows where, and makes it a message.

    `text` is the fact, `note` stands under the caret, `help` is a way out.
    `argument` names the argument at fault, `position` its place in the call;
    `meant` is the name that surely was meant instead, `instead` the value.
    """

    def __init__(
        self,
        code: str,
        text: str,
        note: str = "",
        help: str = "",
        argument: str | None = None,
        position: int | None = None,
        meant: str = "",
        instead: str = "",
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.note = note
        self.help = help
        self.last_help = ""
        """A way out where nobody knows a better one."""
        self.argument = argument
        self.position = position
        self.meant = meant
        self.instead = instead


class Undecided(Exception):
    """A rule needs a value that is not known here; a concrete use decides."""


class Shape(Record):
    """Sizes from left to right; where `star` is not None, any number of sizes
    stand between `head` and `tail`, and `star` is their name (or "")."""

    head: tuple[Size, ...]
    star: str | None
    tail: tuple[Size, ...]

    def __init__(
        self,
        head: tuple[Size, ...],
        star: str | None = None,
        tail: tuple[Size, ...] = (),
    ) -> None:
        super().__init__(head, star, tail)

    @property
    def rank(self) -> int | None:
        return len(self.head) if self.star is None else None

    @property
    def least_rank(self) -> int:
        return len(self.head) + len(self.tail)

    @property
    def sizes(self) -> tuple[Size, ...]:
        """All sizes; the rank has to be known."""
        if self.star is not None:
            raise self._unknown("what this gives")
        return self.head

    @property
    def numel(self) -> Size:
        """The number of elements; the rank has to be known."""
        count: Size = 1
        for size in self.sizes:
            count = count * size
        return count

    def _unknown(self, what: str) -> Refusal:
        return Refusal(
            "unknown-rank",
            f"{what} can't be told: {self} may have any number of sizes",
            help="count from the right, as in `dim=-1`, or write out the sizes of"
            " the input, without `*`",
        )

    def at(self, index: int) -> Size:
        """The size at an index, counted from either end as in Python."""
        head, tail = self.head, self.tail
        if self.star is None:
            if not -len(head) <= index < len(head):
                raise Refusal(
                    "bad-dimension",
                    f"there is no size {index} in {self}",
                    note=f"{self} has {len(head)} sizes",
                )
            return head[index]
        if index < 0 and -index <= len(tail):
            return tail[index]
        if 0 <= index < len(head):
            return head[index]
        raise self._unknown(f"size {index}")

    def index(self, dim: int, extra: int = 0) -> int:
        """A dimension counted from the front; the rank has to be known.

        `extra` is 1 where a place behind the last is allowed, as in unsqueeze.
        """
        rank = self.rank
        if rank is None:
            raise self._unknown(f"dim={dim}")
        rank += extra
        if not -rank <= dim < rank:
            raise Refusal(
                "bad-dimension",
                f"dim={dim} is out of range for {self}",
                note=f"{self} has {self.rank} sizes",
            )
        return dim % rank

    def place(self, dim: int) -> int:
        """A dimension that exists: from the front where the rank is known."""
        if self.star is None:
            return self.index(dim)
        self.at(dim)
        return dim

    def insert(self, dim: int, size: Size) -> Shape:
        """The shape with a size more, which `dim` then names."""
        head, tail = list(self.head), list(self.tail)
        if self.star is None:
            head.insert(self.index(dim, extra=1), size)
        elif 0 <= dim <= len(head):
            head.insert(dim, size)
        elif dim < 0 and -dim <= len(tail) + 1:
            tail.insert(len(tail) + 1 + dim, size)
        else:
            raise self._unknown(f"dim={dim}")
        return Shape(tuple(head), self.star, tuple(tail))

    def append(self, *sizes: Size) -> Shape:
        """The shape with sizes behind the last."""
        if self.star is None:
            return Shape(self.head + sizes)
        return Shape(self.head, self.star, self.tail + sizes)

    def replace(self, index: int, size: Size) -> Shape:
        """The shape with one size replaced."""
        self.at(index)
        head, tail = list(self.head), list(self.tail)
        if self.star is None or index >= 0:
            head[index] = size
        else:
            tail[index] = size
        return Shape(tuple(head), self.star, tuple(tail))

    def splice(self, start: int, end: int, sizes: tuple[Size, ...]) -> Shape:
        """The shape with other sizes for those from `start` to `end`, two places
        on one side of the star."""
        head, star, tail = self.head, self.star, self.tail
        if start >= 0:
            return Shape(head[:start] + sizes + head[end + 1 :], star, tail)
        start, end = start + len(tail), end + len(tail)
        return Shape(head, star, tail[:start] + sizes + tail[end + 1 :])

    def without(self, index: int) -> Shape:
        """The shape with one size dropped."""
        self.at(index)
        head, tail = list(self.head), list(self.tail)
        if self.star is None or index >= 0:
            del head[index]
        else:
            del tail[index]
        return Shape(tuple(head), self.star, tuple(tail))

    def __str__(self) -> str:
        parts = [show(s) for s in self.head]
        if self.star is not None:
            parts.append(f"*{self.star}")
            parts += [show(s) for s in self.tail]
        return f"[{', '.join(parts)}]"


def fixed(*sizes: Size) -> Shape:
    """The shape of just these sizes."""
    return Shape(tuple(sizes))


class Tensor(Record):
    """The type of a tensor."""

    shape: Shape
    dtype: str

    def __init__(self, shape: Shape, dtype: str = "float") -> None:
        super().__init__(shape, dtype)

    def __str__(self) -> str:
        text = str(self.shape)
        return text if self.dtype in ("float", "any") else f"{self.dtype}{text}"

    @property
    def is_float(self) -> bool:
        return self.dtype in FLOATS or self.dtype == "any"

    @property
    def is_integer(self) -> bool:
        return self.dtype in INTEGERS or self.dtype == "any"

    def with_shape(self, shape: Shape) -> Tensor:
        return Tensor(shape, self.dtype)


class Parts(tuple[Tensor, ...]):
    """Tensors that a function of torch cuts another into: how many there are, its
    types don't say."""

    __slots__ = ()


def promote(*dtypes: str) -> str:
    """The dtype of an operation on tensors of these dtypes."""
    if "any" in dtypes:
        return "any"
    given = set(dtypes)
    if {"bfloat16", "float16"} <= given:
        dtypes = (*dtypes, "float32")
    if {"int8", "uint8"} <= given:
        dtypes = (*dtypes, "int16")
    if given & COMPLEX:
        wide = given & {"complex128", "float64"}
        return "complex128" if wide else "complex64"
    for order in (
        ("float64",),
        ("float32", "float"),
        ("bfloat16", "float16"),
        ("int64",),
        ("int32",),
        ("int16",),
        ("int8", "uint8"),
    ):
        present = [d for d in dtypes if d in order]
        if present:
            return "float" if "float" in present else present[0]
    return dtypes[0] if dtypes else "float"


def _category(dtype: str) -> int:
    if dtype in FLOATS:
        return 2
    return 1 if dtype in INTEGERS else 3 if dtype in COMPLEX else 0


def result_dtype(*values: object) -> str:
    """The dtype of an operation on tensors and plain numbers.

    As in torch, a tensor without sizes, and after it a plain number, counts only
    where it is of a higher kind: a float changes an int tensor, not a float16.
    """
    groups: tuple[list[str], list[str], list[str]] = ([], [], [])
    for value in values:
        if isinstance(value, Tensor):
            groups[1 if value.shape.rank == 0 else 0].append(value.dtype)
        else:
            groups[2].append(_number_dtype(value))
    result = ""
    for group in groups:
        if not group:
            continue
        dtype = promote(*group)
        if not result:
            result = dtype
        elif "any" in (result, dtype):
            known = dtype if result == "any" else result
            result = known if _category(known) >= 2 and known == result else "any"
        elif _category(dtype) > _category(result):
            result = promote(result, dtype)
    return result or "float"


def _number_dtype(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, float):
        return "float"
    if isinstance(value, int | Dim):
        return "int64"
    known = {"int": "int64", "float": "float", "bool": "bool"}
    return known.get(getattr(value, "type", ""), "any")
