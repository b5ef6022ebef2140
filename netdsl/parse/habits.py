"""What people write who come from Python, C or torch, and slips of the finger."""

from __future__ import annotations

import re

from netdsl.diagnostics import Edit
from netdsl.parse.site import Guess, Site
from netdsl.suggestions import did_you_mean, nearest

ITEMS = ("net", "fn", "let", "expect", "extern", "from")
LINES = ("input", "param", "buffer", "init", "tie", "let", "return", "if", "for")
PYTHON = {
    "def": "what a method does is written as lines of the net, and a function stands"
    " at the top of the file: `fn NAME(...) = ...`",
    "class": "a net stands at the top of the file: `net NAME:`",
    "lambda": "write a function at the top of the file: `fn NAME(x) = ...`",
    "import": 'other files are imported at the top: `from "blocks.net" import Block`',
    "while": "a loop is `for ... in ...`",
    "with": "whoever calls the net decides about gradients and precision",
    "try": "a net catches no errors",
    "assert": "conditions on sizes stand behind `where` of an input",
    "print": "a net prints nothing; `netdsl check` tells the shapes",
    "del": "a value that nothing uses any more is gone",
    "global": "a constant of the file is `let NAME = VALUE` at its top",
    "async": "a net just runs",
    "yield": "a net gives all its results at once: `return a, b`",
    "raise": "conditions on sizes stand behind `where` of an input",
}


TOP = {
    "class": "a network starts with `net NAME:`",
    "def": "a function starts with `fn NAME(...):`, a network with `net NAME:`",
    "import": 'other files are imported as `from "blocks.net" import Block`',
    "input": "put it inside a net, indented under `net NAME:`",
}
"""What stands at the top of a file instead."""


def top_word(site: Site) -> Guess | None:
    """A line at the top of a file that begins with no known word."""
    if site.before or not site.found[:1].isalpha():
        return None
    word = site.found
    if re.match(r"(import|from)\s+torch\b", site.line):
        return _torch_import(site)
    if word in ("model", "network", "module", "Net", "NET", "Module", "Model"):
        edit = site.replace(site.start, site.end, "net")
        text = f"a network starts with `net`, not with `{word}`"
        return Guess(text, "write `net NAME:`", (edit,))
    known = did_you_mean(word, ITEMS, site.span(site.start, site.end))
    if known.edits and re.match(r"\s+\S", site.after):
        return Guess(_no_start(word), known.text, known.edits)
    if word in PYTHON and site.line_start:
        return Guess(_no_start(word), TOP.get(word, PYTHON[word]))
    return None


def _no_start(word: str) -> str:
    return f"`{word}` can't start a line at the top of a file"


def _torch_import(site: Site) -> Guess:
    text = site.chunk.text
    lines = re.compile(r"(?:(?:import|from)\s+torch\b[^\n]*(?:\n|$))+")
    found = lines.match(text, site.line_start)
    assert found is not None
    return Guess(
        "torch is not imported in a `.net` file",
        "delete the line: torch's layers and functions go by their bare names",
        (site.replace(found.start(), found.end(), ""),),
        site.span(site.line_start, site.line_end),
    )


def torch_from(site: Site) -> Guess | None:
    """`from torch import nn`, `from blocks import Block`"""
    found = re.match(r"from\s+(\.*[\w.]+)\s+import\b", site.line)
    if not found:
        return None
    module = found[1]
    if module.split(".")[0] in (
        "torch",
        "torchvision",
        "timm",
        "transformers",
        "numpy",
    ):
        if module.startswith("torch."):
            module = "torch"
        if module == "torch":
            return _torch_import(site)
        return Guess(
            f"`{module}` is a Python package, and a `.net` file imports `.net` files",
            "a module of Python is declared: `extern NAME(...): [SIZES] -> [SIZES]`",
        )
    path = module.lstrip(".").replace(".", "/").removesuffix("/net") + ".net"
    start = site.line_start + found.start(1)
    return Guess(
        "a file is imported by its path, in quotes",
        f'write `from "{path}" import ...`',
        (site.replace(start, start + len(found[1]), f'"{path}"'),),
        site.span(start, start + len(found[1])),
    )


