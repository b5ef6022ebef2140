"""Layers as calls: `nn.Conv2d(3, 64, 7)`, and lists of them that fit one expression."""

from __future__ import annotations

from typing import Any

from netdsl.elaborate.demand import (
    net_sizes,
    parameter_sizes,
    running,
)
from netdsl.elaborate.making import SPREAD
from netdsl.emit.levels import OR
from netdsl.emit.literals import quoted
from netdsl.emit.rounds import (
    asked_within,
    count_rounds,
    element_names,
    has_names,
)
from netdsl.emit.spelling import Speller
from netdsl.graph import (
    ChainModule,
    ChoiceModule,
    ExternModule,
    LayerModule,
    Member,
    Module,
    NetModule,
    ParameterModule,
    RepeatModule,
    SkipModule,
)

SHORT = 60


class LayerCalls:
    """Writes the calls that make layers."""

    def __init__(self, program: Any, speller: Speller) -> None:
        self.program = program
        self.speller = speller
        self.building: list[str] = []
        """Local names of lists that are being filled."""
        self.asked: set[int] = set()
        """Layers in a list that something asks for a size."""

    def _inline_choice(self, module: ChoiceModule) -> str | None:
        sides = (module.then, module.other)
        if any(isinstance(s, ChainModule | ChoiceModule) for s in sides):
            return None
        then, other = self.expression(module.then), self.expression(module.other)
        text = f"{then} if {self.speller.text(module.test, OR)} else {other}"
        return text if len(text) <= SHORT else None

    def expression(self, module: Module) -> str:
        """The call that makes a layer."""
        match module:
            case SkipModule():
                return self.speller.imports.note("nn.Identity()")
            case LayerModule():
                return self._layer(module)
            case NetModule():
                return self._net(module)
            case ParameterModule():
                return self._parameter(module)
            case ExternModule():
                name = self.speller.imports.use(f"extern:{module.extern.name}")[7:]
                inner = self.speller.given(module.positional, module.keywords)
                return f"{name}({inner})"
            case ChainModule():
                return self._chain(module)
            case ChoiceModule():
                then, other = self.expression(module.then), self.expression(
                    module.other
                )
                return f"{then} if {self.speller.text(module.test, OR)} else {other}"
        raise AssertionError(module)

    def _layer(self, module: LayerModule) -> str:
        """torch's arguments: what is inferred or required by position, the rest by
        name, in torch's order."""
        speller, declaration = self.speller, module.declaration
        places = [p for p in declaration.signature.parameters if p.inferred is None]
        if declaration.infers:
            places = [p for p in places if p.required]
        given: dict[str, str] = {}
        for parameter, argument in zip(places, module.positional, strict=False):
            given[parameter.name] = speller.argument(argument)
        extra = [speller.argument(a) for a in module.positional[len(places) :]]
        named = {k: speller.argument(a) for k, a in module.keywords.items()}
        inferred = {k: speller.size(v)[0] for k, v in module.inferred.items()}
        parts: list[str] = []
        open_ = True
        for parameter in declaration.signature.parameters:
            name = parameter.name
            value = inferred.get(name, given.get(name))
            if (
                value is None
                and name in named
                and (parameter.inferred is not None or parameter.required)
            ):
                value = named.pop(name)
            if value is None:
                open_ = False
            elif open_:
                parts.append(value)
            else:
                parts.append(f"{name}={value}")
        if extra:
            parts += extra
        keywords = [f"{k}={v}" for k, v in named.items()]
        target = speller.imports.note(declaration.target)
        return f"{target}({', '.join([*parts, *keywords])})"

    def _net(self, module: NetModule) -> str:
        speller = self.speller
        sizes = [speller.size(s)[0] for s in net_sizes(self.program, module)]
        words = {s.name for s in self.program.class_sizes(module.net)}
        own = {p.name for p in module.net.parameters}
        keywords = {
            k: a for k, a in module.keywords.items() if k in own or k not in words
        }
        keywords = {k: a for k, a in keywords.items() if k in own}
        given = speller.given(module.positional, keywords)
        parts = [*sizes, *([given] if given else [])]
        return f"{speller.net_name(module.net)}({', '.join(parts)})"

    def _parameter(self, module: ParameterModule) -> str:
        speller = self.speller
        sizes = [speller.size(s)[0] for s in parameter_sizes(self.program, module)]
        given = speller.given(module.positional, module.keywords)
        name = speller.symbol_text(module.symbol)
        return f"{name}({', '.join([*sizes, *([given] if given else [])])})"

    # -- lists of layers -------------------------------------------------------

    def needs_statements(self, module: Module) -> bool:
        """Whether a list of layers has to be filled line by line."""
        if isinstance(module, ChainModule):
            if len(module.members) == 1 and self._plain_repeat(module.members[0]):
                return False
            return bool(asked_within(self.program, module)) or any(
                self._needs_line(m) for m in module.members
            )
        return False

    def _needs_line(self, member: Member) -> bool:
        module = member.module
        if isinstance(module, RepeatModule):
            return True
        if isinstance(module, ChoiceModule):
            return isinstance(module.then, SkipModule | ChainModule) or isinstance(
                module.other, SkipModule | ChainModule
            )
        return self.needs_statements(module)

    def _plain_repeat(self, member: Member) -> bool:
        """A comprehension that Python can write as one."""
        repeat = member.module
        return (
            isinstance(repeat, RepeatModule)
            and not running(self.program, repeat)
            and all(m.label is None and not self._needs_line(m) for m in repeat.members)
            and len(repeat.members) == 1
        )

    def leading(self, chain: ChainModule) -> list[Member]:
        """The members before the first that needs lines of its own."""
        head: list[Member] = []
        asked = asked_within(self.program, chain)
        for member in chain.members:
            if (
                self._needs_line(member)
                or member.label == SPREAD
                or id(member.module) in asked
            ):
                break
            head.append(member)
        return head

    def started(self, chain: ChainModule) -> str:
        """A list of layers with its leading members, to be filled with the rest."""
        note = self.speller.imports.note
        kind = note("nn.ModuleList" if chain.is_plain_list else "nn.Sequential")
        inner = self.members(chain, self.leading(chain))
        return (
            f"{kind}([{inner}])"
            if inner and chain.is_plain_list
            else f"{kind}({inner})"
        )

    def members(self, chain: ChainModule, members: list[Member]) -> str:
        """Members of a list as the arguments of its constructor."""
        if not members or not has_names(chain):
            return ", ".join(self.expression(m.module) for m in members)
        pairs = ", ".join(
            f"({self.label(m.label, i)}, {self.expression(m.module)})"
            for i, m in enumerate(members)
        )
        self.speller.imports.use("OrderedDict")
        return f"OrderedDict([{pairs}])"

    def _chain(self, module: ChainModule) -> str:
        note = self.speller.imports.note
        kind = note("nn.ModuleList" if module.is_plain_list else "nn.Sequential")
        members = module.members
        if len(members) == 1 and isinstance(members[0].module, RepeatModule):
            repeat = members[0].module
            with_names = self._in_loops(repeat)
            inner = self.expression(repeat.members[0].module)
            text = f"{inner}{self.speller.loops(repeat.loops)}"
            self._leave(with_names)
            return f"{kind}([{text}])" if module.is_plain_list else f"{kind}(*[{text}])"
        if any(m.label not in (None, str(i)) for i, m in enumerate(members)):
            pairs = []
            for i, member in enumerate(members):
                label = self.label(member.label, i)
                pairs.append(f"({label}, {self.expression(member.module)})")
            if module.is_plain_list:
                return f"{note('nn.ModuleList')}([{', '.join(pairs)}])"
            self.speller.imports.use("OrderedDict")
            return f"{kind}(OrderedDict([{', '.join(pairs)}]))"
        inner = ", ".join(self.expression(m.module) for m in members)
        return f"{kind}([{inner}])" if module.is_plain_list else f"{kind}({inner})"

    def label(self, label: Any, index: int) -> str:
        if label is None or label == SPREAD:
            return quoted(str(index))
        return quoted(label) if isinstance(label, str) else self.speller.text(label)

    def _in_loops(self, repeat: RepeatModule) -> tuple[int, int]:
        """Gives the elements of the lists looped over the names of the targets."""
        before = len(self.speller.elements), len(self.speller.known)
        taken = self.speller.taken | set(self.building)
        count_rounds(self.program, repeat, taken)
        for loop in repeat.loops:
            element_names(self.program, self.speller, loop, repeat, taken)
        return before

    def _leave(self, before: tuple[int, int]) -> None:
        elements, known = before
        del self.speller.elements[elements:]
        del self.speller.known[known:]
