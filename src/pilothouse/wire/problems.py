"""Problems (RFC 9457): how every error of the API looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    What went wrong, in a form for programs and for people.

    Attributes
    ----------
    code
        Stable, in kebab-case; the document lists them all under ``x-problems``.
    detail
        What, which and what to do next.
    fields
        The facts of the error, by name.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    fields: Mapping[str, object] = field(default_factory=dict)