def import_star(site: Site) -> Guess | None:
    if site.found != "*" or not re.match(r"from\b.*\bimport\s*$", site.before):
        return None
    return Guess("names are imported one by one", "write `import Block, Head`")


def python_word(site: Site) -> Guess | None:
    if not site.margin:
        return None
    word = site.found if site.found in PYTHON else ""
    last = re.search(r"\b([a-z]+)\s*$", site.before)
    start = site.start
    if not word and last and last[1] in PYTHON:
        word = last[1]
        start = site.line_start + last.start(1)
    if not word:
        return None
    span = site.span(start, start + len(word))
    return Guess(
        f"`{word}` is Python, and no word of a `.net` file", PYTHON[word], (), span
    )


def line_word(site: Site) -> Guess | None:
    """`inptu x: [N, 8]`"""
    found = re.match(r"\s+([A-Za-z]+)\s+$", site.before)
    if not found or not re.match(r"\w", site.found):
        return None
    start = site.line_start + found.start(1)
    span = site.span(start, start + len(found[1]))
    known = did_you_mean(found[1], LINES, span)
    if not known:
        return None
    return Guess(f"`{found[1]}` can't start a line", known.text, known.edits, span)


def import_word(site: Site) -> Guess | None:
    if not re.match(r'from\s+"[^"]*"\s+$', site.before):
        return None
    if nearest(site.found, ["import"]) != "import":
        return None
    edit = site.replace(site.start, site.end, "import")
    return Guess("`import` is due here", "did you mean `import`?", (edit,))


def else_if(site: Site) -> Guess | None:
    found = re.match(r"\s*(else\s+if|elseif|elsif|elif\s+if)\b", site.line)
    if not found:
        return None
    start, end = (site.line_start + at for at in found.span(1))
    return Guess(
        "a further condition starts with `elif`",
        f"write `elif` for `{found[1]}`",
        (site.replace(start, end, "elif"),),
        site.span(start, end),
    )


def equals_in_test(site: Site) -> Guess | None:
    if site.found != "=" or site.head not in ("if", "elif", "expect"):
        return None
    return Guess(
        "two values are compared with `==`",
        "`=` names a value",
        (site.replace(site.start, site.end, "=="),),
    )


def expect_params(site: Site) -> Guess | None:
    found = re.match(r"expect\s.*\bparams\s*(=|is|:)(?!=)", site.line)
    if not found:
        return None
    start, end = (site.line_start + at for at in found.span(1))
    return Guess(
        "two values are compared with `==`",
        "write `expect NET params == NUMBER`",
        (site.replace(start, end, "=="),),
        site.span(start, end),
    )


def increment(site: Site) -> Guess | None:
    found = re.match(r"\s*(\w+)\s*(\+\+|--)\s*$", site.line)
    if not found:
        return None
    start, end = (site.line_start + at for at in found.span(2))
    return Guess(
        f"`{found[2]}` is no operator here",
        f"write `{found[1]} {found[2][0]}= 1`",
        (site.replace(start, end, f" {found[2][0]}= 1"),),
        site.span(start, end),
    )


def empty_block(site: Site) -> Guess | None:
    line = site.line.split("#")[0].rstrip()
    if not site.at_end or not line.endswith(":"):
        return None
    if site.head not in ("net", "fn", "if", "elif", "else", "for"):
        return None
    end = site.line_start + len(line)
    return Guess(
        "no lines belong to this one",
        "the lines that belong to it stand below, indented by four spaces",
        (),
        site.span(end - 1, end),
    )


def braces(site: Site) -> Guess | None:
    if site.found != "{" or site.head not in ("net", "fn", "if", "else", "for"):
        return None
    return Guess(
        "the lines of a block are not in braces",
        f"end the `{site.head}` line with `:`, and indent its lines by four spaces",
    )


