"""Answers to the forms of user tasks."""

from __future__ import annotations

import pytest

from pilothouse.bpmn.forms import FieldType, problems_of


def problems(kind: FieldType, answer: object, *, required: bool = False) -> tuple[str, ...]:
    """Answer the only field of a form."""
    choices = ["yes", "no"] if kind is FieldType.CHOICE else []
    field = {"name": "q", "type": kind.value, "required": required, "choices": choices}
    return problems_of({"fields": [field]}, {"q": answer})


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (FieldType.TEXT, "anything"),
        (FieldType.CHOICE, "yes"),
        (FieldType.NUMBER, 1.5),
        (FieldType.NUMBER, 2),
        (FieldType.WHOLE, 2),
        (FieldType.BOOLEAN, False),
        (FieldType.DATE, "2028-02-29"),
    ],
)
def test_an_answer_of_its_type_fits(kind: FieldType, answer: object) -> None:
    assert problems(kind, answer, required=True) == ()


@pytest.mark.parametrize(
    ("kind", "answer", "wanted"),
    [
        (FieldType.TEXT, 1, "text"),
        (FieldType.CHOICE, "maybe", "one of 'yes', 'no'"),
        (FieldType.NUMBER, "1", "a number"),
        (FieldType.NUMBER, True, "a number"),
        (FieldType.WHOLE, 1.5, "a whole number"),
        (FieldType.WHOLE, True, "a whole number"),
        (FieldType.BOOLEAN, "true", "true or false"),
        (FieldType.DATE, "2026-02-29", "a day such as 2026-01-05"),
        (FieldType.DATE, "20260105", "a day such as 2026-01-05"),
        (FieldType.DATE, 20260105, "a day such as 2026-01-05"),
    ],
)
def test_another_answer_is_refused_with_what_is_wanted(
    kind: FieldType, answer: object, wanted: str
) -> None:
    assert problems(kind, answer) == (f"q must be {wanted}, not {answer!r}",)


@pytest.mark.parametrize("kind", FieldType)
@pytest.mark.parametrize("answer", [None, ""])
def test_no_answer_is_refused_where_one_is_required_alone(kind: FieldType, answer: object) -> None:
    assert problems(kind, answer) == ()
    assert problems(kind, answer, required=True) == ("q must be answered",)
