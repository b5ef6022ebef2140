"""A file of 1,000 lines in nets of up to 150, as it might be written: for tests and
measurements of the editor."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

HEAD = '''"""A family of image models."""

let GROUPS = 8

net ConvNorm(width: int, kernel: int = 3) = [
    Conv2d(width, kernel, padding=kernel // 2, bias=False), BatchNorm2d, ReLU]

fn half(n: int) = n // 2

'''


def long_file(lines: int = 1_000, longest: int = 150, seed: int = 0) -> str:
    """The text; the same for the same numbers."""
    random = Random(seed)
    text = HEAD.split("\n")
    names: list[str] = []
    while len(text) < lines - 60:
        size = longest if len(names) % 4 == 1 else random.randrange(15, longest)
        name, model = f"Block{len(names)}", len(names) + 9
        text += _block(name, min(size, lines - model - len(text)), random)
        names.append(name)
    text += _model(names)
    return "\n".join(text)


def _block(name: str, size: int, random: Random) -> list[str]:
    text = [
        f"net {name}(width: int, p: float = 0.1):",
        '    """Works on images."""',
        "    input x: [N, C, H, W]",
        "    x = x -> stem: Conv2d(width, 3, padding=1)",
    ]
    number = 0
    while len(text) < size - 3:
        number += 1
        text += _statement(number, random)
    return [*text, "    x -> last: Conv2d(width, 1)", "", ""]


def _statement(n: int, random: Random) -> list[str]:
    kinds = [
        [f"    x = x -> conv{n}: Conv2d(width, 3, padding=1) -> relu"],
        [
            f"    # What comes out of step {n} is normalised.",
            f"    x = x -> norm{n}: BatchNorm2d",
        ],
        [f"    x = x -> step{n}: ConvNorm(width)"],
        [
            f"    y{n} = x -> mean(dim=(2, 3)) -> down{n}: Linear(half(width))",
            f"      -> relu -> up{n}: Linear(width) -> sigmoid",
            f"    x = x * y{n}[:, :, None, None]",
        ],
        [
            "    x -> {",
            "        skip",
            f"        | a{n}: Conv2d(width, 1) -> gelu -> b{n}: Conv2d(width, 1)",
            "    } -> add",
        ],
        ["    x = x -> dropout(p)"],
        [f"    x = x -> group{n}: GroupNorm(GROUPS)"],
    ]  # fmt: skip
    chosen = list(random.choice(kinds))
    if chosen[0] == "    x -> {":
        chosen[0] = "    x = x -> {"
    return chosen


def _model(names: list[str]) -> list[str]:
    text = [
        "net Model(classes: int = 10):",
        "    input x: [N, 3, 32, 32]",
        "    x = x -> stem: ConvNorm(16)",
    ]
    for i, name in enumerate(names):
        text.append(f"    x = x -> stage{i}: {name}({16 * (1 + i % 3)})")
    text += ["    x -> mean(dim=(2, 3)) -> head: Linear(classes)", "", ""]
    return [*text, "expect Model([2, 3, 32, 32]) == [2, 10]", ""]


def keys(text: str, count: int, seed: int = 0) -> Iterator[str]:
    """Texts after one key stroke each: a character typed or taken away, and then the
    other way round, at places all over the file."""
    random = Random(seed)
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if line.strip()]
    for _ in range(count // 2):
        at = random.choice(places)
        line = lines[at]
        column = random.randrange(len(line) - len(line.lstrip()), len(line) + 1)
        char = random.choice("abcdx128 ,.:=()[]->|_")
        typed = [*lines[:at], line[:column] + char + line[column:], *lines[at + 1 :]]
        yield "\n".join(typed)
        yield text
