"""What the names of a file stand for, and each place that has one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from netdsl import syntax
from netdsl.answers.scopes import CONTAINERS, Scope, label_name, scope_of
from netdsl.layers import FUNCTIONS, LAYERS
from netdsl.resolve import Files
from netdsl.source import Span


class Thing(NamedTuple):
    """What a name stands for: a definition of a file or of an item in it, or of torch.

    `home` is the file, and the item in it that has the name to itself; `at` is
    where the comprehension stands that binds it.  Kinds: net, fn, extern, constant;
    hyperparameter, input, size, let, value, own, bound (of a comprehension), layer,
    member (of a list of layers); torch_layer, torch_function.
    """

    kind: str
    name: str
    home: tuple[str, str]
    at: int = -1


class Place(NamedTuple):
    """A name in the text.  `role` says where it stands: as a `definition`, a `stage`,
    what `makes` a layer, a `value`, an `argument`'s name, or in an `import`."""

    span: Span
    thing: Thing
    role: str


ITEM_KINDS = {
    syntax.Net: "net",
    syntax.Fn: "fn",
    syntax.Extern: "extern",
    syntax.Constant: "constant",
}
TORCH = ("", "")


def thing_of(files: Files, item: syntax.Item, name: str) -> Thing:
    """The definition of that name, by its item."""
    file = item.span.source.name
    return Thing(ITEM_KINDS[type(item)], name, (file, ""))


def home_of(item: syntax.Item) -> tuple[str, str]:
    """The file of an item, and what tells it from the others there."""
    name = getattr(item, "name", "") or f"{item.span.chunk.start}"
    return item.span.source.name, f"{type(item).__name__} {name}"


def own_name(item: syntax.Item, word: str) -> str:
    """What an item is called in its own file."""
    return word if isinstance(item, syntax.Constant) else str(getattr(item, "name", ""))


def places(files: Files, item: syntax.Item) -> list[Place]:
    """All names of an item, in the order of the text."""
    found = list(_Reader(files, item).read())
    found.sort(key=lambda p: (p.span.start, -p.span.end))
    return found


