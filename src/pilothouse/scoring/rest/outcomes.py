"""``POST /v1/outcomes``: what really happened, told by those who learn it."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 msgspec reads the annotations
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from pilothouse.domain.errors import InvalidError, UnavailableError
from pilothouse.domain.ids import ServiceTag
from pilothouse.oip.errors import ProtocolError
from pilothouse.scoring.hosting import ServiceUnknownError
from pilothouse.scoring.http.messages import Response
from pilothouse.scoring.log.privacy import key_column
from pilothouse.scoring.log.records import Observation, microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pilothouse.scoring.data_plane import DataPlane
    from pilothouse.scoring.http.messages import Request

MOST_OUTCOMES = 1000
INT64_LOW, INT64_HIGH = -(2**63), 2**63 - 1
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Whole = Annotated[int, Meta(ge=INT64_LOW, le=INT64_HIGH)]
Text = Annotated[str, Meta(max_length=10_000)]


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """
    One outcome.

    Attributes
    ----------
    id
        The caller's own id of it; the same one again changes nothing.
    service
        The service that was asked.
    prediction_id, row
        The answer's, and the row in it, from 0.
    key
        The business key, where the prediction's id is not known.
    value
        The truth: text, a number, true or false.
    at
        When it came true, with a zone.
    """

    id: Name
    service: Name
    value: Text | Whole | float | bool
    at: Annotated[datetime, Meta(tz=True)]
    prediction_id: Name | None = None
    row: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    key: Name | None = None


class Outcomes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A call's outcomes."""

    outcomes: Annotated[list[Outcome], Meta(min_length=1, max_length=MOST_OUTCOMES)]


class OutcomesMalformedError(ProtocolError):
    """The message is no list of outcomes."""

    code = "outcomes-malformed"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The outcomes cannot be read: {problem}. Send {{'outcomes': [...]}} with at most {MOST_OUTCOMES}, each "
            "with 'id', 'service', 'value', 'at', and 'prediction_id' or 'key'."
        )


class OutcomeTargetError(InvalidError):
    """An outcome does not say what it is the outcome of."""

    code = "outcome-target"

    def __init__(self, *, outcome: str, problem: str) -> None:
        self.outcome, self.problem = outcome, problem
        super().__init__(f"Outcome {outcome!r}: {problem}. None of the outcomes was taken.")


class OutcomesNotKeptError(UnavailableError):
    """The entry's log cannot take outcomes now."""

    code = "outcomes-not-kept"

    def __init__(self, *, taken: int, problem: str) -> None:
        self.taken, self.problem = taken, problem
        super().__init__(
            f"Only the first {taken} outcomes were taken: {problem}. Send them all again later; those that are "
            "there already are not taken twice.",
            retry_after_s=5.0,
        )


_DECODER = msgspec.json.Decoder(Outcomes)


def take(plane: DataPlane, request: Request, *, now: datetime) -> Response:
    """
    Take the outcomes of a request into the log.

    All of them are checked before the first is taken.

    Raises
    ------
    OutcomesMalformedError, OutcomeTargetError
        When one of them is not what it should be.
    NotSignedInError, ServiceDeniedError, ServiceUnknownError
        When the token does not open a service, or the entry does not serve it.
    OutcomesNotKeptError
        When the log is off or full, or an outcome has a key and no snapshot of its service is open.
    """
    authorization = request.header(b"authorization")
    plane.tokens.holder(authorization, now=now)
    told = _read(request.body)
    services = {
        service: _ServiceOf(
            plane, service, token=plane.tokens.check(authorization, service=service, now=now).id
        )
        for service in dict.fromkeys(o.service for o in told)
    }
    records = [_observation(o, services[o.service], now) for o in told]
    if not plane.recorder.on:
        raise OutcomesNotKeptError(taken=0, problem="this entry keeps no prediction log")
    taken = plane.recorder.observed(records)
    if taken < len(records):
        raise OutcomesNotKeptError(taken=taken, problem="the disk or the log's share of it is full")
    return Response(202, msgspec.json.encode({"accepted": taken}))


class _ServiceOf:
    """What must be known of a service to take its outcomes."""

    def __init__(self, plane: DataPlane, service: str, *, token: str) -> None:
        tag = ServiceTag(service)
        if not plane.hosting.knows(tag):
            raise ServiceUnknownError(service=service)
        self.token = token
        schemas = [
            d.running.open.inputs for d in plane.hosting.of_service(tag) if d.running is not None
        ]
        # Whether keys are sensitive is said by the schemas; without any it is not known.
        self.open = bool(schemas)
        keys = map(key_column, schemas)
        self.sensitive = any(key is not None and key.sensitive for key in keys)


def _read(body: bytes) -> Sequence[Outcome]:
    try:
        return _DECODER.decode(body).outcomes
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise OutcomesMalformedError(problem=str(problem)[:200]) from None


def _observation(outcome: Outcome, service: _ServiceOf, now: datetime) -> Observation:
    if (outcome.prediction_id is None) == (outcome.key is None):
        raise OutcomeTargetError(
            outcome=outcome.id, problem="give either 'prediction_id' or 'key', and not both"
        )
    if outcome.key is not None and not service.open:
        problem = (
            "no snapshot of the service is open, so it is not known whether its keys are sensitive"
        )
        raise OutcomesNotKeptError(taken=0, problem=problem)
    return Observation(
        service=outcome.service,
        outcome_id=outcome.id,
        prediction_id=outcome.prediction_id,
        row=outcome.row,
        key=outcome.key,
        value=outcome.value,
        label_us=microseconds(outcome.at),
        at_us=microseconds(now),
        token=service.token,
        sensitive_key=service.sensitive,
    )
