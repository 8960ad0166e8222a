"""Runtimes: register, look up, retire."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.application.finding import runtime_named, service_tagged, stage_named
from pilothouse.domain.access import Action
from pilothouse.domain.endpoints import Endpoint, EndpointKind, grpc_url, rest_url
from pilothouse.domain.errors import InvalidError, RefusedError
from pilothouse.domain.ids import GroupName, RuntimeId, ServiceTag, StageName
from pilothouse.domain.runtimes import ACCESS_LOG, GRPC_PORT, Mode, Runtime, RuntimeHealth

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.domain.access import Principal
    from pilothouse.domain.ids import JobId
    from pilothouse.domain.pages import Page
    from pilothouse.domain.runtimes import Capabilities
    from pilothouse.ports.connectors import Connectors
    from pilothouse.ports.unit_of_work import OpenWork
    from pilothouse.wire.requests import RegisterRuntime

ADDRESS = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})\Z")


class AddressMissingError(InvalidError):
    """An online runtime needs an address."""

    code = "address-missing"

    def __init__(self, *, runtime: str) -> None:
        self.runtime = runtime
        super().__init__(
            f"Runtime {runtime} serves online and needs an address, 'host:port', that applications can reach."
        )


class RuntimeInvalidError(InvalidError):
    """A runtime could never be used as it is described."""

    code = "runtime-invalid"

    def __init__(self, *, runtime: str, problem: str) -> None:
        self.runtime, self.problem = runtime, problem
        super().__init__(
            f"Runtime {runtime} cannot be registered: {problem}. Correct it and register it again."
        )


class RuntimeInUseError(RefusedError):
    """Something still runs there."""

    code = "runtime-in-use"

    def __init__(self, *, runtime: str, deployments: int) -> None:
        self.runtime, self.deployments = runtime, deployments
        super().__init__(
            f"Runtime {runtime} still holds {deployments} deployments. Withdraw them first, then retire it."
        )


class Runtimes:
    """Register places where snapshots run."""

    def __init__(self, *, open_work: OpenWork, connectors: Connectors) -> None:
        self._open_work = open_work
        self._connectors = connectors

    def register(self, who: Principal, wanted: RegisterRuntime) -> Runtime:
        """Register a runtime and its stage, modes and services."""
        stage = StageName(wanted.stage)
        who.require(Action.MANAGE_RUNTIME, group=GroupName(wanted.group), stage=stage)
        self._connectors.check(wanted.connector)
        _check_usable(wanted)
        with self._open_work(who) as work:
            work.groups.get(wanted.group)
            stage_named(work, stage)
            for tag in wanted.services:
                service_tagged(work, tag)
            runtime = work.runtimes.add(
                Runtime(
                    id=RuntimeId(work.new_id("rtm")),
                    group=GroupName(wanted.group),
                    name=wanted.name,
                    connector=wanted.connector,
                    stage=stage,
                    modes=wanted.modes,
                    services=tuple(ServiceTag(t) for t in wanted.services),
                    address=wanted.address if Mode.ONLINE in wanted.modes else None,
                    options=wanted.options,
                    health=RuntimeHealth.UNKNOWN,
                    health_reason="",
                    created_at=work.at,
                )
            )
            work.audit.record(
                "register",
                noun="runtime",
                subject=runtime.id,
                group=runtime.group,
                detail={"name": wanted.name, "stage": stage, "connector": wanted.connector},
            )
            return work.commit(runtime)

    def retire(self, who: Principal, *, name: str) -> Runtime:
        """Take an empty runtime out of use; its entry is stopped by the reconciler."""
        with self._open_work(who) as work:
            runtime = runtime_named(work, name)
            who.require(Action.MANAGE_RUNTIME, group=runtime.group, stage=runtime.stage)
            held = [d for d in work.deployments.all(runtime_id=runtime.id) if d.ended_at is None]
            if held:
                raise RuntimeInUseError(runtime=name, deployments=len(held))
            if runtime.retired_at is not None:
                return work.commit(runtime)
            retired = work.runtimes.save(replace(runtime, retired_at=work.at))
            work.audit.record(
                "retire", noun="runtime", subject=runtime.id, group=runtime.group, detail={}
            )
            return work.commit(retired)

    def get(self, who: Principal, *, name: str) -> Runtime:
        """Give one runtime."""
        with self._open_work.reading(who) as work:
            return runtime_named(work, name)

    def page(self, who: Principal, *, after: str | None = None, limit: int = 50) -> Page[Runtime]:
        """List the runtimes that the caller sees."""
        with self._open_work.reading(who) as work:
            return work.runtimes.page(groups=who.readable, after=after, limit=limit)

    def capabilities(self, who: Principal, *, name: str) -> Capabilities:
        """Say what a runtime can do."""
        runtime = self.get(who, name=name)
        return self._connectors.of(runtime).capabilities(runtime)

    def logs(
        self, who: Principal, *, name: str, job_id: JobId | None = None, lines: int = 200
    ) -> Sequence[str]:
        """Give the last lines of a runtime's log, or of a job's there."""
        runtime = self.get(who, name=name)
        return self._connectors.of(runtime).logs(runtime, job_id=job_id, lines=lines)

    def route_taken(self, who: Principal, *, service: str, stage: str) -> int:
        """
        Ask every entry that holds a service in a stage which generation of its route it goes by; give the lowest.

        Raises
        ------
        UnavailableError
            When an entry does not answer.
        """
        with self._open_work.reading(who) as work:
            found = service_tagged(work, service)
            held = work.deployments.all(
                service=found.tag, stage=stage, mode=Mode.ONLINE, ended_at=None
            )
            ids = frozenset(d.runtime_id for d in held if d.state.wanted)
            runtimes = work.runtimes.all(id=ids)
        return min(
            (
                self._connectors.of(runtime).observe(runtime).routes.get(found.tag, 0)
                for runtime in runtimes
            ),
            default=0,
        )

    def endpoints(self, who: Principal, *, service: str, stage: str) -> tuple[Endpoint, ...]:
        """Say where applications meet a service in a stage."""
        with self._open_work.reading(who) as work:
            found = service_tagged(work, service)
            deployments = work.deployments.all(
                service=found.tag, stage=stage, mode=Mode.ONLINE, ended_at=None
            )
            runtimes = work.runtimes.all(id=frozenset(d.runtime_id for d in deployments))
        return tuple(
            Endpoint(
                group=found.group,
                service=found.tag,
                stage=StageName(stage),
                runtime_id=runtime.id,
                kind=kind,
                url=url,
            )
            for runtime in runtimes
            for kind, url in _urls(runtime, found.tag)
        )


def _urls(runtime: Runtime, service: ServiceTag) -> Iterator[tuple[EndpointKind, str]]:
    if runtime.address is not None:
        yield EndpointKind.REST, rest_url(runtime.address, service)
        if runtime.grpc_port is not None:
            yield EndpointKind.GRPC, grpc_url(runtime.address, runtime.grpc_port)


def _check_usable(wanted: RegisterRuntime) -> None:
    if not wanted.modes or len(set(wanted.modes)) != len(wanted.modes):
        raise RuntimeInvalidError(
            runtime=wanted.name,
            problem="it needs one or both of the modes batch and online, once each",
        )
    concurrency = wanted.options.get("concurrency", 1)
    if type(concurrency) is not int or concurrency < 1:
        raise RuntimeInvalidError(
            runtime=wanted.name, problem="its option 'concurrency' is not a whole number above 0"
        )
    port = wanted.options.get(GRPC_PORT)
    if port is not None and (type(port) is not int or not 0 < port < 65536):
        raise RuntimeInvalidError(
            runtime=wanted.name, problem=f"its option {GRPC_PORT!r} is no port from 1 to 65535"
        )
    if type(wanted.options.get(ACCESS_LOG, False)) is not bool:
        raise RuntimeInvalidError(
            runtime=wanted.name, problem=f"its option {ACCESS_LOG!r} is neither true nor false"
        )
    if Mode.ONLINE in wanted.modes:
        _check_address(wanted.name, wanted.address)


def _check_address(runtime: str, address: str | None) -> None:
    found = ADDRESS.match(address or "")
    if not found or not 0 < int(found[1]) < 65536:
        raise AddressMissingError(runtime=runtime)
