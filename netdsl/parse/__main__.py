"""`python -m netdsl.parse` writes the parser's tables; run it after every change of
the grammar."""

from netdsl.parse.loop_table import loop_path, make_loop_table
from netdsl.parse.table import grammar_path, make_table, table_path

grammar = grammar_path().read_text(encoding="utf-8")
table_path().write_text(make_table(grammar), encoding="utf-8")
loop_path().write_text(make_loop_table(grammar), encoding="utf-8")
