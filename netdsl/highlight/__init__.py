"""Colours for editors: syntax files made from the words of `net.lark` and the tables
of layers.  `python -m netdsl.highlight` writes them."""

from netdsl.highlight.words import keywords

__all__ = ["keywords"]
