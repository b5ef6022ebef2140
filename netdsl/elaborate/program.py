"""All nets of a file and of those it imports, walked on demand."""

from __future__ import annotations

from netdsl.elaborate.using import Uses


class Program(Uses):
    """The definitions of a compile, and what is remembered of them.

    Built of four layers, each in a file: what is there (`state`), how arguments
    meet parameters (`arguments`), what a class is (`defining`), and what a use of
    it gives (`using`).
    """
