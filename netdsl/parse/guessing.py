"""What was meant where a text can't be read: guessed, tried, and said in its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from netdsl.diagnostics import Diagnostic
from netdsl.parse import habits, margins, missing, operators
from netdsl.parse.site import Guess, Site, moved, with_edits
from netdsl.parse.trouble import Mistake
from netdsl.source import Chunk

_TRIES = 40


class NextProblem(Protocol):
    """Where a text of an item can't be read; None if all of it can."""

    def __call__(self, text: str, /) -> int | None: ...


# In this order: what stands above is surer.
_SYNTAX: tuple[Callable[[Site], Guess | Sequence[Guess] | None], ...] = (
    habits.top_word,
    habits.torch_from,
    habits.import_star,
    habits.import_word,
    habits.return_stage,
    habits.stray_for,
    habits.no_start_value,
    habits.expect_params,
    habits.else_if,
    habits.net_name,
    habits.result_type,
    missing.odd_arrow,
    margins.indented_item,
    margins.body_at_edge,
    margins.block_is_empty,
    missing.arrow_at_end,
    habits.braces,
    habits.empty_block,
    missing.colon_at_end,
    margins.too_deep,
    habits.torch_type,
    habits.no_shape,
    habits.no_value,
    habits.increment,
    habits.slashes,
    habits.python_word,
    habits.keyword_as_name,
    habits.line_word,
    habits.round_shape,
    habits.digit_first,
    habits.dash_in_name,
    habits.for_without_in,
    missing.colon_of_input,
    missing.equals_of_let,
    missing.colon_twice,
    missing.walrus,
    habits.equals_in_test,
    missing.comma_of_names,
    missing.half_arrow,
    missing.nothing_flows,
    missing.arrow_without_stage,
    missing.double_bar,
    margins.double_or,
    operators.sign_of_bits,
    missing.bar_outside,
    habits.doubled_comma,
    missing.comma,
    missing.bar,
    missing.arguments,
    missing.name_of_layer,
    missing.arrow,
)
_BRACKETS = (missing.never_opened, missing.wrong_closer)
_CHARACTERS = (
    missing.odd_arrow,
    margins.lookalike,
    margins.greek,
    habits.slashes,
    margins.doubled_sign,
    operators.sign_of_bits,
)


def explained(chunk: Chunk, mistake: Mistake, next_problem: NextProblem) -> Diagnostic:
    """The problem in the words of who made it, with edits that were seen to mend it."""
    problem = mistake.diagnostic
    site = Site(chunk, problem.span.start, problem.span.end, mistake.expected)
    guesses = list(_guesses(site, problem))
    tried = 0
    mending: list[Guess] = []
    for guess in guesses[:_TRIES]:
        if not guess.edits:
            return _said(problem, guess)
        tried += 1
        if _mends(site, guess, next_problem):
            mending.append(guess)
            if not _one_of_many(problem):
                break
    if len(mending) == 1 and not (_one_of_many(problem) and tried >= _TRIES):
        return _said(problem, mending[0])
    if not guesses or _one_of_many(problem):
        return problem
    return _said(problem, guesses[0]._replace(edits=()))


def _guesses(site: Site, problem: Diagnostic) -> Iterable[Guess]:
    guessers: Sequence[Callable[[Site], Guess | Sequence[Guess] | None]]
    if problem.code == "unclosed-bracket":
        closing = site.found in ")]}"
        guessers = _BRACKETS if closing else (missing.never_closed,)
    elif problem.code == "bad-character":
        guessers = _CHARACTERS
    elif problem.code == "bad-indentation":
        tab = "\t" in site.found
        guessers = (margins.tabs,) if tab else (margins.uneven,)
    elif site.found in ("'", '"'):
        guessers = (margins.open_string,)
    elif problem.code == "syntax-error":
        guessers = _SYNTAX
    else:
        return
    for guesser in guessers:
        found = guesser(site)
        if isinstance(found, Guess):
            yield found
        elif found is not None:
            yield from found


def _one_of_many(problem: Diagnostic) -> bool:
    """Whether only a repair that is the only one counts: where to close a bracket."""
    return problem.text.endswith("is never closed")


def _mends(site: Site, guess: Guess, next_problem: NextProblem) -> bool:
    """Whether the text can be read with the edits, or at least beyond their line."""
    start, end, head = _excerpt(site, guess)
    text = head + site.chunk.text[start:end]
    by = len(head) - start
    fixed = with_edits(text, (moved(e, by) for e in guess.edits))
    at = next_problem(fixed)
    if at is None:
        return True
    stop = site.line_end + by + len(fixed) - len(text)
    return at > stop and not guess.text.endswith("is never closed")


_HEAD = "net _:\n"
_SHORT = 12
_ON = re.compile(r"->|\||[)\]}]|elif\b|else\b|#|$")


def _excerpt(site: Site, guess: Guess) -> tuple[int, int, str]:
    """Of a long net the statement at fault: where it begins and ends in the text, and
    what stands in front of it instead of the rest."""
    text = site.chunk.text
    lines = text.split("\n")
    whole = (0, len(text), "")
    if len(lines) <= _SHORT or not text.startswith("net "):
        return whole
    base = next((len(m) for m in map(_margin, lines[1:]) if m), 0)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    opening = [
        at
        for at, line in zip(starts, lines, strict=False)
        if len(_margin(line)) == base and not _ON.match(line.strip())
    ]
    start = max((at for at in opening if at <= site.line_start), default=0)
    end = min((at for at in opening if at > site.line_end), default=len(text))
    inside = all(start <= e.span.start and e.span.end <= end for e in guess.edits)
    return (start, end, _HEAD) if start and base and inside else whole


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" "))]


def _said(problem: Diagnostic, guess: Guess) -> Diagnostic:
    return problem._replace(
        text=guess.text,
        help=guess.help,
        span=guess.span or problem.span,
        edits=guess.edits,
    )
