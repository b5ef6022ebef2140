"""Models that others wrote, beside the `.net` that says the same.

An `Original` is data: which net, which module, what goes in.  `test_zoo.py` holds
each pair to the same keys, the same bits and the same starting weights;
`zoo_table.py` prints what came of it.  The entries are in `originals_*.py`.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import netdsl

EXAMPLES = Path(__file__).parent.parent / "examples"
Make = Callable[[], nn.Module]


def plainly(module: nn.Module, *inputs: Any) -> Any:
    return module(*inputs)


@dataclass(frozen=True)
class Original:
    """A module of somebody else, and the net that equals it.

    `hyper` are the hyperparameters that give the net the sizes of `make`; the
    net's defaults are those of `full`, the published size, which is only built on
    the meta device (None: `make` is of full size).  `parameters`, `keys` and
    `digest` (of all keys and shapes, see `key_hash`) are facts of the full size.
    `starts` (the same weights from the same seed) and `trains` (the same bits in
    training) are True or say why it can't be so.  `call` gets the results of the
    original that ours gives, where calling it does not.
    """

    name: str
    file: str
    net: str
    make: Make
    inputs: Callable[[], tuple[Any, ...]]
    code: Sequence[Any]
    hyper: dict[str, Any] = field(default_factory=dict)
    externs: dict[str, Any] | None = None
    full: Make | None = None
    parameters: int | None = None
    keys: int | None = None
    digest: str | None = None
    call: Callable[..., Any] = plainly
    starts: bool | str = True
    trains: bool | str = True

    @property
    def source(self) -> Path:
        return EXAMPLES / f"{self.file}.net"

    def load(self, **hyper: Any) -> nn.Module:
        return netdsl.load(self.source, self.net, externs=self.externs, **hyper)

    def pair(self) -> tuple[nn.Module, nn.Module]:
        """Ours and theirs, each built from the same seed."""
        torch.manual_seed(0)
        ours = self.load(**self.hyper)
        torch.manual_seed(0)
        return ours, self.make()

    def full_pair(self) -> tuple[nn.Module, nn.Module]:
        """Ours and theirs in the published size, without numbers."""
        with torch.device("meta"):
            if self.full is None:
                return self.load(**self.hyper), self.make()
            return self.load(), self.full()


# -- comparing -------------------------------------------------------------------------


def shapes(module: nn.Module) -> list[tuple[str, list[int]]]:
    return [(key, list(t.shape)) for key, t in module.state_dict().items()]


def key_hash(module: nn.Module) -> str:
    """The first digits of the hash of all keys and shapes, in order."""
    lines = "\n".join(f"{key} {shape}" for key, shape in shapes(module))
    return hashlib.sha256(lines.encode()).hexdigest()[:10]


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def differing(ours: nn.Module, theirs: nn.Module) -> list[str]:
    """The keys whose values differ."""
    mine = ours.state_dict()
    return [k for k, t in theirs.state_dict().items() if not torch.equal(mine[k], t)]


def equal(got: Any, wanted: Any) -> bool:
    """Whether two results are the same to the bit."""
    if isinstance(wanted, Tensor):
        return isinstance(got, Tensor) and torch.equal(got, wanted)
    if isinstance(wanted, dict):
        return list(got) == list(wanted) and all(
            equal(got[k], v) for k, v in wanted.items()
        )
    if isinstance(wanted, tuple | list):
        return len(got) == len(wanted) and all(map(equal, got, wanted))
    return bool(got == wanted)


def same_results(original: Original, training: bool) -> bool:
    """Whether both give the same bits, each from the same seed."""
    ours, theirs = original.pair()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    torch.manual_seed(1)
    inputs = original.inputs()
    with torch.set_grad_enabled(training):
        torch.manual_seed(2)
        got = ours.train(training)(*inputs)
        torch.manual_seed(2)
        wanted = original.call(theirs.train(training), *inputs)
    return equal(got, wanted)


# -- counting lines --------------------------------------------------------------------


def python_lines(text: str) -> int:
    """Lines of Python that hold code: no blanks, comments or docstrings."""
    tree = ast.parse(textwrap.dedent(text))
    docstrings: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                docstrings.update(range(value.lineno, (value.end_lineno or 0) + 1))
    lines = textwrap.dedent(text).splitlines()
    return sum(
        bool(line.strip()) and not line.lstrip().startswith("#") and n not in docstrings
        for n, line in enumerate(lines, 1)
    )


def net_lines(text: str) -> int:
    """Lines of `.net`, counted likewise."""
    count, inside = 0, False
    for line in map(str.strip, text.splitlines()):
        quotes = line.count('"""')
        if inside or line.startswith('"""'):
            inside ^= quotes == 1
        elif line and not line.startswith("#"):
            count += 1
    return count


def lines_of(code: Sequence[Any]) -> int:
    """Lines of what the original is made of: classes and functions."""
    return sum(python_lines(inspect.getsource(piece)) for piece in code)
