"""The codes of messages: what each means, the smallest file that gets it, and
the same file mended.

`netdsl explain CODE`, the reference and the tests read this table.  A code is
for ever: people search for it and scripts compare it.
"""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """One kind of message.

    `example` gets it and `mended` doesn't, both as a file named `example.net`
    with `files` beside it.  A code that no short text can get has no example.
    """

    title: str
    explanation: str
    example: str
    mended: str
    files: tuple[tuple[str, str], ...] = ()


def explain(code: str) -> str:
    """The page about a code; LookupError, with what may be meant, if unknown."""
    name = code.strip().lower().replace("_", "-").replace(" ", "-")
    if name not in CODES:
        raise LookupError(f"there is no code `{code}`{_meant(name)}")
    found = CODES[name]
    parts = [f"{name}: {found.title}", found.explanation.rstrip()]
    if found.example:
        parts += ["This gets the message:", _indented(found.example)]
        parts += ["This is right:", _indented(found.mended)]
    for path, text in found.files:
        parts += [f"with {path} beside it:", _indented(text)]
    return "\n\n".join(parts) + "\n"


def _meant(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, CODES, n=3, cutoff=0.5)
    if not near:
        return "; `netdsl explain` lists them all"
    return "; did you mean " + " or ".join(f"`{code}`" for code in near) + "?"


def _indented(text: str) -> str:
    lines = text.rstrip().split("\n")
    return "\n".join(f"    {line}" if line else "" for line in lines)


