"""The one meaning of a request to score, under every transport: token, route, decode, check, score, count."""

from __future__ import annotations

import asyncio
import logging
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from pilothouse.domain.errors import (
    DeniedError,
    InvalidError,
    NotFoundError,
    NotSignedInError,
    NotSupportedError,
    PilothouseError,
    UnavailableError,
)
from pilothouse.oip.errors import ProtocolError
from pilothouse.scoring.counters import FAILURES, Counters, Outcome, ShadowOutcome
from pilothouse.scoring.lanes import DeadlineExceededError, QueueFullError
from pilothouse.scoring.log.recorder import NO_RECORDER
from pilothouse.scoring.log.records import Role, Scored, Unanswered, microseconds
from pilothouse.scoring.routing import choose, shadows
from pilothouse.scoring.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from pilothouse.domain.contracts import Violation
    from pilothouse.domain.desired import DesiredRoute
    from pilothouse.domain.ids import ServiceTag
    from pilothouse.domain.schemas import Scalar, Schema
    from pilothouse.ports.clock import Clock, Ids
    from pilothouse.scoring.deployments import HostedDeployment, RunningModel
    from pilothouse.scoring.hosting import Hosting
    from pilothouse.scoring.log.recorder import Recorder
    from pilothouse.scoring.models import Columns

log = logging.getLogger(__name__)

LISTED_VIOLATIONS = 100


class RowsRejectedError(InvalidError):
    """Rows of a request break the contract; `violations` holds the first, `total` counts them all."""

    code = "rows-rejected"

    def __init__(self, *, snapshot: str, violations: tuple[Violation, ...], total: int) -> None:
        self.snapshot, self.violations, self.total = snapshot, violations, total
        super().__init__(
            f"{total} values break the input schema of {snapshot}, the first: {violations[0].message} "
            f"(row {violations[0].row}). No row was scored; correct them and send the request again."
        )


class OutputUnknownError(InvalidError):
    """A caller wants an output that the snapshot does not give."""

    code = "output-unknown"

    def __init__(self, *, output: str, known: tuple[str, ...]) -> None:
        self.output, self.known = output[:80], known
        super().__init__(
            f"There is no output {output[:80]!r}. Ask for {', '.join(known[:20])}, or name none to get all."
        )


class DecodedCall(Protocol):
    """What a transport read from a request."""

    @property
    def sticky_key(self) -> str | None:
        """The key that always meets the same variant, where the caller sent one in the message."""
        ...

    @property
    def outputs(self) -> Sequence[str]:
        """The outputs wanted; none means all."""
        ...

    def columns(self, schema: Schema) -> Mapping[str, Sequence[object]]:
        """Give the columns, to be checked against `schema`."""
        ...


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """
    A request to score, as a transport hands it over.

    Attributes
    ----------
    service
        The service asked for.
    version
        A snapshot's number or ``model@number`` where the caller pins one.
    authorization
        The ``Authorization`` header or what stands for it.
    sticky_key
        The key from a header; it goes before the message's own.
    timeout_s
        What the caller allows, where it says so.
    """

    service: ServiceTag
    version: str | None
    authorization: str | None
    sticky_key: str | None
    timeout_s: float | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request is answered with."""

    service: str
    snapshot: str
    number: int
    digest: str
    route_generation: int
    prediction_id: str
    rows: int
    outputs: Mapping[str, Sequence[Scalar]]
    schema: Schema
    flags: Sequence[Violation]
    coerced: int


class Trace:
    """What is known of a request so far, for its count."""

    __slots__ = ("at", "deployment", "key", "prediction_id", "service", "snapshot", "started")

    def __init__(self, *, started: float, at: datetime) -> None:
        self.started, self.at = started, at
        self.service = self.snapshot = self.prediction_id = ""
        self.key: str | None = None
        self.deployment: HostedDeployment | None = None


class Chosen(NamedTuple):
    """The deployment that answers, how it was chosen, the route's generation, and the shadows beside it."""

    deployment: HostedDeployment
    role: Role
    generation: int
    shadows: Sequence[HostedDeployment]


class Checked(NamedTuple):
    """Columns that may be scored, and what was noticed on the way."""

    columns: Columns
    rows: int
    flags: Sequence[Violation]
    coerced: int


