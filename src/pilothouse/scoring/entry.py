"""The entry: takes desired states, keeps them, says what it holds, and ends in good order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.domain.desired import SCHEMA, Observed
from pilothouse.domain.errors import InvalidError, RefusedError
from pilothouse.domain.plain import DocumentError
from pilothouse.domain.snapshots import SHA256, check_name, parse_snapshot_name
from pilothouse.scoring.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from pilothouse.domain.desired import Desired, DesiredRoute
    from pilothouse.domain.ids import DeploymentId, ServiceTag
    from pilothouse.scoring.data_plane import DataPlane
    from pilothouse.scoring.log.hosted import EntryLog
    from pilothouse.scoring.state import EntrySettings, Home

log = logging.getLogger(__name__)

WATCH_S = 1.0


class DesiredNotMineError(InvalidError):
    """A desired state is for another runtime or stage."""

    code = "desired-not-mine"

    def __init__(self, *, expected: str, found: str) -> None:
        self.expected, self.found = expected, found
        super().__init__(
            f"This desired state is for {found}; this entry is {expected}. Send it to the entry it is for."
        )


class GenerationTakenError(RefusedError):
    """Two different desired states carry one generation."""

    code = "generation-taken"

    def __init__(self, *, generation: int) -> None:
        self.generation = generation
        super().__init__(
            f"A different desired state of generation {generation} is held already. Raise the generation with "
            "every change."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of a desired state: the generation held now, and whether it is the one sent."""

    generation: int
    applied: bool


class Entry:
    """
    One entry; every method runs in the event loop.

    Parameters
    ----------
    settings
        What it was started with.
    home
        Where desired states are kept.
    data_plane
        What answers requests.
    log
        The prediction log.
    process
        An id that changes with every start.
    started_at
        When it was started.
    """

    def __init__(
        self,
        *,
        settings: EntrySettings,
        home: Home,
        data_plane: DataPlane,
        log: EntryLog,
        process: str,
        started_at: datetime,
    ) -> None:
        self._settings, self._home, self._plane, self._log = settings, home, data_plane, log
        self._process, self._started_at = process, started_at
        self._desired: Desired | None = None
        self._taking = asyncio.Lock()
        self.address = ""
        self.accepting = True
        self.ending = asyncio.Event()

    def resume(self) -> None:
        """Go on with what was held last, if anything."""
        desired = self._home.desired()
        if desired is None:
            return
        check(desired, self._settings)
        log.info("going on with desired state %d from the disk", desired.generation)
        self._apply(desired)

    async def take(self, desired: Desired) -> Taken:
        """
        Take a desired state: it is safe on the disk, and in the making, when this returns.

        A lower generation than the held one changes nothing; the same state again neither.

        Raises
        ------
        GenerationTakenError
            When another state of the same generation is held.
        DesiredNotMineError, DocumentError
            When it is for somebody else, or contradicts itself.
        """
        check(desired, self._settings)
        async with self._taking:
            held = self._desired
            if held is not None and desired.generation <= held.generation:
                if desired.generation == held.generation and desired != held:
                    raise GenerationTakenError(generation=held.generation)
                return Taken(generation=held.generation, applied=desired == held)
            # fsync may take long on a busy disk, and requests are answered meanwhile.
            await asyncio.get_running_loop().run_in_executor(None, self._home.keep_desired, desired)
            self._apply(desired)
        return Taken(generation=desired.generation, applied=True)

    def observed(self) -> Observed:
        """Say what the entry holds."""
        return Observed(
            schema=SCHEMA,
            runtime_id=self._settings.runtime_id,
            generation=0 if self._desired is None else self._desired.generation,
            process=self._process,
            started_at=self._started_at,
            address=self.address,
            deployments=self._plane.hosting.observed(),
            routes=self._plane.hosting.routes,
            log=self._log.observed(),
        )

    def drain(self) -> None:
        """Begin to end: not ready from now on, what is under way is finished."""
        self.accepting = False
        self.ending.set()

    async def watch(self) -> None:
        """Look after the models until the entry ends."""
        while not self.ending.is_set():
            self._plane.hosting.watch()
            self._log.tend()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.ending.wait(), WATCH_S)

    def _apply(self, desired: Desired) -> None:
        self._desired = desired
        self._plane.tokens = Tokens(desired.tokens)
        self._plane.recorder.sample({w.service: w.policy.sampling for w in desired.logs})
        self._plane.hosting.apply(desired)


def check(desired: Desired, settings: EntrySettings) -> None:
    """
    Check that a desired state is for this entry and does not contradict itself.

    Raises
    ------
    DesiredNotMineError
        When it is for another runtime or stage.
    DocumentError
        When ids, names, digests, weights or references make no sense; it names the place.
    """
    if (desired.runtime_id, desired.stage) != (settings.runtime_id, settings.stage):
        raise DesiredNotMineError(
            expected=f"{settings.runtime_id} in {settings.stage}",
            found=f"{desired.runtime_id} in {desired.stage}",
        )
    _once("deployments", (d.id for d in desired.deployments))
    _once("routes", (r.service for r in desired.routes))
    _once("logs", (w.service for w in desired.logs))
    _once("tokens", (t.sha256 for t in desired.tokens))
    for index, deployment in enumerate(desired.deployments):
        check_name("service", deployment.service)
        named = parse_snapshot_name(deployment.snapshot)[1] == deployment.number
        if not SHA256.match(deployment.digest) or not named:
            raise DocumentError(
                path=f"deployments[{index}]", problem="digest, snapshot and number do not fit"
            )
    services = {d.id: d.service for d in desired.deployments}
    for index, route in enumerate(desired.routes):
        _check_route(f"routes[{index}]", route, services)
    for wanted in desired.logs:
        check_name("service", wanted.service)
    for index, token in enumerate(desired.tokens):
        if not SHA256.match(token.sha256):
            raise DocumentError(path=f"tokens[{index}].sha256", problem="not a SHA-256")


def _check_route(
    path: str, route: DesiredRoute, services: Mapping[DeploymentId, ServiceTag]
) -> None:
    for part, variants in (("variants", route.variants), ("shadows", route.shadows)):
        _once(f"{path}.{part}", (v.deployment_id for v in variants))
        for variant in variants:
            if services.get(variant.deployment_id) != route.service:
                raise DocumentError(
                    path=f"{path}.{part}",
                    problem=f"{variant.deployment_id} is no deployment of {route.service}",
                )
            most = math.inf if part == "variants" else 1.0
            if not 0 <= variant.weight <= most or not math.isfinite(variant.weight):
                raise DocumentError(path=f"{path}.{part}", problem="a weight is out of range")
    if route.variants and not any(v.weight > 0 for v in route.variants):
        raise DocumentError(path=f"{path}.variants", problem="no variant has a weight above 0")


def _once(path: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DocumentError(path=path, problem=f"{twice[0]} stands twice")
