"""`init` lines: one walk over the modules at the end of `__init__`, or a line each
where all name layers of the class itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from itertools import groupby, takewhile
from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate.making import SPREAD
from netdsl.elaborate.paths import owner_at
from netdsl.elaborate.starting import Initialiser
from netdsl.elaborate.values import Val
from netdsl.elaborate.walk import Walk
from netdsl.emit.lines import Lines
from netdsl.emit.literals import quoted
from netdsl.emit.opposites import opposite
from netdsl.emit.spelling import Speller
from netdsl.layers.spec import Declaration
from netdsl.records import Record
from netdsl.reserved import is_attribute


def init_rules(walk: Walk, speller: Speller, lines: Lines) -> None:
    """Writes the walk: each tensor is set once, by the last line that matches it."""
    rules = [r for r in walk.rules if isinstance(r, graph.InitRule)]
    parts = [r for r in walk.rules if isinstance(r, graph.InitPart)]
    tests = list(dict.fromkeys(r.when for r in rules))
    if len(tests) == 2 and tests[0] and tests[1] == graph.Op("not", (tests[0],)):
        for test, line in (
            (tests[0], f"if {_text(speller, tests[0])}:"),
            (tests[1], "else:"),
        ):
            mine = [r for r in rules if r.when == test]
            lines.add(line, mine[0].span)
            with lines.indented():
                _walk(walk, speller, lines, mine, test)
    elif rules:
        under = tests[0] if len(tests) == 1 else None
        with _tested(speller, lines, under, rules[0].span):
            _walk(walk, speller, lines, rules, under)
            if under is not None:
                inside = list(takewhile(lambda p: _within(p, under), parts))
                _parts(speller, lines, [_inside(p, under) for p in inside])
                parts = parts[len(inside) :]
    _parts(speller, lines, parts)


def _parts(speller: Speller, lines: Lines, parts: list[graph.InitPart]) -> None:
    for when, group in groupby(parts, key=lambda part: part.when):
        first, *rest = group
        with _tested(speller, lines, when, first.span):
            for part in (first, *rest):
                _assign(speller, lines, part, speller.text(part.target))


def _within(part: graph.InitPart, under: graph.Expr) -> bool:
    """Whether a line stands under a condition, and maybe under more."""
    when = part.when
    if isinstance(when, graph.Op) and when.op == "and":
        return under in (when, when.operands[0])
    return when == under


def _inside(part: graph.InitPart, under: graph.Expr) -> graph.InitPart:
    """The line where the condition holds already."""
    when = part.when
    rest = when.operands[1] if isinstance(when, graph.Op) and when != under else None
    return part.replaced(when=rest)


@contextmanager
def _tested(
    speller: Speller, lines: Lines, when: graph.Expr | None, span: Any
) -> Iterator[None]:
    """Lines under an `if`, if there is a condition."""
    if when is None:
        yield
        return
    lines.add(f"if {_text(speller, when)}:", span)
    with lines.indented():
        yield


def _text(speller: Speller, when: graph.Expr, test: str = "") -> str:
    """A condition of `init` lines, and a further test."""
    tests = [
        (
            opposite(part.operands[0])
            if isinstance(part, graph.Op) and part.op == "not"
            else part
        )
        for part in _conjuncts(when)
    ]
    if test:
        tests.append(graph.Raw(test))
    return speller.text(reduce(lambda a, b: graph.Op("and", (a, b)), tests))


def _joined(speller: Speller, rule: graph.InitRule, test: str) -> str:
    return test if rule.when is None else _text(speller, rule.when, test)


def _walk(
    walk: Walk,
    speller: Speller,
    lines: Lines,
    rules: list[graph.InitRule],
    under: graph.Expr | None,
) -> None:
    """Rules where `under` holds already."""
    span = rules[0].span
    if all(r.owner is None for r in rules):
        placed = _placed(walk, rules, under)
        if placed is not None:
            for _, group in groupby(placed, key=_tests_of):
                _set_group(speller, lines, list(group), under)
            return
    if under is not None:
        rules = [r.replaced(when=None) for r in rules]
    by_path = [r for r in rules if r.owner is None]
    # A tied parameter has several names, and torch lists it under one.
    if by_path == rules and not walk.ties:
        lines.add("for name, parameter in self.named_parameters():", span)
        with lines.indented():
            _by_name(speller, lines, rules)
        return
    owned = _owned(walk, speller, rules)
    if owned:
        _by_type(speller, lines, owned)
        return
    if by_path or any(r.when is not None for r in rules):
        one = "name, module" if by_path else "module"
        lines.add(f"for {one} in self.{'named_' if by_path else ''}modules():", span)
        with lines.indented():
            for parameter in dict.fromkeys(r.parameter for r in rules):
                _chain(speller, lines, [r for r in rules if r.parameter == parameter])
        return
    _by_type(speller, lines, rules)


def _owned(
    walk: Walk, speller: Speller, rules: list[graph.InitRule]
) -> list[graph.InitRule]:
    """The rules, all of them for types: a path is a further test where it names layers
    of one type. Nothing where no type would be asked for twice otherwise."""
    out = []
    for rule in rules:
        owner = rule.owner
        if owner is None:
            owner = owner_at(walk.program, walk, rule.path)
            if not isinstance(owner, Declaration):
                return []
        if rule.when is not None:
            return []
        out.append(rule.replaced(owner=owner))
    asked = {(_owner(speller, r), r.parameter) for r in rules if r.owner is not None}
    twice = len({owner for owner, _ in asked}) < len(asked)
    by_path = any(r.owner is None for r in rules)
    return out if twice and by_path else []


def _by_type(speller: Speller, lines: Lines, rules: list[graph.InitRule]) -> None:
    """A line for each type, and in it the names of those that start in another way."""
    by_name = any(rule.pattern for rule in rules)
    lines.add(
        f"for {'name, module' if by_name else 'module'} in"
        f" self.{'named_modules' if by_name else 'modules'}():",
        rules[0].span,
    )
    word = "if"
    groups = _by_owner(speller, rules)
    with lines.indented():
        for owners, mine in groups:
            test = f"{word} isinstance(module, {' | '.join(owners)})"
            if len(mine) == 1 and _may_lack(mine[0]) and mine is groups[-1][1]:
                _last_of_chain(speller, lines, mine[0], test)
                return
            lines.add(f"{test}:", mine[0].span)
            with lines.indented():
                for parameter in dict.fromkeys(r.parameter for r in mine):
                    _named(
                        speller, lines, [r for r in mine if r.parameter == parameter]
                    )
            word = "elif"


def _named(speller: Speller, lines: Lines, rules: list[graph.InitRule]) -> None:
    """What sets one parameter of a type, the last rule first."""
    target = f"module.{rules[0].parameter}"
    word = "if"
    for rule in reversed(rules):
        tests = [_matches(speller, rule.pattern)] if rule.pattern else []
        tests += [f"{target} is not None"] if _may_lack(rule) else []
        depth = lines.depth
        if tests or word == "elif":
            test = f"{word} {' and '.join(tests)}:" if tests else "else:"
            lines.add(test, rule.span)
            lines.depth += 1
        _assign(speller, lines, rule, target)
        lines.depth = depth
        word = "elif"


def _last_of_chain(
    speller: Speller, lines: Lines, rule: graph.InitRule, start: str
) -> None:
    """`elif isinstance(module, nn.Linear) and module.bias is not None:`"""
    target = f"module.{rule.parameter}"
    lines.add(f"{start} and {target} is not None:", rule.span)
    with lines.indented():
        _assign(speller, lines, rule, target)


class _Placed(Record):
    """A parameter that a rule names, and where a walk over the class meets it."""

    order: tuple[int, ...]
    rule: graph.InitRule
    path: tuple[str, ...]
    may_lack: bool
    attributes: bool
    """Whether Python's types know each step of the path."""


