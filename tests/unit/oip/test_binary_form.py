"""The binary tensor extension of Open Inference v2."""

from __future__ import annotations

import contextlib
import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.utils import serialize_byte_tensor

from pilothouse.oip.binary_form import (
    FORMATS,
    bytes_of,
    encode_response,
    split,
    tensor_from,
    tensors_of,
)
from pilothouse.oip.elements import INTEGER_RANGES
from pilothouse.oip.errors import (
    BinaryHeaderError,
    BinarySizeError,
    DatatypeUnknownError,
    ElementInvalidError,
    NullUnsendableError,
    ParameterInvalidError,
    ProtocolError,
)
from pilothouse.oip.messages import (
    Datatype,
    InferResponse,
    RequestTensor,
    ResponseTensor,
    Tensor,
)


def named(name: str, size: object, **others: Any) -> RequestTensor:  # noqa: ANN401
    wanted = {"shape": [1], "datatype": "UINT8", "parameters": {"binary_data_size": size}}
    return RequestTensor(name=name, **{**wanted, **others})


def read(raw: bytes, shape: list[int], datatype: str = "FP64") -> Tensor:
    return tensor_from(raw, name="x", shape=shape, datatype=datatype)


@pytest.mark.parametrize("datatype", sorted(INTEGER_RANGES))
def test_integers_are_read_as_numpy_writes_them(datatype: Datatype) -> None:
    low, high = INTEGER_RANGES[datatype]
    written = np.array([low, 0, high], dtype=np.dtype(datatype.value.lower()).newbyteorder("<"))

    tensor = read(written.tobytes(), [3], datatype)

    assert list(tensor.elements) == [low, 0, high]
    assert bytes_of(tensor.elements, datatype, tensor="x") == written.tobytes()


@pytest.mark.parametrize(
    ("datatype", "kind"), [("FP16", np.float16), ("FP32", np.float32), ("FP64", np.float64)]
)
def test_floats_are_read_exactly_and_nan_is_null(datatype: str, kind: type) -> None:
    written: np.ndarray = np.array([0.1, -0.0, math.inf, math.nan], dtype=kind)

    tensor = read(written.tobytes(), [2, 2], datatype)

    assert (tensor.rows, tensor.width) == (2, 2)
    assert list(tensor.elements[:3]) == written[:3].tolist()
    assert math.copysign(1, tensor.elements[1]) == -1  # type: ignore[arg-type]
    assert tensor.elements[3] is None
    back = bytes_of(tensor.elements, Datatype(datatype), tensor="x")
    assert np.array_equal(np.frombuffer(back, kind), written, equal_nan=True)


def test_texts_are_read_as_the_stock_client_writes_them() -> None:
    texts = ["", "Kündin", "𝄞"]
    written = serialize_byte_tensor(np.array(texts, dtype=np.object_)).item()

    assert read(written, [3], "BYTES").elements == texts
    assert bytes_of(texts, Datatype.BYTES, tensor="x") == written


@given(
    st.binary(max_size=40),
    st.lists(st.integers(-1, 2**70) | st.integers(0, 4), max_size=3),
    st.sampled_from([*Datatype, "BF16", ""]),
)
def test_any_bytes_are_read_whole_or_refused(raw: bytes, shape: list[int], datatype: str) -> None:
    try:
        tensor = read(raw, shape, datatype)
    except ProtocolError:
        return
    assert len(tensor.elements) == math.prod(shape)
    if tensor.datatype is Datatype.BYTES or None not in tensor.elements:
        assert bytes_of(tensor.elements, tensor.datatype, tensor="x") == raw


@given(st.binary(max_size=60), st.binary(max_size=4) | st.integers(0, 70).map(lambda n: b"%d" % n))
def test_any_body_and_any_length_are_parted_or_refused(body: bytes, length: bytes) -> None:
    with contextlib.suppress(BinaryHeaderError):
        head, rest = split(body, length)
        assert head + bytes(rest) == body


