"""What stands at a place: shapes before and after, what a layer holds, what it is."""

from __future__ import annotations

from typing import Any, NamedTuple

from netdsl import graph, syntax
from netdsl.answers.counts import module_count
from netdsl.answers.page import Page, Section
from netdsl.answers.signing import signature_of
from netdsl.answers.things import Place, Thing
from netdsl.answers.values import counted, held, is_tensors, module_at, show
from netdsl.elaborate.walk import Walk
from netdsl.layers import FUNCTIONS, LAYERS
from netdsl.layers.spec import Parameter


class Hover(NamedTuple):
    """Markdown, and the stretch of the text that it is about."""

    text: str
    start: int
    end: int


KINDS = {
    "hyperparameter": "hyperparameter",
    "input": "input",
    "size": "size",
    "let": "let",
    "value": "value",
    "own": "parameter or buffer",
    "bound": "loop variable",
    "layer": "layer",
    "member": "layer of a list",
}


def hover(page: Page, offset: int) -> Hover | None:
    """What is known of the place at an offset."""
    found = page.place_at(offset)
    if found is None:
        return _argument(page, offset)
    section, place = found
    shown = section.outside(place.span)
    if shown is None:
        return None
    parts = [_head(page, section, place), *_stage(page, section, place)]
    parts.append(_documentation(page, place.thing))
    text = "\n\n".join(p for p in parts if p)
    return Hover(text, *shown) if text else None


def code(text: str) -> str:
    """A piece of the language, as Markdown."""
    return f"```net\n{text}\n```"


# -- names -----------------------------------------------------------------------


def _head(page: Page, section: Section, place: Place) -> str:
    thing = place.thing
    if thing.kind in ("net", "fn", "extern", "constant"):
        return _definition(page, thing)
    if thing.kind in ("torch_layer", "torch_function"):
        return code(signature_of(page, thing))
    if thing.kind in ("layer", "member"):
        return code(_layer_text(section, place))
    value = value_of(section, place)
    shown = f"{thing.name}: {value}" if value else thing.name
    return f"{code(shown)}\n{KINDS[thing.kind]}"


def value_of(section: Section, place: Place) -> str:
    """The value or shape of a name at its place."""
    walk = section.walk
    if walk is None or walk.seen is None:
        return ""
    at = place.span.start, place.span.end
    if at in walk.seen.values:
        return _valued(walk, place, walk.seen.values[at])
    if at in walk.seen.stages:
        return show(walk.seen.stages[at][1])
    known = walk.scope.get(place.thing.name)
    return _valued(walk, place, known.value) if known is not None else ""


def _valued(walk: Walk, place: Place, value: Any) -> str:
    """Of a hyperparameter or size: its type, since its value is its own name."""
    name = place.thing.name
    text = show(value)
    symbol = walk.hypers.get(name)
    if place.thing.kind == "hyperparameter" and symbol is not None:
        default = symbol.value
        given = show(default.value) if default is not None else ""
        return symbol.type + (f" = {given}" if given else "")
    return "int" if text == name else text


def _layer_text(section: Section, place: Place) -> str:
    """`fc: Linear(32)`, as it was declared."""
    if section.item is None:
        return place.thing.name
    for node in syntax.walk(section.item):
        if isinstance(node, syntax.Labelled):
            label = node.label.span.text.strip("\"'")
            if label == place.thing.name:
                return _one_line(node.span.text)
    return place.thing.name


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 100 else text[:97] + "..."


# -- stages ----------------------------------------------------------------------


def _stage(page: Page, section: Section, place: Place) -> list[str]:
    """Shapes before and after the stage that a name stands in, and what it holds."""
    walk = section.walk
    if walk is None or walk.seen is None:
        return []
    at = _stage_around(walk, section, place)
    parts: list[str] = []
    if at is not None:
        before, after = map(show, walk.seen.stages[at])
    else:
        before, after = _called(walk, section, place)
    if after:
        parts.append(f"`{before or '?'}` → `{after}`")
    module = _module(walk, section, place)
    if module is not None:
        parts.append(_holds(page, walk, module))
    return parts


def _stage_around(walk: Walk, section: Section, place: Place) -> tuple[int, int] | None:
    """The stage of which a name is the label, or what it calls."""
    if place.role not in ("stage", "makes", "definition") or walk.seen is None:
        return None
    start, end = place.span.start, place.span.end
    around = [
        (a, b) for a, b in walk.seen.stages if a <= start and end <= b
    ]  # fmt: skip
    value = _labelled(section, place)
    if value is not None and value.span[1:] in walk.seen.stages:
        return value.span[1:]
    for stage in sorted(around, key=lambda s: s[1] - s[0]):
        text = section.item.span.chunk.text if section.item is not None else ""
        ahead = text[stage[0] : start].strip()
        if not ahead or ahead.endswith(":"):
            return stage
    return None


