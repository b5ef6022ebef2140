"""`init` lines: one walk over the modules at the end of `__init__`, or a line each
where all name layers of the class itself."""

from __future__ import annotations

from typing import Any

from netdsl import graph, syntax
from netdsl.elaborate.starting import Initialiser
from netdsl.elaborate.walk import Walk
from netdsl.emit.lines import Lines
from netdsl.emit.spelling import Speller, quoted
from netdsl.layers.spec import Declaration
from netdsl.records import Record
from netdsl.reserved import is_attribute


Rule: TypeAlias = "graph.InitRule | graph.InitPart"


def init_rules(walk: Walk, speller: Speller, lines: Lines) -> None:
    """Writes the walk: each tensor is set once, by the last line that matches it."""
    rules = [r for r in walk.rules if isinstance(r, graph.InitRule)]
    parts = [r for r in walk.rules if isinstance(r, graph.InitPart)]
    tests = list(dict.fromkeys(r.when for r in rules))
    if len(tests) == 1 or (len(tests) == 2 and tests[1] == graph.Op("not", tests[:1])):
        # No two walks are made: they would draw in another order.
        mine = [[r for r in rules if r.when == test] for test in tests]
        if len(tests) == 1:
            while parts and parts[0].when == tests[0]:
                mine[0].append(parts.pop(0))
        _branches(walk, speller, lines, mine)
    elif rules:
        _walk(walk, speller, lines, rules)
    for group in _alike(parts):
        _branches(walk, speller, lines, [group])


def _alike(rules: list[Any]) -> list[list[Any]]:
    """Rules one behind the other under one condition."""
    groups: list[list[Any]] = []
    for rule in rules:
        if groups and groups[-1][0].when == rule.when:
            groups[-1].append(rule)
        else:
            groups.append([rule])
    return groups


def _branches(
    walk: Walk, speller: Speller, lines: Lines, groups: list[list[Any]]
) -> None:
    """The rules of one condition, and those of its opposite."""
    for group, word in zip(groups, ("if", "else"), strict=False):
        test = group[0].when
        if test is None:
            _unconditional(walk, speller, lines, group)
            continue
        line = f"if {_test(speller, test)}:" if word == "if" else "else:"
        lines.add(line, group[0].span)
        with lines.indented():
            _unconditional(walk, speller, lines, group)


def _unconditional(
    walk: Walk, speller: Speller, lines: Lines, rules: list[Any]
) -> None:
    """Rules whose condition holds where they stand."""
    whole = [r for r in rules if isinstance(r, graph.InitRule)]
    if whole:
        under = {id(r): r.when for r in whole}
        bare = [r._replace(when=None) for r in whole]
        _walk(walk, speller, lines, bare, [under[id(r)] for r in whole])
    for part in rules:
        if isinstance(part, graph.InitPart):
            _assign(speller, lines, part, speller.text(part.target))


def _walk(
    walk: Walk, speller: Speller, lines: Lines, rules: list[graph.InitRule]
) -> None:
    by_path = [r for r in rules if r.owner is None]
    span = rules[0].span
    if by_path == rules:
        placed = _placed(walk, rules)
        if placed is not None:
            for one in placed:
                _set_placed(speller, lines, one)
            return
    # A tied parameter has several names, and torch lists it under one.
    if by_path == rules and not walk.ties:
        lines.add("for name, parameter in self.named_parameters():", span)
        with lines.indented():
            _by_name(speller, lines, rules)
        return
    if by_path:
        lines.add("for name, module in self.named_modules():", span)
        with lines.indented():
            for parameter in dict.fromkeys(r.parameter for r in rules):
                _chain(speller, lines, [r for r in rules if r.parameter == parameter])
        return
    lines.add("for module in self.modules():", span)
    with lines.indented():
        word = "if"
        for owners, mine in _by_owner(speller, rules):
            lines.add(f"{word} isinstance(module, {' | '.join(owners)}):", mine[0].span)
            with lines.indented():
                for rule in mine:
                    _set(speller, lines, rule, f"module.{rule.parameter}")
            word = "elif"