def _placed(
    walk: Walk, rules: list[graph.InitRule], under: graph.Expr | None
) -> list[list[_Placed]] | None:
    """The parameters that rules name, in the order of a walk, each with the rules that
    may set it, the first first; None if a rule names others than those of layers that
    the class surely has."""
    found: dict[tuple[str, ...], list[_Placed]] = {}
    for rule in rules:
        placed = _place(walk, rule)
        if placed is None:
            return None
        before = found.get(placed.path, [])
        if any(p.order != placed.order for p in before):
            return None
        always = rule.when in (None, under)
        kept = [] if always else [p for p in before if p.rule.when != rule.when]
        found[placed.path] = [*kept, placed]
    return sorted(found.values(), key=lambda p: p[0].order)


def _tests_of(placed: list[_Placed]) -> tuple[graph.Expr | None, ...]:
    return tuple(p.rule.when for p in placed)


def _set_group(
    speller: Speller,
    lines: Lines,
    group: list[list[_Placed]],
    under: graph.Expr | None,
) -> None:
    """Parameters that are set under the same conditions."""
    tests = _tests_of(group[0])
    own = _chained(tests, under)
    arms = list(zip(own or tests, zip(*group, strict=True), strict=True))
    if own is None:
        arms.reverse()  # the last rule that holds has the last word
    word = "if"
    for when, placed in arms:
        depth = lines.depth
        if when is not None or word == "elif":
            test = "else:" if when is None else f"{word} {_text(speller, when)}:"
            lines.add(test, placed[0].rule.span)
            lines.depth += 1
        for found in placed:
            _set_placed(speller, lines, found)
        lines.depth = depth
        word = "elif"


