"""The pipeline: text -> tree -> names -> graph -> Python, and what runs it all.

parse      Source            -> syntax.Program
resolve    syntax.Program    -> Files: definitions, imports
elaborate  Files             -> Program: nets with values and shapes
emit       Program           -> Emitted: lines of Python
format     Emitted           -> text, by black
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from netdsl import syntax
from netdsl.diagnostics import Diagnostic, Report
from netdsl.elaborate import (
    conditions,
    displays,
    expressions,
    flows,
    looping,
    statements,
)
from netdsl.elaborate.expects import check_expect, use_concrete
from netdsl.elaborate.fns import define_fn
from netdsl.elaborate.lacking import lint_sizes
from netdsl.elaborate.lints import lint, lint_order
from netdsl.elaborate.program import Program
from netdsl.elaborate.types import allows_none
from netdsl.elaborate.values import Factory
from netdsl.elaborate.walk import Stop, TooMuch, Walk
from netdsl.graph import Argument, Const
from netdsl.incremental import Memory
from netdsl.limits import Limits
from netdsl.parse import Parser, decode
from netdsl.resolve import Files, Reader, no_imports, resolve
from netdsl.shapes import Refusal

# The handlers of expressions and statements register themselves when imported.
_HANDLERS = (conditions, displays, expressions, flows, looping, statements)
# Nesting is limited by the parser; walking a net of that depth needs this much.
_RECURSION = 10_000


class UsageError(Exception):
    """The caller names a net or hyperparameter that does not exist."""


class Outcome(NamedTuple):
    """What a run gave: messages, and the Python if it was asked for and is right."""

    diagnostics: tuple[Diagnostic, ...]
    text: str | None


class Analysis(NamedTuple):
    """A file that was walked: messages, and the program if its tree could be read."""

    diagnostics: tuple[Diagnostic, ...]
    program: Program | None
    tree: syntax.Program | None

    @property
    def failed(self) -> bool:
        return any(d.level == "error" for d in self.diagnostics)


class Session:
    """Compiles again and again, remembering the items that did not change."""

    def __init__(self, limits: Limits | None = None, observes: bool = False) -> None:
        self.limits = limits or Limits()
        self.observes = observes
        """Whether walks keep what they see, for who shows it beside the text."""
        self.parser = Parser()
        self.memory = Memory()

    def analyse(
        self,
        name: str,
        data: bytes,
        *,
        reader: Reader | None = None,
        net: str | None = None,
        define: Mapping[str, str] | None = None,
        expects: bool = True,
        defaults: bool = True,
    ) -> Analysis:
        """Reads, resolves and walks a file; checks all that can be checked.

        What the file expects of its nets is for `check` to say; who only wants
        the Python leaves it out.  Who builds one net with numbers of his own need
        not try the others with their `defaults`.
        """
        read = self._read(name, data, reader, net, define, expects)
        if isinstance(read, Analysis):
            return read
        tree, program = read
        program.tries_defaults = defaults
        report = program.report
        for _ in walking(program, tree, self.memory):
            pass
        if define and not report.failed:
            chosen = choose_net(tree, net)
            if chosen is not None:
                program.given_sizes[id(chosen)] = self._sizes(program, chosen, define)
                use_defaults(program, chosen)
        return Analysis(self._limited(report), program, tree)

    def analysing(
        self, name: str, data: bytes, reader: Reader | None = None
    ) -> Iterator[Analysis]:
        """The same step by step, for an editor: what is edited comes first.

        What no step has reached yet has the messages of the last time.  Who stops
        in between loses nothing but the steps that are left.
        """
        read = self._read(name, data, reader, None, None, True)
        if isinstance(read, Analysis):
            yield read
            return
        tree, program = read
        before = tuple(program.report)
        for told in walking(program, tree, self.memory):
            report = Report()
            report.extend((*before, *told))
            yield Analysis(self._limited(report), program, tree)

    def _read(
        self,
        name: str,
        data: bytes,
        reader: Reader | None,
        net: str | None,
        define: Mapping[str, str] | None,
        expects: bool,
    ) -> Analysis | tuple[syntax.Program, Program]:
        """The tree and all that it imports; an analysis if there is no text."""
        report = Report()
        if sys.getrecursionlimit() < _RECURSION:
            sys.setrecursionlimit(_RECURSION)
        source = decode(name, data, report, self.limits)
        if source is None:
            return Analysis(tuple(report), None, None)
        tree = self.parser.parse(source, report, self.limits)
        if not tree.items and not report.failed:
            report.error(
                "no-net", "the file holds no net", tree.span,
                help="write `net NAME:` and, indented below it, `input x: [...]`",
            )  # fmt: skip
        if not expects:
            items = tuple(i for i in tree.items if not isinstance(i, syntax.Expect))
            tree = syntax.Program(tree.span, items, tree.chunks)
        if define or net is not None:
            tree = redefined(self, tree, net, define or {}, report)
        files = resolve(tree, self.parser, reader or no_imports, report, self.limits)
        program = Program(files, report, self.limits)
        program.observes = self.observes
        return tree, program

    def _sizes(
        self, program: Program, net: syntax.Net, define: Mapping[str, str]
    ) -> dict[str, int]:
        """The inferred sizes among what is defined."""
        hyperparameters = [p.name for p in net.parameters]
        inferred = [s.name for s in program.class_sizes(net)]
        given: dict[str, int] = {}
        for word, text in define.items():
            if word in hyperparameters:
                continue
            if word not in inferred:
                names = ", ".join(sorted([*hyperparameters, *inferred])) or "none"
                raise UsageError(
                    f"{net.name} has no hyperparameter or inferred size {word};"
                    f" it has: {names}"
                )
            value = self.parser.expression(text, Report(), self.limits)
            size = value.value if isinstance(value, syntax.Literal) else None
            if type(size) is not int or size < 1:
                raise UsageError(f"-D {word}: a size is an int, and at least 1")
            given[word] = size
        if given:
            open_ = [s for s in inferred if s not in given]
            open_ += [p.name for p in net.parameters if p.default is None]
            if open_:
                names = ", ".join(open_)
                raise UsageError(f"{net.name} needs {names}, too: -D {open_[0]}=...")
        return given

    def _limited(self, report: Report) -> tuple[Diagnostic, ...]:
        """So many messages as are shown: a warning never hides an error."""
        told, most = tuple(report), self.limits.diagnostics
        if len(told) > most:
            worst = sorted(told, key=lambda d: d.level != "error")[:most]
            told = tuple(sorted(worst, key=lambda d: d.order))
        return told


def walking(
    program: Program, tree: syntax.Program, memory: Memory
) -> Iterator[tuple[Diagnostic, ...]]:
    """Walks every item of the file, but for those of which all is known.

    Gives all messages after what was edited, and after each other item; those at
    the end go to the program's report, too.
    """
    report = program.report
    memory.start(program)
    known = {id(i): memory.recall(program, i) for i in tree.items}
    try:
        if any(k is None for k in known.values()):
            with suppress(Stop, TooMuch, RecursionError):
                program.collect_bindings()
            memory.hand_over(program)
            left = _in_turn([i for i in tree.items if known[id(i)] is None], memory)
            again = len(tree.items)
            errors, most = report.errors, program.limits.diagnostics
            while left and errors < most and program.exhausted is None:
                item = left.pop(0)
                told = _walk_alone(program, memory, item)
                known[id(item)] = told
                errors += sum(d.level == "error" for d in told)
                if not left and again:
                    left, again = memory.misfed(program, tree.items), 0
                if left and all(map(memory.is_known, left)):
                    yield memory.told(tree, known)
    finally:
        memory.finish(program, whole=all(k is not None for k in known.values()))
    for diagnostics in known.values():
        report.extend(diagnostics or ())
    if program.exhausted is not None:
        report.error("too-many-steps", program.too_many_steps(), program.exhausted)
    yield tuple(report)


def _walk_alone(
    program: Program, memory: Memory, item: syntax.Item
) -> tuple[Diagnostic, ...]:
    """Walks an item whose messages are not known, with a report of its own."""
    report = program.report
    program.report = Report()
    try:
        walk_item(program, item)
    finally:
        own, program.report = program.report, report
    memory.keep(program, item, own)
    return tuple(own)


def _in_turn(items: list[syntax.Item], memory: Memory) -> list[syntax.Item]:
    """Functions behind the nets that may call them; expectations last, since they
    use nets that are defined below them, too.  One that is new, as after a key
    stroke, goes first: its mistakes are waited for."""
    ordered = sorted(items, key=_turn)
    new = [i for i in ordered if not memory.is_known(i)]
    if len(new) == 1:
        ordered.remove(new[0])
        ordered.insert(0, new[0])
    return ordered


def _turn(item: syntax.Item) -> int:
    """When an item is walked: nets, then functions, then expectations."""
    return 2 if isinstance(item, syntax.Expect) else isinstance(item, syntax.Fn)


def walk_item(program: Program, item: syntax.Item) -> None:
    """Walks one item; what is wrong with it goes to the program's report."""
    program.start()
    try:
        match item:
            case syntax.Net():
                program.define(item)
                if program.tries_defaults and not program.report.failed:
                    use_defaults(program, item)
                lint(program, item)
            case syntax.Constant():
                for target in item.let.targets:
                    program.constant(item, target.id, target.span)
            case syntax.Fn():
                check_function(program, item)
            case syntax.Expect():
                check_expect(program, item)
    except (Stop, TooMuch):
        pass
    except Refusal as refusal:
        program.report.error(refusal.code, refusal.text, item.span)
    except RecursionError:
        program.report.error("too-deep", "this is nested too deep", item.span)


