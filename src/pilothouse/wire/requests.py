"""What callers ask for: one frozen value per order, the body of its API call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from pilothouse.domain.access import Role
from pilothouse.domain.datasets import DatasetRole
from pilothouse.domain.jobs import JobKind, TableFormat
from pilothouse.domain.locations import LocationAccess, Place
from pilothouse.domain.models import RiskTier
from pilothouse.domain.outgoing import HostGrant
from pilothouse.domain.plain import DocumentError, from_plain
from pilothouse.domain.prediction_logs import SensitiveLogging
from pilothouse.domain.runtimes import Mode
from pilothouse.domain.snapshots import FileEntry
from pilothouse.domain.training import TrainPlan

R = TypeVar("R")
LONGEST_LIFE_S = 10 * 366 * 86_400.0


def request(kind: type[R]) -> type[R]:
    """
    Make a value an API body that is read by the strict codec.

    The web framework describes bodies and hands them over; left alone it would also turn ``"5"`` into 5,
    ``"yes"`` into true and let NaN pass. A hook of its own, by the name that it looks for, reads the body by
    `pilothouse.domain.plain.from_plain` instead, which refuses all that and fields that it does not know.
    """

    def read(document: object) -> object:
        return document if isinstance(document, kind) else from_plain(kind, document)

    def schema(source: object, handler: Callable[[object], Mapping[str, object]]) -> object:
        inner = handler(source)
        function = {"type": "no-info", "function": read}
        return {"type": "function-before", "function": function, "schema": inner}

    kind.__pydantic_config__ = {"extra": "forbid"}  # type: ignore[attr-defined]
    kind.__get_pydantic_core_schema__ = staticmethod(schema)  # type: ignore[attr-defined]
    return kind


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class CreateGroup:
    """Create a group."""

    name: str
    title: str = ""


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class SetPolicy:
    """
    Change what a group's models may bring and its life cycles may reach; what is null stays as it is.

    Hosts and notification targets name secrets of the platform, so they are for its administrators alone.
    """

    python_source: bool | None = None
    skops_types: tuple[str, ...] | None = None
    outgoing_hosts: tuple[HostGrant, ...] | None = None
    notification_targets: tuple[str, ...] | None = None
    external_topics: tuple[str, ...] | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePerson:
    """Enter somebody who may hold roles and tokens."""

    name: str
    title: str = ""
    machine: bool = False


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class GiveRole:
    """Give a role in a group (``*`` for every group), in one stage or in all."""

    group: str
    role: Role
    stage: str | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class IssueToken:
    """Issue an API token, for oneself where no person is named."""

    name: str
    group: str
    person: str | None = None
    expires_at: datetime | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class IssueScoringToken:
    """Issue a token for consuming applications; no services means all of the platform's entries."""

    name: str
    group: str
    services: tuple[str, ...]
    expires_at: datetime | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterModel:
    """Register a model; its owner is the caller where none is named."""

    name: str
    group: str
    owner: str | None = None
    use_case: str = ""
    methodology: str = ""
    risk_tier: RiskTier = RiskTier.UNASSIGNED


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class DefineStage:
    """Add a stage to the path."""

    name: str
    position: int
    production: bool = False


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class DefineService:
    """Define a business use by its tag."""

    tag: str
    group: str
    mode: Mode
    title: str = ""
    lifecycle: str | None = None
    test_dataset: str | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class SetLog:
    """Change what the prediction log keeps of a service; what is null stays as it is."""

    sampling: float | None = None
    sensitive: SensitiveLogging | None = None
    retain_days: int | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterLocation:
    """Register a folder that jobs may use."""

    name: str
    group: str
    uri: str
    access: LocationAccess


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterDataset:
    """Register a version of a dataset from a file in a location."""

    name: str
    group: str
    place: Place
    format: TableFormat
    role: DatasetRole
    label: str | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterRuntime:
    """Register a runtime; no services named means every service of the group."""

    name: str
    group: str
    stage: str
    connector: str = "local"
    modes: tuple[Mode, ...] = (Mode.BATCH, Mode.ONLINE)
    services: tuple[str, ...] = ()
    address: str | None = None
    options: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class TakeSnapshot:
    """Take a snapshot of a model folder whose files are uploaded, and tag it with services."""

    model: str
    files: tuple[FileEntry, ...]
    services: tuple[str, ...] = ()


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDeployment:
    """Deploy a snapshot; every suiting runtime receives it unless one is named."""

    snapshot: str
    service: str
    stage: str
    mode: Mode | None = None
    runtime: str | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class RouteShare:
    """A snapshot's relative weight, or a shadow's fraction of requests."""

    snapshot: str
    weight: float


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class SetRoute:
    """Set a route over the generation that the caller has seen."""

    expected_generation: int
    variants: tuple[RouteShare, ...]
    shadows: tuple[RouteShare, ...] = ()


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class OrderJob:
    """
    Run a snapshot over a table.

    The input is a registered `dataset` or a file in a location; `columns` passes input columns through. A training
    takes a dataset of the role train, and `training`: parameters, a seed, a time-out, and whether the new snapshot is
    tagged with the service.
    """

    kind: JobKind
    snapshot: str
    service: str
    stage: str
    dataset: str | None = None
    source: Place | None = None
    source_format: TableFormat | None = None
    target: Place | None = None
    target_format: TableFormat | None = None
    label: str | None = None
    columns: tuple[str, ...] = ()
    training: TrainPlan | None = None


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class StartRun:
    """Start a life cycle by hand."""

    definition: str
    snapshot: str | None = None
    service: str | None = None
    variables: Mapping[str, object] = field(default_factory=dict)


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteTask:
    """Answer a task."""

    answers: Mapping[str, object]


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class RetryIncident:
    """Try again what stopped, with changed variables where given."""

    variables: Mapping[str, object] = field(default_factory=dict)
    retries: int = 3


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class PublishMessage:
    """Send a message to the runs that wait for it, or that will within its time to live."""

    id: str
    group: str
    name: str
    correlation_key: str
    payload: Mapping[str, object] = field(default_factory=dict)
    time_to_live_s: float = 3600.0

    def __post_init__(self) -> None:
        if not 0 <= self.time_to_live_s <= LONGEST_LIFE_S:
            raise DocumentError(
                path="time_to_live_s", problem=f"a message lives 0 to {LONGEST_LIFE_S:g} seconds"
            )


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class SendSignal:
    """Tell every run of a group that waits for a signal."""

    group: str
    name: str
    payload: Mapping[str, object] = field(default_factory=dict)


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConditions:
    """Start the life cycles of a group whose conditional start event holds of these variables."""

    group: str
    variables: Mapping[str, object] = field(default_factory=dict)


@request
@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRun:
    """End a run where it stands."""

    reason: str