class _Reader:
    """Reads one item: which name stands where, by the rules of the language."""

    def __init__(self, files: Files, item: syntax.Item) -> None:
        self.files = files
        self.item = item
        self.home = home_of(item)
        self.scope: Scope = scope_of(item)
        self.bound: list[dict[str, int]] = []

    def read(self) -> Iterator[Place]:
        item = self.item
        match item:
            case syntax.Import():
                yield from self._import(item)
            case syntax.Constant():
                for target in item.let.targets:
                    thing = thing_of(self.files, item, target.id)
                    yield Place(target.span, thing, "definition")
                yield from self.visit(item.let.value, "value")
            case syntax.Net() | syntax.Fn() | syntax.Extern():
                thing = thing_of(self.files, item, item.name)
                yield Place(item.name_span, thing, "definition")
                for parameter in item.parameters:
                    yield from self._parameter(parameter)
                yield from self._body(item)
            case syntax.Expect():
                yield from self.visit(item.subject, "value")
                if item.params is not None:
                    yield from self.visit(item.params, "value")

    def _body(self, item: syntax.Net | syntax.Fn | syntax.Extern) -> Iterator[Place]:
        if isinstance(item, syntax.Extern):
            for type_ in (*item.inputs, *item.outputs):
                yield from self._type(type_)
            return
        only = item.layer if isinstance(item, syntax.Net) else item.value
        if only is not None:
            makes = isinstance(item, syntax.Net)
            yield from self.visit(only, "makes" if makes else "value")
        for statement in item.body:
            yield from self.statement(statement)

    def _import(self, item: syntax.Import) -> Iterator[Place]:
        scope = self.files.scope_of(item)
        for imported in item.names:
            found = scope.get(imported.alias)
            if found is None or type(found) not in ITEM_KINDS:
                continue
            thing = thing_of(self.files, found, imported.name)
            span = imported.span
            end = span.start + len(imported.name)
            yield Place(Span(span.chunk, span.start, end), thing, "import")
            if end < span.end:
                start = span.end - len(imported.alias)
                yield Place(Span(span.chunk, start, span.end), thing, "import")

    def _parameter(self, parameter: syntax.Parameter) -> Iterator[Place]:
        thing = Thing("hyperparameter", parameter.name, self.home)
        yield Place(parameter.name_span, thing, "definition")
        if parameter.type is not None:
            yield from self._type(parameter.type)
        if parameter.default is not None:
            yield from self.visit(parameter.default, "value")

    def _type(self, node: syntax.Type, defines: bool = True) -> Iterator[Place]:
        match node:
            case syntax.TypeUnion():
                for option in node.options:
                    yield from self._type(option, defines)
            case syntax.TypeShape(shape=shape):
                for size in shape.items:
                    yield from self._size(size, defines)
            case syntax.TypeOf() if node.name not in CONTAINERS:
                for size in node.items.items:
                    yield from self._size(size, defines)

    def _size(self, node: syntax.Expression, defines: bool) -> Iterator[Place]:
        for part in syntax.walk(node):
            if isinstance(part, syntax.Name) and part.id != "_":
                thing = self._local(part.id) or self._global(part.id)
                if thing is not None:
                    first = self.scope.values.get(part.id)
                    is_first = defines and first == ("size", part.span.start)
                    role = "definition" if is_first else "value"
                    yield Place(part.span, thing, role)

    # -- statements --------------------------------------------------------------

    def statement(self, node: syntax.Statement) -> Iterator[Place]:
        match node:
            case syntax.Input():
                for name in node.names:
                    yield from self._defined(name)
                yield from self._type(node.type)
                for part in (node.default, node.where):
                    if part is not None:
                        yield from self.visit(part, "value")
            case syntax.Own():
                yield from self._defined(node.name)
                yield from self._type(node.type, defines=False)
                yield from self.visit(node.value, "value")
            case syntax.Init():
                yield from self.visit(node.pattern, "stage")
                yield from self.visit(node.value, "value")
            case syntax.Tie():
                yield from self.visit(node.target, "value")
                yield from self.visit(node.source, "value")
            case syntax.Let():
                for name in node.targets:
                    yield from self._defined(name)
                yield from self.visit(node.value, "value")
            case syntax.Assign() | syntax.Augment():
                yield from self._target(node.target)
                yield from self.visit(node.value, "value")
            case syntax.Flowing():
                yield from self.visit(node.value, "value")
            case syntax.If():
                yield from self.visit(node.test, "value")
                yield from self._block((*node.body, *node.orelse))
            case syntax.For():
                yield from self._target(node.target)
                yield from self.visit(node.iterable, "value")
                yield from self._block(node.body)
            case syntax.Return():
                if node.value is not None:
                    yield from self.visit(node.value, "value")

    def _block(self, body: tuple[syntax.Statement, ...]) -> Iterator[Place]:
        for statement in body:
            yield from self.statement(statement)

    def _defined(self, name: syntax.Name) -> Iterator[Place]:
        thing = self._local(name.id)
        if thing is not None:
            yield Place(name.span, thing, "definition")

    def _target(self, node: syntax.Expression) -> Iterator[Place]:
        for part in syntax.walk(node):
            if isinstance(part, syntax.Name) and part.id != "_":
                yield from self._defined(part)

    # -- expressions -------------------------------------------------------------

    def visit(self, node: syntax.Node, role: str) -> Iterator[Place]:
        """The names below a node; `role` is what the node is there for."""
        match node:
            case syntax.Name():
                thing = self.meant(node.id, role)
                if thing is not None:
                    yield Place(node.span, thing, role)
            case syntax.Flow():
                first, *stages = node.stages
                yield from self.visit(first, "stage" if role == "stage" else "value")
                for stage in stages:
                    yield from self.visit(stage, "stage")
            case syntax.Labelled():
                yield from self._label(node.label, role != "makes")
                yield from self.visit(node.value, "makes")
            case syntax.Call():
                yield from self._call(node, role)
            case syntax.Branches():
                for arm in node.arms:
                    yield from self.visit(arm, "stage")
            case syntax.Comprehension():
                yield from self._comprehension(node, role)
            case syntax.ListOf():
                inner = "makes" if role in ("stage", "makes") else "value"
                for item in node.items:
                    yield from self.visit(item, inner)
            case syntax.IfElse():
                yield from self.visit(node.test, "value")
                yield from self.visit(node.then, role)
                yield from self.visit(node.other, role)
            case syntax.Star():
                if node.value is not None:
                    yield from self.visit(node.value, role)
            case syntax.Attribute():
                yield from self._attribute(node, role)
            case syntax.Subscript():
                yield from self.visit(node.value, role)
                for item in node.items:
                    yield from self.visit(item, "value")
            case syntax.Literal():
                if role == "stage" and node.value in self.scope.layers:
                    thing = Thing("layer", str(node.value), self.home)
                    yield Place(node.span, thing, role)
            case syntax.TupleOf():
                for item in node.items:
                    yield from self.visit(item, "value")
            case _:
                for part in syntax.children(node):
                    yield from self.visit(part, "value")

    def _label(self, node: syntax.Expression, is_layer: bool) -> Iterator[Place]:
        name = label_name(node)
        if name:
            kind = "layer" if is_layer else "member"
            yield Place(node.span, Thing(kind, name, self.home), "definition")
        elif isinstance(node, syntax.FString):
            yield from self.visit(node, "value")

    def _call(self, node: syntax.Call, role: str) -> Iterator[Place]:
        inner = "makes" if role == "makes" else "stage"
        yield from self.visit(node.function, inner)
        callee = None
        if isinstance(node.function, syntax.Name):
            callee = self.meant(node.function.id, inner)
        for argument in node.arguments:
            yield from self.visit(argument, "value")
        for keyword in node.keywords:
            thing = self._argument(callee, keyword.name)
            if thing is not None:
                yield Place(keyword.name_span, thing, "argument")
            yield from self.visit(keyword.value, "value")

    def _argument(self, callee: Thing | None, name: str) -> Thing | None:
        """The hyperparameter, input or size of a definition that a keyword names."""
        if callee is None or callee.kind not in ("net", "fn", "extern"):
            return None
        file = self.files.files.get(callee.home[0])
        item = file.own.get(callee.name) if file is not None else None
        if item is None:
            return None
        kind = scope_of(item).values.get(name)
        if kind is None:
            return None
        return Thing(kind[0], name, home_of(item))

    def _attribute(self, node: syntax.Attribute, role: str) -> Iterator[Place]:
        name = label_name(node)
        if name in self.scope.layers:
            yield Place(node.span, Thing("layer", name, self.home), role)
        elif name in FUNCTIONS:
            yield Place(node.span, Thing("torch_function", name, TORCH), role)
        else:
            yield from self.visit(node.value, role)

    def _comprehension(self, node: syntax.Comprehension, role: str) -> Iterator[Place]:
        names: dict[str, int] = {}
        depth = len(self.bound)
        for clause in node.clauses:
            yield from self.visit(clause.iterable, "value")
            if len(self.bound) == depth:
                self.bound.append(names)
            for part in syntax.walk(clause.target):
                if isinstance(part, syntax.Name) and part.id != "_":
                    names[part.id] = node.span.start
                    thing = Thing("bound", part.id, self.home, node.span.start)
                    yield Place(part.span, thing, "definition")
            for test in clause.tests:
                yield from self.visit(test, "value")
        yield from self.visit(node.element, role)
        del self.bound[depth:]

    # -- what is meant -----------------------------------------------------------

    def meant(self, name: str, role: str) -> Thing | None:
        """What a name stands for at a place of that role."""
        layer = Thing("layer", name, self.home) if name in self.scope.layers else None
        if role == "value":
            return self._local(name) or self._constant(name) or layer or (
                self._global(name)
            )  # fmt: skip
        if role == "stage" and layer is not None:
            return layer
        held = name in self.scope.holders or any(name in b for b in self.bound)
        if held:
            return self._local(name)
        return self._global(name) or self._local(name)

    def _local(self, name: str) -> Thing | None:
        for names in reversed(self.bound):
            if name in names:
                return Thing("bound", name, self.home, names[name])
        known = self.scope.values.get(name)
        return Thing(known[0], name, self.home) if known is not None else None

    def _constant(self, name: str) -> Thing | None:
        item = self.files.scope_of(self.item).get(name)
        if isinstance(item, syntax.Constant):
            return thing_of(self.files, item, name)
        return None

    def _global(self, name: str) -> Thing | None:
        item = self.files.scope_of(self.item).get(name)
        if item is not None and type(item) in ITEM_KINDS:
            return thing_of(self.files, item, own_name(item, name))
        if name in LAYERS:
            return Thing("torch_layer", name, TORCH)
        return Thing("torch_function", name, TORCH) if name in FUNCTIONS else None
