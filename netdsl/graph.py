"""The typed graph: what a net is once names, values and shapes are known.

Two kinds of things are kept.  *Expressions* are Python to be written, with
every name resolved to a `Symbol`, so that the emitter can spell it as the
place wants (`width` in `__init__`, `self.width` in `forward`).  *Modules* are
the layers a net holds; sizes that follow from what flows in are filled in
when something does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from netdsl.dims import Dim, Size
from netdsl.records import Record

if TYPE_CHECKING:
    from netdsl import syntax
    from netdsl.diagnostics import Edit
    from netdsl.layers.spec import Declaration
    from netdsl.source import Span


class Symbol:
    """A name of a net, apart from how Python will spell it.

    Kinds: `hyper` (a parameter of the class), `let`, `loop` (of a loop that
    builds), `size` (of an input), `carried` (a running int), `constant` (of
    the file), `var` (a tensor the user named), `temp` (one that needs a name),
    `input`, `item` (of a loop in forward), `own` (a parameter or buffer),
    `lookup` (one of several nets: `value` is the expression that picks it).
    """

    __slots__ = ("hint", "kind", "name", "place", "type", "value")

    def __init__(
        self, name: str, kind: str, type: str = "Any", hint: str = "", place: Any = None
    ) -> None:
        self.name = name
        self.kind = kind
        self.type = type
        self.hint = hint
        self.place = place
        """Of a size: the input's symbol and the index of the size in it."""
        self.value: Any = None
        """Of a let, and of a name that the user binds: the expression it stands for; of
        a running int: the size that it is behind the last round, if that is known."""

    @property
    def static(self) -> bool:
        return self.kind in ("hyper", "let", "loop", "carried", "constant")

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}>"


# -- expressions ---------------------------------------------------------------


class Expr(Record):
    """A Python expression."""


class Const(Expr):
    """`3`, `0.5`, `"same"`, `True`, `None`, `...`"""

    value: Any

    def _values(self) -> tuple[Any, ...]:
        return type(self.value).__name__, self.value


class Raw(Expr):
    """A dotted name of Python's or torch's: `torch.float32`, `nn.ReLU`"""

    name: str


class Ref(Expr):
    """A name of the net's"""

    symbol: Symbol


class SizeOf(Expr):
    """A size that nobody wrote: it is spelled out of what the place knows"""

    size: Size


class Op(Expr):
    """An operator between operands: `+`, `and`, `not`, `==`, ..."""

    op: str
    operands: tuple[Expr, ...]


class Definition(Expr):
    """A net or layer handed on: `Bottleneck`, `partial(nn.BatchNorm2d, eps=1e-3)`"""

    factory: Any


class Choose(Expr):
    """`then if test else other`"""

    test: Expr
    then: Expr
    other: Expr


class CallOf(Expr):
    """A call of a Python function by its dotted name, or of a `fn` of the file"""

    target: Any
    arguments: tuple[Expr, ...]
    keywords: tuple[tuple[str, Expr], ...]

    def __init__(
        self,
        target: Any,
        arguments: tuple[Expr, ...],
        keywords: tuple[tuple[str, Expr], ...] = (),
    ) -> None:
        super().__init__(target, arguments, keywords)

    def __repr__(self) -> str:
        target = getattr(self.target, "name", self.target)
        return f"{target}({self.arguments!r}, {self.keywords!r})"


class MethodOf(Expr):
    """A call of a method: `x.view(B, T)`"""

    value: Expr
    name: str
    arguments: tuple[Expr, ...]
    keywords: tuple[tuple[str, Expr], ...]


class AttributeOf(Expr):
    """`x.shape`"""

    value: Expr
    name: str


class Item(Expr):
    """`x[:, 0]`"""

    value: Expr
    items: tuple[Expr, ...]
    is_tuple: bool


class StarItem(Item):
    """One of the `count` parts of `*value` in a call"""

    count: int


class SliceOf(Expr):
    """`a:b:c`"""

    start: Expr | None
    stop: Expr | None
    step: Expr | None


class Sequence(Expr):
    """A tuple, list or set of arguments; kind is `tuple` or `list`"""

    kind: str
    items: tuple[Expr, ...]


class Mapped(Expr):
    """A dict"""

    entries: tuple[tuple[Expr, Expr], ...]


class Spread(Expr):
    """`*rest`"""

    value: Expr


class Format(Expr):
    """An f-string; parts are text and expressions"""

    parts: tuple[str | Expr, ...]


class Loop(Record):
    """`for target in iterable if test`"""

    target: Target
    iterable: Expr
    tests: tuple[Expr, ...]