def check_function(program: Program, fn: syntax.Fn) -> None:
    """A function's parameters; its body, if nobody calls it.

    Where it is called it is checked with what it is given.  A function that stands
    for others to import is checked by the types that it declares.
    """
    names = Counter(p.name for p in fn.parameters)
    for parameter in fn.parameters:
        if names[parameter.name] > 1:
            program.report.error(
                "duplicate-name",
                f"`{parameter.name}` is named twice",
                parameter.name_span,
            )
    lint_order(program, [(p.name, p.name_span, p.default) for p in fn.parameters])
    types = [p.type for p in fn.parameters]
    told = not program.is_called(fn) and None not in types
    if told or any(t is not None and allows_none(t) for t in types):
        lint_sizes(define_fn(program, fn, told=told))


def use_defaults(program: Program, net: syntax.Net) -> None:
    """A net whose hyperparameters all have defaults is checked with them."""
    if any(p.default is None for p in net.parameters):
        return
    program.start()
    walk = Walk(program, net, defining=False, training=False)
    label = f"`{net.name}` with its defaults" if net.parameters else ""
    sizes = program.given_sizes.get(id(net), {})
    given = {n: Argument(v, Const(v), net.name_span) for n, v in sizes.items()}
    try:
        use_concrete(walk, net, [], given, {}, False, net.name_span, label)
    except (Stop, TooMuch, Refusal):
        pass


