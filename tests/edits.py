"""Edits as a person makes them, drawn at random: for tests of what is incremental."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

LINES = (
    "    y = x",
    "# a comment",
    "",
    "    x -> extra: Linear(8) -> relu",
    "    let n = 3",
    "    input z: [N, 7]",
    "net Another(width: int = 4):",
    "    if training:",
    "fn half(n: int) = n // 2",
    "let K = 3",
    "      -> relu",
    "expect K == 3",
)
KEYS = 'abx19 ,.:=()[]{}->|"#*\n'


def edited(random: Random, text: str, original: str) -> str:
    """The text after one more edit."""
    lines = text.split("\n")
    at = random.randrange(len(lines))
    kind = random.randrange(10)
    if kind < 5:
        return _key(random, lines, at)
    if kind == 5:
        lines.insert(at, random.choice(LINES))
    elif kind == 6 and len(lines) > 3:
        del lines[at]
    elif kind == 7:
        other = random.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]
    elif kind == 8:
        return _word(random, text)
    else:
        return original
    return "\n".join(lines)


def _key(random: Random, lines: list[str], at: int) -> str:
    line = lines[at]
    column = random.randrange(len(line) + 1)
    gone = random.randrange(2)
    lines[at] = line[:column] + random.choice(KEYS) + line[column + gone :]
    return "\n".join(lines)


def _word(random: Random, text: str) -> str:
    """One word for another of the text, here or everywhere."""
    import re

    words = sorted(set(re.findall(r"\b[A-Za-z_]\w*", text)))
    if not words:
        return text
    old, new = random.choice(words), random.choice([*words, "other"])
    places = [m.start() for m in re.finditer(rf"\b{old}\b", text)]
    if random.random() < 0.3:
        return re.sub(rf"\b{old}\b", new, text)
    place = random.choice(places)
    return text[:place] + new + text[place + len(old) :]


def edits(seed: int, original: str, count: int) -> Iterator[str]:
    """Texts, each an edit away from the one before."""
    random = Random(seed)
    text = original
    for _ in range(count):
        text = edited(random, text, original)
        yield text