Target: TypeAlias = "Symbol | tuple[Target, ...] | Expr"


class Comprehend(Expr):
    """`[element for ...]`"""

    element: Expr
    loops: tuple[Loop, ...]
    kind: str


class ModuleRef(Expr):
    """A layer of the net, by its path from `self`; ints and expressions index"""

    path: tuple[str | Expr, ...]


class MemberOf(Expr):
    """A layer inside a layer: `self.transformer.wte`, or an element if the name
    is an expression; `typed` if Python knows the class of what holds it."""

    value: Expr
    name: str | Expr
    typed: bool


class Apply(Expr):
    """A layer called on tensors"""

    module: Expr
    arguments: tuple[Expr, ...]
    keywords: tuple[tuple[str, Expr], ...]


class Training(Expr):
    """`self.training`"""


def every(node: Any) -> Iterator[Any]:
    """The node and all below it, in the order of evaluation's text."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        parts = parts_of(node)
        parts.reverse()
        stack += parts


def parts_of(node: Any) -> list[Any]:
    """The expressions, loops and symbols right under a node of this file."""
    parts: list[Any] = []
    if isinstance(node, Record):
        for field in node.fields:
            _gather(getattr(node, field), parts)
    elif isinstance(node, (tuple, list)):
        _gather(node, parts)
    return parts


def _gather(value: Any, parts: list[Any]) -> None:
    if isinstance(value, _PARTS):
        parts.append(value)
    elif isinstance(value, (tuple, list)):
        for inner in value:
            _gather(inner, parts)


# A tuple: a union would be made anew at each look.
_PARTS = (Expr, Loop, Symbol, Dim)


# -- modules -------------------------------------------------------------------


class Argument(Record):
    """A value given to a constructor, and how it was written."""

    unequal: ClassVar[tuple[str, ...]] = ("expr", "span")
    value: Any
    expr: Expr
    span: Any


class Module:
    """A layer that a net holds.  Filled in as tensors flow through it."""

    __slots__ = ("applied", "named", "path", "span", "used")

    def __init__(self, span: Span | None) -> None:
        self.span = span
        self.path: tuple[str | Expr, ...] = ()
        self.used = False
        self.named = True
        self.applied: Any = None


class LayerModule(Module):
    """A layer of torch: `declaration(arguments)` with the sizes inferred."""

    __slots__ = (
        "bound",
        "declaration",
        "edits",
        "given_order",
        "inferred",
        "keywords",
        "positional",
        "refusal",
        "written_sizes",
    )

    def __init__(
        self,
        span: Span | None,
        declaration: Declaration,
        positional: tuple[Argument, ...],
        keywords: Mapping[str, Argument],
    ) -> None:
        super().__init__(span)
        self.declaration = declaration
        self.positional = positional
        self.keywords = dict(keywords)
        self.inferred: dict[str, Size] = {}
        self.bound: dict[str, Any] | None = None
        """The arguments by name, once they are checked."""
        self.written_sizes: dict[str, Argument] = {}
        """Sizes that follow from its input, and are written all the same."""
        self.given_order: tuple[Argument, ...] = ()
        """With them: what is given by position."""
        self.edits: tuple[Edit, ...] = ()
        """What takes them out of the text."""
        self.refusal: Any = None
        """What is wrong with the arguments if they are not in torch's order."""


class NetModule(Module):
    """A net of the file: its hyperparameters as given, its sizes as inferred.

    One that a net parameter stands for is `handed`: it may be made inside itself.
    """

    __slots__ = (
        "given",
        "handed",
        "keywords",
        "lost",
        "members",
        "net",
        "positional",
        "sizes",
    )

    def __init__(
        self,
        span: Span | None,
        net: Any,
        positional: tuple[Argument, ...],
        keywords: Mapping[str, Argument],
    ) -> None:
        super().__init__(span)
        self.net = net
        self.positional = positional
        self.keywords = dict(keywords)
        self.given: dict[str, Argument] = {}
        self.handed = False
        self.sizes: dict[str, Size] = {}
        self.lost: Span | None = None  # where a size of what flows in got lost
        self.members: Mapping[str, Any] | None = None


class ExternModule(Module):
    """A Python module that the caller supplies."""

    __slots__ = ("extern", "keywords", "positional")

    def __init__(
        self,
        span: Span | None,
        extern: syntax.Extern,
        positional: tuple[Argument, ...],
        keywords: Mapping[str, Argument],
    ) -> None:
        super().__init__(span)
        self.extern = extern
        self.positional = positional
        self.keywords = dict(keywords)


