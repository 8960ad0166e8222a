"""The kernel in C against numpy: the same bits for any program, for rows and for blocks, and no trust in its arrays."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.evaluator import Compiled, Form, Input, Kind, Output
from pilothouse.evaluator import native as kernel_side
from pilothouse.evaluator.errors import FormInvalidError
from tests.unit.evaluator import programs
from tests.unit.evaluator.programs import INPUTS, forms, numbers

if TYPE_CHECKING:
    from pilothouse.evaluator.operations import Operation, Trees

pytestmark = pytest.mark.skipif(
    kernel_side.kernel is None, reason="the package was installed without a C compiler"
)


def columns(rows: int, seed: int) -> dict[str, Any]:
    return {f"x{i}": x for i, x in enumerate(numbers(rows, seed))}


@given(form=forms(), rows=st.sampled_from([1, 7, 8, 9, 70]), seed=st.integers(0, 1000))
@settings(max_examples=150, deadline=None)
def test_the_kernel_and_numpy_give_the_same_bits(form: Form, rows: int, seed: int) -> None:
    block = columns(rows, seed)

    ours, reference = Compiled(form).block(block), Compiled(form, native=False).block(block)

    for name, expected in reference.items():
        np.testing.assert_array_equal(ours[name], expected, err_msg=name)


@given(form=forms(), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_a_row_by_itself_and_within_a_block_give_the_same_bits(form: Form, seed: int) -> None:
    block = columns(19, seed)
    compiled = Compiled(form)

    together = compiled.block(block)

    for at in range(19):
        alone = compiled.row([float(x[at]) for x in block.values()])
        np.testing.assert_array_equal(alone, [y[at] for y in together.values()])


def test_blocks_longer_than_one_pass_are_joined_without_a_seam() -> None:
    form = _of(programs.trees(np.random.default_rng(1), INPUTS))
    block = columns(10_001, 5)

    whole = Compiled(form).block(block)
    parts = [
        Compiled(form).block({k: v[a : a + 100] for k, v in block.items()})
        for a in range(0, 10_001, 100)
    ]

    for name, column in whole.items():
        np.testing.assert_array_equal(column, np.concatenate([p[name] for p in parts]))


def _of(operation: Operation) -> Form:
    return Form(
        inputs=tuple(Input(name=f"x{i}", kind=Kind.NUMBER) for i in range(INPUTS)),
        operations=(operation,),
        outputs=tuple(Output(name=f"y{i}", column=INPUTS + i) for i in range(operation.width)),
    )


BREAKS = (
    ("roots", 0, 10**6),
    ("roots", 0, -1),
    ("targets", 0, 2),
    ("targets", 0, -1),
    ("feature", 0, 99),
    ("feature", 0, -2),
    ("left", 0, 0),
    ("left", 0, 10**6),
    ("right", 0, -1),
    ("right", 0, 0),
    ("categories", 0, 10**6),
    ("source", 0, INPUTS),
    ("source", 0, -1),
)


def _tree() -> Trees:
    """Give trees whose first root is a comparison."""
    for seed in range(100):
        made = programs.trees(np.random.default_rng(seed), INPUTS)
        if made.feature[0] >= 0 and made.categories[0] < 0:
            return made
    raise AssertionError


@pytest.mark.parametrize(("name", "at", "value"), BREAKS)
def test_trees_that_point_elsewhere_are_refused(name: str, at: int, value: int) -> None:
    broken = getattr(_tree(), name).copy()
    broken[at] = value

    with pytest.raises(FormInvalidError):
        Compiled(_of(dataclasses.replace(_tree(), **{name: broken})))


@pytest.mark.parametrize(("name", "at", "value"), BREAKS)
def test_the_kernel_itself_refuses_such_trees_too(
    name: str, at: int, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = getattr(_tree(), name).copy()
    broken[at] = value
    form = _of(dataclasses.replace(_tree(), **{name: broken}))
    monkeypatch.setattr(kernel_side, "check", lambda _: None)

    with pytest.raises(FormInvalidError, match="operation 0"):
        kernel_side.program(form, [{}] * INPUTS)


@given(form=forms(), data=st.data())
@settings(max_examples=80, deadline=None)
def test_an_array_of_another_size_never_reaches_the_program(
    form: Form, data: st.DataObject
) -> None:
    operation = data.draw(st.sampled_from(form.operations))
    arrays = [
        f.name
        for f in dataclasses.fields(operation)
        if isinstance(getattr(operation, f.name), np.ndarray) and f.name not in FREE
    ]
    name = data.draw(st.sampled_from(arrays or ["source"]))
    shorter = getattr(operation, name)[:-1]
    broken = dataclasses.replace(operation, **{name: shorter})
    form = (
        _of(broken)
        if name == "source"
        else dataclasses.replace(form, operations=(broken,), outputs=())
    )

    try:
        compiled = Compiled(form)
    except (FormInvalidError, ValueError):
        return
    compiled.block(columns(3, 1))  # it is a smaller program, but a whole one


FREE = ("edges", "words", "leaves")