CODES: dict[str, Code] = {
    "syntax-error": Code(
        "the text can't be read as `.net`",
        """\
The reader met a word or a sign that can't stand where it stands. What could
stand there is named in the message; look also at the end of the line above.

A flow is `value -> stage -> stage`, a layer is `name: Layer(arguments)`,
branches are `{ one | other }`. Only a line that begins with `->` or `|`, or
one inside brackets, goes on with the line above.
""",
        """\
net Small:
    input x: [N, 8]
    x -> -> fc: Linear(4)
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4)
""",
    ),
    "bad-indentation": Code(
        "a line is indented like no line above it",
        """\
The lines of a net, a loop or a condition stand below each other, deeper than
the line that opens them. A line further left ends the block, and must then be
as deep as a line before that block. Indent with spaces, four for each level;
tabs are refused, since editors show them in different widths.
""",
        """\
net Small:
    input x: [N, 8]
  x -> fc: Linear(4)
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4)
""",
    ),
    "unclosed-bracket": Code(
        "a bracket has no partner",
        """\
Each `(`, `[` and `{` needs its closing partner, and brackets must close in the
order in which they were opened. The message points at the bracket without a
partner. The mistake itself is often a few lines lower, where the partner should
have stood.
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4)
""",
    ),
    "bad-character": Code(
        "a character that a `.net` file can't hold here",
        """\
Names and signs are plain ASCII. Letters and signs that only look alike get into
a file by pasting it from a page or a chat: curly quotes, a long dash, a
no-break space, an arrow of one character. Write the plain ones.

Text of any language is welcome in comments, docstrings and strings. Nowhere
allowed are control characters, a carriage return without a line feed, and the
characters that turn the direction of writing, since they can make a line look
like another one.
""",
        """\
net Small:
    input x: [N, 8]
    x → fc: Linear(4)
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4)
""",
    ),
    "bad-encoding": Code(
        "the file is not UTF-8 text",
        """\
A `.net` file is text in UTF-8; a byte order mark at its start is accepted. The
bytes at the named place are not UTF-8: the file may have been saved in another
encoding (Latin-1, UTF-16), or may be no text at all. Save it as UTF-8 in your
editor.
""",
        "",
        "",
    ),
    "too-large": Code(
        "the file is larger than netdsl reads",
        """\
A source may have at most 1 MiB (1,048,576 bytes), an item of it at most 200,000
words and signs, and at most 64 files may be imported by one another, 16 deep. The
largest hand-written models need a hundredth of that, so the file is probably
generated or not a `.net` file.

A program that trusts its files can allow more: `netdsl.load(path,
limits=Limits(source_bytes=...))`.
""",
        "",
        "",
    ),
    "too-deep": Code(
        "brackets, blocks or calls are nested too deeply",
        """\
Brackets, branches and blocks may be nested 64 deep, and so may calls of `fn`
and nets within nets. Python itself refuses code that is nested much deeper.
Split the expression with a `let`, or make the inner part a net of its own.
""",
        f"""\
let deep = {"[" * 65 + "]" * 65}

net Small:
    input x: [N, 8]
    x -> fc: Linear(len(deep))
""",
        """\
let flat = [8]

net Small:
    input x: [N, 8]
    x -> fc: Linear(len(flat))
""",
    ),
    "too-many-steps": Code(
        "working out a value takes too long",
        """\
Loops, comprehensions, calls and uses of nets may take 100,000 steps in one item
and 200,000 in one run, and numbers, strings and lists can't grow without bound. So
any file, a stranger's too, is checked in bounded time. Look for a range that is
larger than meant, or for loops within loops; often a closed form says the same.
""",
        """\
let total = sum(range(10 ** 12))

net Small:
    input x: [N, 8]
    x -> fc: Linear(total)
""",
        """\
let total = sum(range(10))

net Small:
    input x: [N, 8]
    x -> fc: Linear(total)
""",
    ),
    "too-many-layers": Code(
        "a net has more layers than are built",
        """\
A net may have 10,000 layers, all those inside its layers counted. A comprehension
in a comprehension multiplies: 200 blocks of 100 layers are 20,000.

A program can allow more: `netdsl.load(path, limits=Limits(layers=...))`.
""",
        """\
net Deep:
    input x: [N, 8]
    x -> layers: [Linear(8) for _ in range(20_000)]
""",
        """\
net Deep:
    input x: [N, 8]
    x -> layers: [Linear(8) for _ in range(20)]
""",
    ),
    "too-many-parameters": Code(
        "a net has more parameters than can be meant",
        """\
A net may have a million million parameters (10 ** 12), which is more than the
largest published models have. A size with some zeros too many, or a product of
all the sizes of an image in front of a `Linear`, is the usual reason.

A program can allow more: `netdsl.load(path, limits=Limits(parameters=...))`.
""",
        """\
net Wide:
    input x: [N, 8]
    x -> fc: Linear(10 ** 15)
""",
        """\
net Wide:
    input x: [N, 8]
    x -> fc: Linear(10 ** 5)
""",
    ),
    "unknown-name": Code(
        "a name that nothing has",
        """\
The name is neither a value, a size, a hyperparameter nor a `let` that can be
seen here. Names are seen below the line that makes them and inside their own
net; a hyperparameter of one net is handed to another as an argument. Where a
name is similar, the message proposes it.
""",
        """\
net Small(width: int):
    input x: [N, 8]
    x -> fc1: Linear(width) -> fc2: Linear(widht)
""",
        """\
net Small(width: int):
    input x: [N, 8]
    x -> fc1: Linear(width) -> fc2: Linear(width)
""",
    ),
    "unknown-layer": Code(
        "a layer that netdsl doesn't know",
        """\
A Capitalised name at a stage is a net of this file, an imported net, an
`extern`, or a layer of `torch.nn`, under torch's own name. This name is none of
them. Where one is similar, the message proposes it.

A layer of another Python package is declared with `extern`, and whoever
compiles or loads the file says where it comes from.
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Liner(4)
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4)
""",
    ),
    "unknown-function": Code(
        "a function that netdsl doesn't know",
        """\
A lower-case name at a stage or before `(` is a layer that was named in this
net, an `fn`, or one of torch's functions. This name is none of them. Where one
is similar, the message proposes it. A layer that is named further down in the
text can't be used yet: declare it on a line of its own above.
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4) -> rellu
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4) -> relu
""",
    ),
    "unknown-argument": Code(
        "an argument that a layer, function or net doesn't take",
        """\
Arguments have torch's own names, and those of a net are its hyperparameters.
This one isn't among them; the message lists those there are, or proposes a
similar one. `device` and `dtype` can't be given: the caller moves the built
module.
""",
        """\
net Small:
    input image: [N, 3, 32, 32]
    image -> conv: Conv2d(8, 3, paddding=1)
""",
        """\
net Small:
    input image: [N, 3, 32, 32]
    image -> conv: Conv2d(8, 3, padding=1)
""",
    ),
    "missing-argument": Code(
        "an argument without a default is not given",
        """\
The layer, function or net needs this argument to be built. Give it by position
or by name. Sizes of the input are never written, since they follow from the
tensor that flows in: `Conv2d(8, 3)` has 8 output channels and a kernel of 3.
""",
        """\
net Small:
    input image: [N, 3, 32, 32]
    image -> conv: Conv2d(8)
""",
        """\
net Small:
    input image: [N, 3, 32, 32]
    image -> conv: Conv2d(8, 3)
""",
    ),
    "too-many-arguments": Code(
        "more arguments are given by position than are taken",
        """\
The layer, function or net takes fewer arguments by position. A layer whose
input size follows from the tensor takes only its required arguments by
position, and all else by name. So torch's habit of writing the input's size
first, `Linear(8, 4)`, is refused instead of building another network: leave the
first number out.
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(8, 4)
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4)
""",
    ),
    "repeated-argument": Code(
        "an argument is given twice",
        """\
The same argument is given twice, by name, or once by position and once by name.
Only one of the two can hold: take the other one out.
""",
        """\
net Small:
    input image: [N, 3, 32, 32]
    image -> conv: Conv2d(8, 3, padding=1, padding=2)
""",
        """\
net Small:
    input image: [N, 3, 32, 32]
    image -> conv: Conv2d(8, 3, padding=1)
""",
    ),
    "wrong-type": Code(
        "a value of another type is wanted",
        """\
Hyperparameters and arguments have types: a number of channels is an int, a
probability is a float (an int will do), a kernel size is an int or a tuple of
ints. The message names the type that is wanted and the value that came.
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear("4")
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4)
""",
    ),
    "wrong-value": Code(
        "a value that is out of bounds",
        """\
The value has the right type, but torch refuses it: a probability lies between 0
and 1, a kernel is at least 1 wide, `padding_mode` is one of a few words, the
number of groups divides the number of channels. The message says what is
allowed.
""",
        """\
net Small:
    input x: [N, 8]
    x -> drop: Dropout(1.5)
""",
        """\
net Small:
    input x: [N, 8]
    x -> drop: Dropout(0.5)
""",
    ),
    "wrong-dtype": Code(
        "a tensor of another dtype is wanted",
        """\
A tensor is of floats unless its input says otherwise. Indices, as `Embedding`
and `gather` want them, are integers, masks are `bool`; a `Linear` or a
convolution wants floats. Say the dtype at the input, `int64[B, T]`, or convert
on the way: `to(float32)`.
""",
        """\
net Words:
    input tokens: [B, T]
    tokens -> table: Embedding(1000, 64)
""",
        """\
net Words:
    input tokens: int64[B, T]
    tokens -> table: Embedding(1000, 64)
""",
    ),
    "shape-mismatch": Code(
        "a tensor doesn't have the shape that is wanted here",
        """\
A layer or function works on tensors of certain shapes only: `Conv2d` wants
channels and two sizes of an image, `a @ b` wants the last size of `a` to be the
last but one of `b`, `a + b` wants equal sizes, or a 1. The message shows the
shapes that came, and labels show where they came from.

Some steps work for certain sizes and hyperparameters only: `C` channels can be
split among `heads` if `heads` divides `C`, a residual around a padded convolution
wants an odd kernel. That is no mistake of the net; it is decided at each use, and
the message then has a label at the step and one at the use.

The usual ways out: `flatten(1)` between an image and a `Linear`, `transpose` or
`permute` where sizes are in another order, `unsqueeze` where one is missing.
""",
        """\
net Small:
    input x: [N, 10]
    x -> conv: Conv2d(8, 3)
""",
        """\
net Small:
    input x: [N, 3, 32, 32]
    x -> conv: Conv2d(8, 3)
""",
    ),
    "branch-mismatch": Code(
        "branches that are joined have different shapes",
        """\
Branches are joined by `add` or `mul` if their shapes are equal, and by
`cat(dim=d)` if all sizes but that one are equal. Labels show the shape at the
end of each branch.

In a residual block, the branch that is `skip` keeps the shape of what came in.
If the other one changes the number of channels or halves the image, project the
skip too, with `Conv2d(channels, 1, stride=2)`; if a convolution shrinks the
image by a few pixels, it wants `padding`.
""",
        """\
net Residual:
    input x: [N, 64, 32, 32]
    x -> { skip | conv: Conv2d(128, 3, padding=1) } -> add
""",
        """\
net Residual:
    input x: [N, 64, 32, 32]
    x -> { skip | conv: Conv2d(64, 3, padding=1) } -> add
""",
    ),
    "arms-mismatch": Code(
        "the two arms of a condition give different shapes",
        """\
What follows a condition works with the result of either arm, so both must give
the same shape and dtype. Labels show both. If the condition is known when the
module is built, write what follows into the arms, or give the arms the same
size.
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(16) if training else skip
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(8) if training else skip
""",
    ),
    "size-mismatch": Code(
        "a size is not the one that was declared",
        """\
The shape of an input, of a parameter of an `fn`, or of a result says which
sizes there are: a number is that number, a name is one size throughout the net,
a `where` adds a condition. Here a tensor with another size comes in. The labels
show the declaration and the tensor.
""",
        """\
net Eye:
    input image: [N, 3, H, W]
    image -> conv: Conv2d(8, 3)

net Camera:
    input grey: [N, 1, 64, 64]
    grey -> eye: Eye
""",
        """\
net Eye:
    input image: [N, 3, H, W]
    image -> conv: Conv2d(8, 3)

net Camera:
    input colour: [N, 3, 64, 64]
    colour -> eye: Eye
""",
    ),
    "size-not-inferred": Code(
        "no tensor tells the size that a layer needs",
        """\
`Linear(4)` takes its `in_features` from the tensor that flows in. Here no tensor
flows into the layer, or one whose size isn't known when the module is built.
Send a tensor through it, or say the size by its name: for torch's layers torch's
own (`in_features`, `in_channels`), for nets the name that the net's input gives
it.
""",
        """\
net Shared:
    input x: [N, 8]
    fc: Linear(4)
    x -> linear(fc.weight)
""",
        """\
net Shared:
    input x: [N, 8]
    fc: Linear(4, in_features=8)
    x -> linear(fc.weight)
""",
    ),
    "unknown-rank": Code(
        "the number of a tensor's sizes must be known here",
        """\
`*` in a shape stands for any number of sizes, so a dimension that is counted
from the left is not known: in `[*, 5]` dimension 1 may be any. Count from the
right, `dim=-1`, or write the sizes of the input out.
""",
        """\
net Join:
    input x, y: [*, 5]
    (x, y) -> cat(dim=1)
""",
        """\
net Join:
    input x, y: [*, 5]
    (x, y) -> cat(dim=-1)
""",
    ),
    "bad-dimension": Code(
        "a dimension that the tensor doesn't have",
        """\
Dimensions count from 0 on the left and from -1 on the right, so a tensor
`[N, 8]` has the dimensions 0 and 1, or -2 and -1. This number is beyond them, or
the same dimension is named twice.
""",
        """\
net Small:
    input x: [N, 8]
    x -> softmax(dim=2)
""",
        """\
net Small:
    input x: [N, 8]
    x -> softmax(dim=1)
""",
    ),
    "data-dependent": Code(
        "a shape that follows from the values of a tensor",
        """\
The sizes of every tensor follow from the sizes of the inputs. How many elements a
mask picks, or how many classes there are among some numbers, shows only when the
values are there, so nothing behind it could be checked. Keep the shape, with
`where` or `masked_fill`, or say the size.
""",
        """\
net Small:
    input labels: int64[N]
    labels -> one_hot
""",
        """\
net Small:
    input labels: int64[N]
    labels -> one_hot(10)
""",
    ),
    "duplicate-name": Code(
        "a name is given to two things",
        """\
A layer's name is its key in the `state_dict`, so no two layers of a net share
one; nor do two nets of a file, two inputs or two hyperparameters. To send a
tensor through the same layer again, mention its name alone: `-> fc`. A name for
a tensor may be bound again.
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(8) -> fc: Linear(4)
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc1: Linear(8) -> fc2: Linear(4)
""",
    ),
    "reserved-name": Code(
        "a name that Python or PyTorch keeps for itself",
        """\
The name becomes an attribute of a module or a name in Python. Keywords of
Python can't be used there, nor names that `nn.Module` has already:
`module.half` would go on being the method, and the layer could not be reached.
Choose another name. If a checkpoint has this very key, write the name in quotes
inside a chain: `["lambda": Linear(8)]`.
""",
        """\
net Small:
    input x: [N, 8]
    x -> half: Linear(4)
""",
        """\
net Small:
    input x: [N, 8]
    x -> halved: Linear(4)
""",
    ),
    "unused-value": Code(
        "a value that leads nowhere",
        """\
A tensor is worked out here and nothing uses it. That is nearly always a slip:
the next line starts from another name than was meant. Use the value, return it,
or delete the line; name it `_` if it is wanted for nothing.
""",
        """\
net Small:
    input x: [N, 8]
    y = x -> fc1: Linear(8)
    x -> fc2: Linear(4)
""",
        """\
net Small:
    input x: [N, 8]
    y = x -> fc1: Linear(8)
    y -> fc2: Linear(4)
""",
    ),
    "unused-hyperparameter": Code(
        "a hyperparameter that nothing uses",
        """\
Whoever builds the net would give a value that changes nothing. Use it or take
it out. This is a warning: the file compiles.
""",
        """\
net Small(width: int, depth: int = 2):
    input x: [N, 8]
    x -> fc: Linear(width)
""",
        """\
net Small(width: int):
    input x: [N, 8]
    x -> fc: Linear(width)
""",
    ),
    "unused-let": Code(
        "a `let` that nothing uses",
        """\
The value is named and then never mentioned. Use it or take the line out. This is
a warning: the file compiles.
""",
        """\
net Small:
    input x: [N, 8]
    let hidden = 16
    x -> fc: Linear(4)
""",
        """\
net Small:
    input x: [N, 8]
    let hidden = 16
    x -> fc: Linear(hidden)
""",
    ),
    "unused-layer": Code(
        "a layer that no tensor goes through",
        """\
The layer is declared on a line of its own and then never used. It would be
built, stored and saved with every checkpoint, and never trained. Send a tensor
through it or take it out. This is a warning, since a checkpoint of the original
may hold such a layer.
""",
        """\
net Small:
    input x: [N, 8]
    fc: Linear(4), drop: Dropout(0.1)
    x -> fc
""",
        """\
net Small:
    input x: [N, 8]
    fc: Linear(4), drop: Dropout(0.1)
    x -> fc -> drop
""",
    ),
    "unnamed-weights": Code(
        "a layer with weights has no name",
        """\
A layer without a name gets its type's in lower case, numbered: `linear`,
`linear_2`. Insert another one above and the numbers move: checkpoints that were
saved before no longer fit. Layers without weights don't matter, the others want
a name. This is a warning: the file compiles.
""",
        """\
net Small:
    input x: [N, 8]
    x -> Linear(4) -> ReLU
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4) -> ReLU
""",
    ),
    "recursive-net": Code(
        "a net contains itself",
        """\
A net that is a layer of itself, directly or through other nets, would have to be
built without end. To repeat a part, make a chain of it: `[Block(8) for _ in
range(depth)]`. For blocks within blocks, hand the inner one on as a parameter of
kind `net`. To send a tensor through the same layer again, mention the
layer's name again.
""",
        """\
net Tree:
    input x: [N, 8]
    x -> fc: Linear(8) -> rest: Tree
""",
        """\
net Tree:
    input x: [N, 8]
    x -> layers: [Linear(8) for _ in range(4)]
""",
    ),
    "missing-import": Code(
        "an imported file can't be found or read",
        """\
The path of an import is relative to the file that holds it, with `/` between
folders and `.net` at its end. No such file can be read there. Where a file
beside it has a similar name, the message proposes it.
""",
        """\
from "bloks.net" import Block

net Small:
    input x: [N, 8]
    x -> block: Block(4)
""",
        """\
from "blocks.net" import Block

net Small:
    input x: [N, 8]
    x -> block: Block(4)
""",
        (
            (
                "blocks.net",
                """\
net Block(width: int):
    input x: [N, C]
    x -> fc: Linear(width)
""",
            ),
        ),
    ),
    "import-cycle": Code(
        "files import each other in a circle",
        """\
A file that is imported must be read before the file that imports it, so imports
can't lead back to where they started. Move what both files need into a third one
and import that from both.
""",
        """\
from "blocks.net" import Block

let width = 4

net Small:
    input x: [N, 8]
    x -> block: Block
""",
        """\
from "sizes.net" import width

net Small:
    input x: [N, 8]
    x -> fc: Linear(width)
""",
        (
            (
                "blocks.net",
                """\
from "example.net" import width

net Block:
    input x: [N, C]
    x -> fc: Linear(width)
""",
            ),
            (
                "sizes.net",
                """\
let width = 4
""",
            ),
        ),
    ),
    "import-outside": Code(
        "an import leads out of the folder",
        """\
Imports stay inside the folder of the file that is compiled, and in the folders
below it. So a file from a stranger can't have others of your files read. That
holds for absolute paths, for `..` beyond that folder, and for links that lead
out. Move the imported file inside, or compile a file that lies higher.
""",
        """\
from "../blocks.net" import Block

net Small:
    input x: [N, 8]
    x -> block: Block(4)
""",
        """\
from "blocks.net" import Block

net Small:
    input x: [N, 8]
    x -> block: Block(4)
""",
        (
            (
                "blocks.net",
                """\
net Block(width: int):
    input x: [N, C]
    x -> fc: Linear(width)
""",
            ),
        ),
    ),
    "missing-net": Code(
        "an imported file doesn't have this name",
        """\
The file is there, but no net, `fn` or constant of that name is in it. Names that
it imports itself are not handed on: import them from the file that has them.
Where a name is similar, the message proposes it.
""",
        """\
from "blocks.net" import Blok

net Small:
    input x: [N, 8]
    x -> block: Blok(4)
""",
        """\
from "blocks.net" import Block

net Small:
    input x: [N, 8]
    x -> block: Block(4)
""",
        (
            (
                "blocks.net",
                """\
net Block(width: int):
    input x: [N, C]
    x -> fc: Linear(width)
""",
            ),
        ),
    ),
    "expect-failed": Code(
        "an `expect` doesn't hold",
        """\
The line says what somebody knows of the net, from a paper or from the original
code: its number of parameters, the shape of a result, a relation of sizes. The
net as written gives another value; the message shows both. One of the two is
wrong, and it need not be the net.
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4)

expect Small params == 32
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4)

expect Small params == 36
""",
    ),
    "not-a-layer": Code(
        "something that is no layer stands where a layer must",
        """\
Right of `name:`, in a chain and in a comprehension of layers stand layers: a
layer of torch, a net, `skip`, or a choice of them. A function such as `relu` has
nothing to be registered and so can't be named. Take the layer of the same
meaning, `ReLU`, or use the function at a stage without a name: `-> relu`.
""",
        """\
net Small:
    input x: [N, 8]
    x -> act: relu
""",
        """\
net Small:
    input x: [N, 8]
    x -> act: ReLU
""",
    ),
    "not-a-value": Code(
        "something that is no value stands where a value must",
        """\
A layer, a net or a function is mentioned where a tensor or a number is wanted.
Send a tensor through it to get one: `fc(x)`, or `x -> fc` in a flow.
""",
        """\
net Small:
    input x: [N, 8]
    fc: Linear(8)
    return x + fc
""",
        """\
net Small:
    input x: [N, 8]
    fc: Linear(8)
    return x + fc(x)
""",
    ),
    "bad-index": Code(
        "an index beyond the end, or a key that isn't there",
        """\
Lists and tuples count from 0, and from -1 at their end, so the last of two is
`[1]` or `[-1]`. A dict has the keys that were written. The message says how many
members there are.
""",
        """\
let widths = [16, 32]

net Small:
    input x: [N, 8]
    x -> fc: Linear(widths[2])
""",
        """\
let widths = [16, 32]

net Small:
    input x: [N, 8]
    x -> fc: Linear(widths[1])
""",
    ),
    "bad-input": Code(
        "the inputs don't fit those of the layer, net or function",
        """\
A net takes as many tensors as it has inputs, a layer of torch as many as its
`forward`. Several tensors flow in as a tuple, `(x, y) -> pair`, or are given as
arguments, `pair(x, y)`. A tuple counts as one input each, a list as one.
""",
        """\
net Pair:
    input a, b: [N, 8]
    return a + b

net Use:
    input x: [N, 8]
    x -> pair: Pair
""",
        """\
net Pair:
    input a, b: [N, 8]
    return a + b

net Use:
    input x, y: [N, 8]
    (x, y) -> pair: Pair
""",
    ),
    "no-result": Code(
        "a net gives no result",
        """\
The result of a net is its last line, if that is a flow, or what `return` says. A
line that names its value, `y = x -> fc`, only names it. Write the name, or
`return y`, as the last line.
""",
        """\
net Small:
    input x: [N, 8]
""",
        """\
net Small:
    input x: [N, 8]
    x -> fc: Linear(4)
""",
    ),
    "unbound-net": Code(
        "nobody says which net a parameter stands for",
        """\
A parameter of kind `net` stands for a layer that each use chooses. No use in this
file chooses one and there is no default, so sizes can't be followed through it.
Add a variant that does, `net Small = Stage(Linear(8))`, or a default.
""",
        """\
net Stage(Block: net):
    input x: [N, 8]
    x -> block: Block
""",
        """\
net Stage(Block: net):
    input x: [N, 8]
    x -> block: Block

net Small = Stage(Linear(8))
""",
    ),
    "undefined-extern": Code(
        "nobody says where an `extern` comes from",
        """\
An `extern` is a Python module that the language doesn't have. The file declares
its arguments and its shapes, never where it comes from: a file from a stranger
must not name code to run. You say that. On the command line: `netdsl compile
model.net --layer Swish=my.layers`; for a whole project in its pyproject.toml,

    [tool.netdsl.layers]
    Swish = "my.layers"

and in a program: `netdsl.load("model.net", externs={"Swish": Swish})`. The
mended file below takes a layer of torch instead.
""",
        """\
extern Swish(): [*S] -> [*S]

net Small:
    input x: [N, 8]
    x -> act: Swish
""",
        """\
net Small:
    input x: [N, 8]
    x -> act: SiLU
""",
    ),
    "no-net": Code(
        "the file has no net",
        """\
To compile or load a file there must be a net in it. A file of constants and `fn`s
alone is fine to import, and to check.
""",
        """\
let width = 4
""",
        """\
let width = 4

net Small:
    input x: [N, 8]
    x -> fc: Linear(width)
""",
    ),
    "division-by-zero": Code(
        "a static value is divided by zero",
        """\
The right side of `/`, `//` or `%` is 0 here. The labels show where the value came
from.
""",
        """\
let groups = 0

net Small:
    input x: [N, 8]
    x -> fc: Linear(8 // groups)
""",
        """\
let groups = 2

net Small:
    input x: [N, 8]
    x -> fc: Linear(8 // groups)
""",
    ),
    "tuple-mismatch": Code(
        "a tuple is taken apart into the wrong number of names",
        """\
Left of `=` there must be as many names as the value has parts: `chunk(3)` gives
three, `LSTM` gives two, of which the second is a pair: `y, (h, c) = x -> rnn`.
Write `_` for a part that isn't wanted.
""",
        """\
net Small:
    input x: [N, 8]
    q, k = x -> qkv: Linear(12) -> chunk(3, dim=-1)
    return q + k
""",
        """\
net Small:
    input x: [N, 8]
    q, k, v = x -> qkv: Linear(12) -> chunk(3, dim=-1)
    return q + k + v
""",
    ),
    "layer-in-loop": Code(
        "a layer is made inside a loop",
        """\
A mention of a Capitalised name makes a new layer, once, when the module is built.
Inside a loop it isn't clear whether each round has its own layer or all share
one. Declare the layers above the loop: a list and a loop over it for one each, a
single named layer for a shared one.
""",
        """\
net Small:
    input x: [N, 8]
    for _ in range(3):
        x = x -> fc: Linear(8)
    return x
""",
        """\
net Small:
    input x: [N, 8]
    layers: [Linear(8) for _ in range(3)]
    for layer in layers:
        x = x -> layer
    return x
""",
    ),
    "unsupported": Code(
        "something that can't be written here",
        """\
The language has this, but not in this place or combination: often since Python or
PyTorch would have no plain way to say it. The message names another way of
writing it. If the other way is clumsy in your model, tell us; it may become
possible.
""",
        "",
        "",
    ),
    "internal": Code(
        "a mistake of netdsl itself",
        """\
This is no mistake in your file: the compiler did something that it never should.
Please report it with the message and, if you may show it, the file that led to
it. With the environment variable NETDSL_DEBUG=1 the command prints where it
stopped.
""",
        "",
        "",
    ),
}
