"""Immutable records that are cheap to import.

Eighty dataclasses cost more at start-up than parsing a file does; these need
no generated code.
"""

from __future__ import annotations

from typing import Any, ClassVar, dataclass_transform


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
        made.setters = tuple(  # type: ignore[attr-defined]
            getattr(made, field).__set__ for field in fields
        )
        return made


class Record(metaclass=_Meta):
    """Fields by position; equal if type and fields are."""

    fields: ClassVar[tuple[str, ...]]
    setters: ClassVar[tuple[Any, ...]]
    unequal: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *values: Any) -> None:
        for setter, value in zip(type(self).setters, values, strict=True):
            setter(self, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def _values(self) -> tuple[Any, ...]:
        return tuple(getattr(self, f) for f in self.fields if f not in self.unequal)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            type(self) is type(other) and self._values() == other._values()
        )

    def __hash__(self) -> int:
        return hash((type(self).__name__, self._values()))

    def __repr__(self) -> str:
        inner = ", ".join(repr(v) for v in self._values())
        return f"{type(self).__name__}({inner})"
