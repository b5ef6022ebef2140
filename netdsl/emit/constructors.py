"""`__init__`: layers in the order of the text, loops and conditions kept."""

from __future__ import annotations

import re
from typing import Any

from netdsl import dims, graph
from netdsl.elaborate.demand import (
    in_module,
    registered,
    running,
)
from netdsl.elaborate.making import SPREAD
from netdsl.elaborate.trees import OutOf
from netdsl.elaborate.values import Val
from netdsl.emit.carried import early_step, grown
from netdsl.emit.layer_calls import SHORT, LayerCalls
from netdsl.emit.lines import Lines
from netdsl.emit.literals import quoted
from netdsl.emit.opposites import negated
from netdsl.emit.rounds import (
    asked_within,
    atoms,
    has_names,
    join_inner,
    label_symbols,
    local_name,
    member_word,
    size_symbols,
    target_names,
)
from netdsl.emit.spelling import Speller
from netdsl.emit.tensors import write_own
from netdsl.graph import (
    ChainModule,
    ChoiceModule,
    LayerModule,
    Member,
    Module,
    NetModule,
    RepeatModule,
    SkipModule,
    Symbol,
)
from netdsl.reserved import FILE, is_attribute


class Constructor(LayerCalls):
    """Writes the layers of one class into its `__init__`."""

    def __init__(
        self,
        program: Any,
        speller: Speller,
        lines: Lines,
        lets: list[tuple[Symbol, Any]] | None = None,
    ) -> None:
        super().__init__(program, speller)
        self.lets = {id(symbol): value for symbol, value in lets or ()}
        self.lines = lines
        self.namespaces: set[tuple[str, ...]] = set()
        self.annotated: set[str] = set()
        """Attributes whose type was said ahead of their first value."""
        self.written: set[int] = set()
        """Registrations that a ModuleDict took in."""
        self.behind_lets: dict[str, str] = {}
        """Lines that keep what a `let` names, right behind it."""
        self.in_place = False
        """The net's own tensors get their values where they are made."""
        self.fill_behind: Any = None
        self.asked_of: set[int] = set()
        """Layers that others ask for a size."""
        self.last_if: tuple[str, int, int] | None = None
        """The test of the `if` that ends at this line, and its depth."""

    # -- statements ------------------------------------------------------------

    def statements(self, statements: list[Any], wanted_lets: set[int]) -> None:
        for at, statement in enumerate(statements):
            match statement:
                case graph.Register():
                    if not self._namespace(statements[at:]):
                        self.register(statement)
                case graph.BindLet():
                    if any(id(s) in wanted_lets for s in statement.symbols):
                        names = ", ".join(
                            self.speller.symbol_text(s) for s in statement.symbols
                        )
                        with self.speller.lines_ahead(self.lines):
                            value = self.speller.text(statement.value)
                        self.lines.add(f"{names} = {value}", statement.span)
                        self._name_sizes(statement.symbols)
                        for symbol in statement.symbols:
                            line = self.behind_lets.get(symbol.name)
                            if line is not None:
                                self.lines.add(line, statement.span)
                case graph.OwnTensor():
                    write_own(self.speller, self.lines, statement, self.in_place)
                case graph.Branch():
                    self._annotate(statement)
                    self._branch(statement, wanted_lets)
            if statement is self.fill_behind:
                self.lines.add("self.reset_parameters()", statement.span)

    def _name_sizes(self, symbols: tuple[Symbol, ...]) -> None:
        """From here on, a size that a `let` has named goes by that name."""
        for symbol in symbols:
            size = self.lets.get(id(symbol))
            if isinstance(size, dims.Dim) and not _has_name(dims.single(size)):
                self.speller.known.append((size, self.speller.symbol_text(symbol)))

    def _annotate(self, statement: graph.Branch) -> None:
        """A layer that the arms make of different classes is an `nn.Module`."""
        then, other = _classes(statement.then), _classes(statement.other)
        for name, kinds in then.items():
            unlike = len(kinds | other.get(name, kinds)) > 1
            if unlike and name not in self.annotated:
                self.annotated.add(name)
                kind = self.speller.imports.note("nn.Module")
                self.lines.add(f"self.{name}: {kind}", statement.span)

    def _branch(self, statement: graph.Branch, wanted: set[int]) -> None:
        test = self.speller.text(statement.test)
        then, other = statement.then, statement.other
        if not then:
            then, other = other, []
            test = negated(self.speller, statement.test)
        self.lines.add(f"if {test}:", statement.span)
        with self.lines.indented():
            self._block(then, wanted)
        if len(other) == 1 and isinstance(other[0], graph.Branch) and other[0].then:
            start = len(self.lines)
            self._branch(other[0], wanted)
            line = self.lines.lines[start]
            self.lines.lines[start] = line._replace(text=f"el{line.text}")
        elif other:
            self.lines.add("else:", statement.span)
            with self.lines.indented():
                self._block(other, wanted)

    def _block(self, statements: list[Any], wanted: set[int]) -> None:
        before = len(self.lines)
        self.statements(statements, wanted)
        if len(self.lines) == before:
            self.lines.add("pass")

    # -- layers under their names ----------------------------------------------

    def register(self, statement: graph.Register) -> None:
        module, path = statement.module, statement.label
        self._namespaces(path, statement.span)
        if isinstance(module, ChoiceModule):
            self._register_choice(path, module, statement.span)
            return
        if isinstance(module, ChainModule) and self.needs_statements(module):
            start = self.started(module)
            if len(path) > 1:
                # Python knows no class of what a ModuleDict holds.
                local = self._local(path[-1] if isinstance(path[-1], str) else "layers")
                self.lines.add(f"{local} = {start}", statement.span)
                self.fill(local, module)
                self.assign(path, local, statement.span)
                return
            self.assign(path, start, statement.span)
            self.fill(self.speller.path(path), module)
            return
        value = self._held(path[-1], module) if path[1:] else self.expression(module)
        self.assign(path, value, statement.span)

    def _namespace(self, statements: list[Any]) -> bool:
        """Writes layers that begin a namespace together, as one ModuleDict."""
        first = statements[0]
        head = first.label[:1]
        if head in self.namespaces:
            return id(first) in self.written
        tree: dict[str, Any] = {}
        for statement in statements:
            if not self._grow(tree, head, statement):
                break
            self.written.add(id(statement))
        if not tree:
            return False
        self.assign(head, self._displayed(head, tree), first.span)
        return True

    def _grow(self, tree: dict[str, Any], head: Any, statement: Any) -> bool:
        """Puts a layer into the tree of a namespace, if the order of making stays."""
        if not isinstance(statement, graph.Register) or not (
            len(statement.label) > 1
            and statement.label[:1] == head
            and all(isinstance(part, str) for part in statement.label)
            and self._fits_expression(statement.module)
        ):
            return False
        if tree and id(statement.module) in self.asked_of:
            return False  # it is made ahead of the others
        *parts, last = statement.label[1:]
        for part in parts:
            if part in tree and part != next(reversed(tree)):
                return False  # others were made in between
            tree = tree.setdefault(part, {})
            if not isinstance(tree, dict):
                return False
        tree[last] = statement.module
        return True

    def _displayed(self, path: tuple[Any, ...], tree: dict[str, Any]) -> str:
        """`nn.ModuleDict({...})`, with others in it."""
        self.namespaces.add(path)
        entries = ", ".join(
            f"{quoted(name)}: "
            + (
                self._displayed((*path, name), part)
                if isinstance(part, dict)
                else self._held(name, part)
            )
            for name, part in tree.items()
        )
        return f"{self.speller.imports.note('nn.ModuleDict')}({{{entries}}})"

    def _held(self, name: Any, module: Module) -> str:
        """A layer of a namespace; in a variable, if it is asked for a size: Python
        knows no class of what a ModuleDict holds."""
        value = self.expression(module)
        if id(module) not in self.asked_of:
            return value
        local = self._local(name if isinstance(name, str) else "layer")
        self.lines.add(f"{local} = {value}", module.span)
        self.speller.locals[id(module)] = local
        self.building.append(local)
        return local

    def _fits_expression(self, module: Module) -> bool:
        if isinstance(module, ChoiceModule):
            return self._inline_choice(module) is not None
        return not self.needs_statements(module) and not any(
            isinstance(a, dims.Name) and isinstance(a.origin, OutOf)
            for a in atoms(self.program, module)
        )

    def _namespaces(self, path: tuple[Any, ...], span: Any) -> None:
        for i in range(1, len(path)):
            head = path[:i]
            if head not in self.namespaces:
                self.namespaces.add(head)
                self.assign(head, self.speller.imports.note("nn.ModuleDict()"), span)

    def assign(
        self, path: tuple[Any, ...], value: str, span: Any, kind: str = ""
    ) -> None:
        """`self.name = value`, or what registers a name that is no attribute."""
        last = path[-1]
        if len(path) == 1:
            if isinstance(last, str) and is_attribute(last):
                self.lines.add(f"self.{last}{kind} = {value}", span)
            else:
                name = (
                    quoted(last) if isinstance(last, str) else self.speller.text(last)
                )
                self.lines.add(f"self.add_module({name}, {value})", span)
            return
        owner = self.speller.path(path[:-1])
        name = quoted(last) if isinstance(last, str) else self.speller.text(last)
        if len(path) == 2:
            self.lines.add(f"{owner}[{name}] = {value}", span)
        else:
            self.lines.add(f"{owner}.add_module({name}, {value})", span)

    def _register_choice(self, path: Any, module: ChoiceModule, span: Any) -> None:
        one_line = self._inline_choice(module)
        module_type = f": {self.speller.imports.note('nn.Module')}"
        kind = module_type if len(path) == 1 and path[0] not in self.annotated else ""
        if one_line is not None:
            self.assign(path, one_line, span, kind)
            return
        then, other, test = module.then, module.other, self.speller.text(module.test)
        if isinstance(then, SkipModule):
            then, other = other, then
            test = negated(self.speller, module.test)
        if isinstance(other, SkipModule):
            self.assign(path, self.speller.imports.note("nn.Identity()"), span, kind)
            self.lines.add(f"if {test}:", span)
            with self.lines.indented():
                self.register(graph.Register(path, then, span))
            return
        if kind:
            self.lines.add(f"self.{path[0]}{kind}", span)
        self.lines.add(f"if {test}:", span)
        with self.lines.indented():
            self.register(graph.Register(path, then, span))
        self.lines.add("else:", span)
        with self.lines.indented():
            self.register(graph.Register(path, other, span))

    # -- lists, filled line by line ----------------------------------------------

    def fill(self, owner: str, chain: ChainModule) -> None:
        """Puts the members of a list in, one line each."""
        self.asked |= asked_within(self.program, chain)
        named = has_names(chain)
        head = len(self.leading(chain))
        for i, member in enumerate(chain.members[head:], head):
            self._fill_member(owner, member, i, named)

    def _fill_member(self, owner: str, member: Member, index: int, named: bool) -> None:
        module = member.module
        span = module.span
        match module:
            case RepeatModule():
                self._fill_repeat(owner, module, named)
            case ChoiceModule():
                self._fill_choice(owner, member, index, named)
            case ChainModule() if member.label == SPREAD:
                for inner in module.members:
                    self._fill_member(owner, inner, index, named)
            case ChainModule() if self.needs_statements(module):
                local = self._local("stage")
                self.lines.add(f"{local} = {self.started(module)}", span)
                self.building.append(local)
                self.fill(local, module)
                self.building.pop()
                self._put(owner, member.label, index, named, local, span)
            case _:
                value = self.expression(module)
                if self._is_asked(module):
                    local = self._local(local_name(module))
                    self.lines.add(f"{local} = {value}", span)
                    self.speller.locals[id(module)] = local
                    value = local
                self._put(owner, member.label, index, named, value, span)

    def _put(
        self, owner: str, label: Any, index: int, named: bool, value: str, span: Any
    ) -> None:
        if named and label is not None:
            self.lines.add(
                f"{owner}.add_module({self.label(label, index)}, {value})", span
            )
        else:
            self.lines.add(f"{owner}.append({value})", span)

    def _fill_choice(self, owner: str, member: Member, index: int, named: bool) -> None:
        choice = member.module
        then, other = choice.then, choice.other
        test = self.speller.text(choice.test)
        label = member.label
        if adds_nothing(label, choice):
            return
        if adds_nothing(label, then):
            then, other = other, then
            test = negated(self.speller, choice.test)
        span = choice.span
        alone = adds_nothing(label, other)
        if not alone and not any(
            isinstance(s, ChainModule | ChoiceModule) for s in (then, other)
        ):
            text = self.expression(choice)
            if len(text) <= SHORT:
                self._put(owner, member.label, index, named, text, span)
                return
        self.lines.add(f"if {test}:", span)
        with self.lines.indented():
            self._fill_member(owner, Member(member.label, then), index, named)
        if alone:
            self.last_if = test, len(self.lines), self.lines.depth
            return
        start = len(self.lines)
        self._fill_member(owner, Member(member.label, other), index, named)
        line = self.lines.lines[start]
        if isinstance(other, ChoiceModule) and line.text.startswith("if "):
            self.lines.lines[start] = line._replace(text=f"el{line.text}")
            return
        rest = self.lines.lines[start:]
        del self.lines.lines[start:]
        self.lines.add("else:", span)
        self.lines.lines += [r._replace(depth=r.depth + 1) for r in rest]

    def _fill_repeat(self, owner: str, repeat: RepeatModule, named: bool) -> None:
        carried = running(self.program, repeat)
        speller = self.speller
        for symbol, before, after in carried:
            join_inner(repeat, symbol, after)
            symbol.hint = symbol.hint or member_word(owner)
            name = speller.symbol_text(symbol)
            start = speller.size(before)[0]
            if start != name:
                self.lines.add(f"{name} = {start}", repeat.span)
        undo = self._in_loops(repeat)
        depth = self.lines.depth
        outside = len(self.building)
        for loop in repeat.loops:
            target = self._used_target(loop, repeat)
            self.building += target_names(loop.target)
            with speller.lines_ahead(self.lines):
                iterable = speller.iterable(loop.iterable)
            self.lines.add(f"for {target} in {iterable}:", repeat.span)
            self.lines.depth += 1
            for test in loop.tests:
                self.lines.add(f"if {speller.text(test)}:", repeat.span)
                self.lines.depth += 1
        asked = {
            id(a.origin.module)
            for _, _, after in carried
            for a in dims.atoms(after)
            if isinstance(a, dims.Name) and isinstance(a.origin, OutOf)
        }
        self.asked |= asked
        step = early_step(repeat, carried)
        for i, member in enumerate(repeat.members):
            if step is not None and i == step.at:
                name, by = speller.symbol_text(step.symbol), speller.size(step.by)[0]
                self.lines.add(f"{name} += {by}", repeat.span)
                speller.running[step.before] = step.then
            self._fill_member(owner, member, i, named)
        self._carry(carried, repeat.span)
        if step is not None:
            del speller.running[step.before]
        del self.building[outside:]
        self.lines.depth = depth
        self._leave(undo)

    def _carry(self, carried: list[Any], span: Any) -> None:
        """The running ints after a round."""
        speller = self.speller
        changed = [
            (symbol, speller.symbol_text(symbol), after)
            for symbol, _, after in carried
            if speller.size(after)[0] != speller.symbol_text(symbol)
        ]
        for i, (symbol, _, _) in enumerate(changed):
            if any(symbol in size_symbols(after) for _, _, after in changed[i + 1 :]):
                # A later one is told by this one's value before.
                names = ", ".join(name for _, name, _ in changed)
                values = ", ".join(speller.size(after)[0] for _, _, after in changed)
                self.lines.add(f"{names} = {values}", span)
                return
        for _, name, after in changed:
            self._carry_one(name, after, span)

    def _carry_one(self, name: str, after: Any, span: Any) -> None:
        speller = self.speller
        after = dims.substitute(after, speller.running)
        atom = dims.single(after)
        if isinstance(atom, dims.Choose) and isinstance(atom.test, Val):
            then, other = atom.arms
            texts = [speller.size(arm)[0] for arm in atom.arms]
            if name in texts:
                stays = name == texts[0]
                test = atom.test.expr
                with speller.in_rounds_of(atom, atom.test):
                    shown = negated(speller, test) if stays else speller.text(test)
                if self.last_if != (shown, len(self.lines), self.lines.depth):
                    self.lines.add(f"if {shown}:", span)
                with self.lines.indented():
                    self._change(name, other if stays else then, span)
                return
        self._change(name, after, span)

    def _change(self, name: str, size: Any, span: Any) -> None:
        """`channels += growth`, or `channels = 2 * width`"""
        speller = self.speller
        own = [
            a.origin
            for a in dims.atoms(size)
            if isinstance(a, dims.Name) and isinstance(a.origin, Symbol)
        ]
        more = grown(size, [s for s in own if speller.symbol_text(s) == name])
        text = speller.size(size)[0]
        if more is not None and not speller.size(more)[0].startswith("-"):
            self.lines.add(f"{name} += {speller.size(more)[0]}", span)
        else:
            self.lines.add(f"{name} = {text}", span)

    def _is_asked(self, module: Module) -> bool:
        return id(module) in self.asked

    def _used_target(self, loop: graph.Loop, repeat: RepeatModule) -> str:
        """A loop's target; names that nobody reads are `_`, as linters want."""
        used = {
            id(s)
            for m in repeat.members
            for s in (*in_module(self.program, m.module), *label_symbols(m.label))
        }
        for _, _, after in repeat.carried:
            used |= {id(p) for p in size_symbols(after)}
        for other in repeat.loops:
            used |= {
                id(p)
                for e in (other.iterable, *other.tests)
                for p in graph.every(e)
                if isinstance(p, Symbol)
            }
        read = {a for m in repeat.members for a in atoms(self.program, m.module)}
        read |= {a for _, _, after in repeat.carried for a in dims.atoms(after)}
        sizes = {t for a, t in self.speller.elements if a in read}
        words = {w for text in sizes for w in re.findall(r"\w+", text)}

        def visible(target: Any) -> Any:
            if isinstance(target, tuple):
                return tuple(visible(t) for t in target)
            shown = id(target) in used or self.speller.target(target) in words
            return target if shown else graph.Raw("_")

        return self.speller.target(visible(loop.target))

    def _local(self, name: str) -> str:
        """A name for a layer under construction."""
        plain = name if is_attribute(name) and name not in FILE else "layers"
        taken = self.speller.taken | set(self.building)
        candidates = [plain, f"{plain}_layers", *(f"{plain}_{i}" for i in range(2, 99))]
        return next(c for c in candidates if c not in taken)


