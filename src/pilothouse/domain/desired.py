"""What the control plane wants of a runtime, and what the runtime says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.errors import NotSupportedError
from pilothouse.domain.ids import DeploymentId, RuntimeId, ServiceTag, StageName
from pilothouse.domain.prediction_logs import LogPolicy

SCHEMA = 2
ACCEPTED_SCHEMAS = (1, 2)  # this one and the one before


class DesiredSchemaError(NotSupportedError):
    """A document was written by a version that this one cannot read."""

    code = "desired-schema-unknown"

    def __init__(self, *, found: int) -> None:
        self.found = found
        super().__init__(
            f"The desired-state document has schema {found}; this build reads "
            f"{', '.join(map(str, ACCEPTED_SCHEMAS))}. Bring both sides to neighbouring releases."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a model's own process may use."""

    memory_bytes: int = 4 * 2**30
    open_files: int = 256
    load_timeout_s: float = 120.0
    score_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredDeployment:
    """One snapshot that an entry must hold ready for a service."""

    id: DeploymentId
    generation: int
    service: ServiceTag
    snapshot: str  # model@number
    number: int
    digest: str
    limits: Limits = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredVariant:
    """A deployment's share of a route: `weight` is relative, a shadow's is a fraction of requests in (0, 1]."""

    deployment_id: DeploymentId
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredRoute:
    """Which deployments answer for a service; `generation` rises with every change."""

    service: ServiceTag
    generation: int
    variants: tuple[DesiredVariant, ...]
    shadows: tuple[DesiredVariant, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredToken:
    """A scoring token, known by its SHA-256 alone; no services means all of them."""

    id: str
    sha256: str
    services: tuple[ServiceTag, ...]
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredLog:
    """What the prediction log keeps of a service; one that is not named gets a policy's defaults."""

    service: ServiceTag
    policy: LogPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """All that one entry must hold; a higher generation replaces a lower one whole."""

    schema: int
    runtime_id: RuntimeId
    stage: StageName
    generation: int
    deployments: tuple[DesiredDeployment, ...]
    routes: tuple[DesiredRoute, ...]
    tokens: tuple[DesiredToken, ...]
    logs: tuple[DesiredLog, ...] = ()

    def __post_init__(self) -> None:
        if self.schema not in ACCEPTED_SCHEMAS:
            raise DesiredSchemaError(found=self.schema)


class ObservedState(StrEnum):
    """What an entry says of one deployment."""

    LOADING = "loading"
    RUNNING = "running"
    DRAINING = "draining"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedDeployment:
    """One deployment as its entry sees it; `isolation` says what stands between the model and the host."""

    id: DeploymentId
    generation: int
    digest: str
    state: ObservedState
    reason: str = ""
    isolation: str = ""
    requests: int = 0
    failures: int = 0


class LogState(StrEnum):
    """Whether an entry logs what it answers."""

    ON = "on"
    OFF = "off"  # the entry was started without a log
    UNAVAILABLE = "unavailable"  # it was to keep one and cannot, for a reason that is told
    STALLED = "stalled"  # segments are kept, and do not get into the tables


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedLog:
    """
    How an entry's prediction log stands.

    Attributes
    ----------
    rows
        Rows that were recorded since the process began.
    dropped
        Rows that were answered and could not be recorded, by reason.
    written
        Rows that the writer has put into the tables since it began.
    lag_bytes, lag_s
        What waits for the writer, and how old the oldest of it is.
    """

    state: LogState
    reason: str = ""
    rows: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    written: int = 0
    lag_bytes: int = 0
    lag_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """An entry's own word on what it holds."""

    schema: int
    runtime_id: RuntimeId
    generation: int
    process: str  # changes when the process is started again
    started_at: datetime
    address: str  # http://host:port
    deployments: tuple[ObservedDeployment, ...]
    routes: Mapping[ServiceTag, int]
    log: ObservedLog = ObservedLog(state=LogState.OFF)
