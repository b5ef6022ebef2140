"""The syntax tree: what a `.net` file says, before any name is looked up.

Nodes are immutable; each has a span, which does not count when two trees are
compared.  The fragment in a docstring shows which piece becomes which field.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, TypeAlias

from netdsl.records import Record
from netdsl.source import Chunk, Span


class Node(Record):
    """A piece of source text."""

    unequal: ClassVar[tuple[str, ...]] = ("span",)
    span: Span

    __hash__ = object.__hash__


def children(node: Node) -> Iterator[Node]:
    """The nodes right under a node, in the order of their fields."""
    for field in node.fields[1:]:
        value = getattr(node, field)
        if isinstance(value, Node):
            yield value
        elif isinstance(value, tuple):
            stack = list(reversed(value))
            while stack:
                item = stack.pop()
                if isinstance(item, Node):
                    yield item
                elif isinstance(item, tuple):
                    stack.extend(reversed(item))


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, each before its own."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(list(children(node))))


# -- expressions ---------------------------------------------------------------


class Expression(Node):
    """Whatever may stand in a flow: a value, a layer, a function, a chain."""


class Name(Expression):
    """`width`"""

    id: str


class Literal(Expression):
    """`3`, `0.5`, `"same"`, `True`, `None`; `...` is Ellipsis"""

    value: Any


class FString(Expression):
    """`f"block{i + 1}"`: parts are text and expressions"""

    parts: tuple[str | Expression, ...]


class TupleOf(Expression):
    """`(q, k, v)`"""

    items: tuple[Expression, ...]


class ListOf(Expression):
    """`[Linear(5), act: Sigmoid, *more]`, and shapes `[N, 3, *S]`"""

    items: tuple[Expression, ...]


class DictOf(Expression):
    """`{"out": a, "aux": b}`"""

    keys: tuple[Expression, ...]
    values: tuple[Expression, ...]


class Star(Expression):
    """`*convs`; in a shape `*` alone, or `*S`"""

    value: Expression | None


class Keyword(Node):
    """`stride=2`"""

    name: str
    name_span: Span
    value: Expression


class Call(Expression):
    """`Linear(5, bias=False)`"""

    function: Expression
    arguments: tuple[Expression, ...]
    keywords: tuple[Keyword, ...]


class Attribute(Expression):
    """`lm_head.weight`"""

    value: Expression
    name: str


class Subscript(Expression):
    """`x[:, 0]`: items are what stands between the commas"""

    value: Expression
    items: tuple[Expression, ...]
    is_tuple: bool


class Slice(Expression):
    """`a:b:c` in a subscript"""

    start: Expression | None
    stop: Expression | None
    step: Expression | None


class Unary(Expression):
    """`-x`, `not x`"""

    op: str
    operand: Expression


class Binary(Expression):
    """`a + b`"""

    op: str
    left: Expression
    right: Expression


class Compare(Expression):
    """`a < b <= c`"""

    left: Expression
    ops: tuple[str, ...]
    rights: tuple[Expression, ...]


class Bool(Expression):
    """`a and b`, `a or b`"""

    op: str
    left: Expression
    right: Expression


class IfElse(Expression):
    """`then if test else other`"""

    test: Expression
    then: Expression
    other: Expression


class Clause(Node):
    """`for target in iterable if test`"""

    target: Target
    iterable: Expression
    tests: tuple[Expression, ...]


class Comprehension(Expression):
    """`element for ... in ...`, in a list or alone as an argument"""

    element: Expression
    clauses: tuple[Clause, ...]


class Flow(Expression):
    """`x -> fc1: Linear(5) -> relu`: stages are all parts, the source first"""

    stages: tuple[Expression, ...]


class Labelled(Expression):
    """`fc1: Linear(5)`: the label is a name, a dotted name or a string"""

    label: Expression
    value: Expression


class Branches(Expression):
    """`{ skip | conv: Conv2d(8, 3) -> relu | *convs }`"""

    arms: tuple[Expression, ...]


Target: TypeAlias = "Name | TupleOf"


# -- types ---------------------------------------------------------------------


class TypeName(Node):
    """`int`, `net`, `None`"""

    name: str


class TypeOf(Node):
    """`list[int]`, `int64[B, T]`"""

    name: str
    items: ListOf


class TypeShape(Node):
    """`[N, 3, H, W]`"""

    shape: ListOf


class TypeUnion(Node):
    """`bool[B, T] | None`"""

    options: tuple[Type, ...]


Type: TypeAlias = "TypeName | TypeOf | TypeShape | TypeUnion"


# -- statements ----------------------------------------------------------------


class Statement(Node):
    """A line of a net's or function's body."""


class Input(Statement):
    """`input cos, sin: [_, 1, T, D] = None where T > 1`"""

    names: tuple[Name, ...]
    type: Type
    default: Expression | None
    where: Expression | None


class Own(Statement):
    """`param scale: [C] = ones, requires_grad=False`; kind is `param` or `buffer`"""

    kind: str
    name: Name
    type: Type
    value: Expression
    options: tuple[Keyword, ...]


class Init(Statement):
    """`init Conv2d.weight = normal(std=0.02)`"""

    pattern: Expression
    value: Expression


class Tie(Statement):
    """`tie lm_head.weight = wte.weight`"""

    target: Expression
    source: Expression


class Let(Statement):
    """`let a, b = 2 * n, n // 2`; also at the top of a file"""

    targets: tuple[Name, ...]
    type: Type | None
    value: Expression


class Assign(Statement):
    """`q, k, v = x -> qkv -> chunk(3, dim=-1)`"""

    target: Expression
    value: Expression


class Augment(Statement):
    """`skips += [x]`"""

    target: Expression
    op: str
    value: Expression


class Flowing(Statement):
    """A flow on a line of its own, or declarations `a: Linear(5), b: ReLU`"""

    value: Expression


class If(Statement):
    """`if test: body elif ...: ... else: orelse`; an elif is an If in orelse"""

    test: Expression
    body: tuple[Statement, ...]
    orelse: tuple[Statement, ...]


class For(Statement):
    """`for target in iterable: body`"""

    target: Target
    iterable: Expression
    body: tuple[Statement, ...]


class Return(Statement):
    """`return a, b`"""

    value: Expression | None


# -- top-level items -----------------------------------------------------------


class Item(Node):
    """A definition or check at the top of a file."""


class Parameter(Node):
    """`width: int = 64`"""

    name: str
    name_span: Span
    type: Type | None
    default: Expression | None


class Net(Item):
    """`net NAME(parameters): body`, or with `= layer` and an empty body"""

    name: str
    name_span: Span
    parameters: tuple[Parameter, ...]
    layer: Expression | None
    doc: str | None
    body: tuple[Statement, ...]


class Fn(Item):
    """`fn NAME(parameters): body`, or with `= value` and an empty body"""

    name: str
    name_span: Span
    parameters: tuple[Parameter, ...]
    value: Expression | None
    doc: str | None
    body: tuple[Statement, ...]


class Constant(Item):
    """`let K = 3` at the top of a file"""

    let: Let


class Extern(Item):
    """`extern StochasticDepth(p: float): [*S] -> [*S]`"""

    name: str
    name_span: Span
    parameters: tuple[Parameter, ...]
    inputs: tuple[Type, ...]
    outputs: tuple[Type, ...]


class Expect(Item):
    """`expect NET(...) params == N` (subject, value), `expect TEST` (subject)"""

    subject: Expression
    params: Expression | None


class Imported(Node):
    """`Block as EncoderBlock`"""

    name: str
    alias: str


class Import(Item):
    """`from "blocks.net" import Block, Stage as Layers`"""

    path: str
    path_span: Span
    names: tuple[Imported, ...]


def names_in(item: Item) -> frozenset[str]:
    """The names that an item reads, wherever in it."""
    chunk = item.span.chunk
    if chunk.names is None or chunk.names[0] is not item:
        words = frozenset(p.id for p in walk(item) if type(p) is Name)
        chunk.names = item, words
    return chunk.names[1]


class Docstring(Item):
    """A string at the top of a file"""

    text: str


class Program(Node):
    """A file: its items in the order of the text, those that parse."""

    items: tuple[Item, ...]
    chunks: tuple[Chunk, ...]
