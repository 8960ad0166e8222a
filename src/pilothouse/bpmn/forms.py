"""Forms of user tasks: their fields, and whether answers fit them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from pilothouse.domain.plain import from_plain

if TYPE_CHECKING:
    from collections.abc import Mapping


class FieldType(StrEnum):
    """What an answer may be."""

    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    WHOLE = "whole-number"
    BOOLEAN = "boolean"
    DATE = "date"
    """A day, as ISO 8601 text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One question; ``choices`` are the answers that a choice allows."""

    name: str
    type: FieldType
    label: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The questions of a task, in order."""

    fields: tuple[Field, ...]


def problems_of(form: Mapping[str, object], answers: Mapping[str, object]) -> tuple[str, ...]:
    """
    Say what is wrong with answers to a form: all of it, nothing if they fit.

    Examples
    --------
    >>> form = {"fields": [{"name": "decision", "type": "choice", "choices": ["approve", "reject"]}]}
    >>> problems_of(form, {"decision": "maybe", "note": "?"})
    ("decision must be one of 'approve', 'reject', not 'maybe'", "the form has no field 'note'")
    """
    fields = from_plain(Form, form).fields
    found = [problem for f in fields for problem in _problems(f, answers.get(f.name))]
    known = {f.name for f in fields}
    found += [f"the form has no field {name!r}" for name in answers if name not in known]
    return tuple(found)


def _problems(asked: Field, answer: object) -> list[str]:
    if answer is None or answer == "":
        return [f"{asked.name} must be answered"] if asked.required else []
    if _fits(asked, answer):
        return []
    return [f"{asked.name} must be {_wanted(asked)}, not {answer!r}"]


def _fits(asked: Field, answer: object) -> bool:
    match asked.type:
        case FieldType.TEXT:
            return isinstance(answer, str)
        case FieldType.CHOICE:
            return isinstance(answer, str) and answer in asked.choices
        case FieldType.NUMBER:
            return isinstance(answer, (int, float)) and not isinstance(answer, bool)
        case FieldType.WHOLE:
            return isinstance(answer, int) and not isinstance(answer, bool)
        case FieldType.BOOLEAN:
            return isinstance(answer, bool)
        case FieldType.DATE:
            return isinstance(answer, str) and _is_day(answer)


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _wanted(asked: Field) -> str:
    match asked.type:
        case FieldType.TEXT:
            return "text"
        case FieldType.CHOICE:
            return "one of " + ", ".join(map(repr, asked.choices))
        case FieldType.NUMBER:
            return "a number"
        case FieldType.WHOLE:
            return "a whole number"
        case FieldType.BOOLEAN:
            return "true or false"
        case FieldType.DATE:
            return "a day such as 2026-01-05"
