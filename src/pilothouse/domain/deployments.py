"""Deployments: a snapshot on a runtime, in a mode, for a service."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.errors import RefusedError
from pilothouse.domain.ids import (
    DeploymentId,
    GroupName,
    PersonId,
    RuntimeId,
    ServiceTag,
    SnapshotId,
    StageName,
)
from pilothouse.domain.runtimes import Mode


class DeploymentState(StrEnum):
    """Where a deployment stands."""

    ORDERED = "ordered"
    DEPLOYING = "deploying"
    RUNNING = "running"
    DRAINING = "draining"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"

    @property
    def wanted(self) -> bool:
        """Whether the runtime must hold the snapshot."""
        return self not in (DeploymentState.DRAINING, DeploymentState.WITHDRAWN)


class DeploymentWithdrawnError(RefusedError):
    """The deployment is withdrawn and does not come back."""

    code = "deployment-withdrawn"

    def __init__(self, *, deployment: DeploymentId) -> None:
        self.deployment = deployment
        super().__init__(f"Deployment {deployment} is withdrawn. Order the snapshot again.")


class DeploymentRoutedError(RefusedError):
    """The deployment still answers for its service."""

    code = "deployment-routed"

    def __init__(self, *, deployment: DeploymentId, service: ServiceTag, stage: StageName) -> None:
        self.deployment, self.service, self.stage = deployment, service, stage
        super().__init__(
            f"Deployment {deployment} still has a share of {service}'s traffic in {stage}. Shift the route to "
            "another snapshot first, or withdraw with `--stop-service`."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A snapshot on a runtime in a mode for a service."""

    id: DeploymentId
    group: GroupName
    snapshot_id: SnapshotId
    snapshot: str
    number: int
    digest: str
    service: ServiceTag
    stage: StageName
    mode: Mode
    runtime_id: RuntimeId
    state: DeploymentState
    reason: str
    isolation: str
    ordered_by: PersonId
    ordered_at: datetime
    running_at: datetime | None = None
    ended_at: datetime | None = None
    version: int = 1

    def moved(
        self,
        state: DeploymentState,
        *,
        at: datetime,
        reason: str = "",
        isolation: str | None = None,
    ) -> Deployment:
        """
        Take over what was observed or ordered.

        Raises
        ------
        DeploymentWithdrawnError
            When it is withdrawn: that is the end.
        """
        if self.state is DeploymentState.WITHDRAWN:
            raise DeploymentWithdrawnError(deployment=self.id)
        running = self.running_at or (at if state is DeploymentState.RUNNING else None)
        return replace(
            self,
            state=state,
            reason=reason,
            isolation=self.isolation if isolation is None else isolation,
            running_at=running,
            ended_at=at if state is DeploymentState.WITHDRAWN else None,
        )