@pytest.mark.parametrize("length", [b"", b"-1", b"+1", b" 1", b"1.0", b"0x1", b"99", b"9" * 4300])
def test_a_header_that_is_no_length_within_the_body_is_refused(length: bytes) -> None:
    with pytest.raises(BinaryHeaderError):
        split(b"{}", length)


@pytest.mark.parametrize("raw", [b"", bytes(7), bytes(9), bytes(16)])
def test_a_tensor_has_exactly_the_bytes_of_its_shape_and_datatype(raw: bytes) -> None:
    with pytest.raises(BinarySizeError) as caught:
        read(raw, [1])
    assert caught.value.tensor == "x"


def test_a_shape_that_no_memory_could_hold_is_refused_unmade() -> None:
    for datatype in (*FORMATS, Datatype.BYTES):
        with pytest.raises(BinarySizeError):
            read(bytes(8), [2**62, 2**62], datatype)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x01\x00\x00",
        b"\x01\x00\x00\x00",
        b"\x01\x00\x00\x00ab",
        b"\xff\xff\xff\xffa",
        struct.pack("<I", 2**31) + b"a",
    ],
)
def test_a_text_ends_where_its_length_says(raw: bytes) -> None:
    with pytest.raises(BinarySizeError):
        read(raw, [1], "BYTES")


def test_bytes_that_are_no_text_and_truths_that_are_no_bit_are_refused_with_their_place() -> None:
    with pytest.raises(ElementInvalidError) as text:
        read(b"\x01\x00\x00\x00a\x01\x00\x00\x00\xff", [2], "BYTES")
    with pytest.raises(ElementInvalidError) as truth:
        read(b"\x00\x01\x02", [3], "BOOL")
    assert (text.value.index, truth.value.index) == (1, 2)


def test_what_triton_alone_knows_is_no_datatype() -> None:
    with pytest.raises(DatatypeUnknownError):
        read(bytes(2), [1], "BF16")


def test_tensors_take_their_bytes_in_order_beside_those_in_json() -> None:
    asked = [
        named("a", 2, shape=[2]),
        named("b", 0, parameters={}, data=[7]),
        named("c", 1, datatype="BOOL"),
    ]

    found = list(tensors_of(asked, memoryview(b"\x01\x02\x01")))

    assert [list(t.elements) for t in found] == [[1, 2], [7], [True]]


@pytest.mark.parametrize("size", [-1, 1.0, "1", True, None, [1], 2**70])
def test_a_size_that_is_no_number_of_bytes_within_the_body_is_refused(size: object) -> None:
    with pytest.raises((ParameterInvalidError, BinarySizeError)):
        list(tensors_of([named("a", size)], memoryview(b"\x01")))


@pytest.mark.parametrize("rest", [b"", b"\x01\x02"])
def test_every_byte_belongs_to_one_tensor(rest: bytes) -> None:
    with pytest.raises(BinarySizeError):
        list(tensors_of([named("a", 1)], memoryview(rest)))


def test_data_never_comes_twice() -> None:
    with pytest.raises(BinarySizeError):
        list(tensors_of([named("a", 1, data=[1])], memoryview(b"\x01")))


def answer(*outputs: ResponseTensor) -> InferResponse:
    return InferResponse(model_name="m", model_version="1", outputs=list(outputs), parameters={})


def test_an_answer_mixes_json_and_binary() -> None:
    score = ResponseTensor(name="score", datatype="FP64", shape=(2,), data=[0.5, None])
    label = ResponseTensor(name="label", datatype="BYTES", shape=(2,), data=["a", None])

    body, length = encode_response(answer(score, label), {"score"})

    assert body[:length] == (
        b'{"model_name":"m","model_version":"1","outputs":['
        b'{"name":"score","datatype":"FP64","shape":[2],"parameters":{"binary_data_size":16}},'
        b'{"name":"label","datatype":"BYTES","shape":[2],"data":["a",null]}],"parameters":{}}'
    )
    assert body[length : length + 8] == struct.pack("<d", 0.5)
    with pytest.raises(NullUnsendableError) as caught:
        encode_response(answer(score, label), {"score", "label"})
    assert (caught.value.tensor, caught.value.index) == ("label", 1)
