"""Docstrings, whose further lines follow the indentation of their first."""

from __future__ import annotations


def indented(text: str, indent: int) -> str:
    """A docstring's token with its lines moved to an indentation; else untouched.

    What it says stays the same: lines keep their places relative to each other.
    """
    first, *rest = text.split("\n")
    if not rest or "\\" in text or any("\t" in line for line in rest):
        return text
    margin = min((_margin(line) for line in rest if line.strip(" ")), default=0)
    last = rest[-1]
    if not last[:-3].strip(" "):
        # The closing quotes alone say nothing about the text above them.
        others = [_margin(line) for line in rest[:-1] if line.strip(" ")]
        margin = min(others, default=0)
        *rest, _ = rest
        return "\n".join([first, *_moved(rest, margin, indent), " " * indent + '"""'])
    return "\n".join([first, *_moved(rest, margin, indent)])


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _moved(lines: list[str], margin: int, indent: int) -> list[str]:
    return [
        " " * indent + line[margin:] if len(line) > margin else "" for line in lines
    ]
