r"""
Regular expressions in linear time.

The dialect is that of XPath (XQuery and XPath Functions and Operators 3.1, section 5.6). A pattern becomes
a machine whose states are all followed at once, so a text of n characters takes at most n times the
pattern's length, paid from the budget; no pattern can explode. What such a machine cannot do, and a few
rare forms, is refused by name: back-references, ``\i``, ``\c`` and Unicode blocks.
"""

from __future__ import annotations

import functools

from pilothouse.feel.errors import FeelPatternError
from pilothouse.feel.machine import Instruction, Kind, Pattern
from pilothouse.feel.pattern_reader import BadPatternError, PatternReader

MAXIMUM_PATTERN = 1_000
"""The longest pattern that is read, in characters."""


@functools.lru_cache(maxsize=256)
def compile_pattern(pattern: str, flags: str) -> Pattern | None:
    """
    Compile a regular expression; `None` when it is none.

    Parameters
    ----------
    pattern
        The text of the pattern, at most 1,000 characters.
    flags
        Any of ``s`` (dot takes line ends), ``m`` (``^`` and ``$`` at lines), ``i`` (case-blind), ``x`` (spaces
        in the pattern do not count), ``q`` (all characters mean themselves).

    Raises
    ------
    FeelPatternError
        When it uses a form that is not supported.

    Examples
    --------
    >>> from pilothouse.feel import Budget
    >>> compile_pattern("^a+b$", "").found_in("aaab", Budget())
    True
    >>> compile_pattern("(", "") is None
    True
    """
    if not set(flags) <= set("smixq"):
        return None
    if len(pattern) > MAXIMUM_PATTERN:
        raise FeelPatternError(pattern=pattern, form=f"more than {MAXIMUM_PATTERN} characters")
    try:
        program = PatternReader(pattern, flags).program()
    except BadPatternError:
        return None
    return Pattern((*program, Instruction(Kind.FOUND)))
