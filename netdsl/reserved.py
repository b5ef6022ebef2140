"""Names that Python or torch would shadow or refuse."""

from __future__ import annotations

PYTHON = frozenset(
    """False None True and as assert async await break class continue def del elif
    else except finally for from global if import in is lambda nonlocal not or pass
    raise return try while with yield""".split()
)
# Attributes of nn.Module: a layer of that name would be hidden by the method.
MODULE = frozenset(
    """T_destination add_module apply bfloat16 buffers call_super_init children
    compile cpu cuda double dump_patches eval extra_repr float forward
    get_buffer get_extra_state get_parameter get_submodule half ipu
    load_state_dict modules mtia named_buffers named_children named_modules
    named_parameters parameters register_backward_hook register_buffer
    register_forward_hook register_forward_pre_hook register_full_backward_hook
    register_full_backward_pre_hook register_load_state_dict_post_hook
    register_load_state_dict_pre_hook register_module register_parameter
    register_state_dict_post_hook register_state_dict_pre_hook requires_grad_
    set_extra_state set_submodule share_memory state_dict to to_empty train
    training type xpu zero_grad""".split()
)
# Names of the generated file that a user's name must not hide.
FILE = frozenset("self torch nn F math functools Tensor".split())
_NAMESPACE = frozenset("keys values items pop clear update".split())
_LIST = frozenset("append extend insert pop".split())
LONGEST = 100


def why_reserved(name: str, in_namespace: bool = False, in_list: bool = False) -> str:
    """Why a layer can't have the name, or nothing."""
    if name in PYTHON:
        return "a keyword of Python"
    if name in MODULE:
        return "a method of every `nn.Module`"
    if in_namespace and name in _NAMESPACE:
        return "a method of `nn.ModuleDict`"
    if in_list and name in _LIST:
        return "a method of a list of layers"
    if name.startswith("__"):
        return "changed by Python inside a class"
    if name in ("_modules", "_parameters", "_buffers", "_non_persistent_buffers_set"):
        return "used by `nn.Module` itself"
    return ""


def hides_member(name: str) -> bool:
    """Whether torch refuses a member of a list by that name."""
    return name in MODULE or name in _LIST


def is_attribute(name: str) -> bool:
    """Whether Python can spell a layer of this name `self.name`."""
    return name.isidentifier() and name not in PYTHON and not name.startswith("__")


def is_taken(name: str) -> str:
    """Why a net, function or constant can't have the name, or nothing."""
    if name in PYTHON:
        return "a keyword of Python"
    if name in FILE:
        return "a name that the generated file needs"
    if name.startswith("__"):
        return "changed by Python inside a class"
    return "too long" if len(name) > LONGEST else ""
