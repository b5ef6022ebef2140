"""Immutable records that are cheap to import.

Eighty dataclasses cost more at start-up than parsing a file does; these need
no generated code.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self, dataclass_transform


@dataclass_transform(frozen_default=True)
class _Meta(type):
    """Makes slots of a record's annotations, in the order of the text."""

    def __new__(
        cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]
    ) -> _Meta:
        own = [
            field
            for field, kind in namespace.get("__annotations__", {}).items()
            if not kind.startswith("ClassVar")
        ]
        inherited = getattr(bases[0], "fields", ()) if bases else ()
        namespace["__slots__"] = tuple(own)
        made = super().__new__(cls, name, bases, namespace)
        fields = (*inherited, *own)
        made.fields = fields  # type: ignore[attr-defined]
        setters = tuple(getattr(made, field).__set__ for field in fields)
        made.setters = setters  # type: ignore[attr-defined]
        # What counts when two are compared: it is asked for often.
        unequal = getattr(made, "unequal", ())
        made.compared = tuple(  # type: ignore[attr-defined]
            f for f in fields if f not in unequal
        )
        if "__init__" not in namespace:
            made.__init__ = _filler(setters)  # type: ignore[misc]
        return made


def _filler(setters: tuple[Any, ...]) -> Any:
    """`__init__` for these fields.

    Records are made by the ten thousand: for a few fields, a loop over them would
    cost more than what is done with them.
    """
    if len(setters) == 1:
        only = setters[0]

        def fill_one(self: Any, x: Any) -> None:
            only(self, x)

        return fill_one
    if len(setters) == 2:
        first, second = setters

        def fill_two(self: Any, x: Any, y: Any) -> None:
            first(self, x)
            second(self, y)

        return fill_two
    if len(setters) == 3:
        first, second, third = setters

        def fill_three(self: Any, x: Any, y: Any, z: Any) -> None:
            first(self, x)
            second(self, y)
            third(self, z)

        return fill_three
    if len(setters) == 4:
        first, second, third, fourth = setters

        def fill_four(self: Any, w: Any, x: Any, y: Any, z: Any) -> None:
            first(self, w)
            second(self, x)
            third(self, y)
            fourth(self, z)

        return fill_four
    return _fill


def _fill(self: Any, *values: Any) -> None:
    for setter, value in zip(type(self).setters, values, strict=True):
        setter(self, value)


class Record(metaclass=_Meta):
    """Fields by position; equal if type and fields are."""

    fields: ClassVar[tuple[str, ...]]
    setters: ClassVar[tuple[Any, ...]]
    compared: ClassVar[tuple[str, ...]]
    unequal: ClassVar[tuple[str, ...]] = ()
    __init__ = _fill

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def _values(self) -> tuple[Any, ...]:
        return tuple([getattr(self, f) for f in self.compared])

    def replaced(self, **fields: Any) -> Self:
        """The same record with other values in some fields."""
        values = (fields.get(f, getattr(self, f)) for f in self.fields)
        made: Self = type(self)(*values)
        return made

    def __eq__(self, other: object) -> bool:
        return self is other or (
            type(self) is type(other) and self._values() == other._values()
        )

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._values()))

    def __repr__(self) -> str:
        inner = ", ".join(repr(v) for v in self._values())
        return f"{type(self).__name__}({inner})"
