"""What stands in the log: records by kind, written with MessagePack and read back strictly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 msgspec reads the annotations
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.schemas import Scalar  # noqa: TC001


class Role(StrEnum):
    """How a deployment came to score a request."""

    ROUTED = "routed"
    PINNED = "pinned"
    SHADOW = "shadow"


class RecordInvalidError(InvalidError):
    """A record has its checksum and no meaning."""

    code = "log-record-invalid"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"A record of the prediction log cannot be read: {problem}. Its segment is set aside."
        )


class Described(msgspec.Struct, frozen=True, tag="model", array_like=True, kw_only=True):
    """
    A snapshot, before the first record of it in a segment.

    Attributes
    ----------
    inputs, outputs
        Its schemas as canonical JSON.
    """

    digest: str
    snapshot: str
    inputs: bytes
    outputs: bytes


class Scored(msgspec.Struct, frozen=True, tag="scored", array_like=True, kw_only=True):
    """
    Rows that one deployment scored for one request.

    Attributes
    ----------
    at_us
        When the request came, in microseconds since 1970.
    latency_us
        From its last byte until its answer was ready.
    key
        What the caller sent to meet the same variant every time.
    sampling
        The share of requests whose rows are kept, as it was in effect.
    first_row
        Where these rows begin in the request: a request larger than a segment is several records.
    columns, outputs
        Values by column, one per row.
    flags
        (row of the request, column, kind) of values that broke the schema and were scored all the same.
    """

    service: str
    snapshot: str
    digest: str
    deployment: str
    role: Role
    route_generation: int
    prediction_id: str
    key: str | None
    at_us: int
    latency_us: int
    rows: int
    columns: Mapping[str, Sequence[Scalar]]
    outputs: Mapping[str, Sequence[Scalar]]
    sampling: float = 1.0
    flags: Sequence[tuple[int, str, str]] = ()
    first_row: int = 0


class Unanswered(msgspec.Struct, frozen=True, tag="unanswered", array_like=True, kw_only=True):
    """A request with a good token that got no scores, by how it ended."""

    service: str
    snapshot: str
    outcome: str
    prediction_id: str
    at_us: int


class Observation(msgspec.Struct, frozen=True, tag="observation", array_like=True, kw_only=True):
    """
    What really happened, for one row of a prediction or one business key.

    Attributes
    ----------
    outcome_id
        The caller's own id of this observation; the same one again changes nothing.
    prediction_id, row
        The row of an answer, where the caller knows it.
    key
        The business key, where it does not.
    value
        The truth.
    label_us
        When it came true, in microseconds since 1970.
    at_us
        When it was told.
    token
        The id of the token that told it.
    sensitive_key
        Whether the key's column is sensitive, so that its hash is kept alone.
    """

    service: str
    outcome_id: str
    prediction_id: str | None
    row: int
    key: str | None
    value: Scalar
    label_us: int
    at_us: int
    token: str
    sensitive_key: bool = False


class Dropped(msgspec.Struct, frozen=True, tag="dropped", array_like=True, kw_only=True):
    """How much could not be logged since the last record of this kind, told once there is room again."""

    service: str
    reason: str
    requests: int
    rows: int
    at_us: int


LogRecord = Described | Scored | Unanswered | Observation | Dropped

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(LogRecord)


def microseconds(at: datetime) -> int:
    """
    Give a time in microseconds since 1970, exactly.

    Examples
    --------
    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, 5, tzinfo=UTC))
    1000005
    """
    return (at - EPOCH) // MICROSECOND


def encode(record: LogRecord) -> bytes:
    """
    Write a record.

    Raises
    ------
    OverflowError, ValueError, TypeError
        When it holds a value that MessagePack has no form for.
    """
    return _ENCODER.encode(record)


def decode(payload: bytes) -> LogRecord:
    """
    Read a record.

    Raises
    ------
    RecordInvalidError
        When it is none.
    """
    try:
        record: LogRecord = _DECODER.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise RecordInvalidError(problem=str(problem)[:200]) from None
    if isinstance(record, Scored):
        _check_lengths(record)
    return record


def _check_lengths(record: Scored) -> None:
    for columns in (record.columns, record.outputs):
        for name, values in columns.items():
            if len(values) != record.rows:
                raise RecordInvalidError(
                    problem=f"column {name[:80]!r} has {len(values)} values for {record.rows} rows"
                )
