"""What is known of torch, as data: one declaration for each layer and function.

Importing this package fills `LAYERS` and `FUNCTIONS`.
"""

from netdsl.layers import (  # noqa: F401  each declares its family
    activation,
    arithmetic,
    attention,
    casting,
    comparing,
    convolution,
    creation,
    distance,
    dropout,
    einsum,
    embedding,
    functional,
    indexing,
    joining,
    linear,
    losses,
    normalization,
    padding,
    pointwise,
    pooling,
    products,
    rearranging,
    recurrent,
    reduction,
    resampling,
    reshaping,
    sampling,
    selecting,
)
from netdsl.layers.spec import FUNCTIONS, LAYERS, Call, Declaration, Unknown, bind

__all__ = ["FUNCTIONS", "LAYERS", "Call", "Declaration", "Unknown", "bind"]