def _chained(
    tests: Sequence[graph.Expr | None], under: graph.Expr | None
) -> list[graph.Expr | None] | None:
    """The tests of an `if` and its `elif`s, each without what those ahead of it say,
    and None for `else`; None if the conditions are no such chain."""
    own: list[graph.Expr | None] = []
    for test in tests:
        parts = [p for p in _conjuncts(test) if p not in _conjuncts(under)]
        others = [graph.Op("not", (o,)) for o in own if o is not None]
        mine = parts[len(others) :]
        if parts[: len(others)] != others or len(mine) > 1 or None in own:
            return None
        own.append(mine[0] if mine else None)
    return own


def _conjuncts(test: graph.Expr | None) -> list[graph.Expr]:
    """What a condition says, one by one."""
    if isinstance(test, graph.Op) and test.op == "and":
        return [part for operand in test.operands for part in _conjuncts(operand)]
    return [] if test is None else [test]


def _place(walk: Walk, rule: graph.InitRule) -> _Placed | None:
    path = tuple(rule.path.split("."))
    for at, statement in enumerate(_statements(walk.init, rule.when)):
        if isinstance(statement, graph.OwnTensor) and (statement.symbol.name,) == path:
            return _Placed((0, at), rule, path, False, True)
    found = _reached(walk, path[:-1], rule.when)
    return None if found is None else _in_layer(*found, rule, path)


def _reached(
    walk: Walk, path: tuple[str, ...], when: graph.Expr | None
) -> tuple[tuple[int, ...], graph.Module, bool] | None:
    """The layer at a path, if the class surely has it: where a walk meets it, and
    whether Python's types know each step."""
    begun: dict[Any, int] = {}
    for at, statement in enumerate(_statements(walk.init, when)):
        if not isinstance(statement, graph.Register):
            continue
        label = statement.label
        heads = [label[:n] for n in range(1, len(label) + 1)]
        # A namespace stands where its first layer does.
        order = (1, *(begun.setdefault(head, at) for head in heads))
        if label == path[: len(label)]:
            module, path = statement.module, path[len(label) :]
            break
    else:
        return None
    attributes = not path and len(label) == 1
    while isinstance(module, graph.NetModule):
        inner = walk.program.define(module.net)
        if inner.root is None:
            found = _reached(inner, path, None)
            return None if found is None else ((*order, *found[0]), *found[1:])
        module = inner.root
    for part in path:
        if not isinstance(module, graph.ChainModule):
            return None
        labels = [
            str(i) if member.label is None else member.label
            for i, member in enumerate(module.members)
        ]
        if part not in labels:
            return None
        place = labels.index(part)
        member = module.members[place]
        if member.label is None and any(map(_is_open, module.members[:place])):
            return None
        order = (*order, place)
        module = member.module
    return order, module, attributes


def _is_open(member: graph.Member) -> bool:
    """Whether nobody knows how many keys a member of a list has."""
    open_ = isinstance(member.module, graph.RepeatModule | graph.ChoiceModule)
    return member.label == SPREAD or open_


