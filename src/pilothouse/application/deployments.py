"""Deployments: order a snapshot onto runtimes, give it the traffic, withdraw it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.application.finding import (
    runtime_named,
    sees,
    service_tagged,
    snapshot_named,
    stage_named,
)
from pilothouse.application.routes import check_running, route_of, set_route
from pilothouse.domain.access import Action
from pilothouse.domain.deployments import Deployment, DeploymentRoutedError, DeploymentState
from pilothouse.domain.errors import (
    AlreadyExistsError,
    NotFoundError,
    NotSupportedError,
    RefusedError,
)
from pilothouse.domain.ids import DeploymentId
from pilothouse.domain.routes import Variant
from pilothouse.domain.runtimes import Ability, Mode, matching
from pilothouse.domain.stages import check_path_to

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.ids import RuntimeId, StageName
    from pilothouse.domain.pages import Page
    from pilothouse.domain.routes import Route
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.domain.services import Service
    from pilothouse.domain.snapshots import Snapshot
    from pilothouse.domain.stages import Stage
    from pilothouse.ports.connectors import Connectors
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.requests import OrderDeployment

NEEDED = {Mode.ONLINE: Ability.ONLINE, Mode.BATCH: Ability.SCORE_JOB}


class NotTaggedError(RefusedError):
    """The snapshot does not carry the service's tag."""

    code = "not-tagged"

    def __init__(self, *, snapshot: str, service: str) -> None:
        self.snapshot, self.service = snapshot, service
        super().__init__(
            f"Snapshot {snapshot} is not tagged with the service {service}. Tag it first: "
            f"`pilothouse snapshots tag {snapshot} {service}`."
        )


class RuntimeUnsuitableError(NotSupportedError):
    """A runtime cannot take the snapshot."""

    code = "runtime-unsuitable"

    def __init__(self, *, runtime: str, snapshot: str, problem: str) -> None:
        self.runtime, self.snapshot, self.problem = runtime, snapshot, problem
        super().__init__(
            f"Runtime {runtime} cannot take {snapshot}: {problem}. Name another runtime or register one."
        )


