"""The JSON form of Open Inference v2."""

from __future__ import annotations

import contextlib
import json
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilothouse.oip.elements import INTEGER_RANGES
from pilothouse.oip.errors import (
    DatatypeUnknownError,
    ElementInvalidError,
    MessageMalformedError,
    ProtocolError,
    TensorLengthError,
    TensorNestingError,
    TensorShapeError,
)
from pilothouse.oip.json_form import decode_request, encode, tensor_of
from pilothouse.oip.messages import Datatype, InferRequest, RequestTensor


def tensor(
    data: list[Any], datatype: str = "FP64", shape: list[int] | None = None
) -> RequestTensor:
    return RequestTensor(
        name="x", shape=[len(data)] if shape is None else shape, datatype=datatype, data=data
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"inputs": 1}',
        b'{"outputs": []}',
        b'{"inputs": [], "ouputs": []}',
        b'{"inputs": [{"name": "x", "shape": [1.5], "datatype": "FP64", "data": [1]}]}',
        b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [NaN]}]}',
        b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [-Infinity]}]}',
        b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": [1e999]}]}',
        b'{"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "data": ["\xff"]}]}',
        b'\xef\xbb\xbf{"inputs": []}',
        b'{"inputs": [{"name": "x", "shape": [1], "datatype": "FP64", "data": '
        + b"[" * 5000
        + b"]" * 5000
        + b"}]}",
    ],
)
def test_what_is_not_the_protocols_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MessageMalformedError) as caught:
        decode_request(body)
    assert caught.value.code == "message-malformed"


@given(st.binary(max_size=200))
def test_any_bytes_are_either_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        assert isinstance(decode_request(body), InferRequest)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
TENSORS = st.fixed_dictionaries(
    {
        "name": st.text(max_size=3),
        "shape": st.lists(st.integers(-2, 4), max_size=3),
        "datatype": st.sampled_from([*Datatype, "FP16", "", "fp64"]),
        "data": st.lists(JSON_VALUES, max_size=4),
    }
)


@given(st.fixed_dictionaries({"inputs": st.lists(TENSORS, max_size=3)}))
def test_whatever_is_accepted_fits_shape_and_datatype_exactly(message: dict[str, Any]) -> None:
    kinds = {Datatype.BOOL: bool, Datatype.BYTES: str, Datatype.FP32: float, Datatype.FP64: float}
    try:
        request = decode_request(json.dumps(message).encode("utf-8", "surrogatepass"))
        columns = [tensor_of(t).elements for t in request.inputs]
    except ProtocolError:
        return
    for read, sent in zip(columns, message["inputs"], strict=True):
        assert len(read) == math.prod(sent["shape"])
        wanted = kinds.get(sent["datatype"], int)
        assert all(e is None or type(e) is wanted for e in read)
        flat = [v for e in sent["data"] for v in (e if isinstance(e, list) else [e])]
        assert read == flat


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_floats_arrive_bit_for_bit(values: list[float]) -> None:
    sent = encode(
        {"inputs": [{"name": "x", "shape": [len(values)], "datatype": "FP64", "data": values}]}
    )

    read = tensor_of(decode_request(sent).inputs[0]).elements

    assert struct.pack(f"<{len(values)}d", *read) == struct.pack(f"<{len(values)}d", *values)


@pytest.mark.parametrize("datatype", list(INTEGER_RANGES))
def test_integers_keep_to_their_width(datatype: Datatype) -> None:
    low, high = INTEGER_RANGES[datatype]
    assert tensor_of(tensor([low, high, None], datatype)).elements == [low, high, None]
    for outside in (low - 1, high + 1):
        with pytest.raises(ElementInvalidError) as caught:
            tensor_of(tensor([0, outside], datatype))
        assert (caught.value.index, caught.value.datatype) == (1, datatype.value)


@pytest.mark.parametrize(
    ("datatype", "element"),
    [
        ("INT64", 2.5),
        ("INT64", 2.0),
        ("INT64", True),
        ("INT64", "2"),
        ("UINT8", -1),
        ("FP64", "2"),
        ("FP64", True),
        ("FP64", 2**53 + 1),
        ("FP32", 1e39),
        ("BOOL", 1),
        ("BOOL", "true"),
        ("BYTES", 7),
        ("BYTES", {"a": 1}),
        ("FP64", {}),
    ],
)
def test_no_element_is_converted_to_fit(datatype: str, element: object) -> None:
    with pytest.raises(ElementInvalidError) as caught:
        tensor_of(tensor([element], datatype))
    assert (caught.value.tensor, caught.value.index) == ("x", 0)


def test_an_elements_value_is_never_repeated_in_the_error() -> None:
    with pytest.raises(ElementInvalidError) as caught:
        tensor_of(tensor(["555-12-3456"], "INT64"))
    assert "555" not in caught.value.message


def test_whole_numbers_in_a_float_tensor_become_floats() -> None:
    (read,) = tensor_of(tensor([7], "FP64")).elements
    assert type(read) is float
    assert read == 7.0


@pytest.mark.parametrize("shape", [[], [0], [-1], [1, 0], [2, 1, 1], [0, 1]])
def test_only_columns_and_matrices_are_shapes(shape: list[int]) -> None:
    with pytest.raises(TensorShapeError) as caught:
        tensor_of(tensor([1.0, 2.0], shape=shape))
    assert caught.value.shape == tuple(shape)


def test_data_may_be_flat_or_nested_like_the_shape() -> None:
    assert tensor_of(tensor([[1.0], [2.0]], shape=[2, 1])).elements == [1.0, 2.0]
    assert tensor_of(tensor([1.0, 2.0], shape=[2, 1])).elements == [1.0, 2.0]
    assert tensor_of(tensor([[1.0, 2.0], [3.0, 4.0]], shape=[2, 2])).elements == [
        1.0,
        2.0,
        3.0,
        4.0,
    ]


def test_a_tensor_in_json_has_data() -> None:
    with pytest.raises(MessageMalformedError) as caught:
        tensor_of(RequestTensor(name="x", shape=[1], datatype="FP64"))
    assert "'x' has no 'data'" in caught.value.message


@pytest.mark.parametrize(
    ("data", "shape"),
    [
        ([[1.0]], [1]),
        ([[1.0, 2.0]], [2, 1]),
        ([[1.0], 2.0], [2, 1]),
        ([[1.0], [2.0, 3.0]], [2, 1]),
        ([[]], [1, 1]),
    ],
)
def test_other_nesting_is_refused(data: list[Any], shape: list[int]) -> None:
    with pytest.raises(TensorNestingError):
        tensor_of(tensor(data, shape=shape))


def test_length_is_what_the_shape_says() -> None:
    with pytest.raises(TensorLengthError) as caught:
        tensor_of(tensor([1.0, 2.0], shape=[3]))
    assert (caught.value.expected, caught.value.found) == (3, 2)


def test_half_precision_has_no_json_form() -> None:
    with pytest.raises(DatatypeUnknownError) as caught:
        tensor_of(tensor([1.0], "FP16"))
    assert caught.value.datatype == "FP16"