def _statements(init: Sequence[Any], when: graph.Expr | None) -> Iterator[Any]:
    """What `__init__` surely does where a condition holds."""
    for statement in init:
        yield statement
        if isinstance(statement, graph.Branch) and when is not None:
            if statement.test == when:
                yield from statement.then
            elif graph.Op("not", (statement.test,)) == when:
                yield from statement.other


def _in_layer(
    order: tuple[int, ...],
    module: graph.Module,
    attributes: bool,
    rule: graph.InitRule,
    path: tuple[str, ...],
) -> _Placed | None:
    names = ("weight", "bias")
    if not isinstance(module, graph.LayerModule) or rule.parameter not in names:
        return None
    given = module.keywords.get("bias")
    if given is not None and given.value is not True and rule.parameter == "bias":
        return None
    # torch says of a convolution's bias alone that it may be None.
    optional = module.declaration.target.startswith("nn.Conv")
    return _Placed(
        (*order, names.index(rule.parameter)),
        rule,
        path,
        optional and rule.parameter == "bias",
        attributes,
    )


def _set_placed(speller: Speller, lines: Lines, placed: _Placed) -> None:
    if placed.attributes and all(map(is_attribute, placed.path)):
        target = ".".join(["self", *placed.path])
    else:
        target = f"self.get_parameter({quoted('.'.join(placed.path))})"
    if placed.may_lack and not target.endswith(")"):
        lines.add(f"if {target} is not None:", placed.rule.span)
        with lines.indented():
            _assign(speller, lines, placed.rule, target)
        return
    _assign(speller, lines, placed.rule, target)


def _by_name(speller: Speller, lines: Lines, rules: list[graph.InitRule]) -> None:
    """The lines for parameters by their names, the last rule first."""
    groups: list[tuple[list[str], graph.InitRule]] = []
    for rule in reversed(rules):
        last = groups[-1] if groups else None
        exact = last is not None and not any("*" in n for n in (rule.path, *last[0]))
        if last is not None and exact and _same_value(last[1], rule):
            last[0].insert(0, rule.path)
        else:
            groups.append(([rule.path], rule))
    word = "if"
    for names, rule in groups:
        if len(names) > 1:
            test = f"name in ({', '.join(map(quoted, names))})"
        elif "*" in names[0]:
            test = f"{speller.imports.use('fnmatchcase')}(name, {quoted(names[0])})"
        else:
            test = f"name == {quoted(names[0])}"
        lines.add(f"{word} {_joined(speller, rule, test)}:", rule.span)
        with lines.indented():
            _set(speller, lines, rule, "parameter")
        word = "elif"


def _same_value(one: graph.InitRule, two: graph.InitRule) -> bool:
    return bool(one.value == two.value and one.when == two.when)


def _by_owner(
    speller: Speller, rules: list[graph.InitRule]
) -> list[tuple[list[str], list[graph.InitRule]]]:
    """The rules that hold for each type; types with the same rules go together."""
    groups: list[tuple[list[str], list[graph.InitRule]]] = []
    for owner in dict.fromkeys(_owner(speller, r) for r in rules):
        mine = _effective([r for r in rules if _owner(speller, r) == owner])
        for owners, known in groups:
            if [_effect(r) for r in known] == [_effect(r) for r in mine]:
                owners.append(owner)
                break
        else:
            groups.append(([owner], mine))
    return groups


def _effective(rules: list[graph.InitRule]) -> list[graph.InitRule]:
    """The rules for a type without those that a later one takes the place of."""
    kept: dict[str, list[graph.InitRule]] = {}
    for rule in rules:
        before = kept.get(rule.parameter, [])
        others = [r for r in before if rule.pattern not in ("", r.pattern)]
        kept[rule.parameter] = [*others, rule]
    return [rule for same in kept.values() for rule in same]


def _effect(rule: graph.InitRule) -> tuple[Any, ...]:
    return rule.parameter, rule.pattern, rule.value, rule.when, _may_lack(rule)


def _may_lack(rule: graph.InitRule) -> bool:
    """Whether the parameter may be None: `bias` of layers that can do without."""
    return (
        rule.parameter == "bias"
        and isinstance(rule.owner, Declaration)
        and "bias" in rule.owner.signature.by_name
    )


def _owner(speller: Speller, rule: graph.InitRule) -> str:
    if isinstance(rule.owner, Declaration):
        return speller.imports.note(rule.owner.target)
    assert isinstance(rule.owner, syntax.Net)
    return speller.net_name(rule.owner)


