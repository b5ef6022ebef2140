"""How fast it is: `python tests/bench.py [ROUNDS]` prints the table, with the bars.

Ratios and differences are of runs that follow each other in one loop, so that
what else the machine does meets both sides.  Each line gives the median, and
the range of the middle half.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles

HOME = Path(__file__).parent.parent
# Installed packages have their bytecode, whatever this shell says.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HOME)}
ENVIRONMENT.pop("PYTHONDONTWRITEBYTECODE", None)
# Whether malloc returns a freed model's memory depends on what lies behind it, and
# costs the next model a seventh: here it always does.
ENVIRONMENT["MALLOC_MMAP_THRESHOLD_"] = "131072"
RESNET = HOME / "examples" / "resnet.net"

# The process that check and compile are measured by: lark reads the file.
PARSE = """
import sys, click, lark
from netdsl.diagnostics import Report
from netdsl.limits import Limits
from netdsl.parse import Parser, decode
from netdsl.parse.building import Builder
class ByLark(Parser):
    def run(self, chunk, start, limits):
        text = chunk.text if start == "test" else chunk.text.rstrip() + "\\n"
        return self._by_lark(text, start, Builder(chunk, self.run, limits))
report, limits = Report(), Limits()
source = decode(sys.argv[1], open(sys.argv[1], "rb").read(), report, limits)
ByLark().parse(source, report, limits)
"""
FORMAT = PARSE + """
import black
black.format_str(open(sys.argv[2]).read(), mode=black.Mode())
"""
NETDSL = "from netdsl.cli import main; main()"


def process(code: str, *arguments: str) -> float:
    """Seconds that a fresh interpreter takes."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        capture_output=True,
        env=ENVIRONMENT,
    )
    return time.perf_counter() - start


def paired(
    rounds: int, ours: Callable[[], float], theirs: Callable[[], float]
) -> list[tuple[float, float]]:
    """Both sides in turn, after one of each that does not count."""
    ours(), theirs()
    return [(ours(), theirs()) for _ in range(rounds)]


def told(name: str, values: Sequence[float], bar: float, unit: str) -> bool:
    low, _, high = quantiles(values, n=4)
    middle = median(values)
    verdict = "ok" if middle <= bar else "MISSED"
    numbers = f"{middle:8.2f} {unit}  ({low:.2f} to {high:.2f})"
    print(f"{name:46} {numbers:32} bar {bar:g} {unit}  {verdict}", flush=True)
    return middle <= bar


# -- the bars ----------------------------------------------------------------------


def check(rounds: int) -> bool:
    path = str(RESNET)
    runs = paired(
        rounds, lambda: process(NETDSL, "check", path), lambda: process(PARSE, path)
    )
    return told("check / import and parse", [a / b for a, b in runs], 1.5, "x ")


def compile_(rounds: int, folder: Path) -> bool:
    path, out = str(RESNET), str(folder / "resnet.py")
    process(NETDSL, "compile", path, "-o", out)
    runs = paired(
        rounds,
        lambda: process(NETDSL, "compile", path, "-o", out),
        lambda: process(FORMAT, path, out),
    )
    ratios = [a / b for a, b in runs]
    return told("compile / import, parse and format", ratios, 1.3, "x ")


def flat(layers: int) -> bytes:
    lines = ["net Flat:", "    input x: [N, 64]", "    x -> fc0: Linear(64)"]
    for i in range(1, layers // 2):
        lines.append(f"      -> act{i}: ReLU -> fc{i}: Linear(64)")
    return ("\n".join(lines) + "\n").encode()


def growth(rounds: int) -> bool:
    from netdsl import compiler

    def seconds(data: bytes) -> float:
        gc.collect()
        start = time.perf_counter()
        outcome = compiler.check("flat.net", data)
        spent = time.perf_counter() - start
        assert not outcome.diagnostics, outcome.diagnostics[0].text
        return spent

    small, large = flat(1_000), flat(10_000)
    runs = paired(max(3, rounds // 4), lambda: seconds(large), lambda: seconds(small))
    ratios = [a / b for a, b in runs]
    return told("check, 10,000 layers / 1,000", ratios, 12, "x ")


LOAD = """
import sys, time
import torch, torchvision
import netdsl
def build():
    start = time.perf_counter()
    torchvision.models.resnet50()
    return time.perf_counter() - start
def load():
    start = time.perf_counter()
    netdsl.load(sys.argv[1], "resnet50")
    return time.perf_counter() - start
torch.set_num_threads(1)
# The first models pay for the memory that later ones use again.
for _ in range(4):
    build()
first = load()
later = [(load(), build()) for _ in range(5)]
differences = sorted(a - b for a, b in later)
print(first - sorted(b for _, b in later)[2], differences[2])
"""


def load(rounds: int) -> bool:
    first, later = [], []
    for _ in range(max(3, rounds // 2)):
        done = subprocess.run(
            [sys.executable, "-c", LOAD, str(RESNET)],
            check=True,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
        )
        one, two = map(float, done.stdout.split())
        first.append(1000 * one)
        later.append(1000 * two)
    good = told("first load of ResNet-50 - torchvision", first, 100, "ms")
    return told("later loads - torchvision", later, 15, "ms") and good


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    with tempfile.TemporaryDirectory() as folder:
        results = [
            check(rounds),
            compile_(rounds, Path(folder)),
            load(rounds),
            growth(rounds),
        ]
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