def slashes(site: Site) -> Guess | None:
    if not re.match(r"\s*//", site.line) or site.before.strip():
        return None
    edit = site.replace(site.start, site.start + 2, "#")
    return Guess("a comment starts with `#`", "write `#`, not `//`", (edit,))


def result_type(site: Site) -> Guess | None:
    """`net A(n: int) -> Tensor:`, `fn f(x) -> int:`, `fn f(x) -> x + 1`"""
    if site.found != "->" or site.head not in ("net", "fn"):
        return None
    start = site.behind_last()
    if site.after.rstrip().endswith(":"):
        end = site.line_start + len(site.line.rstrip()) - 1
        return Guess(
            f"a {_kind(site)} doesn't declare its result: it follows from its lines",
            "end the line with `:`",
            (site.replace(start, end, ""),),
        )
    if site.head == "fn":
        return Guess(
            "the value of a function stands behind `=`",
            "write `fn NAME(...) = VALUE`",
            (site.replace(site.start, site.end, "="),),
        )
    return None


def _kind(site: Site) -> str:
    return "net" if site.head == "net" else "function"


def return_stage(site: Site) -> Guess | None:
    """`x -> fc: Linear(4) -> return`"""
    if site.found != "return" or not site.before.rstrip().endswith("->"):
        return None
    start = len(site.chunk.text[: site.start].rstrip()[:-2].rstrip())
    return Guess(
        "`return` is no stage",
        "the last flow of a net is its result: delete `-> return`",
        (site.replace(start, site.end, ""),),
    )


def stray_for(site: Site) -> Guess | None:
    """`x -> body: Linear(8) for _ in range(3)`"""
    if site.found != "for" or not site.before.strip() or site.opener()[0]:
        return None
    found = re.search(r"(?:->|:|=)\s*([^:=>]+?)\s*$", site.before)
    start = site.line_start + found.start(1) if found else site.start
    end = site.line_start + len(site.line.split("#")[0].rstrip())
    inner = site.chunk.text[start:end]
    return Guess(
        "layers made by `for` stand in square brackets",
        f"write `[{inner}]`",
        (site.insert(start, "["), site.insert(end, "]")),
        site.span(start, end),
    )


def no_start_value(site: Site) -> Guess | None:
    """`param scale: [8]`"""
    line = site.line.split("#")[0].rstrip()
    if not site.at_end or not re.match(r"\s*(param|buffer)\s+\w+\s*:.*\]$", line):
        return None
    return Guess(
        f"a `{site.head}` needs a value to start with",
        f"write `{line.strip()} = zeros`, or another initialiser",
    )


def for_without_in(site: Site) -> Guess | None:
    found = re.search(r"\bfor\s+\w+\s+$", site.before)
    if not found or site.found in ("in", ","):
        return None
    of = site.found in ("of", "over", "to", "through")
    edit = (
        site.replace(site.start, site.end, "in")
        if of
        else site.insert(site.start, "in ")
    )
    return Guess("a loop is written `for NAME in VALUES`", "`in` is missing", (edit,))


def keyword_as_name(site: Site) -> Guess | None:
    from netdsl.parse.trouble import KEYWORDS

    word = site.found
    start = site.start
    named = re.match(r"\s*:", site.after)
    if word == ":" or word == "=":
        last = re.search(r"(\w+)\s*$", site.before)
        if last and last[1] in KEYWORDS and last[1] != site.head:
            word, start, named = last[1], site.line_start + last.start(1), last
    if word not in KEYWORDS or not named or word in ("else",):
        return None
    return Guess(
        f"`{word}` is a word of the language, so nothing can be named so",
        f"call it `{word}_`",
        (),
        site.span(start, start + len(word)),
    )