class ParameterModule(Module):
    """A net parameter, called: `Block(width)`; one trial per binding."""

    __slots__ = ("keywords", "positional", "sizes", "symbol", "trials", "unlike")

    def __init__(
        self,
        span: Span | None,
        symbol: Symbol,
        positional: tuple[Argument, ...],
        keywords: Mapping[str, Argument],
        trials: list[Module],
    ) -> None:
        super().__init__(span)
        self.symbol = symbol
        self.positional = positional
        self.keywords = dict(keywords)
        self.trials = trials
        self.sizes: tuple[Size, ...] | None = None
        self.unlike = False
        """Whether the nets have other names for the arguments it gives by position."""


class SkipModule(Module):
    """`skip`: hands on what it gets."""

    __slots__ = ()


class ChoiceModule(Module):
    """`A if test else B`, the test known when the module is built."""

    __slots__ = ("condition", "other", "test", "then")

    def __init__(
        self, span: Span | None, condition: Any, test: Expr, then: Module, other: Module
    ) -> None:
        super().__init__(span)
        self.condition = condition
        self.test = test
        self.then = then
        self.other = other


class Member(Record):
    """A member of a chain; `label` is a string, an expression or None."""

    label: Any
    module: Any


class ChainModule(Module):
    """A list of layers; `indexed` if it is looped over or indexed, `ran` if a
    value flows through it as a chain; a slice is one of a `whole`."""

    __slots__ = ("indexed", "members", "ran", "whole")

    def __init__(self, span: Span | None, members: list[Member]) -> None:
        super().__init__(span)
        self.members = members
        self.indexed = False
        self.ran = False
        self.whole: ChainModule | None = None

    def run(self) -> None:
        """Notes that a value flows through: only a `Sequential` does that, and
        a slice of one."""
        self.ran = True
        if self.whole is not None:
            self.whole.run()

    @property
    def is_plain_list(self) -> bool:
        """Whether it is only looped over or indexed: a `ModuleList`."""
        return self.indexed and not self.ran


class RepeatModule(Module):
    """Members of a chain made by a comprehension, kept as a loop.

    `index` counts the rounds; `carried` are the running ints of the loop that
    builds: symbol, value before the first round, value after a round.
    """

    __slots__ = ("carried", "count", "index", "loops", "members", "spread")

    def __init__(
        self,
        span: Span | None,
        members: list[Member],
        loops: tuple[Loop, ...],
        index: Dim,
        count: Size,
    ) -> None:
        super().__init__(span)
        self.members = members
        self.loops = loops
        self.index = index
        self.count = count
        self.carried: list[tuple[Symbol, Size, Size]] = []


# -- statements ----------------------------------------------------------------


class Register(Record):
    """A layer under its name, in `__init__`."""

    label: Any
    module: Any
    span: Any


class OwnTensor(Record):
    """A `param` or `buffer` in `__init__`."""

    symbol: Symbol
    kind: str
    dtype: str
    sizes: tuple[Size | Expr, ...]
    value: Any
    options: tuple[tuple[str, Expr], ...]
    span: Any


class BindLet(Record):
    """`name = value` where a static value gets its name."""

    symbols: tuple[Symbol, ...]
    value: Expr
    span: Any


class Assign(Record):
    """`target = value` in forward; `op` is `=`, `+=`, ..."""

    target: Target
    op: str
    value: Expr
    span: Any


class Branch(Record):
    """`if`; blocks are lists of statements"""

    test: Expr
    then: Any
    other: Any
    span: Any


class Repeat(Record):
    """`for` in forward"""

    loop: Loop
    body: Any
    span: Any


class Result(Record):
    """`return`"""

    value: Any
    span: Any


class Check(Record):
    """A `where`, or a condition that stayed open: ValueError unless it holds."""

    test: Expr
    text: str
    span: Any


class TieTo(Record):
    """Two paths to one parameter."""

    target: Expr
    source: Expr
    span: Any


class InitPart(Record):
    """The starting value of a part of a tensor: `embedding.weight[0]`."""

    owner: ClassVar[None] = None
    target: Expr
    value: Any
    when: Expr | None
    span: Any


class InitRule(Record):
    """Starting values: of a type (`owner` is its Python), or of a path pattern;
    `when` is the static condition that it stands under."""

    owner: Any
    pattern: str
    parameter: str
    value: Any
    when: Expr | None
    span: Any

    @property
    def path(self) -> str:
        """The name of the parameter, or of the pattern for it."""
        return f"{self.pattern}.{self.parameter}" if self.pattern else self.parameter