# -- choosing a net ------------------------------------------------------------


def nets_of(tree: syntax.Program) -> list[syntax.Net]:
    return [i for i in tree.items if isinstance(i, syntax.Net)]


def choose_net(tree: syntax.Program, name: str | None) -> syntax.Net | None:
    """The net of that name, or the only one that no other net uses."""
    nets = nets_of(tree)
    if name is not None:
        found = next((n for n in nets if n.name == name), None)
        if found is None:
            from difflib import get_close_matches

            near = get_close_matches(name, [n.name for n in nets], 1)
            hint = f"; did you mean {near[0]}?" if near else "."
            known = ", ".join(n.name for n in nets) or "none"
            raise UsageError(f"there is no net {name}{hint} The file has: {known}")
        return found
    used: set[str] = set()
    for item in tree.items:
        # A table of nets, `let ACTIVATIONS = {...}`, uses them, too.
        if isinstance(item, syntax.Net | syntax.Constant):
            own = item.name if isinstance(item, syntax.Net) else None
            used |= syntax.names_in(item) - {own}
    free = [n for n in nets if n.name not in used]
    if len(free) != 1:
        names = ", ".join(n.name for n in free or nets) or "none"
        raise UsageError(f"name the net that is meant; the file has: {names}")
    return free[0]


def redefined(
    session: Session,
    tree: syntax.Program,
    name: str | None,
    define: Mapping[str, str],
    report: Report,
) -> syntax.Program:
    """The tree with other defaults for a net's hyperparameters."""
    if report.failed:
        return tree
    net = choose_net(tree, name)
    if net is None or not define:
        return tree
    parameters = []
    for parameter in net.parameters:
        if parameter.name in define:
            value = session.parser.expression(
                define[parameter.name], report, session.limits
            )
            if value is None:
                raise UsageError(f"-D {parameter.name}: this is no value")
            parameter = syntax.Parameter(
                parameter.span,
                parameter.name,
                parameter.name_span,
                parameter.type,
                value,
            )
        parameters.append(parameter)
    changed = syntax.Net(
        net.span,
        net.name,
        net.name_span,
        tuple(parameters),
        net.layer,
        net.doc,
        net.body,
    )
    # What the file expects, it expects of the defaults that it has.
    items = tuple(
        changed if i is net else i
        for i in tree.items
        if not isinstance(i, syntax.Expect)
    )
    return syntax.Program(tree.span, items, tree.chunks)


# -- what the doors call -------------------------------------------------------


