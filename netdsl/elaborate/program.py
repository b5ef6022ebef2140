"""All nets of a file and of those it imports: definitions, uses, and what is
remembered of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from netdsl import dims, graph, syntax
from netdsl.diagnostics import Diagnostic, Label, Report
from netdsl.dims import Size
from netdsl.elaborate import arithmetic
from netdsl.elaborate.types import (
    dtype_of,
    fits_type,
    open_hyperparameter,
    shape_items,
    split_star,
    type_text,
)
from netdsl.elaborate.values import (
    BLUR,
    Blur,
    Factory,
    NetParameter,
    OpenNets,
    Val,
    freeze,
    leaves,
    size_names,
    type_name,
)
from netdsl.elaborate.walk import Stop, TooMuch, Walk
from netdsl.facts import Facts
from netdsl.graph import Argument, ExternModule, Module, NetModule, Symbol
from netdsl.layers import LAYERS, Unknown
from netdsl.limits import Limits
from netdsl.resolve import Files
from netdsl.shapes import Refusal, Shape, Tensor
from netdsl.source import Span

# A use that is the same whether the module trains or not.
_ANY = "any"


class Used(NamedTuple):
    """What a use of a net gave."""

    value: Any
    sizes: Mapping[str, Any]
    parameters: Size
    built: int
    failed: bool
    serial: int
    said: tuple[Diagnostic, ...]


class Program:
    """The definitions of a compile, walked on demand."""

    def __init__(self, files: Files, report: Report, limits: Limits) -> None:
        self.files = files
        self.report = report
        self.limits = limits
        self.bindings: dict[tuple[int, str], dict[Any, Factory]] = {}
        self.shapes: dict[int, list[Tensor]] = {}
        self._walks: dict[int, Walk] = {}
        self._told: dict[int, tuple[Diagnostic, ...]] = {}
        self._collected = False
        self.specials: dict[int, set[str]] = {}
        """Net parameters for which a net needs a class per binding."""
        self.clones: dict[Any, syntax.Net] = {}
        self.settled: dict[int, dict[str, Factory]] = {}
        """Of a net made for its bindings: what they are."""
        self._used: dict[Any, Used] = {}
        self._constants: dict[int, Val | None] = {}
        self._said: dict[int, tuple[Diagnostic, ...]] = {}
        """What was said of each constant."""
        self._active: list[syntax.Net | syntax.Fn] = []
        self._steps = 0
        self._serial = 0
        self.keeps: dict[int, dict[str, int]] = {}
        """Of each net: attributes that hold a size of its result, and its index."""
        self._class_sizes: tuple[Any, dict[int, list[Symbol]]] = (None, {})
        self._users: dict[str, list[syntax.Net]] | None = None
        self.asked_training = 0
        """How often a walk looked whether the module trains."""
        self.labels: dict[int, frozenset[str]] = {}
        """Of each net: the names that its text gives to layers."""
        self.fn_calls: dict[int, dict[str, Any]] = {}
        self.fn_results: dict[int, Any] = {}

    # -- counting --------------------------------------------------------------

    def step(self, span: Span) -> None:
        """One round of a loop; there is a limit to them."""
        self._steps += 1
        if self._steps > self.limits.steps:
            self.report.error(
                "too-many-steps",
                f"this takes more than {self.limits.steps:,} steps to work out",
                span,
            )
            raise TooMuch

    def start(self) -> None:
        """A new top-level item: the steps count anew."""
        self._steps = 0

    def count(self) -> int:
        self._serial += 1
        return self._serial

    def too_many_parameters(self, walk: Walk, span: Span) -> Stop:
        return walk.stop(
            "too-many-parameters",
            f"this net has more than {self.limits.parameters:,} parameters",
            span,
        )

    # -- names -----------------------------------------------------------------

    def definition(self, owner: Any, name: str) -> Any:
        """The net, fn or extern of that name, as the owner's file sees it."""
        item = self.files.scope_of(owner).get(name)
        return (
            item if isinstance(item, syntax.Net | syntax.Fn | syntax.Extern) else None
        )

    def names(self, owner: Any) -> list[str]:
        return list(self.files.scope_of(owner))

    def layer_names(self, owner: Any) -> list[str]:
        return [*self.names(owner), *LAYERS]

    def constant(self, owner: Any, name: str, span: Span) -> Val | None:
        """A `let` at the top of the owner's file."""
        item = self.files.scope_of(owner).get(name)
        if not isinstance(item, syntax.Constant):
            return None
        key = id(item)
        if key not in self._constants:
            self._constants[key] = None
            with self.report.recorded() as said:
                self._constants[key] = self._constant(item)
            self._said[key] = tuple(said.values())
        else:
            self.report.extend(self._said.get(key, ()))
        known = self._constants[key]
        if known is None:
            self.report.error(
                "recursive-net", f"`{name}` is defined by itself", item.span
            )
            return Val(BLUR, graph.Const(None), span)
        return known

    def _constant(self, item: syntax.Constant) -> Val:
        walk = Walk(self, item, defining=False)
        targets = item.let.targets
        symbol = Symbol(targets[0].id, "constant", place=item)
        try:
            if len(targets) != 1:
                raise walk.stop(
                    "unsupported", "a constant of the file has one name", item.span,
                    help="write a `let` for each",
                )  # fmt: skip
            value = walk.evaluate(item.let.value).value
        except (Stop, TooMuch):
            value = BLUR
        symbol.value = value
        symbol.type = type_name(value)
        return Val(value, graph.Ref(symbol), item.span)

    # -- arguments -------------------------------------------------------------

    def match_hyperparameters(
        self, walk: Walk, module: NetModule
    ) -> dict[str, Argument]:
        """A net's hyperparameters by name, as given; defaults are left out."""
        net: syntax.Net = module.net
        given: dict[str, Argument] = {}
        parameters = net.parameters
        for i, argument in enumerate(module.positional):
            if i >= len(parameters):
                raise walk.stop(
                    "too-many-arguments",
                    f"`{net.name}` takes {_count(len(parameters))}, not"
                    f" {len(module.positional)}",
                    argument.span or module.span or net.name_span,
                    labels=[Label(net.name_span, "defined here")],
                )
            given[parameters[i].name] = argument
        by_name = {p.name: p for p in parameters}
        for name, argument in module.keywords.items():
            if name in given:
                raise walk.stop(
                    "repeated-argument",
                    f"`{net.name}` is given `{name}` twice",
                    argument.span or module.span or net.name_span,
                )
            if name not in by_name and name not in self.size_words(net):
                known = [*by_name, *self.size_words(net)]
                raise walk.stop(
                    "unknown-argument",
                    f"`{net.name}` has no hyperparameter `{name}`",
                    argument.span or module.span or net.name_span,
                    help=walk.suggest(name, known),
                )
            if name not in by_name:
                self._check_size_word(walk, net, name, argument)
            given[name] = argument
        for parameter in parameters:
            if parameter.name not in given and parameter.default is None:
                raise walk.stop(
                    "missing-argument",
                    f"`{net.name}` needs `{parameter.name}`",
                    module.span or net.name_span,
                    labels=[Label(parameter.span, "this hyperparameter")],
                )
            if parameter.name in given:
                self._check_type(walk, net, parameter, given[parameter.name])
        return given

    def _check_size_word(
        self, walk: Walk, net: syntax.Net, name: str, argument: Argument
    ) -> None:
        value = argument.value
        if isinstance(value, Blur) or arithmetic.is_int(value):
            if not isinstance(value, int) or value >= 1:
                return
        raise walk.stop(
            "wrong-value",
            f"the size {name} of `{net.name}` is an int of at least 1, not"
            f" {arithmetic.describe_value(value)}",
            argument.span or net.name_span,
        )

    def _check_type(
        self, walk: Walk, net: Any, parameter: syntax.Parameter, argument: Argument
    ) -> None:
        kind = self.parameter_kind(walk, parameter)
        value = argument.value
        if _holds_net(kind):
            parts = [v for v in leaves(value) if v is not None]
            for part in parts:
                if isinstance(part, Factory | NetParameter | Unknown | Blur):
                    self.bind_net(net, parameter.name, part)
                elif kind == "net":
                    raise walk.stop(
                        "wrong-type",
                        f"`{parameter.name}` of `{net.name}` is a net, not"
                        f" {arithmetic.describe_value(value)}",
                        argument.span or net.name_span,
                    )
            return
        if kind and not fits_type(value, kind):
            raise walk.stop(
                "wrong-type",
                f"`{parameter.name}` of `{net.name}` is of type {kind}, not"
                f" {arithmetic.describe_value(value)}",
                argument.span or net.name_span,
                labels=[Label(parameter.span, "declared here")],
            )

    def bind_net(self, net: Any, name: str, value: Any) -> None:
        """Remembers what a net parameter stands for."""
        if isinstance(value, NetParameter):
            for binding in value.bindings:
                self.bind_net(net, name, binding)
        elif isinstance(value, Factory):
            if isinstance(value.target, NetParameter):
                for binding in value.target.bindings:
                    joined = Factory(
                        binding.target,
                        binding.positional + value.positional,
                        binding.keywords + value.keywords,
                        value.span,
                    )
                    self.bind_net(net, name, joined)
                return
            known = self.bindings.setdefault((id(net), name), {})
            known.setdefault(freeze(value), value)

    def parameter_kind(self, walk: Walk, parameter: syntax.Parameter) -> str:
        """The type of a hyperparameter: as written, or that of its default."""
        if parameter.type is not None:
            return type_text(walk, parameter.type)
        if parameter.default is None:
            return "int"
        with walk.report.muted():
            inner = Walk(self, walk.owner, defining=False)
            value = inner.evaluate(parameter.default).value
        if isinstance(value, Factory):
            return "net"
        kind = type_name(value)
        return "" if kind in ("Any", "None", "Tensor") else kind

    def size_words(self, net: syntax.Net) -> list[str]:
        """The names of sizes that a net's inputs mention."""
        words: list[str] = []
        for statement in net.body:
            if isinstance(statement, syntax.Input):
                for part in syntax.walk(statement.type):
                    if isinstance(part, syntax.Name) and part.id not in words:
                        words.append(part.id)
        if net.layer is not None:
            inner = self.inner_net(net)
            words += self.size_words(inner) if inner is not None else _OPEN_NAMES
        return words

    def inner_net(self, net: syntax.Net) -> syntax.Net | None:
        """The net that a `net X = NET(...)` is."""
        layer = net.layer
        if isinstance(layer, syntax.Call):
            layer = layer.function
        if isinstance(layer, syntax.Name):
            found = self.definition(net, layer.id)
            if isinstance(found, syntax.Net) and found is not net:
                return found
        return None

    # -- definitions -----------------------------------------------------------

    def collect_bindings(self) -> None:
        """Finds what net parameters stand for, by walking the nets that have none.

        Only then can the classes that have them be defined.
        """
        from netdsl.elaborate.bindings import read_bindings
        from netdsl.elaborate.specialise import find_specials

        if self._collected:
            return
        self._collected = True
        items = [i for f in self.files.files.values() for i in f.program.items]
        nets = [i for i in items if isinstance(i, syntax.Net)]
        with self.report.muted():
            open_ = [n for n in nets if self._takes_nets(n)]
            if not open_ and all(n.layer is None for n in nets):
                return
            plain = read_bindings(self, {id(n): n for n in open_})
            if not plain:
                for net in nets:
                    if net not in open_:
                        self._quietly(net)
            # Outer nets first: what they hand on reaches the inner ones.
            walks = [self._quietly(net, plain) for net in reversed(open_)]
            if not plain:
                self._forget()
            self.specials = find_specials(self, [w for w in walks if w is not None])
            if self.specials:
                self._used.clear()
        if self.specials or not plain:
            self._forget()

    def _forget(self) -> None:
        """Drops the classes that were defined before all was known."""
        self._walks.clear()
        self._class_sizes = (None, {})
        self.keeps.clear()

    def _quietly(self, net: syntax.Net, plain: bool = False) -> Walk | None:
        self.start()
        try:
            if plain:
                return self.define(net)
            with self._inside(net, net.name_span):
                return self.walk_definition(net, frozenset())
        except (Stop, TooMuch, Refusal):
            return None

    def _takes_nets(self, net: syntax.Net) -> bool:
        walk = Walk(self, net, defining=False)
        for parameter in net.parameters:
            try:
                if _holds_net(self.parameter_kind(walk, parameter)):
                    return True
            except Stop:
                continue
        return False

    def define(self, net: syntax.Net) -> Walk:
        """The walk that defines a net's class; its messages are told once."""
        self.collect_bindings()
        if id(net) not in self._walks and net.layer is not None:
            self._define_users(net)
        known = self._walks.get(id(net))
        if known is not None:
            self.report.extend(known.said)
            return known
        with self._inside(net, net.name_span), self.report.recorded() as said:
            walk = self._define(net, frozenset())
        walk.said = tuple(said.values())
        self._walks[id(net)] = walk
        return walk

    def _define_users(self, net: syntax.Net) -> None:
        """A list of layers takes what flows in: who uses it tells its rank."""
        if self.inner_net(net) is not None:
            return
        steps = self._steps
        busy = self._above_active()
        for user in self.users(net.name):
            if user is net:
                continue
            free = id(user) not in self._walks and id(user) not in busy
            if free and self.definition(user, net.name) is net:
                try:
                    with self.report.muted():
                        self.define(user)
                except (Stop, TooMuch, Refusal):
                    pass
        self._steps = steps

    def _above_active(self) -> set[int]:
        """The nets that can't be walked now, since they hold one that is being."""
        above = {id(a) for a in self._active}
        stack = list(self._active)
        while stack:
            for user in self.users(stack.pop().name):
                if id(user) not in above:
                    above.add(id(user))
                    stack.append(user)
        return above

    def users(self, name: str) -> Sequence[syntax.Net]:
        """The nets that mention a name, in whatever file."""
        if self._users is None:
            self._users = self._all_users()
        return self._users.get(name, ())

    def _all_users(self) -> dict[str, list[syntax.Net]]:
        users: dict[str, list[syntax.Net]] = {}
        items = [i for f in self.files.files.values() for i in f.program.items]
        for item in items:
            if isinstance(item, syntax.Net):
                parts = (p for p in syntax.walk(item) if isinstance(p, syntax.Name))
                for word in dict.fromkeys(p.id for p in parts):
                    users.setdefault(word, []).append(item)
        return users

    def _define(self, net: syntax.Net, demanded: frozenset[str]) -> Walk:
        from netdsl.elaborate.demand import static_sizes

        report = self.report
        for _ in range(5):
            # Only the messages of the last walk count.
            self.report = Report()
            try:
                walk = self.walk_definition(net, demanded)
            except Stop:
                report.extend(self.report)
                raise
            finally:
                said, self.report = self.report, report
            demanded = demanded | static_sizes(self, walk)
            if not walk.refused_demand & demanded:
                break
        walk.demanded = demanded
        report.extend(said)
        return walk

    def walk_definition(self, net: syntax.Net, demanded: frozenset[str]) -> Walk:
        """One walk over a net with its hyperparameters and sizes as symbols."""
        walk = Walk(self, net, defining=True, demanded=demanded)
        try:
            for parameter in net.parameters:
                try:
                    self._open_parameter(walk, net, parameter)
                except Stop:
                    # A mistake in one line leaves the others to be checked.
                    blurred = Val(BLUR, graph.Const(None), parameter.name_span)
                    walk.bind(parameter.name, blurred)
            self._settle(walk, net)
            if net.layer is not None:
                self._define_layer(walk, net)
            else:
                self._run_body(walk, net)
        except TooMuch:
            walk.result = BLUR
        return walk

    def specialised(self, module: NetModule) -> NetModule:
        """The layer, of the class for what its net parameters stand for."""
        from netdsl.elaborate.specialise import specialised

        return specialised(self, module)

    def _settle(self, walk: Walk, net: syntax.Net) -> None:
        """Binds the net parameters that this class was made for."""
        for name, factory in self.settled.get(id(net), {}).items():
            walk.bind(name, Val(factory, graph.Definition(factory)))

    def _open_parameter(
        self, walk: Walk, net: syntax.Net, parameter: syntax.Parameter
    ) -> None:
        from netdsl.elaborate.reserved import check_name

        check_name(walk, parameter.name, parameter.name_span)
        kind = self.parameter_kind(walk, parameter)
        symbol = Symbol(parameter.name, "hyper", kind)
        if parameter.default is not None:
            default = walk.evaluate(parameter.default)
            symbol.value = default
            given = default.argument
            if not isinstance(default.value, Blur):
                try:
                    self._check_type(walk, net, parameter, given)
                except Stop:
                    pass
        if kind == "net":
            bound = self.bindings.get((id(net), parameter.name), {})
            value: Any = NetParameter(symbol, tuple(bound.values()))
        elif _holds_net(kind):
            bound = self.bindings.get((id(net), parameter.name), {})
            value = OpenNets(kind, graph.Ref(symbol), tuple(bound.values()))
        else:
            value = open_hyperparameter(symbol, kind or "Any")
        if parameter.name in walk.hypers:
            walk.error(
                "duplicate-name",
                f"`{parameter.name}` is named twice",
                parameter.name_span,
            )
        walk.hypers[parameter.name] = symbol
        walk.bind(parameter.name, Val(value, graph.Ref(symbol), parameter.name_span))

    def _define_layer(self, walk: Walk, net: syntax.Net) -> None:
        """`net X = LAYER`: the layer is walked on inputs of its own kind."""
        from netdsl.elaborate.making import make
        from netdsl.elaborate.running import transfer

        assert net.layer is not None
        try:
            walk.root = make(walk, net.layer)
        except Stop:
            walk.result = BLUR
            return
        candidates = list(self._layer_inputs(walk, net))
        for i, inputs in enumerate(candidates):
            last = i == len(candidates) - 1
            with self.report.muted() if not last else _nothing():
                before = len(self.report)
                walk.facts = Facts()
                walk.conditions = []
                walk.input_types = inputs
                vals = [
                    Val(value, graph.Ref(symbol), net.layer.span)
                    for symbol, value in zip(
                        self._input_symbols(walk, inputs), [v for _, v in inputs],
                        strict=True,
                    )
                ]  # fmt: skip
                try:
                    result = transfer(walk, walk.root, vals, {}, net.layer.span)
                except (Refusal, Stop):
                    result = BLUR
            del before
            if not isinstance(result, Blur):
                break
            if not last:
                walk.root = make(walk, net.layer)
        walk.result = result
        walk.root.used = True
        if isinstance(walk.root, graph.ChainModule):
            walk.root.ran = True

    def _input_symbols(self, walk: Walk, inputs: list[tuple[str, Any]]) -> list[Symbol]:
        walk.inputs = []
        walk.sizes = {}
        for name, value in inputs:
            symbol = Symbol(name, "input", "Tensor")
            walk.inputs.append(symbol)
            if isinstance(value, Tensor):
                for size in (*value.shape.head, *value.shape.tail):
                    for inner in size_names(size):
                        if inner.kind == "size":
                            own = Val(size, graph.Ref(inner))
                            walk.sizes[inner.name] = own
        return walk.inputs

    def _layer_inputs(
        self, walk: Walk, net: syntax.Net
    ) -> Iterator[list[tuple[str, Any]]]:
        """Input types to try for a net that is a layer."""
        inner = self.inner_net(net)
        if inner is not None:
            yield self.define(inner).input_types
            return
        seen = self.shapes.get(id(net), [])
        ranks = [t.shape.rank for t in seen if t.shape.rank is not None]
        if any(t.shape.star is not None for t in seen) or not seen:
            yield [("x", _open_tensor(net, None))]
        for rank in dict.fromkeys([*ranks, 4, 3, 2, 5]):
            yield [("x", _open_tensor(net, rank))]

    def _run_body(self, walk: Walk, net: syntax.Net) -> None:
        walk.labels_ahead(net)
        walk.execute(net.body)
        self._finish(walk, net)

    def _finish(self, walk: Walk, net: syntax.Net) -> None:
        """The net's result: its last flow, or what it returns."""
        if walk.pending is not None:
            val, span = walk.pending
            walk.pending = None
            walk.results.append((val.value, span))
            walk.say(graph.Result(val.expr, span))
        elif not walk.returned and not walk.results:
            last = net.body[-1] if net.body else None
            if isinstance(last, syntax.Assign) and not self.report.failed:
                walk.error(
                    "no-result",
                    f"`{net.name}` gives no result",
                    last.span,
                    help="end with the value: a flow on a line of its own, or `return`",
                )
            elif not self.report.failed:
                walk.error(
                    "no-result",
                    f"`{net.name}` gives no result",
                    net.name_span,
                    help="end with a flow, or `return`",
                )
        walk.result = _joint([v for v, _ in walk.results])

    def class_sizes(self, net: syntax.Net) -> list[Symbol]:
        """The sizes that a net's class takes ahead of its hyperparameters."""
        from netdsl.elaborate.demand import in_size, needed_sizes

        stamp = sum(len(k) for k in self.keeps.values())
        if self._class_sizes[0] != stamp:
            self._class_sizes = (stamp, {})
        known = self._class_sizes[1]
        if id(net) not in known:
            walk = self.define(net)
            known[id(net)] = []
            symbols = {s.name: s for s in needed_sizes(self, walk)}
            for size in self.kept(net).values():
                for symbol in in_size(self, size):
                    if symbol.kind == "size":
                        symbols.setdefault(symbol.name, symbol)
            order = {name: i for i, name in enumerate(walk.sizes)}
            known[id(net)] = sorted(
                symbols.values(), key=lambda s: order.get(s.name, len(order))
            )
        return known[id(net)]

    def kept(self, net: syntax.Net) -> dict[str, Size]:
        """The sizes of its result that a net's class keeps, by attribute."""
        result = self.define(net).result
        out: dict[str, Size] = {}
        for attribute, index in self.keeps.get(id(net), {}).items():
            if isinstance(result, Tensor):
                try:
                    out[attribute] = result.shape.at(index)
                except Refusal:
                    continue
        return out

    # -- uses ------------------------------------------------------------------

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
            self.shapes.setdefault(id(net), []).append(vals[0].value)
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
        if used.failed:
            return BLUR
        return self._localised(walk, module, used.value, used.serial)

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
        actual = self._inputs_by_name(walk, net, vals, keywords, span)
        key = (
            id(net),
            tuple((k, freeze(a.value)) for k, a in module.given.items()),
            tuple((k, freeze(v.value)) for k, v in actual.items()),
            walk.facts.comparisons,
        )
        try:
            known = self._used.get((key, _ANY))
            if known is None:
                known = self._used.get((key, walk.training))
                self.asked_training += known is not None
        except TypeError:
            known, key = None, None  # type: ignore[assignment]
        if known is not None:
            self.report.extend(known.said)
            return known
        asked = self.asked_training
        label = Label(span, f"`{net.name}` is used here")
        inner = Walk(
            self,
            net,
            defining=False,
            facts=walk.facts,
            chain=(*walk.chain, label),
            training=walk.training,
        )
        serial = self._serial
        with self._inside(net, span), self.report.recorded() as said:
            self.run_use(inner, net, module.given, actual)
        used = Used(
            inner.result,
            dict(inner.sizes),
            inner.count,
            inner.built,
            isinstance(inner.result, Blur),
            serial,
            tuple(said.values()),
        )
        if key is not None:
            training = _ANY if asked == self.asked_training else walk.training
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
            walk.given = dict(given)
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
        except Stop:
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
            for name, size in zip(_lengths(net, len(sizes)), sizes[2:], strict=False):
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
            if _holds_net(self.parameter_kind(walk, parameter)):
                self.bind_net(net, parameter.name, value)
        symbol = Symbol(parameter.name, "hyper")
        walk.hypers[parameter.name] = symbol
        walk.bind(parameter.name, Val(value, graph.Ref(symbol), parameter.name_span))

    def _inputs_by_name(
        self,
        walk: Walk,
        net: syntax.Net,
        vals: Sequence[Val],
        keywords: Mapping[str, Val],
        span: Span,
    ) -> dict[str, Val]:
        names = self.input_names(net)
        actual: dict[str, Val] = {}
        if names is None:
            names = [f"x{i}" if i else "x" for i in range(len(vals))]
        for i, val in enumerate(vals):
            if i >= len(names):
                raise walk.stop(
                    "bad-input",
                    f"`{net.name}` takes {_inputs(len(names))}, and"
                    f" {len(vals)} flow in",
                    val.span or span,
                    labels=[Label(net.name_span, "defined here")],
                )
            actual[names[i]] = Val(val.value, val.expr, span)
        for name, val in keywords.items():
            if name not in names:
                raise walk.stop(
                    "unknown-argument",
                    f"`{net.name}` has no input `{name}`",
                    val.span or span,
                    help=walk.suggest(name, names),
                )
            if name in actual:
                raise walk.stop(
                    "repeated-argument",
                    f"`{net.name}` is given `{name}` twice",
                    val.span or span,
                )
            actual[name] = val
        return actual

    def input_names(self, net: syntax.Net) -> list[str] | None:
        """The names of a net's inputs; None for a list of layers."""
        if net.layer is None:
            return [
                n.id for s in net.body if isinstance(s, syntax.Input) for n in s.names
            ]
        inner = self.inner_net(net)
        return self.input_names(inner) if inner is not None else None

    def _localised(self, walk: Walk, module: Module, value: Any, serial: int) -> Any:
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
                if local:
                    return kept_size(walk, module, at, rank, starred)
            return size

        def tensor(t: Tensor) -> Tensor:
            shape = t.shape
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
            return type(value)(self._localised(walk, module, v, serial) for v in value)
        if isinstance(value, dict):
            return {
                k: self._localised(walk, module, v, serial) for k, v in value.items()
            }
        return value

    # -- functions of the file -------------------------------------------------

    def match_parameters(
        self,
        walk: Walk,
        fn: syntax.Fn,
        vals: Sequence[Val],
        keywords: Mapping[str, Val],
        span: Span,
    ) -> dict[str, Val]:
        given: dict[str, Val] = {}
        names = [p.name for p in fn.parameters]
        for i, val in enumerate(vals):
            if i >= len(names):
                raise walk.stop(
                    "too-many-arguments",
                    f"`{fn.name}` takes {_count(len(names))}, not {len(vals)}",
                    val.span or span,
                )
            given[names[i]] = val
        for name, val in keywords.items():
            if name not in names or name in given:
                code = "repeated-argument" if name in given else "unknown-argument"
                raise walk.stop(
                    code,
                    (
                        f"`{fn.name}` has no argument `{name}`"
                        if name not in names
                        else f"`{fn.name}` is given `{name}` twice"
                    ),
                    val.span or span,
                    help=walk.suggest(name, names),
                )
            given[name] = val
        for parameter in fn.parameters:
            if parameter.name not in given and parameter.default is None:
                raise walk.stop(
                    "missing-argument", f"`{fn.name}` needs `{parameter.name}`", span
                )
        return given

    def use_fn(
        self, walk: Walk, fn: syntax.Fn, given: Mapping[str, Val], label: Label
    ) -> Any:
        """The value of a function of the file for these arguments."""
        from netdsl.elaborate.fns import run_fn

        self.step(label.span)
        inner = Walk(
            self,
            fn,
            defining=False,
            facts=walk.facts,
            chain=(*walk.chain, label),
            training=walk.training,
        )
        with self._inside(fn, label.span):
            value = run_fn(inner, fn, given)
        walk.keep([(c, t) for c, t, _ in inner.conditions], label.span)
        self.fn_calls.setdefault(id(fn), {k: v.value for k, v in given.items()})
        self.fn_results.setdefault(id(fn), value)
        return value

    # -- externs ---------------------------------------------------------------

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
                    f"`{extern.name}` takes {_count(len(names))}",
                    argument.span or span,
                )
            inner.bind(names[i], Val(argument.value, argument.expr, argument.span))
        for name, argument in module.keywords.items():
            if name not in names:
                raise walk.stop(
                    "unknown-argument",
                    f"`{extern.name}` has no argument `{name}`",
                    argument.span or span,
                    help=walk.suggest(name, names),
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
                f"`{extern.name}` takes {_inputs(len(extern.inputs))}, and"
                f" {len(vals)} flow in",
                span,
            )  # fmt: skip
        from netdsl.elaborate.externs import extern_result

        return extern_result(inner, extern, vals, span)

    # -- members ---------------------------------------------------------------

    def member_of(self, net: syntax.Net, name: str) -> Any:
        """A layer of a net by its name, or the type of a parameter of its own."""
        walk = self.define(net)
        if name in walk.layers:
            return walk.layers[name]
        if name in walk.owns:
            return walk.scope[name].value
        return None

    # -- recursion -------------------------------------------------------------

    def check_recursion(self, net: syntax.Net, span: Span) -> None:
        """Stops where a net that is being walked is made once more."""
        if any(net is a for a in self._active):
            self._refuse_recursion(net, span)
            raise Stop

    def _refuse_recursion(self, item: syntax.Net | syntax.Fn, span: Span) -> None:
        if isinstance(item, syntax.Fn):
            text = f"`{item.name}` calls itself"
            help_ = "write a loop: `for` over a range or a list"
        else:
            text = f"`{item.name}` contains itself"
            help_ = "to repeat a part, make a chain: `[Block() for _ in range(depth)]`"
        labels = [Label(item.name_span, "defined here")]
        self.report.error("recursive-net", text, span, "", labels, help_)

    def _inside(self, net: syntax.Net | syntax.Fn, span: Span) -> Any:
        from contextlib import contextmanager

        @contextmanager
        def guard() -> Iterator[None]:
            if any(net is a for a in self._active):
                self._refuse_recursion(net, span)
                raise Stop
            if len(self._active) >= self.limits.nesting:
                self.report.error(
                    "too-deep",
                    f"nets are nested more than {self.limits.nesting} deep",
                    span,
                )
                raise Stop
            self._active.append(net)
            try:
                yield
            finally:
                self._active.pop()

        return guard()


