"""Runtimes: places where snapshots and their jobs run, and how an order finds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.errors import UnavailableError
from pilothouse.domain.ids import GroupName, RuntimeId, ServiceTag, StageName
from pilothouse.domain.snapshots import check_name

GRPC_PORT, ACCESS_LOG = "grpc_port", "access_log"


class Mode(StrEnum):
    """How a snapshot is consumed."""

    BATCH = "batch"
    ONLINE = "online"


class Ability(StrEnum):
    """What a connector can do; what it cannot is declared with a reason."""

    ONLINE = "online"
    SCORE_JOB = "score-job"
    METRICS_JOB = "metrics-job"
    TRAIN_JOB = "train-job"
    LOAD_TEST = "load-test"
    CANCEL = "cancel"
    LOGS = "logs"


class RuntimeHealth(StrEnum):
    """What the reconciler last saw."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a runtime can do, what it cannot and why, and which formats it loads."""

    abilities: frozenset[Ability]
    inabilities: Mapping[Ability, str] = field(default_factory=dict)
    formats: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """
    A place where snapshots run, tagged with the stage that it is for.

    Attributes
    ----------
    services
        The services that may be placed here; none named means every service of the group.
    address
        ``host:port`` where consuming applications meet its online deployments; None for batch only.
    desired_generation, desired_digest
        The last desired state that was written for it, and the digest of its content.
    options
        What its connector understands; never a secret, only references to secrets.
    """

    id: RuntimeId
    group: GroupName
    name: str
    connector: str
    stage: StageName
    modes: tuple[Mode, ...]
    services: tuple[ServiceTag, ...]
    address: str | None
    options: Mapping[str, str | int | float | bool]
    health: RuntimeHealth
    health_reason: str
    created_at: datetime
    retired_at: datetime | None = None
    desired_generation: int = 0
    desired_digest: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        check_name("runtime", self.name)

    @property
    def grpc_port(self) -> int | None:
        """The port on which its entry answers by gRPC, where its options name one."""
        port = self.options.get(GRPC_PORT)
        return port if type(port) is int else None

    def suits(self, *, stage: StageName, service: ServiceTag, mode: Mode) -> bool:
        """Whether an order for this stage, service and mode may be placed here."""
        return (
            self.retired_at is None
            and self.stage == stage
            and mode in self.modes
            and (not self.services or service in self.services)
        )


class NoRuntimeError(UnavailableError):
    """No registered runtime suits an order."""

    code = "no-runtime"

    def __init__(self, *, stage: StageName, service: ServiceTag, mode: Mode, seen: int) -> None:
        self.stage, self.service, self.mode, self.seen = stage, service, mode, seen
        super().__init__(
            f"No runtime takes {service} in {stage} by {mode.value}: of {seen} registered for the group, none "
            f"has stage {stage}, mode {mode.value} and the service {service} (or no services named). Register "
            "one with `pilothouse runtimes register`, then retry."
        )


def matching(
    runtimes: Iterable[Runtime], *, stage: StageName, service: ServiceTag, mode: Mode
) -> tuple[Runtime, ...]:
    """
    Give every runtime that suits, in order of name.

    Raises
    ------
    NoRuntimeError
        When none does; it says what is missing.
    """
    seen = tuple(runtimes)
    found = tuple(r for r in seen if r.suits(stage=stage, service=service, mode=mode))
    if not found:
        raise NoRuntimeError(stage=stage, service=service, mode=mode, seen=len(seen))
    return tuple(sorted(found, key=lambda r: r.name))


class RuntimeUnreachableError(UnavailableError):
    """A runtime does not answer."""

    code = "runtime-unreachable"

    def __init__(self, *, runtime: str, problem: str) -> None:
        self.runtime, self.problem = runtime, problem
        super().__init__(
            f"Runtime {runtime} does not answer: {problem}. It is asked again by itself; look at "
            f"`pilothouse runtimes logs {runtime}`."
        )