class _Placed(Record):
    """A parameter that a rule names, and where a walk over the class meets it."""

    order: tuple[int, ...]
    rule: graph.InitRule
    path: tuple[str, ...]
    may_lack: bool


def _placed(walk: Walk, rules: list[graph.InitRule]) -> list[_Placed] | None:
    """The parameters that rules name, in the order of a walk; None if a rule names
    others than those of layers that the class surely has."""
    found: dict[tuple[str, ...], _Placed] = {}
    for rule in rules:
        placed = _place(walk, rule)
        if placed is None:
            return None
        found[placed.path] = placed
    return sorted(found.values(), key=lambda p: p.order)


def _place(walk: Walk, rule: graph.InitRule) -> _Placed | None:
    name = rule.parameter
    path = (*rule.pattern.split("."), name) if rule.pattern else (name,)
    for at, statement in enumerate(walk.init):
        match statement:
            case graph.OwnTensor() if (statement.symbol.name,) == path:
                return _Placed((0, at), rule, path, False)
            case graph.Register(label=label, module=module) if label == path[:1]:
                order: tuple[int, ...] = (1, at)
                for part in path[1:-1]:
                    if not isinstance(module, graph.ChainModule):
                        return None
                    labels = [member.label for member in module.members]
                    if part not in labels:
                        return None
                    order = (*order, labels.index(part))
                    module = module.members[labels.index(part)].module
                return _in_layer(module, order, rule, path)
    return None


def _in_layer(
    module: graph.Module,
    order: tuple[int, ...],
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
    )


def _set_placed(speller: Speller, lines: Lines, placed: _Placed) -> None:
    *owner, name = placed.path
    if len(owner) > 1 or not all(map(is_attribute, placed.path)):
        target = f"self.get_parameter({quoted('.'.join(placed.path))})"
    else:
        target = ".".join(["self", *owner, name])
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
        name = f"{rule.pattern}.{rule.parameter}" if rule.pattern else rule.parameter
        last = groups[-1] if groups else None
        exact = last is not None and not any("*" in n for n in (name, *last[0]))
        if last is not None and exact and last[1].value == rule.value:
            last[0].insert(0, name)
        else:
            groups.append(([name], rule))
    word = "if"
    for names, rule in groups:
        if len(names) > 1:
            test = f"name in ({', '.join(map(quoted, names))})"
        elif "*" in names[0]:
            test = f"{speller.imports.use('fnmatchcase')}(name, {quoted(names[0])})"
        else:
            test = f"name == {quoted(names[0])}"
        lines.add(f"{word} {test}:", rule.span)
        with lines.indented():
            _set(speller, lines, rule, "parameter")
        word = "elif"


def _by_owner(
    speller: Speller, rules: list[graph.InitRule]
) -> list[tuple[list[str], list[graph.InitRule]]]:
    """The rules that hold for each type; types with the same rules go together."""
    groups: list[tuple[list[str], list[graph.InitRule]]] = []
    for owner in dict.fromkeys(_owner(speller, r) for r in rules):
        mine = {r.parameter: r for r in rules if _owner(speller, r) == owner}
        for owners, known in groups:
            if [_effect(r) for r in known] == [_effect(r) for r in mine.values()]:
                owners.append(owner)
                break
        else:
            groups.append(([owner], list(mine.values())))
    return groups


def _effect(rule: graph.InitRule) -> tuple[Any, ...]:
    return rule.parameter, rule.value, _may_lack(rule)


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
        if rule is groups[-1][1] and _may_lack(rule):
            lines.add(f"{word} {test} and {target} is not None:", rule.span)
            with lines.indented():
                _assign(speller, lines, rule, target)
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


def fans(value: Initialiser, target: str, owner: Any = None) -> list[str]:
    """The lines that work out `fan_in` and `fan_out`, if a value reads them."""
    used = {
        part.name
        for e in (*value.arguments, *(e for _, e in value.keywords))
        for part in graph.every(e)
        if isinstance(part, graph.Raw)
    }
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