def _reaches(walk: Walk, module: Module) -> bool:
    """Whether a layer is one that the walk itself made."""
    from netdsl.elaborate.trees import every_module

    for statement in walk.init:
        if isinstance(statement, graph.Register):
            if any(m is module for m in every_module(statement.module)):
                return True
    return walk.root is not None and any(m is module for m in every_module(walk.root))


def _holds_net(kind: str) -> bool:
    words = kind.replace("[", " ").replace("]", " ").replace(",", " ").replace("|", " ")
    return "net" in words.split()


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()


def _count(n: int) -> str:
    return "no arguments" if n == 0 else "one argument" if n == 1 else f"{n} arguments"


def _inputs(n: int) -> str:
    return "no inputs" if n == 0 else "one input" if n == 1 else f"{n} inputs"


# What the class of a list of layers calls the size that its first layer reads.
_OPEN_NAMES = ["in_features", "in_channels"]


# What the sizes behind batch and channels are called, by the number of sizes.
_LENGTHS = {3: ("length",), 4: ("height", "width"), 5: ("depth", "height", "width")}


def _lengths(net: syntax.Net, rank: int) -> list[str]:
    """The names of those sizes in a net whose parameters may have them already."""
    taken = {p.name for p in net.parameters}
    return [f"in_{n}" if n in taken else n for n in _LENGTHS.get(rank, ())]