def _classes(statements: list[Any]) -> dict[str, set[Any]]:
    """What classes of layers statements give to attributes, by their names."""
    out: dict[str, set[Any]] = {}
    for statement in registered(statements):
        name = statement.label[0]
        if len(statement.label) == 1 and isinstance(name, str) and is_attribute(name):
            out.setdefault(name, set()).add(_class_of(statement.module))
    return out


def _class_of(module: Module) -> Any:
    """What tells the classes of two layers apart."""
    match module:
        case LayerModule():
            return module.declaration.target
        case NetModule():
            return id(module.net)
        case ChainModule():
            return module.is_plain_list
        case ChoiceModule():
            return None  # it says its type itself
    return type(module)


def adds_nothing(label: Any, module: Module) -> bool:
    """Whether an arm of a condition in a list puts no layer in."""
    match module:
        case ChoiceModule():
            return adds_nothing(label, module.then) and adds_nothing(
                label, module.other
            )
        case ChainModule():
            # A `skip` that is certain is a layer of the list.
            return label == SPREAD and all(
                isinstance(m.module, ChoiceModule) and adds_nothing(m.label, m.module)
                for m in module.members
            )
    return isinstance(module, SkipModule)


def _has_name(atom: dims.Atom | None) -> bool:
    """Whether an atom is spelled as short as any name that a `let` gives it."""
    if isinstance(atom, dims.Name):
        return not isinstance(atom.origin, graph.CallOf)
    return isinstance(atom, dims.Element)
