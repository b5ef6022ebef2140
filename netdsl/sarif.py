"""Messages as SARIF 2.1.0, which code scanning and editors read: one log of a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from netdsl.codes import CODES
from netdsl.diagnostics import Diagnostic
from netdsl.render import place_of, printable
from netdsl.source import Span

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "hint": "note"}


class Problem:
    """What went wrong with a whole file, or with the call."""

    def __init__(self, text: str, path: str, help: str) -> None:
        self.text = text
        self.path = path
        self.help = help


def render_log(
    results: Iterable[Diagnostic | Problem], version: str, *, finished: bool
) -> str:
    """The log of a run, as text."""
    import json

    messages: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    for found in results:
        if isinstance(found, Problem):
            problems.append(_notification(found))
        else:
            messages.append(_result(found))
    codes = sorted({m["ruleId"] for m in messages})
    for message in messages:
        message["ruleIndex"] = codes.index(message["ruleId"])
    invocation: dict[str, Any] = {"executionSuccessful": finished}
    if problems:
        invocation["toolExecutionNotifications"] = problems
    driver = {
        "name": "netdsl",
        "version": version,
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "invocations": [invocation],
        "results": messages,
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(code: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": code}
    about = CODES.get(code)
    if about is not None:
        rule["shortDescription"] = {"text": about.title}
        rule["fullDescription"] = {"text": about.explanation.strip()}
    return rule


def _result(d: Diagnostic) -> dict[str, Any]:
    note = f" ({d.note})" if d.note else ""
    text = d.text + note + (f"\nhelp: {d.help}" if d.help else "")
    result: dict[str, Any] = {
        "ruleId": d.code,
        "level": _LEVELS[d.level],
        "message": _text(text),
        "locations": [_location(d.span)],
    }
    if d.labels:
        result["relatedLocations"] = [
            _location(label.span) | {"id": i, "message": _text(label.text)}
            for i, label in enumerate(d.labels)
        ]
    if d.edits:
        result["fixes"] = [_fix(d)]
    return result


def _fix(d: Diagnostic) -> dict[str, Any]:
    files: dict[str, list[dict[str, Any]]] = {}
    for edit in d.edits:
        change = {
            "deletedRegion": _region(edit.span),
            "insertedContent": {"text": edit.text},
        }
        files.setdefault(edit.span.source.name, []).append(change)
    changes = [
        {"artifactLocation": _artifact(name), "replacements": replacements}
        for name, replacements in files.items()
    ]
    return {"description": _text(d.help), "artifactChanges": changes}


def _location(span: Span) -> dict[str, Any]:
    place = {"artifactLocation": _artifact(span.source.name)}
    return {"physicalLocation": place | {"region": _region(span)}}


def _region(span: Span) -> Mapping[str, Any]:
    place = place_of(span)
    return {
        "startLine": place["line"],
        "startColumn": place["column"],
        "endLine": place["end_line"],
        "endColumn": place["end_column"],
    }


def _artifact(name: str) -> dict[str, str]:
    return {"uri": quote(name.replace("\\", "/"))}


def _notification(problem: Problem) -> dict[str, Any]:
    text = problem.text + (f"\nhelp: {problem.help}" if problem.help else "")
    place = {"physicalLocation": {"artifactLocation": _artifact(problem.path)}}
    return {"level": "error", "message": _text(text), "locations": [place]}


def _text(text: str) -> dict[str, str]:
    return {"text": "\n".join(printable(line) for line in text.split("\n"))}
