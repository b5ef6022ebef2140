"""Text to syntax tree."""

from netdsl.parse.parser import Parser
from netdsl.parse.reading import decode
from netdsl.parse.table import grammar_path, make_table, table_path
from netdsl.parse.trouble import KEYWORDS

__all__ = [
    "KEYWORDS",
    "Parser",
    "decode",
    "grammar_path",
    "make_table",
    "table_path",
]
