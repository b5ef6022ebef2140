"""The formatter: one canonical form of a `.net` file, comments at their places."""

from netdsl.formatting.formatter import Formatted, Formatter

__all__ = ["Formatted", "Formatter"]
