"""Resolved tree to graph: values and shapes in one walk."""
