"""Dropout."""

from __future__ import annotations

from netdsl.layers.call import Call
from netdsl.layers.spec import Rule, layer
from netdsl.shapes import Tensor


def _dropout(least_rank: int, ranks: tuple[int, ...] = ()) -> Rule:
    def rule(c: Call) -> Tensor:
        tensor: Tensor = c.input
        c.floating(tensor)
        if ranks:
            c.rank(tensor, *ranks)
        elif tensor.shape.rank is not None and tensor.shape.rank < least_rank:
            raise c.refuse(
                f"`{c.declaration.name}` wants {least_rank} sizes or more, not {tensor}"
            )
        c.probability()
        return tensor

    return rule


# What torch checks of ranks is this uneven.
_RULES = {
    "Dropout": (_dropout(0), "Zeroes single values at random when training."),
    "Dropout1d": (_dropout(0, (2, 3)), "Zeroes whole channels of sequences at random."),
    "Dropout2d": (_dropout(2), "Zeroes whole channels of images at random."),
    "Dropout3d": (_dropout(1), "Zeroes whole channels of volumes at random."),
    "AlphaDropout": (_dropout(0), "Dropout that keeps mean and variance, for `SELU`."),
    "FeatureAlphaDropout": (_dropout(2), "`AlphaDropout` of whole channels."),
}

for _name, (_rule, _doc) in _RULES.items():
    layer(f"{_name}(p: float = 0.5, inplace: bool = False)", _rule, _doc)