class Deployments:
    """Order, route and withdraw deployments."""

    def __init__(self, *, open_work: OpenWork, connectors: Connectors) -> None:
        self._open_work = open_work
        self._connectors = connectors

    def order(self, who: Principal, wanted: OrderDeployment) -> tuple[Deployment, ...]:
        """
        Order a snapshot onto every runtime that suits its service and stage, or onto the one named.

        What is deployed there already is given back as it is, so an order may be repeated.

        Raises
        ------
        NotTaggedError, StageSkippedError, NoRuntimeError, RuntimeUnsuitableError
            When the order breaks a rule, or nothing can take it.
        """
        with self._open_work.reading(who) as work:
            order = _read_order(work, wanted)
        for runtime in order.runtimes:
            self._check_suits(runtime, order.snapshot, order.mode)
        asked = {runtime.id for runtime in order.runtimes}
        try:
            return self._order(who, wanted, asked)
        except AlreadyExistsError:
            # Somebody ordered the same at the same moment: what stands now is the answer.
            return self._order(who, wanted, asked)

    def _order(
        self, who: Principal, wanted: OrderDeployment, asked: set[RuntimeId]
    ) -> tuple[Deployment, ...]:
        with self._open_work(who) as work:
            order = _read_order(work, wanted)
            suiting = (runtime for runtime in order.runtimes if runtime.id in asked)
            return work.commit(tuple(_placed(work, order, runtime) for runtime in suiting))

    def _check_suits(self, runtime: Runtime, snapshot: Snapshot, mode: Mode) -> None:
        capabilities = self._connectors.of(runtime).capabilities(runtime)
        ability, format_ = NEEDED[mode], snapshot.content.manifest.format
        if ability not in capabilities.abilities:
            problem = capabilities.inabilities.get(ability, f"it lacks the ability {ability.value}")
        elif format_ not in capabilities.formats:
            problem = f"it does not load the format {format_}"
        else:
            return
        raise RuntimeUnsuitableError(runtime=runtime.name, snapshot=snapshot.name, problem=problem)

    def promote(self, who: Principal, *, snapshot: str, service: str, stage: str) -> Route:
        """
        Give a snapshot all of a service's traffic in a stage.

        Raises
        ------
        NotRunningError
            When it does not run on every entry there.
        """
        with self._open_work(who) as work:
            found, tagged = snapshot_named(work, snapshot), service_tagged(work, service)
            name = stage_named(work, stage).name
            who.require(Action.DEPLOY, group=tagged.group, stage=name)
            check_running(work, found, tagged, name)
            champion = Variant(snapshot_id=found.id, snapshot=found.name, weight=1.0)
            return work.commit(set_route(work, tagged, name, variants=(champion,)))

    def withdraw(
        self, who: Principal, *, deployment_id: str, stop_service: bool = False
    ) -> Deployment:
        """
        Take a deployment away: it drains, then it is gone. Withdrawing twice changes nothing.

        Raises
        ------
        DeploymentRoutedError
            When it still has a share of traffic, unless the service's route shall end with it.
        """
        with self._open_work(who) as work:
            found = work.deployments.find(id=deployment_id)
            if found is None or not sees(who, found.group):
                raise NotFoundError(noun="deployment", name=deployment_id)
            who.require(Action.DEPLOY, group=found.group, stage=found.stage)
            return work.commit(_withdrawn(work, found, stop_service=stop_service))

    def withdraw_snapshot(
        self, who: Principal, *, snapshot: str, service: str, stage: str
    ) -> tuple[Deployment, ...]:
        """Withdraw a snapshot from a service in a stage, out of the route too."""
        with self._open_work(who) as work:
            found, tagged = snapshot_named(work, snapshot), service_tagged(work, service)
            name = stage_named(work, stage).name
            who.require(Action.DEPLOY, group=tagged.group, stage=name)
            held = work.deployments.all(
                snapshot_id=found.id, service=tagged.tag, stage=name, ended_at=None
            )
            return work.commit(tuple(_withdrawn(work, d, stop_service=True) for d in held))

    def withdraw_others(
        self, who: Principal, *, snapshot: str, service: str, stage: str, mode: Mode
    ) -> tuple[Deployment, ...]:
        """Withdraw what a snapshot has replaced: every other one of the service there without traffic."""
        with self._open_work(who) as work:
            found, tagged = snapshot_named(work, snapshot), service_tagged(work, service)
            name = stage_named(work, stage).name
            who.require(Action.DEPLOY, group=tagged.group, stage=name)
            route = route_of(work, tagged, name)
            routed = {v.snapshot_id for v in (*route.variants, *route.shadows)} if route else set()
            others = [
                d
                for d in work.deployments.all(
                    service=tagged.tag, stage=name, mode=mode, ended_at=None
                )
                if d.snapshot_id not in routed | {found.id}
            ]
            return work.commit(tuple(_withdrawn(work, d, stop_service=False) for d in others))

    def get(self, who: Principal, *, deployment_id: str) -> Deployment:
        """Give one deployment."""
        with self._open_work.reading(who) as work:
            found = work.deployments.find(id=deployment_id)
        if found is None or not sees(who, found.group):
            raise NotFoundError(noun="deployment", name=deployment_id)
        return found

    def page(
        self,
        who: Principal,
        *,
        service: str | None = None,
        stage: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Deployment]:
        """List deployments, newest first."""
        equals = {k: v for k, v in (("service", service), ("stage", stage)) if v is not None}
        with self._open_work.reading(who) as work:
            return work.deployments.page(
                groups=who.readable, after=after, limit=limit, newest_first=True, **equals
            )


class _Order:
    """An order with its names looked up and its rules checked."""

    def __init__(self, *, snapshot: Snapshot, service: Service, stage: Stage, mode: Mode) -> None:
        self.snapshot, self.service, self.stage, self.mode = snapshot, service, stage, mode
        self.runtimes: tuple[Runtime, ...] = ()


