"""The protocol's paths."""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from pilothouse.domain.ids import ServiceTag


class Resource(Enum):
    """What a path names."""

    SERVER = auto()
    LIVE = auto()
    READY = auto()
    MODELS = auto()
    MODEL = auto()
    MODEL_READY = auto()
    INFER = auto()
    METRICS = auto()
    INDEX = auto()
    OUTCOMES = auto()


class Target(NamedTuple):
    """A resource, with the service and the version that its path names."""

    resource: Resource
    service: ServiceTag = ServiceTag("")
    version: str | None = None


_FIXED = {
    "/v2": Target(Resource.SERVER),
    "/v2/health/live": Target(Resource.LIVE),
    "/v2/health/ready": Target(Resource.READY),
    "/v2/models": Target(Resource.MODELS),
    "/v2/repository/index": Target(Resource.INDEX),
    "/metrics": Target(Resource.METRICS),
    "/v1/outcomes": Target(Resource.OUTCOMES),
}
_LAST = {"ready": Resource.MODEL_READY, "infer": Resource.INFER}


@lru_cache(maxsize=4096)
def target_of(path: str) -> Target | None:
    """
    Give what a path names, or None.

    Examples
    --------
    >>> target_of("/v2/models/cc-fraud/versions/7/infer")
    Target(resource=<Resource.INFER: 7>, service='cc-fraud', version='7')
    """
    fixed = _FIXED.get(path)
    if fixed is not None:
        return fixed
    parts = [unquote(part) for part in path.split("/")]
    if parts[:3] != ["", "v2", "models"] or len(parts) < 4 or not all(parts[3:]):
        return None
    service = ServiceTag(parts[3])
    match parts[4:]:
        case []:
            return Target(Resource.MODEL, service)
        case [last] if last in _LAST:
            return Target(_LAST[last], service)
        case ["versions", version]:
            return Target(Resource.MODEL, service, version)
        case ["versions", version, last] if last in _LAST:
            return Target(_LAST[last], service, version)
        case _:
            return None
