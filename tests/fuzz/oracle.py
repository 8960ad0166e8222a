"""What must hold of every evaluation, whatever the text: only typed errors, only FEEL's values, no hang."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from pilothouse.dmn import read_decisions
from pilothouse.dmn.analysis import analysed
from pilothouse.domain.errors import PilothouseError
from pilothouse.feel import Budget, compile_expression, compile_unary_tests
from pilothouse.feel.values import KINDS, Function, Range

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.dmn import Decisions

NOW = datetime(2026, 1, 5, 12, 30, tzinfo=UTC)
CONTEXT: Mapping[str, object] = {
    "n": 7,
    "flag": True,
    "word": "zebra",
    "day": date(2026, 1, 5),
    "numbers": [3, 1, Decimal("2.5"), None],
    "order": {"items": [{"price": 10, "a": "x"}, {"price": 20.5}], "a": None},
    "loan amount": 250_000,
}
NAMES = tuple(CONTEXT)
HANG_S = 2.0
"""More processor time than this, with tracing and all, is a hang: the budget allows a fraction of it."""

DEEPEST = 200


class BrokenPromiseError(AssertionError):
    """An evaluation gave something that no evaluation may give."""


def hold(text: str) -> None:
    """
    Compile and evaluate a text, as an expression and as the tests of a cell.

    Raises
    ------
    BrokenPromiseError
        When a promise is broken; any error but Pilothouse's own is one, and passes through.
    """
    begun = time.process_time()
    _expression(text)
    _tests(text)
    spent = time.process_time() - begun
    if spent > HANG_S:
        raise BrokenPromiseError(f"{spent:.1f} s of processor time for {text!r}")


def hold_file(xml: bytes) -> None:
    """
    Read a decision file, analyse it and take all its decisions.

    Raises
    ------
    BrokenPromiseError
        When a promise is broken; any error but Pilothouse's own is one, and passes through.
    """
    begun = time.process_time()
    try:
        decisions = read_decisions(xml)
        analysed(decisions)
    except PilothouseError:
        return
    for known_as in decisions.decisions:
        _take(decisions, known_as)
    spent = time.process_time() - begun
    if spent > HANG_S:
        raise BrokenPromiseError(f"{spent:.1f} s of processor time for {xml!r}")


def _take(decisions: Decisions, known_as: str) -> None:
    try:
        outcome = decisions.evaluate(known_as, CONTEXT, budget=Budget(now=NOW))
        outcome.plain()
    except PilothouseError:
        return
    _check(outcome.value, 0)


def _expression(text: str) -> None:
    budget = Budget(now=NOW)
    try:
        value = compile_expression(text, names=NAMES).evaluate(CONTEXT, budget=budget)
    except PilothouseError:
        return
    _check(value, 0)
    if value is None and budget.left == budget.steps:
        raise BrokenPromiseError(f"an evaluation that cost nothing: {text!r}")


def _tests(text: str) -> None:
    try:
        answer = compile_unary_tests(text, names=NAMES).matches(7, CONTEXT, budget=Budget(now=NOW))
    except PilothouseError:
        return
    if type(answer) is not bool:
        raise BrokenPromiseError(f"tests that answer {answer!r}: {text!r}")


def _check(value: object, depth: int) -> None:
    """Refuse whatever is no value of FEEL, exactly by type: descendants could carry attributes."""
    if type(value) not in KINDS or depth > DEEPEST:
        raise BrokenPromiseError(f"a {type(value)} came out")
    for part in _parts(value):
        _check(part, depth + 1)


def _parts(value: object) -> Iterable[object]:
    if type(value) is tuple:
        return value
    if type(value) is dict:
        return (*value.keys(), *value.values())
    if type(value) is Range:
        return (value.start, value.end)
    if type(value) is Function:
        return value.parameters
    return ()
