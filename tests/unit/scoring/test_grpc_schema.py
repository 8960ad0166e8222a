"""The messages of gRPC."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from tritonclient.grpc import service_pb2

from pilothouse.scoring import grpc
from pilothouse.scoring.grpc import schema

FOLDER = Path(grpc.__file__).parent


def test_the_written_schema_is_that_of_the_definitions(tmp_path: Path) -> None:
    made = tmp_path / "schema.binpb"
    files = ("open_inference.proto", "health.proto")
    command = ["-m", "grpc_tools.protoc", f"--proto_path={FOLDER}", f"--descriptor_set_out={made}"]
    subprocess.run([sys.executable, *command, *files], check=True)

    held = FileDescriptorSet.FromString((FOLDER / "schema.binpb").read_bytes())
    assert held == FileDescriptorSet.FromString(made.read_bytes()), "run: make proto"


def test_names_and_numbers_are_those_of_the_stock_client() -> None:
    theirs = FileDescriptorProto()
    service_pb2.DESCRIPTOR.CopyToProto(theirs)
    known = {message.name: message for message in theirs.message_type}
    for ours in (
        FileDescriptorSet.FromString((FOLDER / "schema.binpb").read_bytes()).file[0].message_type
    ):
        fields = {(f.name, f.number, f.type, f.label) for f in ours.field}
        extra = {(f.name) for f in ours.field} - {f.name for f in known[ours.name].field}
        assert extra <= {"properties"}  # KServe's own addition
        assert {f for f in fields if f[0] not in extra} <= {
            (f.name, f.number, f.type, f.label) for f in known[ours.name].field
        }


def test_the_schema_stands_beside_a_clients_generated_code() -> None:
    assert schema.InferRequest is not service_pb2.ModelInferRequest
    request = service_pb2.ModelInferRequest(model_name="cc-fraud")
    assert schema.InferRequest.FromString(request.SerializeToString()).model_name == "cc-fraud"
