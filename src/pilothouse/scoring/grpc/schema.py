"""
The protocol's messages, made from ``schema.binpb``, which ``make proto`` writes from the two files of definitions.

They live in a pool of their own: clients of the protocol bring generated code with the same names for the
process-wide pool, where a second definition is an error.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

INFERENCE, HEALTH = "inference.GRPCInferenceService", "grpc.health.v1.Health"

Message = Any
"""A message: its fields are known to the schema alone."""


def _pool() -> DescriptorPool:
    pool = DescriptorPool()
    raw = files("pilothouse.scoring.grpc").joinpath("schema.binpb").read_bytes()
    for file in FileDescriptorSet.FromString(raw).file:
        pool.Add(file)
    return pool


_POOL = _pool()


def message(name: str) -> Message:
    """Give the class of a message by its full name."""
    return GetMessageClass(_POOL.FindMessageTypeByName(name))


def request_of(service: str, method: str) -> Message:
    """Give the class of the message that a method takes."""
    found = _POOL.FindServiceByName(service).methods_by_name[method]
    return GetMessageClass(found.input_type)


InferRequest = message("inference.ModelInferRequest")
InferResponse = message("inference.ModelInferResponse")
IndexResponse = message("inference.RepositoryIndexResponse")
LiveResponse = message("inference.ServerLiveResponse")
ReadyResponse = message("inference.ServerReadyResponse")
ServerResponse = message("inference.ServerMetadataResponse")
ModelReadyResponse = message("inference.ModelReadyResponse")
ModelResponse = message("inference.ModelMetadataResponse")
HealthResponse = message("grpc.health.v1.HealthCheckResponse")
