"""The file of a compiled model: what is written is read, and nothing else is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilothouse.evaluator import Compiled, Form, Input, Kind, Output, dumps, load, loads
from pilothouse.evaluator.container import HEAD, MAGIC, VERSION
from pilothouse.evaluator.errors import EvaluatorError, FormInvalidError
from pilothouse.evaluator.operations import Linear, Refusal, Refuse
from tests.unit.evaluator.programs import INPUTS, forms, numbers

if TYPE_CHECKING:
    from pathlib import Path


@given(form=forms())
@settings(max_examples=40, deadline=None)
def test_a_form_is_read_as_it_was_written(form: Form) -> None:
    data = dumps(form)
    read = loads(data)
    block = {f"x{i}": x for i, x in enumerate(numbers(20, 3))}

    assert dumps(read) == data
    ours, theirs = Compiled(read).block(block), Compiled(form).block(block)
    for name, expected in theirs.items():
        np.testing.assert_array_equal(ours[name], expected)


@given(form=forms(), data=st.data())
@settings(max_examples=120, deadline=None)
def test_damage_gives_a_typed_error_or_another_whole_program(
    form: Form, data: st.DataObject
) -> None:
    file = bytearray(dumps(form))
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    file = file[: data.draw(st.integers(0, len(file)))] if data.draw(st.booleans()) else file

    try:
        compiled = load(bytes(file))
        compiled.block({i.name: np.array(numbers(9, 1)[0]) for i in compiled.form.inputs})
    except EvaluatorError:
        pass


def test_a_file_is_mapped(tmp_path: Path) -> None:
    form = Form(
        inputs=(Input(name="x", kind=Kind.NUMBER),),
        operations=(
            Linear(
                source=np.array([0], dtype=np.int32),
                weights=np.array([[2.0]]),
                bias=np.array([1.0]),
            ),
        ),
        outputs=(Output(name="y", column=1),),
        facts={"class": "LinearRegression"},
    )
    (tmp_path / "model").write_bytes(dumps(form))

    assert load(tmp_path / "model").row([3.0]) == (7.0,)
    assert load(tmp_path / "model").form.facts == {"class": "LinearRegression"}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "too short"),
        (b"PK\x03\x04" + bytes(100), "another kind"),
        (HEAD.pack(MAGIC, VERSION + 1, 2) + b"{}", "version 2"),
        (HEAD.pack(MAGIC, VERSION, 2**63) + b"{}", "ends too soon"),
        (HEAD.pack(MAGIC, VERSION, 2) + b"[]", "TypeError"),
        (HEAD.pack(MAGIC, VERSION, 2) + b"{}", "KeyError"),
        (HEAD.pack(MAGIC, VERSION, 2) + b"{]", "not JSON"),
    ],
)
def test_what_is_no_form_is_refused(data: bytes, problem: str, tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(data)

    with pytest.raises(FormInvalidError, match=problem):
        load(tmp_path / "model")


def _file(**operation: object) -> bytes:
    head = {
        "facts": {},
        "inputs": [{"name": "x", "kind": "number", "words": []}],
        "operations": [operation],
        "outputs": [{"name": "y", "column": 0, "labels": None}],
    }
    text = json.dumps(head).encode()
    return HEAD.pack(MAGIC, VERSION, len(text)) + text + bytes(64 + -(len(text) + HEAD.size) % 64)


@pytest.mark.parametrize(
    "source",
    [
        {"at": 0, "shape": [2**31 - 1, 2**31 - 1]},
        {"at": 0, "shape": [-1]},
        {"at": -64, "shape": [1]},
        {"at": 1, "shape": [1]},
        {"at": 64, "shape": [1]},
        {"at": 0, "shape": []},
        {"at": 0, "shape": [1, 1, 1]},
        {"at": True, "shape": [1]},
        {"at": 0, "shape": [0]},
    ],
)
def test_an_array_outside_of_the_file_is_refused(source: object) -> None:
    with pytest.raises(FormInvalidError):
        loads(_file(operation="Apply", source=source, function=1))


def test_any_text_can_be_a_word() -> None:
    words = ("", "é", "\x00", "\ud800", "line\nline", "🙂")
    form = Form(
        inputs=(Input(name="w", kind=Kind.TEXT, words=words),),
        operations=(),
        outputs=(Output(name="w", column=0, labels=words),),
    )

    compiled = load(dumps(form))

    assert [compiled.row([w]) for w in words] == [(w,) for w in words]


def test_an_operation_that_is_not_known_is_refused() -> None:
    with pytest.raises(FormInvalidError):
        loads(_file(operation="Eval", source={"at": 0, "shape": [1]}))


def test_only_what_the_kept_outputs_need_stays() -> None:
    source = np.array([0], dtype=np.int32)
    linear = [
        Linear(source=source, weights=np.array([[w]]), bias=np.array([0.0])) for w in (2.0, 3.0)
    ]
    refuse = Refuse(source=source, reason=Refusal.MISSING, step="s")
    form = Form(
        inputs=tuple(Input(name=f"x{i}", kind=Kind.NUMBER) for i in range(INPUTS)),
        operations=(linear[0], refuse, linear[1]),
        outputs=(Output(name="a", column=INPUTS), Output(name="b", column=INPUTS + 1)),
    )

    kept = form.only({"b"})

    assert [type(o).__name__ for o in kept.operations] == ["Refuse", "Linear"]
    assert Compiled(kept).row([5.0, 0.0, 0.0]) == (15.0,)
