"""Layers and functions of torch that netdsl has no declaration for, and why.

`tests/test_torch_names.py` holds this against torch itself.  A message about such
a name gives the reason as its help.
"""

from __future__ import annotations

_LAZY = "write `{}`: sizes are inferred when the file is compiled"
_LIST = "a list of layers is one: `[Linear(8), ReLU]`"
_STACK = (
    "`layers: [{}Layer(nhead) for _ in range(num_layers)]` has the same keys;"
    " its layers start as they are drawn, where torch's start as copies of one"
)
_DISTANCE = (
    "takes a Python function; write its formula, `relu(near - far + margin) -> mean`,"
    " or take `triplet_margin_loss`, which has its default distance"
)
_RENAMED = "deprecated by torch: write `{}`"
_INDICES = "write `{}(..., return_indices=True)`"
_INPLACE = "write `{}(..., inplace=True)`"
_KERNEL = (
    "a kernel for float8 or bfloat16 on some GPUs, whose scales are Python objects"
)
_DATA = "how many there are depends on the data, and so would the shape; {}"
_TYPES = "torch declares no types for it, which what we generate has; write {}"
_MODULE = "a base class, not a layer: write a net"

LAYERS_LEFT_OUT: dict[str, str] = {
    "Buffer": "the language has `buffer` for this",
    "Container": _MODULE,
    "DataParallel": "wraps a finished model, which is the caller's to do",
    **{
        f"Lazy{name}": _LAZY.format(name)
        for name in (
            "BatchNorm1d BatchNorm2d BatchNorm3d Conv1d Conv2d Conv3d ConvTranspose1d"
            " ConvTranspose2d ConvTranspose3d InstanceNorm1d InstanceNorm2d"
            " InstanceNorm3d Linear"
        ).split()
    },
    "LinearCrossEntropyOptions": "settings of speed and memory, not of the net",
    "Module": _MODULE,
    "ModuleDict": "a dotted name gives the same keys: `blocks.a: Linear(8)`",
    "ModuleList": _LIST,
    "NLLLoss2d": _RENAMED.format("NLLLoss"),
    "Parameter": "the language has `param` for this",
    "ParameterDict": "the language has `param` for this, in a net of its own",
    "ParameterList": "the language has `param` for this, in a net of its own",
    "RNNBase": "a base class: write `RNN`, `GRU` or `LSTM`",
    "RNNCellBase": "a base class: write `RNNCell`, `GRUCell` or `LSTMCell`",
    "Sequential": _LIST,
    "TransformerDecoder": _STACK.format("TransformerDecoder"),
    "TransformerEncoder": _STACK.format("TransformerEncoder"),
    "TripletMarginWithDistanceLoss": _DISTANCE,
    "UninitializedBuffer": "sizes are inferred when the file is compiled",
    "UninitializedParameter": "sizes are inferred when the file is compiled",
}

FUNCTIONS_LEFT_OUT: dict[str, str] = {
    **{
        f"{pool}{n}d_with_indices": _INDICES.format(f"{pool}{n}d")
        for pool in ("adaptive_max_pool", "max_pool", "fractional_max_pool")
        for n in (1, 2, 3)
        if pool != "fractional_max_pool" or n > 1
    },
    **{
        f"{name}_": _INPLACE.format(name)
        for name in ("celu elu hardtanh leaky_relu relu rrelu selu threshold".split())
    },
    "multi_head_attention_forward": "write the layer `MultiheadAttention`",
    "native_channel_shuffle": "write `channel_shuffle`",
    "scaled_grouped_mm": _KERNEL,
    "scaled_mm": _KERNEL,
    "triplet_margin_with_distance_loss": _DISTANCE,
    "upsample": _RENAMED.format("interpolate"),
    "upsample_bilinear": _RENAMED.format(
        'interpolate(mode="bilinear", align_corners=True)'
    ),
    "upsample_nearest": _RENAMED.format("interpolate"),
    # Of torch itself: what models ask for, and what has no shape or no types.
    "atleast_1d": _TYPES.format("`view(1)` of a number"),
    "atleast_2d": _TYPES.format("`x[None]` of a vector"),
    "atleast_3d": _TYPES.format("`x[..., None]` of a matrix"),
    "broadcast_tensors": _TYPES.format("`expand`"),
    "block_diag": _TYPES.format("`pad` and `cat` of matrices"),
    "argwhere": _DATA.format("keep a mask, and fill by `where`"),
    "bincount": _DATA.format("`one_hot(classes) -> sum(dim=0)` counts"),
    "empty": "what nobody has written is left to chance: write `zeros`",
    "empty_like": "what nobody has written is left to chance: write `zeros_like`",
    "masked_select": _DATA.format("keep the mask, and fill by `where`"),
    "nonzero": _DATA.format("keep a mask, and fill by `where`"),
    "unique": _DATA.format("let the caller find them"),
    "unique_consecutive": _DATA.format("let the caller find them"),
}
