"""The gate: what it counts, and what it lets through."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pilothouse.evaluator import Compiled, Form, Input, Kind, Output
from pilothouse.evaluator.edges import edge_rows, points
from pilothouse.evaluator.operations import (
    Across,
    Binary,
    Bins,
    Constant,
    Fill,
    Refusal,
    Refuse,
    Row,
)
from pilothouse.evaluator.parity import Precision, Verdict, prove

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SOURCE = np.array([0], dtype=np.int32)
FORM = Form(
    inputs=(Input(name="x", kind=Kind.NUMBER),),
    operations=(
        Refuse(source=SOURCE, reason=Refusal.MISSING, step="model"),
        Constant(source=SOURCE, function=Binary.MULTIPLY, constant=np.array([2.0])),
        Constant(source=SOURCE, function=Binary.GREATER, constant=np.array([0.0])),
    ),
    outputs=(
        Output(name="score", column=1),
        Output(name="label", column=2, labels=("no", "yes")),
    ),
)
ROWS = [(1.0,), (-3.0,), (0.25,)]


def original(
    columns: Mapping[str, Sequence[Any]], *, off: float = 0.0, over: float = 0.0
) -> dict[str, list[Any]]:
    if None in columns["x"]:
        raise ValueError("NaN")
    return {
        "score": [2 * x + off for x in columns["x"]],
        "label": ["yes" if x > over else "no" for x in columns["x"]],
    }


def test_equal_answers_pass() -> None:
    proof = prove(original, Compiled(FORM), [*ROWS, (None,)])

    assert proof.verdict is Verdict.PASSED
    assert (proof.rows, proof.refused, proof.refusals_differ) == (4, 1, 0)
    assert (proof.largest_difference, proof.label_flips, proof.first_difference) == (0.0, 0, None)


@pytest.mark.parametrize(
    ("precision", "off", "verdict"),
    [
        (Precision.DOUBLE, 9e-13, Verdict.PASSED),
        (Precision.DOUBLE, 9e-12, Verdict.FAILED),
        (Precision.SINGLE, 9e-12, Verdict.PASSED),
        (Precision.SINGLE, 3e-6, Verdict.FAILED),
        (Precision.SINGLE, math.nan, Verdict.FAILED),
        (Precision.SINGLE, math.inf, Verdict.FAILED),
    ],
)
def test_a_number_may_be_off_by_its_tolerance(
    precision: Precision, off: float, verdict: Verdict
) -> None:
    proof = prove(lambda c: original(c, off=off), Compiled(FORM), ROWS, precision=precision)

    assert proof.verdict is verdict
    assert proof.first_difference == (None if verdict is Verdict.PASSED else (0, "score"))


def test_one_flipped_label_fails_whatever_the_tolerance() -> None:
    proof = prove(lambda c: original(c, over=0.5), Compiled(FORM), ROWS, precision=Precision.SINGLE)

    assert proof.verdict is Verdict.FAILED
    assert (proof.label_flips, proof.first_difference) == (1, (2, "label"))


def test_a_row_that_only_one_of_them_refuses_fails() -> None:
    def lenient(columns: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        return original({"x": [0.0 if x is None else x for x in columns["x"]]})

    proof = prove(lenient, Compiled(FORM), [*ROWS, (None,)])

    assert proof.verdict is Verdict.FAILED
    assert (proof.refusals_differ, proof.first_difference) == (1, (3, "refusal"))


def test_nothing_is_proven_by_refusals_alone() -> None:
    assert prove(original, Compiled(FORM), [(None,)]).verdict is Verdict.FAILED


def test_split_points_are_traced_back_to_the_input() -> None:
    form = Form(
        inputs=(Input(name="x", kind=Kind.NUMBER),),
        operations=(
            Fill(source=SOURCE, value=np.array([0.0])),
            Constant(source=SOURCE + 1, function=Binary.SUBTRACT, constant=np.array([10.0])),
            Constant(source=SOURCE + 2, function=Binary.DIVIDE, constant=np.array([4.0])),
            Bins(source=SOURCE + 3, edges=np.array([-1.0, 0.5])),
        ),
        outputs=(Output(name="y", column=4),),
    )

    assert points(form) == [[6.0, 12.0]]
    tried = {row[0] for row in edge_rows(form, [(0.0,)]).rows}
    assert {6.0, math.nextafter(6.0, 7.0), math.nextafter(6.0, 5.0), None, math.inf} <= tried


def test_words_are_tried_with_unseen_and_missing_ones() -> None:
    form = Form(
        inputs=(
            Input(name="w", kind=Kind.TEXT, words=("a", "b")),
            Input(name="b", kind=Kind.BOOLEAN),
        ),
        operations=(Row(source=np.array([0, 1], dtype=np.int32), function=Across.SUM),),
        outputs=(Output(name="y", column=2),),
    )

    edges = edge_rows(form, [("a", True)])

    assert {"a", "b", "", None} <= {row[0] for row in edges.rows}
    assert {True, False, None} <= {row[1] for row in edges.rows}
    assert edges.left_out == 0


def test_what_is_passed_over_for_the_limit_is_counted() -> None:
    edges = edge_rows(
        Form(
            inputs=(Input(name="x", kind=Kind.NUMBER),),
            operations=(Bins(source=SOURCE, edges=np.arange(1000.0)),),
            outputs=(Output(name="y", column=1),),
        ),
        [(0.0,)],
        per_input=50,
    )

    assert len(edges.rows) == 52
    assert edges.left_out > 2000
