"""Endpoints: where consuming applications meet a service in a stage."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pilothouse.domain.ids import GroupName, RuntimeId, ServiceTag, StageName


class EndpointKind(StrEnum):
    """How an application speaks to an endpoint."""

    REST = "rest"
    GRPC = "grpc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address of a service in a stage on one runtime; `url` takes Open Inference v2 requests, by gRPC with the service as model name."""

    group: GroupName
    service: ServiceTag
    stage: StageName
    runtime_id: RuntimeId
    kind: EndpointKind
    url: str


def rest_url(address: str, service: ServiceTag) -> str:
    """
    Give the address of a service's model in Open Inference v2.

    Examples
    --------
    >>> rest_url("127.0.0.1:8104", ServiceTag("cc-fraud"))
    'http://127.0.0.1:8104/v2/models/cc-fraud'
    """
    return f"http://{address}/v2/models/{service}"


def grpc_url(address: str, port: int) -> str:
    """
    Give the address of an entry's gRPC.

    Examples
    --------
    >>> grpc_url("127.0.0.1:8104", 9104)
    'grpc://127.0.0.1:9104'
    """
    return f"grpc://{address.rpartition(':')[0]}:{port}"