class DataPlane:
    """
    Answers requests to score; every method runs in the event loop.

    Parameters
    ----------
    hosting
        Where the models are.
    counters
        Where everything is counted.
    clock, ids
        Time and prediction ids.
    timeout_s
        The longest that a request may take; a caller may allow less.
    recorder
        Where every answer is logged before it leaves.
    """

    def __init__(
        self,
        *,
        hosting: Hosting,
        counters: Counters,
        clock: Clock,
        ids: Ids,
        timeout_s: float,
        recorder: Recorder = NO_RECORDER,
    ) -> None:
        self.hosting, self.counters, self.tokens = hosting, counters, Tokens()
        self._clock, self._ids, self._timeout_s = clock, ids, timeout_s
        self.recorder = recorder
        self._shadowing: set[asyncio.Task[None]] = set()

    async def infer(self, call: Call, decode: Callable[[], DecodedCall]) -> Answer:
        """
        Answer a request to score, and count it however it ends.

        Parameters
        ----------
        call
            What was asked.
        decode
            Reads the message; called once the token is known to be good.

        Raises
        ------
        PilothouseError, ProtocolError
            Whatever stops it, each with its code.
        """
        trace = Trace(started=perf_counter(), at=self._clock.now())
        outcome = Outcome.FAILED
        try:
            answer = await self._answer(call, decode, trace)
            outcome = Outcome.SUCCESS
        except (PilothouseError, ProtocolError) as problem:
            outcome = outcome_of(problem)
            raise
        except asyncio.CancelledError:
            outcome = Outcome.CANCELLED
            raise
        else:
            return answer
        finally:
            self._count(trace, outcome, perf_counter() - trace.started)

    async def _answer(self, call: Call, decode: Callable[[], DecodedCall], trace: Trace) -> Answer:
        self.tokens.check(call.authorization, service=call.service, now=trace.at)
        if self.hosting.knows(call.service):  # a name that nobody serves never becomes a label
            trace.service = call.service
        trace.prediction_id = self._ids.new("prd")
        pinned = None if call.version is None else self.hosting.pinned(call.service, call.version)
        route = self.hosting.route(call.service) if pinned is None else None
        decoded = decode()
        trace.key = call.sticky_key or decoded.sticky_key
        chosen = self._choose(route, pinned, trace)
        deployment = trace.deployment = chosen.deployment
        trace.snapshot = deployment.want.snapshot
        running = deployment.opened()
        running.lane.admit()
        wanted = _wanted_outputs(running, decoded.outputs)
        checked = self._check(running, deployment, decoded)
        outputs = await deployment.score(
            {n: checked.columns[n] for n in running.predictors},
            checked.rows,
            timeout_s=min(call.timeout_s or self._timeout_s, self._timeout_s),
        )
        whole = running.outputs.check(outputs, checked.rows)
        if chosen.shadows:
            self._shadow(chosen, decoded, trace)
        if self.recorder.on:
            self._record(trace, chosen, running, checked, whole)
        self.counters.rows(call.service, trace.snapshot, checked.rows)
        return Answer(
            service=call.service,
            snapshot=trace.snapshot,
            number=deployment.want.number,
            digest=deployment.want.digest,
            route_generation=chosen.generation,
            prediction_id=trace.prediction_id,
            rows=checked.rows,
            outputs={n: whole[n] for n in wanted},
            schema=running.open.outputs,
            flags=checked.flags,
            coerced=checked.coerced,
        )

    def _choose(
        self,
        route: DesiredRoute | None,
        pinned: HostedDeployment | None,
        trace: Trace,
    ) -> Chosen:
        if pinned is not None:
            return Chosen(pinned, Role.PINNED, self.hosting.generation(pinned.want.service), ())
        assert route is not None  # noqa: S101 a call has a version or a route
        key = trace.key or trace.prediction_id
        seen = shadows(route, key)
        return Chosen(
            self.hosting.deployment(choose(route, key)),
            Role.ROUTED,
            route.generation,
            [self.hosting.deployment(s) for s in seen] if seen else (),
        )

    def _check(
        self, running: RunningModel, deployment: HostedDeployment, decoded: DecodedCall
    ) -> Checked:
        want = deployment.want
        columns = decoded.columns(running.open.inputs)
        checked = running.inputs.check(columns)
        for violation in checked.violations:
            self.counters.violation(want.service, violation.column, violation.code.value)
        if checked.coerced:
            self.counters.coerced(want.service, want.snapshot, checked.coerced)
        if not all(checked.accepted):
            refused = [v for v in checked.violations if not checked.accepted[v.row]]
            raise RowsRejectedError(
                snapshot=want.snapshot,
                violations=tuple(refused[:LISTED_VIOLATIONS]),
                total=len(refused),
            )
        return Checked(checked.columns, len(checked.accepted), checked.violations, checked.coerced)

    def _record(
        self,
        trace: Trace,
        chosen: Chosen,
        running: RunningModel,
        checked: Checked,
        outputs: Columns,
    ) -> None:
        want = chosen.deployment.want
        record = Scored(
            service=want.service,
            snapshot=want.snapshot,
            digest=want.digest,
            deployment=want.id,
            role=chosen.role,
            route_generation=chosen.generation,
            prediction_id=trace.prediction_id,
            key=trace.key,
            at_us=microseconds(trace.at),
            latency_us=int((perf_counter() - trace.started) * 1e6),
            rows=checked.rows,
            columns=checked.columns,
            outputs=outputs,
            sampling=self.recorder.sampling.get(want.service, 1.0),
            flags=[(v.row, v.column, v.code.value) for v in checked.flags],
        )
        self.recorder.scored(record, running.open.inputs, running.open.outputs)

    def _shadow(self, chosen: Chosen, decoded: DecodedCall, trace: Trace) -> None:
        for deployment in chosen.shadows:
            shadow = Chosen(deployment, Role.SHADOW, chosen.generation, ())
            # A task starts in the loop's next turn, when the answer is written already.
            task = asyncio.ensure_future(self._shadow_one(shadow, decoded, trace))
            self._shadowing.add(task)
            task.add_done_callback(self._shadowing.discard)

    async def _shadow_one(self, shadow: Chosen, decoded: DecodedCall, trace: Trace) -> None:
        running, want = shadow.deployment.running, shadow.deployment.want
        if running is None:
            outcome = ShadowOutcome.DROPPED
        else:
            outcome = await self._shadow_outcome(shadow, running, decoded, trace)
        self.counters.shadow(want.service, want.snapshot, outcome)

    async def _shadow_outcome(
        self, shadow: Chosen, running: RunningModel, decoded: DecodedCall, trace: Trace
    ) -> ShadowOutcome:
        try:
            checked = running.inputs.check(decoded.columns(running.open.inputs))
            if not all(checked.accepted):
                return ShadowOutcome.REJECTED
            rows = len(checked.accepted)
            columns = {n: checked.columns[n] for n in running.predictors}
            outputs = await shadow.deployment.score(columns, rows, timeout_s=self._timeout_s)
            whole = running.outputs.check(outputs, rows)
        except QueueFullError:
            return ShadowOutcome.DROPPED
        except (InvalidError, ProtocolError):
            return ShadowOutcome.REJECTED
        except PilothouseError as problem:
            name = shadow.deployment.want.snapshot
            log.warning("the shadow %s failed: %s", name, problem.message)
            return ShadowOutcome.FAILED
        if self.recorder.on:
            seen = Checked(checked.columns, rows, checked.violations, checked.coerced)
            self._record(trace, shadow, running, seen, whole)
        return ShadowOutcome.SUCCESS

    def _count(self, trace: Trace, outcome: Outcome, seconds: float) -> None:
        self.counters.request(trace.service, trace.snapshot, outcome, seconds)
        if trace.deployment is not None:
            trace.deployment.requests += 1
            trace.deployment.failures += outcome in FAILURES
        if outcome is not Outcome.SUCCESS and trace.prediction_id and self.recorder.on:
            self.recorder.unanswered(
                Unanswered(
                    service=trace.service,
                    snapshot=trace.snapshot,
                    outcome=outcome.value,
                    prediction_id=trace.prediction_id,
                    at_us=microseconds(trace.at),
                )
            )


def outcome_of(problem: PilothouseError | ProtocolError) -> Outcome:
    """Give the outcome that an error stands for."""
    match problem:
        case ProtocolError() | NotSupportedError():
            return Outcome.INVALID
        case InvalidError():
            return Outcome.REJECTED
        case NotSignedInError() | DeniedError():
            return Outcome.DENIED
        case NotFoundError():
            return Outcome.UNKNOWN
        case QueueFullError():
            return Outcome.OVERLOADED
        case DeadlineExceededError():
            return Outcome.LATE
        case UnavailableError():
            return Outcome.UNAVAILABLE
        case _:
            return Outcome.FAILED


def _wanted_outputs(running: RunningModel, asked: Sequence[str]) -> Sequence[str]:
    known = tuple(c.name for c in running.open.outputs.columns)
    for name in asked:
        if name not in known:
            raise OutputUnknownError(output=name, known=known)
    return tuple(dict.fromkeys(asked)) or known
