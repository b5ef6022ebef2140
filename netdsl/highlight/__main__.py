"""`python -m netdsl.highlight` writes the editors' files; run it after every change
of the grammar or of the tables of layers."""

from netdsl.highlight.files import made_files

for path, text in made_files().items():
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
