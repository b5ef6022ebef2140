"""The language server: `netdsl lsp`.  Only this room needs pygls."""
