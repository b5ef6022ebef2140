"""Uses: nets, functions and externs walked with what they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from netdsl import dims, graph, syntax
from netdsl.diagnostics import USED_HERE, Label
from netdsl.dims import Size
from netdsl.elaborate import arithmetic
from netdsl.elaborate.arguments import count, holds_net, inputs
from netdsl.elaborate.defining import Definitions, lengths
from netdsl.elaborate.state import ANY, USE, Used
from netdsl.elaborate.values import (
    BLUR,
    PLAIN,
    Blur,
    Val,
    freeze,
    symbols_of,
)
from netdsl.elaborate.walk import Stop, Unfit, Walk
from netdsl.graph import Argument, ExternModule, Module, NetModule, Symbol
from netdsl.layers.spec import Unknown
from netdsl.shapes import Refusal, Shape, Tensor
from netdsl.source import Span


class Uses(Definitions):
    """Uses: nets, functions and externs walked with what they are given."""

    def use_net(
        self,
        walk: Walk,
        module: NetModule,
        vals: Sequence[Val],
        keywords: Mapping[str, Val],
        span: Span,
    ) -> Any:
        """What a net gives for these inputs, with its sizes filled in."""
        net: syntax.Net = module.net
        if (
            net.layer is not None
            and len(vals) == 1
            and isinstance(vals[0].value, Tensor)
        ):
            self._feed(walk, net, vals[0].value)
        used = self._use(walk, module, vals, keywords, span)
        sizes = {
            k: v.value for k, v in used.sizes.items() if not isinstance(v.value, Blur)
        }
        self._check_sizes(walk, module, sizes, span)
        if module.applied is None:
            module.applied = span
            walk.touched.append(module)
            walk.count = walk.count + used.parameters
            walk.build(used.built, span)
            if isinstance(walk.count, int) and walk.count > self.limits.parameters:
                raise self.too_many_parameters(walk, span)
            module.sizes = sizes
            blurs = (v.value for v in vals if isinstance(v.value, Blur))
            module.lost = next((b.reason for b in blurs if b.reason), None)
            module.members = used.members
        if isinstance(used.value, Blur):
            return used.value
        return self._localised(walk, module, used.value, used.serial)

    def _feed(self, walk: Walk, net: syntax.Net, tensor: Tensor) -> None:
        """Notes what flows into a list of layers, for its class: what those who use
        it say of it, whatever numbers they are used with."""
        if walk.defining:
            self.shapes.setdefault(id(net), []).append(tensor)
            walk.fed.append((net, tensor))

    def _check_sizes(
        self, walk: Walk, module: NetModule, sizes: Mapping[str, Size], span: Span
    ) -> None:
        """A second use, and sizes written as keywords, must agree."""
        known = dict(module.sizes)
        for name, argument in module.given.items():
            if name in sizes and arithmetic.is_int(argument.value):
                known[name] = argument.value
        from netdsl.elaborate.demand import static_sizes

        if not known:
            return
        if isinstance(module.applied, Span) and module.applied != span:
            needed = static_sizes(self, self.define(module.net))
            known = {k: v for k, v in known.items() if k in needed or k in module.given}
        for name, size in known.items():
            if name in sizes and walk.facts.equal(size, sizes[name]) is False:
                raise walk.stop(
                    "size-mismatch",
                    f"`{module.net.name}` was made for {name} = {size}, and here"
                    f" {name} is {sizes[name]}",
                    span,
                    labels=(
                        [Label(module.applied, "its sizes come from this use")]
                        if isinstance(module.applied, Span)
                        else []
                    ),
                )

    def _use(
        self,
        walk: Walk,
        module: NetModule,
        vals: Sequence[Val],
        keywords: Mapping[str, Val],
        span: Span,
    ) -> Used:
        net = module.net
        actual = self.inputs_by_name(walk, net, vals, keywords, span)
        key = (
            id(net),
            tuple((k, freeze(a.value)) for k, a in module.given.items()),
            tuple((k, freeze(v.value)) for k, v in actual.items()),
            walk.facts.comparisons,
        )
        try:
            known = self._used.get((key, ANY))
            if known is None:
                known = self._used.get((key, walk.training))
                self.asked_training += known is not None
        except TypeError:
            known, key = None, None  # type: ignore[assignment]
        if known is not None:
            self.report.extend(known.said)
            return known
        self.walk_again(net.span, span, USE)
        asked = self.asked_training
        label = Label(span, f"`{net.name}` {USED_HERE}")
        inner = self._inner(walk, net, label)
        serial = self.serial
        inside = self._inside(net, module.span or span, module.handed)
        with inside, self.report.recorded() as said:
            self.run_use(inner, net, module.given, actual)
        used = Used(
            inner.result,
            dict(inner.sizes),
            inner.count,
            inner.built,
            serial,
            tuple(said.values()),
            {**inner.layers, **{n: inner.scope[n].value for n in inner.owns}},
        )
        if key is not None:
            training = ANY if asked == self.asked_training else walk.training
            self._used[key, training] = used
        return used

    def run_use(
        self,
        walk: Walk,
        net: syntax.Net,
        given: Mapping[str, Argument],
        actual: dict[str, Val],
    ) -> None:
        """Walks a net with values for its hyperparameters and inputs."""
        from netdsl.elaborate.making import make
        from netdsl.elaborate.running import transfer

        try:
            for parameter in net.parameters:
                self._give_parameter(walk, net, parameter, given)
            self._settle(walk, net)
            walk.actual = actual
            if net.layer is not None:
                walk.root = make(walk, net.layer)
                vals = list(actual.values())
                walk.result = transfer(walk, walk.root, vals, {}, net.layer.span)
                if isinstance(walk.root, NetModule):
                    walk.sizes = {
                        k: Val(v, graph.SizeOf(v)) for k, v in walk.root.sizes.items()
                    }
                else:
                    walk.sizes = self._layer_sizes(net, vals)
            else:
                self._run_body(walk, net)
        except Refusal as refusal:
            walk.refused(refusal, net.layer.span if net.layer else net.name_span)
            walk.result = BLUR
        except (Stop, Unfit):
            walk.result = BLUR

    def _layer_sizes(self, net: syntax.Net, vals: list[Val]) -> dict[str, Val]:
        """The sizes of what flows into a net that is a layer, under the names
        that its class has for them."""
        out: dict[str, Val] = {}
        if len(vals) != 1 or not isinstance(vals[0].value, Tensor):
            return out
        shape = vals[0].value.shape
        sizes = (*shape.head, *shape.tail)
        for i, size in enumerate(shape.head):
            out[f"_x_{i}"] = Val(size, graph.SizeOf(size))
        if sizes:
            out["in_features"] = Val(sizes[-1], graph.SizeOf(sizes[-1]))
        if len(shape.head) > 1:
            out["in_channels"] = Val(shape.head[1], graph.SizeOf(shape.head[1]))
        if shape.star is None:
            for name, size in zip(lengths(net, len(sizes)), sizes[2:], strict=False):
                out[name] = Val(size, graph.SizeOf(size))
        return out

    def _give_parameter(
        self,
        walk: Walk,
        net: syntax.Net,
        parameter: syntax.Parameter,
        given: Mapping[str, Argument],
    ) -> None:
        argument = given.get(parameter.name)
        if argument is not None:
            value = argument.value
        else:
            assert parameter.default is not None
            value = walk.evaluate(parameter.default).value
            if holds_net(self.parameter_kind(walk, parameter)):
                self.bind_net(net, parameter.name, value)
        symbol = Symbol(parameter.name, "hyper")
        walk.hypers[parameter.name] = symbol
        expr = self._spelled(value, symbol, argument)
        walk.bind(parameter.name, Val(value, expr, parameter.name_span))

    def _spelled(
        self, value: Any, symbol: Symbol, argument: Argument | None
    ) -> graph.Expr:
        """A hyperparameter as those who use the net can say it, to whom its name
        means nothing."""
        if type(value) in PLAIN:
            return graph.Const(value)
        if isinstance(value, dims.Dim):
            return graph.SizeOf(value)
        if type(value) is Unknown and argument is not None:
            return argument.expr
        self.unsaid.add(symbol)
        return graph.Ref(symbol)

    def _localised(
        self,
        walk: Walk,
        module: NetModule,
        value: Any,
        serial: int,
        path: tuple[Any, ...] = (),
    ) -> Any:
        """Sizes that only the inside of a net knows, as the layer keeps them."""
        from netdsl.elaborate.running import kept_size
        from netdsl.elaborate.trees import OutOf

        def one(size: Size, at: int, rank: int, starred: bool) -> Size:
            for atom in dims.atoms(size):
                inner = atom.origin if isinstance(atom, dims.Name) else None
                local = (
                    isinstance(atom, dims.Name)
                    and "#" in atom.key
                    and atom.key.rpartition("#")[2].isdigit()
                    and int(atom.key.rpartition("#")[2]) > serial
                ) or (isinstance(inner, OutOf) and not _reaches(walk, inner.module))
                if local or _said_elsewhere(walk, atom):
                    part = _part_name(module.net, path)
                    return kept_size(module, at, rank, starred, part, path)
            return size

        def tensor(t: Tensor) -> Tensor:
            shape = t.shape
            if all(type(size) is int for size in (*shape.head, *shape.tail)):
                return t
            rank = len(shape.head) + len(shape.tail)
            starred = shape.star is not None
            head = tuple(one(s, i, rank, starred) for i, s in enumerate(shape.head))
            tail = tuple(
                one(s, i - len(shape.tail), rank, starred)
                for i, s in enumerate(shape.tail)
            )
            return Tensor(Shape(head, shape.star, tail), t.dtype)

        if isinstance(value, Tensor):
            return tensor(value)
        if isinstance(value, tuple | list):
            return type(value)(
                self._localised(walk, module, v, serial, (*path, i))
                for i, v in enumerate(value)
            )
        if isinstance(value, dict):
            return {
                k: self._localised(walk, module, v, serial, (*path, k))
                for k, v in value.items()
            }
        return value

    def _inner(self, walk: Walk, owner: syntax.Net | syntax.Fn, label: Label) -> Walk:
        """A walk over what another walk uses, with what is known there."""
        return Walk(
            self,
            owner,
            defining=False,
            facts=walk.facts,
            chain=(*walk.chain, label),
            training=walk.training,
        )

    def use_fn(
        self, walk: Walk, fn: syntax.Fn, given: Mapping[str, Val], label: Label
    ) -> Any:
        """The value of a function of the file for these arguments."""
        from netdsl.elaborate.fns import run_fn

        self.walk_again(fn.span, label.span, USE)
        key: Any = None
        if all(type(v.value) in PLAIN for v in given.values()):
            key = id(fn), *((k, type(v.value), v.value) for k, v in given.items())
            if key in self._plain_calls:
                return self._plain_calls[key]
        asked = self.asked_training
        inner = self._inner(walk, fn, label)
        with self._inside(fn, label.span):
            value = run_fn(inner, fn, given)
        walk.keep([(c, t) for c, t, _ in inner.conditions], label.span)
        self.fn_calls.setdefault(id(fn), {k: v.value for k, v in given.items()})
        self.fn_results.setdefault(id(fn), value)
        always = asked == self.asked_training and not inner.conditions
        if key is not None and always and type(value) in PLAIN:
            self._plain_calls[key] = value
        return value

    def use_extern(
        self,
        walk: Walk,
        module: ExternModule,
        vals: Sequence[Val],
        keywords: Mapping[str, Val],
        span: Span,
    ) -> Any:
        """What an extern says it gives for these inputs."""
        extern = module.extern
        inner = Walk(self, extern, defining=False, facts=walk.facts, chain=walk.chain)
        names = [p.name for p in extern.parameters]
        for i, argument in enumerate(module.positional):
            if i >= len(names):
                raise walk.stop(
                    "too-many-arguments",
                    f"`{extern.name}` takes {count(len(names))}",
                    argument.span or span,
                )
            inner.bind(names[i], Val(argument.value, argument.expr, argument.span))
        for name, argument in module.keywords.items():
            if name not in names:
                raise walk.stop(
                    "unknown-argument",
                    f"`{extern.name}` has no argument `{name}`",
                    argument.span or span,
                    help=walk.suggest(name, names, argument.span),
                )
            inner.bind(name, Val(argument.value, argument.expr, argument.span))
        for parameter in extern.parameters:
            if parameter.name in inner.scope:
                continue
            if parameter.default is None:
                raise walk.stop(
                    "missing-argument",
                    f"`{extern.name}` needs `{parameter.name}`",
                    module.span or span,
                )
            inner.bind(parameter.name, inner.evaluate(parameter.default))
        if len(vals) != len(extern.inputs):
            raise walk.stop(
                "bad-input",
                f"`{extern.name}` takes {inputs(len(extern.inputs))}, and"
                f" {len(vals)} flow in",
                span,
            )  # fmt: skip
        from netdsl.elaborate.externs import extern_result

        return extern_result(inner, extern, vals, span)


def _part_name(net: syntax.Net, path: tuple[Any, ...]) -> str:
    """What one of a net's results is called: as `return` has it, else by number."""
    if not path:
        return "out"
    last = net.body[-1] if net.body else None
    value = last.value if isinstance(last, syntax.Return) else None
    if isinstance(value, syntax.TupleOf) and len(path) == 1:
        ahead = value.items[: path[0] + 1]
        if len(ahead) > path[0] and isinstance(ahead[-1], syntax.Name):
            if not any(isinstance(item, syntax.Star) for item in ahead):
                return ahead[-1].id
    words = [str(key) if str(key).isidentifier() else f"out_{key}" for key in path]
    return "_".join(words)