def _read_order(work: UnitOfWork, wanted: OrderDeployment) -> _Order:
    service = service_tagged(work, wanted.service)
    order = _Order(
        snapshot=snapshot_named(work, wanted.snapshot),
        service=service,
        stage=stage_named(work, wanted.stage),
        mode=wanted.mode or service.mode,
    )
    work.who.require(Action.DEPLOY, group=service.group, stage=order.stage.name)
    tagged = work.assignments.find(
        snapshot_id=order.snapshot.id, service=service.tag, ended_at=None
    )
    if tagged is None:
        raise NotTaggedError(snapshot=order.snapshot.name, service=service.tag)
    check_path_to(
        order.stage.name,
        snapshot=order.snapshot.name,
        stages=work.stages.all(),
        passed=_passed(work, order.snapshot, service),
    )
    runtimes = work.runtimes.all(group=service.group)
    if wanted.runtime is not None:
        runtimes = (runtime_named(work, wanted.runtime),)
        work.who.require(Action.DEPLOY, group=runtimes[0].group, stage=order.stage.name)
    order.runtimes = matching(
        runtimes, stage=order.stage.name, service=service.tag, mode=order.mode
    )
    return order


def _passed(work: UnitOfWork, snapshot: Snapshot, service: Service) -> frozenset[StageName]:
    deployments = work.deployments.all(snapshot_id=snapshot.id, service=service.tag)
    return frozenset(d.stage for d in deployments if d.running_at is not None)


def _placed(work: UnitOfWork, order: _Order, runtime: Runtime) -> Deployment:
    present = [
        d
        for d in work.deployments.all(
            snapshot_id=order.snapshot.id,
            service=order.service.tag,
            stage=order.stage.name,
            mode=order.mode,
            runtime_id=runtime.id,
            ended_at=None,
        )
        if d.state.wanted
    ]
    if present:
        return present[0]
    deployment = work.deployments.add(
        Deployment(
            id=DeploymentId(work.new_id("dep")),
            group=order.service.group,
            snapshot_id=order.snapshot.id,
            snapshot=order.snapshot.name,
            number=order.snapshot.number,
            digest=order.snapshot.digest,
            service=order.service.tag,
            stage=order.stage.name,
            mode=order.mode,
            runtime_id=runtime.id,
            state=DeploymentState.ORDERED,
            reason="",
            isolation="",
            ordered_by=work.who.person_id,
            ordered_at=work.at,
        )
    )
    work.audit.record(
        "order",
        noun="deployment",
        subject=deployment.id,
        group=deployment.group,
        detail={
            "snapshot": deployment.snapshot,
            "digest": deployment.digest,
            "service": deployment.service,
            "stage": deployment.stage,
            "mode": deployment.mode,
            "runtime": runtime.name,
        },
    )
    return deployment


def _withdrawn(work: UnitOfWork, deployment: Deployment, *, stop_service: bool) -> Deployment:
    if not deployment.state.wanted:
        return deployment
    service = work.services.get(deployment.service)
    route = route_of(work, service, deployment.stage)
    if route is not None and deployment.mode is Mode.ONLINE:
        variants = tuple(v for v in route.variants if v.snapshot_id != deployment.snapshot_id)
        shadows = tuple(v for v in route.shadows if v.snapshot_id != deployment.snapshot_id)
        if (variants, shadows) != (route.variants, route.shadows):
            if not stop_service:
                raise DeploymentRoutedError(
                    deployment=deployment.id, service=deployment.service, stage=deployment.stage
                )
            set_route(work, service, deployment.stage, variants=variants, shadows=shadows)
    draining = work.deployments.save(deployment.moved(DeploymentState.DRAINING, at=work.at))
    work.audit.record(
        "withdraw",
        noun="deployment",
        subject=deployment.id,
        group=deployment.group,
        detail={"snapshot": deployment.snapshot, "stage": deployment.stage},
    )
    return draining