def check(
    name: str,
    data: bytes,
    *,
    reader: Reader | None = None,
    net: str | None = None,
    define: Mapping[str, str] | None = None,
    externs: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """The messages about a file."""
    session = Session(limits)
    analysis = session.analyse(name, data, reader=reader, net=net, define=define)
    return Outcome(analysis.diagnostics, None)


def compile(
    name: str,
    data: bytes,
    *,
    reader: Reader | None = None,
    net: str | None = None,
    define: Mapping[str, str] | None = None,
    externs: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """The messages about a file and, if it has no mistakes, its Python."""
    session = Session(limits)
    analysis = session.analyse(
        name, data, reader=reader, net=net, define=define, expects=False
    )
    return _written(analysis, "py", externs or {}, net)


def stub(
    name: str,
    data: bytes,
    *,
    reader: Reader | None = None,
    net: str | None = None,
    define: Mapping[str, str] | None = None,
    externs: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> Outcome:
    """The messages about a file and, if it has no mistakes, the types of its Python."""
    session = Session(limits)
    analysis = session.analyse(
        name, data, reader=reader, net=net, define=define, expects=False
    )
    return _written(analysis, "pyi", externs or {}, net)


def _written(
    analysis: Analysis, kind: str, externs: Mapping[str, str], net: str | None
) -> Outcome:
    """The Python of a program without mistakes, or its stub."""
    if analysis.failed or analysis.program is None:
        return Outcome(analysis.diagnostics, None)
    missing = missing_nets(analysis.program)
    missing = missing or missing_externs(analysis.program, externs)
    if missing:
        return Outcome((*analysis.diagnostics, *missing), None)
    try:
        text = _emitted(analysis.program, kind, externs, net)
    except RecursionError:
        return Outcome((*analysis.diagnostics, *_too_deep(analysis.program)), None)
    return Outcome(analysis.diagnostics, text)


def _emitted(
    program: Program, kind: str, externs: Mapping[str, str], net: str | None
) -> str:
    if kind == "pyi":
        from netdsl.emit.stubs import emit_stub

        return formatted(emit_stub(program, externs, net).text(), stub=True)
    from netdsl.emit.file import emit

    return formatted(emit(program, externs, net).text())


def _too_deep(program: Program) -> tuple[Diagnostic, ...]:
    report = Report()
    text = "an expression is nested too deep to be written as Python"
    help_ = "name a part of it on a line of its own"
    report.error("too-deep", text, program.files.main.program.span, help=help_)
    return tuple(report)


def missing_nets(program: Program) -> tuple[Diagnostic, ...]:
    """A file without a net has nothing to compile; checking it is fine."""
    report = Report()
    tree = program.files.main.program
    if not nets_of(tree):
        report.error(
            "no-net",
            "the file holds no net, so there is nothing to compile",
            tree.span,
            help="write `net NAME:` and, indented below it, `input x: [...]`",
        )  # fmt: skip
    return tuple(report)


def missing_externs(
    program: Program, externs: Mapping[str, Any]
) -> tuple[Diagnostic, ...]:
    """Externs for which the caller names no package."""
    report = Report()
    for item in externs_of(program):
        if item.name not in externs:
            report.error(
                "undefined-extern",
                f"nobody says where `{item.name}` comes from",
                item.name_span,
                help=f"compile with `--layer {item.name}=PACKAGE`, or load with"
                f' `externs={{"{item.name}": ...}}`',
            )
    return tuple(report)


def externs_of(program: Program) -> list[syntax.Extern]:
    """The externs of all files."""
    items = (i for f in program.files.files.values() for i in f.program.items)
    return [i for i in items if isinstance(i, syntax.Extern)]


def formatted(text: str, stub: bool = False) -> str:
    """The text as black writes it."""
    import black

    return black.format_str(text, mode=black.Mode(is_pyi=stub))


def python_arguments(values: Mapping[str, Any]) -> dict[str, Argument]:
    """Python values as arguments of a net."""
    out = {}
    for name, value in values.items():
        out[name] = Argument(static_value(value), Const(None), None)
    return out


def static_value(value: Any) -> Any:
    """A Python value as the language has it; TypeError if it has none."""
    if value is None or isinstance(value, bool | int | float | str | Factory):
        return value
    if isinstance(value, list):
        return [static_value(v) for v in value]
    if isinstance(value, tuple):
        return tuple(static_value(v) for v in value)
    if isinstance(value, dict):
        return {k: static_value(v) for k, v in value.items()}
    raise TypeError(f"{type(value).__name__} can't be a hyperparameter")


__all__ = [
    "Analysis",
    "Files",
    "Outcome",
    "Reader",
    "Session",
    "UsageError",
    "check",
    "compile",
    "stub",
]
