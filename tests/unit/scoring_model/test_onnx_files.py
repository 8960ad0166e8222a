"""Which files an ONNX model reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pilothouse.scoring.formats.protobuf import WireError, external_files
from tests.models.build import onnx_graph

if TYPE_CHECKING:
    from collections.abc import Callable


def external(location: str) -> onnx.TensorProto:
    """Give a tensor whose values are in another file."""
    tensor = numpy_helper.from_array(np.zeros(2), "e")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", location
    return tensor


def _in_initializer(model: onnx.ModelProto, tensor: onnx.TensorProto) -> None:
    model.graph.initializer.append(tensor)


def _in_constant(model: onnx.ModelProto, tensor: onnx.TensorProto) -> None:
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=tensor))


def _in_branch(model: onnx.ModelProto, tensor: onnx.TensorProto) -> None:
    branch = helper.make_graph([], "branch", [], [], [tensor])
    model.graph.node.append(
        helper.make_node("If", ["c"], [], then_branch=branch, else_branch=branch)
    )


def _in_function(model: onnx.ModelProto, tensor: onnx.TensorProto) -> None:
    node = helper.make_node("Constant", [], ["c"], value=tensor)
    model.functions.append(helper.make_function("d", "f", [], ["c"], [node], []))


@pytest.mark.parametrize("hide", [_in_initializer, _in_constant, _in_branch, _in_function])
def test_external_data_is_found_wherever_it_hides(
    hide: Callable[[onnx.ModelProto, onnx.TensorProto], None],
) -> None:
    model = onnx_graph()
    hide(model, external("../../etc/passwd"))

    assert external_files(model.SerializeToString()) == {"../../etc/passwd"}


def test_a_model_of_its_own_reads_no_other_file() -> None:
    assert external_files(onnx_graph().SerializeToString()) == frozenset()


@pytest.mark.parametrize("body", [b"\x3a\xff", b"\x3b", b"\xff" * 20, b"\x3a\x05ab"])
def test_bytes_that_are_no_protobuf_are_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        external_files(body)
