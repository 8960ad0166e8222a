"""The built-in functions of FEEL, a file for each kind. Source: DMN 1.5, section 10.3.4."""

from __future__ import annotations

from pilothouse.feel.functions.contexts import CONTEXTS
from pilothouse.feel.functions.conversions import CONVERSIONS
from pilothouse.feel.functions.lists import LISTS
from pilothouse.feel.functions.logic import LOGIC
from pilothouse.feel.functions.numbers import NUMERICS
from pilothouse.feel.functions.patterns import PATTERNS
from pilothouse.feel.functions.ranges import RANGES
from pilothouse.feel.functions.registry import merged
from pilothouse.feel.functions.sorting import SORTING
from pilothouse.feel.functions.statistics import STATISTICS
from pilothouse.feel.functions.text import TEXTS
from pilothouse.feel.functions.times import TIMES

FUNCTIONS = merged(
    CONVERSIONS,
    LOGIC,
    NUMERICS,
    TEXTS,
    PATTERNS,
    LISTS,
    STATISTICS,
    SORTING,
    CONTEXTS,
    RANGES,
    TIMES,
)
"""All built-in functions by name."""

DEFINED = "is defined"
"""The one function that looks at its argument's name instead of its value; the compiler knows it."""
