"""`einsum`: sums of products, by letters for sizes."""

from __future__ import annotations

import re

from netdsl.dims import Size, show
from netdsl.layers.call import Call
from netdsl.layers.products import product_dtype
from netdsl.layers.spec import function
from netdsl.shapes import Shape, Tensor


class _Letters:
    """The sizes that the letters of an equation stand for."""

    def __init__(self, c: Call) -> None:
        self.c = c
        self.sizes: dict[str, Size] = {}
        self.rest: Shape | None = None

    def read(self, word: str, tensor: Tensor) -> None:
        before, dots, after = word.partition("...")
        shape, letters = tensor.shape, before + after
        rank = shape.rank
        if rank is not None and (
            rank < len(letters) or (not dots and rank > len(letters))
        ):
            raise self.c.refuse(
                f"`einsum` reads {tensor} as `{word}`",
                f"{rank} sizes, and {len(letters)} letters",
            )
        if not dots:
            shape.sizes  # noqa: B018  refuses a star
        for i, letter in enumerate(before):
            self._set(letter, shape.at(i), tensor)
        for i, letter in enumerate(after):
            self._set(letter, shape.at(i - len(after)), tensor)
        if dots:
            for _ in after:
                shape = shape.without(-1)
            for _ in before:
                shape = shape.without(0)
            known = self.rest
            self.rest = (
                shape if known is None else self.c.broadcast_shapes(known, shape)
            )

    def _set(self, letter: str, size: Size, tensor: Tensor) -> None:
        known = self.sizes.get(letter)
        # As in torch, a letter may be 1 in one operand and more in another.
        if known is None or self.c.facts.normal(known) == 1:
            self.sizes[letter] = size
        elif self.c.facts.normal(size) != 1:
            self.c.equal(
                known,
                size,
                f"`einsum` has `{letter}` for {show(known)} and, in {tensor}, for"
                f" {show(size)}",
            )

    def shape(self, word: str) -> Shape:
        before, dots, after = word.partition("...")
        rest = self.rest if dots and self.rest is not None else Shape(())
        head = tuple(self.sizes[x] for x in before)
        tail = tuple(self.sizes[x] for x in after)
        if rest.star is None:
            return Shape(head + rest.head + tail)
        return Shape(head + rest.head, rest.star, rest.tail + tail)


_WORD = re.compile(r"[A-Za-z]*(\.\.\.)?[A-Za-z]*$")


def _equation(c: Call) -> tuple[list[str], str]:
    """The words of the operands, and that of the result."""
    text = c.known("equation").replace(" ", "")
    left, arrow, right = text.partition("->")
    words = left.split(",")
    for word in (*words, right):
        if not _WORD.match(word):
            raise c.bad("equation", f"`einsum` can't read `{word}`")
    if not arrow:
        letters = "".join(words).replace(".", "")
        right = "".join(sorted(x for x in set(letters) if letters.count(x) == 1))
        right = "..." + right if "..." in left else right
    for letter in right.replace("...", ""):
        if right.count(letter) > 1 or letter not in left:
            raise c.bad(
                "equation",
                f"`einsum` has `{letter}` once on each side of `->`, in `{text}`",
            )
    if "..." in right and "..." not in left:
        raise c.bad("equation", f"`...` has to stand left of `->` too, in `{text}`")
    return words, right


def _einsum(c: Call) -> Tensor:
    words, right = _equation(c)
    operands = c.operands
    if len(words) != len(operands):
        raise c.bad(
            "equation",
            f"`einsum` has {len(words)} operands in its equation, and is given"
            f" {len(operands)}",
        )
    letters = _Letters(c)
    for word, tensor in zip(words, operands, strict=True):
        _diagonals(c, word, tensor)
        letters.read(word, tensor)
    dtype = product_dtype(c, *operands) if len(operands) > 1 else operands[0].dtype
    return Tensor(letters.shape(right), dtype)


def _diagonals(c: Call, word: str, tensor: Tensor) -> None:
    """States that a letter twice in a word names two equal sizes, even if 1."""
    letters = word.replace("...", "")
    if len(set(letters)) == len(letters) or "..." in word:
        return
    for letter, size in zip(letters, tensor.shape.sizes, strict=False):
        first = tensor.shape.at(letters.index(letter))
        c.equal(
            first,
            size,
            f"`einsum` has `{letter}` for {show(first)} and {show(size)} of {tensor}",
        )


function(
    "einsum(equation: str, *operands: tensor)",
    "torch.einsum",
    _einsum,
    "Sum of products, by letters for sizes: `bhid,bhjd->bhij`.",
)