def _called(walk: Walk, section: Section, place: Place) -> tuple[str, str]:
    """What goes into and comes out of a layer or function that is called."""
    if walk.seen is None or section.item is None:
        return "", ""
    for node in syntax.walk(section.item):
        if isinstance(node, syntax.Call) and node.function.span == place.span:
            after = walk.seen.values.get(node.span[1:])
            given = (*node.arguments, *(k.value for k in node.keywords))
            values = (walk.seen.values.get(a.span[1:]) for a in given)
            before = ", ".join(show(v) for v in values if is_tensors(v))
            return (before, show(after)) if before and is_tensors(after) else ("", "")
    return "", ""


def _labelled(section: Section, place: Place) -> syntax.Expression | None:
    """The layer of which a name is the label."""
    for node in syntax.walk(section.item) if section.item is not None else ():
        if isinstance(node, syntax.Labelled) and node.label.span == place.span:
            return node.value
    return None


def _module(walk: Walk, section: Section, place: Place) -> graph.Module | None:
    """The layer that a name stands for, or makes."""
    if place.thing.kind == "layer" and place.thing.name in walk.layers:
        return walk.layers[place.thing.name]
    if section.item is None:
        return None
    for node in syntax.walk(section.item):
        if isinstance(node, syntax.Labelled) and node.label.span == place.span:
            return module_at(walk, node.value.span.start, node.value.span.end)
        called = isinstance(node, syntax.Call) and node.function.span == place.span
        if called or (isinstance(node, syntax.Name) and node.span == place.span):
            found = module_at(walk, node.span.start, node.span.end)
            if found is not None:
                return found
    return None


def _holds(page: Page, walk: Walk, module: graph.Module) -> str:
    tensors = held(module, walk)
    program = page.program
    count = module_count(program, walk, module) if program is not None else None
    if not tensors:
        return f"Holds {counted(count)}" if count else ""
    inner = ", ".join(f"`{name}: {t}`" for name, t in tensors.items())
    return f"Holds {inner}" + (f": {counted(count)}" if count is not None else "")


# -- documentation ---------------------------------------------------------------


def _definition(page: Page, thing: Thing) -> str:
    """A net, function, extern or constant: its first line, and what is said of it."""
    item = item_of(page, thing)
    if item is None:
        return ""
    if isinstance(item, syntax.Constant):
        return code(_one_line(item.span.text))
    parts = [code(signature_of(page, thing))]
    walk = page.class_of(item) if isinstance(item, syntax.Net) else None
    if isinstance(item, syntax.Net) and walk is not None:
        parts.append(_shapes(walk))
        count = page.count_of(item, walk)
        parts.append(counted(count) if count is not None else "")
    doc = getattr(item, "doc", None)
    parts.append(doc or "")
    return "\n\n".join(p for p in parts if p)


def _shapes(walk: Walk) -> str:
    """What a net takes and gives."""
    result = show(walk.result)
    given = [f"{name}: {show(value)}" for name, value in walk.input_types]
    return f"`{', '.join(given)}` → `{result}`" if result and given else ""


def item_of(page: Page, thing: Thing) -> syntax.Item | None:
    """The definition of a file that a thing is."""
    if page.files is None:
        return None
    file = page.files.files.get(thing.home[0])
    found = file.own.get(thing.name) if file is not None else None
    if found is None:
        return page.last_item(thing.name) if thing.home[0] == page.name else None
    return found


def _documentation(page: Page, thing: Thing) -> str:
    table = {"torch_layer": LAYERS, "torch_function": FUNCTIONS}.get(thing.kind)
    if table is None or thing.name not in table:
        return ""
    declaration = table[thing.name]
    inferred = [p.name for p in declaration.signature.parameters if p.inferred]
    told = ", ".join(f"`{n}`" for n in inferred)
    follows = "follows" if len(inferred) == 1 else "follow"
    more = f" {told} {follows} from what flows in." if inferred else ""
    return declaration.doc + more


# -- arguments -------------------------------------------------------------------


def _argument(page: Page, offset: int) -> Hover | None:
    """The name of an argument that a layer or function of torch is given."""
    section = page.section_at(offset)
    at = section.inside(offset) if section is not None else None
    if section is None or at is None or section.item is None:
        return None
    for node in syntax.walk(section.item):
        if not isinstance(node, syntax.Call):
            continue
        for keyword in node.keywords:
            span = keyword.name_span
            if span.start <= at <= span.end:
                return _torch_argument(page, section, node, keyword)
    return None


def _torch_argument(
    page: Page, section: Section, call: syntax.Call, keyword: syntax.Keyword
) -> Hover | None:
    name = call.function.span.text
    declaration = LAYERS.get(name) or FUNCTIONS.get(name)
    shown = section.outside(keyword.name_span)
    if declaration is None or shown is None:
        return None
    known = declaration.signature.by_name.get(keyword.name)
    if known is None and declaration.is_layer:
        known = declaration.call.by_name.get(keyword.name)
    if known is None:
        return None
    return Hover(f"{code(argument_text(known))}\nargument of `{name}`", *shown)


def argument_text(parameter: Parameter) -> str:
    """`bias: bool = True`"""
    from netdsl.layers.written import argument

    text = argument(parameter).lstrip("*")
    kinds = [k for k in parameter.kinds if k != "?" and not k.startswith("size[")]
    kind = " | ".join(kinds) or "int"
    name, equal, default = text.partition("=")
    return f"{name}: {kind}" + (f" = {default}" if equal else "")
