"""Answers in the words of the protocol."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lsprotocol import types

from netdsl.answers.colouring import MODIFIERS, TYPES, Token
from netdsl.answers.completing import Completion
from netdsl.answers.hints import Hint, Lens
from netdsl.answers.outline import Entry
from netdsl.answers.referring import Where
from netdsl.answers.signing import Signature
from netdsl.diagnostics import Diagnostic, Edit
from netdsl.lsp.positions import Positions, units
from netdsl.lsp.project import uri_of
from netdsl.source import Source, Span

LEVELS = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "hint": types.DiagnosticSeverity.Hint,
}
_SYMBOLS = {
    "net": types.SymbolKind.Class,
    "fn": types.SymbolKind.Function,
    "extern": types.SymbolKind.Interface,
    "constant": types.SymbolKind.Constant,
    "hyperparameter": types.SymbolKind.Property,
    "input": types.SymbolKind.Variable,
    "own": types.SymbolKind.Field,
    "layer": types.SymbolKind.Field,
}
_WORDS = {
    "class": types.CompletionItemKind.Class,
    "function": types.CompletionItemKind.Function,
    "field": types.CompletionItemKind.Field,
    "variable": types.CompletionItemKind.Variable,
    "size": types.CompletionItemKind.TypeParameter,
    "constant": types.CompletionItemKind.Constant,
    "argument": types.CompletionItemKind.Property,
    "keyword": types.CompletionItemKind.Keyword,
    "type": types.CompletionItemKind.TypeParameter,
}
_NUMBERS = {name: number for number, name in enumerate(TYPES)}
_BITS = {name: 1 << number for number, name in enumerate(MODIFIERS)}
# What belongs to the place comes before what there is everywhere.
_ORDER = ("argument", "size", "variable", "field", "class", "function")


class Wire:
    """Turns answers into what is sent, in the client's units."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding

    def positions(self, source: Source) -> Positions:
        return Positions(source, self.encoding)

    def range(self, source: Source, start: int, end: int) -> types.Range:
        return self.positions(source).range(start, end)

    def span(self, span: Span) -> types.Range:
        return self.range(span.source, span.offset, span.offset + span.end - span.start)

    def location(self, where: Where) -> types.Location:
        place = self.range(where.source, where.start, where.end)
        return types.Location(uri_of(where.source.name), place)

    # -- messages ----------------------------------------------------------------

    def diagnostic(self, d: Diagnostic) -> types.Diagnostic:
        parts = [d.text, d.note, f"help: {d.help}" if d.help else ""]
        related = [
            types.DiagnosticRelatedInformation(
                types.Location(uri_of(label.span.source.name), self.span(label.span)),
                label.text,
            )
            for label in d.labels
        ]
        unused = d.code.startswith("unused-")
        return types.Diagnostic(
            range=self.span(d.span),
            message="\n".join(p for p in parts if p),
            severity=LEVELS[d.level],
            code=d.code,
            source="netdsl",
            tags=[types.DiagnosticTag.Unnecessary] if unused else None,
            related_information=related or None,
        )

    def edits(self, edits: Iterable[Edit]) -> types.WorkspaceEdit:
        changes: dict[str, list[types.TextEdit]] = {}
        for edit in edits:
            uri = uri_of(edit.span.source.name)
            made = types.TextEdit(self.span(edit.span), edit.text)
            changes.setdefault(uri, []).append(made)
        return types.WorkspaceEdit(changes=dict(changes))

    def replacements(self, found: Iterable[tuple[Where, str]]) -> types.WorkspaceEdit:
        changes: dict[str, list[types.TextEdit]] = {}
        for where, text in found:
            place = self.range(where.source, where.start, where.end)
            uri = uri_of(where.source.name)
            changes.setdefault(uri, []).append(types.TextEdit(place, text))
        return types.WorkspaceEdit(changes=dict(changes))

    def action(self, d: Diagnostic) -> types.CodeAction:
        return types.CodeAction(
            title=d.help or f"mend: {d.text}",
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[self.diagnostic(d)],
            is_preferred=True,
            edit=self.edits(d.edits),
        )

    def whole(self, source: Source, text: str) -> types.TextEdit:
        """Another text for all of a file."""
        return types.TextEdit(self.range(source, 0, len(source.text)), text)

    # -- words -------------------------------------------------------------------

    def completion(self, found: Completion) -> types.CompletionItem:
        order = _ORDER.index(found.kind) if found.kind in _ORDER else len(_ORDER)
        torchs = found.detail.startswith("torch")
        return types.CompletionItem(
            label=found.label,
            kind=_WORDS[found.kind],
            detail=found.detail or None,
            insert_text=found.insert or None,
            sort_text=f"{int(torchs)}{order}{found.label}",
        )

    def signature(self, found: Signature) -> types.SignatureHelp:
        parameters = [types.ParameterInformation(p) for p in found.parameters]
        made = types.SignatureInformation(
            label=found.label,
            documentation=found.doc or None,
            parameters=parameters,
            active_parameter=found.active,
        )
        return types.SignatureHelp([made], 0, found.active)

    # -- beside the text ---------------------------------------------------------

    def hint(self, source: Source, found: Hint) -> types.InlayHint:
        return types.InlayHint(
            position=self.positions(source).position(found.offset),
            label=found.text,
            kind=types.InlayHintKind.Type,
            padding_left=True,
        )

    def lens(self, source: Source, found: Lens) -> types.CodeLens:
        command = types.Command(title=found.text, command="")
        return types.CodeLens(self.range(source, found.start, found.end), command)

    def symbol(self, source: Source, entry: Entry) -> types.DocumentSymbol:
        return types.DocumentSymbol(
            name=entry.name,
            kind=_SYMBOLS[entry.kind],
            detail=entry.detail or None,
            range=self.range(source, entry.start, entry.end),
            selection_range=self.range(source, entry.name_start, entry.name_end),
            children=[self.symbol(source, e) for e in entry.inner],
        )

    def tokens(self, source: Source, tokens: Sequence[Token]) -> types.SemanticTokens:
        """Each token by its distance from the one before."""
        data: list[int] = []
        starts, text = source.starts, source.text
        line, before, passed = 0, 0, 0
        for start, end, kind, modifiers in tokens:
            while passed + 1 < len(starts) and starts[passed + 1] <= start:
                passed += 1
                before = starts[passed]
            gap = units(text[before:start], self.encoding)
            length = units(text[start:end], self.encoding)
            bits = sum(_BITS[m] for m in modifiers)
            data += (passed - line, gap, length, _NUMBERS[kind], bits)
            line, before = passed, start
        return types.SemanticTokens(data)


LEGEND = types.SemanticTokensLegend(list(TYPES), list(MODIFIERS))