def _chain(speller: Speller, lines: Lines, rules: list[graph.InitRule]) -> None:
    """The lines for one parameter's name, the last first."""
    word = "if"
    groups: list[tuple[list[str], graph.InitRule]] = []
    for rule in reversed(rules):
        owner = "" if rule.owner is None else _owner(speller, rule)
        last = groups[-1] if groups else None
        if owner and last and last[0][0] and _effect(last[1]) == _effect(rule):
            last[0].insert(0, owner)
        else:
            groups.append(([owner], rule))
    for owners, rule in groups:
        if rule.owner is None:
            test = _matches(speller, rule.pattern)
            if rule.pattern.endswith("*"):
                # Lists of layers match, too, and have no such parameter.
                name = quoted(rule.parameter)
                has = f"getattr(module, {name}, None) is not None"
                test = has if test == "True" else f"{test} and {has}"
            target = f"module.get_parameter({quoted(rule.parameter)})"
        else:
            test = f"isinstance(module, {' | '.join(owners)})"
            target = f"module.{rule.parameter}"
        test = _joined(speller, rule, test)
        if rule is groups[-1][1] and _may_lack(rule):
            _last_of_chain(speller, lines, rule, f"{word} {test}")
            return
        lines.add(f"{word} {test}:", rule.span)
        with lines.indented():
            _set(speller, lines, rule, target)
        word = "elif"


def _matches(speller: Speller, pattern: str) -> str:
    """A test of a module's name; `*` crosses dots."""
    if "*" not in pattern:
        return f"name == {quoted(pattern)}"
    head, _, tail = pattern.partition("*")
    # A name such as `h.c_proj` is no `h.*.c_proj`, though it starts and ends so.
    overlap = any(head.endswith(tail[:n]) for n in range(1, len(tail) + 1))
    if "*" not in tail and not overlap:
        tests = []
        if head:
            tests.append(f"name.startswith({quoted(head)})")
        if tail:
            tests.append(f"name.endswith({quoted(tail)})")
        return " and ".join(tests) or "True"
    speller.imports.use("fnmatchcase")
    return f"fnmatchcase(name, {quoted(pattern)})"


def _set(speller: Speller, lines: Lines, rule: graph.InitRule, target: str) -> None:
    if _may_lack(rule):
        lines.add(f"if {target} is not None:", rule.span)
        with lines.indented():
            _assign(speller, lines, rule, target)
        return
    _assign(speller, lines, rule, target)


def fans_read(value: Initialiser | Val) -> set[str]:
    """The names, `fan_in` among them, that a value reads as they are."""
    exprs = [value.expr] if isinstance(value, Val) else []
    if isinstance(value, Initialiser):
        exprs += [*value.arguments, *(e for _, e in value.keywords)]
    parts = (part for e in exprs for part in graph.every(e))
    return {p.name for p in parts if isinstance(p, graph.Raw)} & {"fan_in", "fan_out"}


def fans(value: Initialiser | Val, target: str, owner: Any = None) -> list[str]:
    """The lines that work out `fan_in` and `fan_out`, if a value reads them."""
    used = fans_read(value)
    texts = {
        "fan_in": f"{target}[0].numel()",
        "fan_out": f"{target}.shape[0] * {target}[0][0].numel()",
    }
    names = owner.signature.by_name if isinstance(owner, Declaration) else {}
    if "in_features" in names and "out_features" in names:
        module = target.rpartition(".")[0]
        texts = {f"fan_{way}": f"{module}.{way}_features" for way in ("in", "out")}
    return [f"{name} = {text}" for name, text in texts.items() if name in used]


def _assign(
    speller: Speller,
    lines: Lines,
    rule: graph.InitRule | graph.InitPart,
    target: str,
) -> None:
    value: Initialiser = rule.value
    for line in fans(value, target, rule.owner):
        lines.add(line, rule.span)
    parts = [target, *(speller.text(a) for a in value.arguments)]
    parts += [f"{k}={speller.text(v)}" for k, v in value.keywords]
    call = f"{speller.imports.note('nn.init')}.{value.name}_"
    lines.add(f"{call}({', '.join(parts)})", rule.span)