def digit_first(site: Site) -> Guess | None:
    found = re.search(r"(?<![\w.])(\d+)$", site.before)
    if not found or not re.match(r"[A-Za-z_]\w*$", site.found):
        return None
    name = found[1] + site.found
    start = site.line_start + found.start(1)
    return Guess(
        "a name doesn't begin with a digit",
        f'begin it with a letter; a layer may be called `"{name}"`, in quotes',
        (),
        site.span(start, site.end),
    )


def dash_in_name(site: Site) -> Guess | None:
    found = re.search(r"->\s*([A-Za-z_]\w*(?:-\w+)+)\s*$", site.before)
    if site.found != ":" or not found:
        return None
    name = found[1]
    start = site.line_start + found.start(1)
    return Guess(
        "a name has no `-`",
        f'write `{name.replace("-", "_")}`, or `"{name}"` in quotes',
        (),
        site.span(start, start + len(name)),
    )


def net_name(site: Site) -> Guess | None:
    if re.match(r"net\s*[:(]", site.line) and site.start <= site.line_start + 4:
        return Guess("this net has no name", "write `net NAME:`")
    found = re.match(r"net\s+([\"'])(\w+)\1", site.line)
    if found:
        start = site.line_start + found.start(1)
        end = start + len(found[2]) + 2
        edit = site.replace(start, end, found[2])
        return Guess("a net's name isn't quoted", f"write `net {found[2]}`", (edit,))
    return None


def round_shape(site: Site) -> Guess | None:
    found = re.match(r"\s*(?:input|param|buffer)\s+[\w, ]+:\s*$", site.before)
    close = site.chunk.text.find(")", site.end)
    if site.found != "(" or not found:
        return None
    edits: tuple[Edit, ...] = ()
    if 0 < close < site.line_end:
        edits = (
            site.replace(site.start, site.end, "["),
            site.replace(close, close + 1, "]"),
        )
    return Guess("a shape stands in square brackets", "write `[N, C]`", edits)


def torch_type(site: Site) -> Guess | None:
    """`input x: torch.int64[B, T]`, `block: nn.Module`"""
    found = re.search(r":\s*((?:torch|nn|np|typing|t|jt)\s*)$", site.before)
    word = re.match(r"\s*(\w+)", site.after)
    if site.found != "." or not found or not word:
        return None
    start = site.line_start + found.start(1)
    prefix = site.chunk.text[start : site.end].strip()
    if word[1] == "Tensor" and not site.after.lstrip()[6:].startswith("["):
        return Guess(
            "a tensor is declared by its shape",
            "write `[N, C]`, with a name for each size",
            (),
            site.span(start, site.end + word.end()),
        )
    return Guess(
        f"`{prefix}` is not written in a `.net` file",
        f"write `{word[1]}`",
        (site.replace(start, site.end + word.start(1), ""),),
        site.span(start, site.end),
    )


def no_shape(site: Site) -> Guess | None:
    found = re.match(r"\s*input\s+(\w+)\s*:?\s*(?:\w+\s*)?$", site.line.split("#")[0])
    if not found or not site.at_end:
        return None
    return Guess(
        f"the shape of `{found[1]}` is missing",
        f"write `input {found[1]}: [SIZES]`, such as `[N, 3, H, W]`",
    )


def no_value(site: Site) -> Guess | None:
    line = site.line.split("#")[0].rstrip()
    if not site.at_end or not re.search(r"(?:[-+*/=]=?|\bin|\breturn)$", line):
        return None
    if line.endswith(("return", "in")):
        return None
    sign = re.search(r"[-+*/=]+$", line)
    assert sign is not None
    return Guess(
        f"a value is missing behind `{sign[0]}`",
        "a line goes on only inside brackets, or where the next begins with `->`",
    )


def doubled_comma(site: Site) -> Guess | None:
    if site.found != "," or not site.before.rstrip().endswith((",", "(", "[")):
        return None
    return Guess("a value is missing before this comma", "delete it", (
        (site.replace(site.start, site.end, ""),)
    ))  # fmt: skip
