"""The type names that a file may use without defining them. Source: DMN 1.5, sections 7.3.2 and 10.3.2.2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel.types import (
    ANY,
    DATE_AND_TIME,
    DAYS_TIME,
    NUMBER,
    SIMPLE_TYPES,
    YEARS_MONTHS,
    ContextType,
    ListType,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.feel.types import Type

BUILT_IN: Mapping[str, Type] = {
    **SIMPLE_TYPES,
    "": ANY,
    "list": ListType(ANY),
    "context": ContextType({}),
    "dateTime": DATE_AND_TIME,
    "dayTimeDuration": DAYS_TIME,
    "yearMonthDuration": YEARS_MONTHS,
    "integer": NUMBER,
    "long": NUMBER,
    "double": NUMBER,
}
"""Each of the names, with the type that it means; the last six are other spellings that modellers write."""
