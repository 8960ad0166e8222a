r"""
Regular expressions of XPath's dialect that cannot explode.

A pattern becomes a program whose steps are tried depth first, the first alternative first, as Perl does it; but a
step that failed at a place of the text is never tried there again, so the work is at most the text's length times
the program's. Patterns that refer back to a group (``\1``) are tried without that memory; for them the budget alone
is the bound. Every visit of a step is paid.

Source: XQuery and XPath Functions and Operators 3.1, section 5.6; XML Schema 1.1 part 2, appendix G.
"""

from __future__ import annotations

from pilothouse.feel.patterns.cursor import BadPatternError
from pilothouse.feel.patterns.pattern import (
    MAXIMUM_PATTERN,
    MAXIMUM_STEPS,
    Flaw,
    Match,
    Pattern,
    compile_pattern,
)
from pilothouse.feel.patterns.replacement import Replacement, read_replacement

__all__ = [
    "MAXIMUM_PATTERN",
    "MAXIMUM_STEPS",
    "BadPatternError",
    "Flaw",
    "Match",
    "Pattern",
    "Replacement",
    "compile_pattern",
    "read_replacement",
]
