"""The types that inputs and outputs declare, and whether a value has one. Source: DMN 1.5, section 7.3.2."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pilothouse.feel.values import KINDS, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.feel import Budget, UnaryTests, Value

_FEEL_KINDS = {kind: kind for kind in KINDS.values() if kind not in ("null", "range", "list")}
_OTHER_SPELLINGS = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "days and time duration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "integer": "number",
    "long": "number",
    "double": "number",
}
BUILT_IN: Mapping[str, str] = {**_FEEL_KINDS, **_OTHER_SPELLINGS}
"""The type names that a file may use without defining them, with the FEEL type each means."""

ANY = ("Any", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """
    What a value must be. Null has every type.

    Parameters
    ----------
    name
        As the file calls it.
    kind
        The FEEL type; empty for any.
    items
        What each item must be, where it is a list.
    allowed
        The values allowed, where they are listed.
    components
        The entries of a context.
    """

    name: str = "Any"
    kind: str = ""
    items: Type | None = None
    allowed: UnaryTests | None = None
    components: Mapping[str, Type] = field(default_factory=dict)

    def trouble(self, value: Value, *, budget: Budget) -> str:
        """Say why the value is none of this type; empty when it is one."""
        if value is None:
            return ""
        if self.items is not None:
            return self._trouble_of_items(self.items, value, budget)
        if self.kind and kind_of(value) != self.kind:
            return f"must be a {self.kind}, and is a {kind_of(value)}"
        if self.allowed is not None and not self.allowed.passes(value, {}, budget=budget):
            return f"is none of the allowed values {self.allowed.text}"
        return self._trouble_of_components(value, budget)

    def _trouble_of_items(self, wanted: Type, value: Value, budget: Budget) -> str:
        items = value if isinstance(value, tuple) else (value,)
        budget.charge(len(items))
        troubles = (wanted.trouble(item, budget=budget) for item in items)
        return next((trouble for trouble in troubles if trouble), "")

    def _trouble_of_components(self, value: Value, budget: Budget) -> str:
        if not self.components:
            return ""
        if not isinstance(value, dict):
            return f"must be a context, and is a {kind_of(value)}"
        for name, kind in self.components.items():
            trouble = kind.trouble(value.get(name), budget=budget)
            if trouble:
                return f"has an entry {name!r} that {trouble}"
        return ""
