"""What is known of torch, as data: one declaration for each layer and function.

`LAYERS` and `FUNCTIONS` know from `FAMILIES` which module declares a name, so
that compiling a file costs only the families that it uses.
"""

from netdsl.layers.binding import bind
from netdsl.layers.call import Call
from netdsl.layers.families import FAMILIES
from netdsl.layers.spec import FUNCTIONS, LAYERS, Declaration, Unknown

for _family, (_layers, _functions) in FAMILIES.items():
    for _name in _layers.split():
        LAYERS.expect(_name, _family)
    for _name in _functions.split():
        FUNCTIONS.expect(_name, _family)

# The modules of torch whose functions go by their full name: `linalg.norm`.
NAMESPACES = frozenset(n.partition(".")[0] for n in FUNCTIONS if "." in n)

__all__ = [
    "FAMILIES",
    "FUNCTIONS",
    "LAYERS",
    "NAMESPACES",
    "Call",
    "Declaration",
    "Unknown",
    "bind",
]
