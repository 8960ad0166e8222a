"""What an analysis of decision tables has to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """The table breaks its own hit policy for some inputs, or says what its own outputs do not allow."""

    WARNING = "warning"
    """The table can be run; very likely it does not say what was meant."""

    NOTE = "note"
    """Something to know; among it, what the analysis could not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    One thing found.

    Parameters
    ----------
    severity
        How bad it is.
    element
        The decision table, by the id of its decision; or a rule of it.
    line
        Its line in the file, from 1; 0 where it is not known.
    rules
        The places of the rules that it speaks of, from 1, ascending.
    message
        What was found.
    example
        Inputs for which it is so, as a FEEL context; inputs that are not in it may be anything. Empty where
        there is nothing to show.
    """

    severity: Severity
    element: str
    line: int
    rules: tuple[int, ...]
    message: str
    example: str = ""