def _said_elsewhere(walk: Walk, atom: dims.Atom) -> bool:
    """Whether a size is said, or chosen, by hyperparameters of another net than the
    one that is defined, which can't read them."""
    if not walk.defining:
        return False
    if not isinstance(atom, dims.Choose):
        said = getattr(atom, "origin", None)
        unsaid = walk.program.unsaid
        return isinstance(said, graph.Expr) and any(
            s in unsaid for s in _symbols_said(said)
        )
    if not isinstance(atom.test, Val):
        return False
    symbols = [s for s in graph.every(atom.test.expr) if isinstance(s, Symbol)]
    own = set(walk.hypers.values())
    return all(s.kind in ("hyper", "constant") for s in symbols) and any(
        s.kind == "hyper" and s not in own for s in symbols
    )


def _symbols_said(said: graph.Expr) -> Iterator[Symbol]:
    """The symbols of an expression, and of the sizes in it."""
    for part in graph.every(said):
        if isinstance(part, Symbol):
            yield part
        elif isinstance(part, graph.SizeOf):
            yield from symbols_of(part.size)


def _reaches(walk: Walk, module: Module) -> bool:
    """Whether a layer is one that the walk itself made."""
    from netdsl.elaborate.trees import every_module

    for statement in walk.init:
        if isinstance(statement, graph.Register):
            if any(m is module for m in every_module(statement.module)):
                return True
    return walk.root is not None and any(m is module for m in every_module(walk.root))