def _open_tensor(net: syntax.Net, rank: int | None) -> Tensor:
    """A tensor of symbols: of any rank with its last size named, or of one rank."""
    x = Symbol("x", "input", "Tensor")

    def size(at: int) -> Size:
        name = f"_x_{at}"
        if at == -1 or (rank == 2 and at == 1):
            name = "in_features"
        elif at == 1 and rank is not None:
            name = "in_channels"
        elif rank is not None and at - 2 in range(len(_lengths(net, rank))):
            name = _lengths(net, rank)[at - 2]
        symbol = Symbol(name, "size", "int", place=(x, at))
        shown = "NCHWD"[at] if rank is not None and rank >= 3 and at < 5 else "_"
        if rank is None:
            shown = "C"
        elif rank == 2:
            shown = "NC"[at]
        elif rank == 5:
            shown = "NCDHW"[at]
        elif rank == 3:
            shown = "NCL"[at]
        return dims.of(dims.Name(name, 1, None, symbol, shown))

    if rank is None:
        return Tensor(Shape((), "", (size(-1),)))
    return Tensor(Shape(tuple(size(i) for i in range(rank))))


def _joint(values: list[Any]) -> Any:
    """The type of a net that returns at several places: the last says it all
    where they agree, else nothing is known."""
    if not values:
        return BLUR
    last = values[-1]
    if all(v == last for v in values):
        return last
    same = [v for v in values if type(v) is type(last)]
    if len(same) == len(values) and isinstance(last, Tensor):
        return last if len({v.shape.rank for v in values}) == 1 else Blur()
    return last if len(values) == 1 else Blur()


__all__ = ["Program", "Used", "dtype_of", "shape_items", "split_star"]
