r"""
The functions on regular expressions. Source: DMN 1.5, section 10.3.4.3 (table 75).

The standard takes their meaning from XPath (XQuery and XPath Functions and Operators 3.1, sections 5.6.3 to 5.6.5):
what is an error there is null here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.feel.budget import MAXIMUM_CHARACTERS
from pilothouse.feel.functions.parameters import string
from pilothouse.feel.functions.registry import Registry
from pilothouse.feel.patterns import (
    BadPatternError,
    Flaw,
    Match,
    Pattern,
    Replacement,
    compile_pattern,
    read_replacement,
)

if TYPE_CHECKING:
    from pilothouse.feel.budget import Budget
    from pilothouse.feel.values import Value

PATTERNS = Registry()

_SHOWN = 60
_LITERALLY = "q"
_PARTS_PER_STEP = 16


@PATTERNS.add(
    "matches", string("input"), string("pattern"), string("flags"), optional=1, takes_null=True
)
def matches(budget: Budget, text: str, pattern: str, flags: str | None) -> Value:
    """Say whether a part of the text fits a regular expression; null when it is no regular expression."""
    budget.charge_text(len(text))
    compiled = _compiled("matches", pattern, flags or "", budget)
    return None if compiled is None else compiled.found_in(text, budget)


@PATTERNS.add(
    "replace",
    string("input"),
    string("pattern"),
    string("replacement"),
    string("flags"),
    optional=1,
    takes_null=True,
)
def replace(budget: Budget, text: str, pattern: str, replacement: str, flags: str | None) -> Value:
    """Put another text for each part that fits; null when the pattern fits the empty text."""
    budget.charge_text(len(text))
    budget.charge_text(len(replacement))
    compiled = _that_takes_something("replace", pattern, flags or "", budget)
    if compiled is None:
        return None
    parts = _replacement(replacement, flags or "", compiled, budget)
    return None if parts is None else _replaced(text, compiled, parts, budget)


def _replacement(text: str, flags: str, compiled: Pattern, budget: Budget) -> Replacement | None:
    if _LITERALLY in flags:
        return (text,)
    try:
        return read_replacement(text, compiled.groups)
    except BadPatternError as bad:
        return budget.null(f"replace() has no value: {bad.problem}")


def _replaced(text: str, compiled: Pattern, parts: Replacement, budget: Budget) -> str:
    pieces: list[str] = []
    place = length = 0
    for match in compiled.matches_in(text, budget):
        filled = _filled(match, parts)
        budget.charge(1 + len(parts) // _PARTS_PER_STEP)
        pieces += (text[place : match.start], filled)
        length += match.start - place + len(filled)
        place = match.end
        if length > MAXIMUM_CHARACTERS:
            break
    pieces.append(text[place:])
    # A text that became too long is refused here, before its pieces are put together.
    budget.charge_text(length + len(text) - place)
    return "".join(pieces)


def _filled(match: Match, parts: Replacement) -> str:
    return "".join(match.groups[part] if isinstance(part, int) else part for part in parts)


@PATTERNS.add("split", string("string"), string("delimiter"))
def split(budget: Budget, text: str, delimiter: str) -> Value:
    """Cut a text at each part that fits a regular expression; null when that fits the empty text."""
    budget.charge_text(len(text))
    compiled = _that_takes_something("split", delimiter, "", budget)
    if compiled is None:
        return None
    pieces: list[str] = []
    place = 0
    for match in compiled.matches_in(text, budget):
        pieces.append(text[place : match.start])
        place = match.end
        budget.charge(1)
    return (*pieces, text[place:])


def _compiled(function: str, pattern: str, flags: str, budget: Budget) -> Pattern | None:
    compiled = compile_pattern(pattern, flags, budget)
    if isinstance(compiled, Flaw):
        return budget.null(
            f"{function}() has no value: {_shown(pattern)} is wrong, {compiled.problem}"
        )
    return compiled


def _that_takes_something(
    function: str, pattern: str, flags: str, budget: Budget
) -> Pattern | None:
    compiled = _compiled(function, pattern, flags, budget)
    if compiled is not None and compiled.found_in("", budget):
        return budget.null(f"{function}() has no value: {_shown(pattern)} fits the empty text")
    return compiled


def _shown(pattern: str) -> str:
    shown = pattern if len(pattern) <= _SHOWN else f"{pattern[:_SHOWN]}…"
    return f"the pattern '{shown}'"
