"""The recorder: what the data plane tells of each request, appended before its answer leaves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from pilothouse.domain.plain import canonical
from pilothouse.scoring.log.records import (
    Described,
    Dropped,
    LogRecord,
    Observation,
    Scored,
    Unanswered,
    encode,
)
from pilothouse.scoring.log.spool import DropReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from pilothouse.domain.schemas import Scalar, Schema
    from pilothouse.scoring.log.spool import Spool

MSGPACK_LOW, MSGPACK_HIGH = -(2**63), 2**64 - 1


class DropKey(NamedTuple):
    """What drops are counted by."""

    service: str
    reason: DropReason


@dataclass(slots=True)
class Recorded:
    """
    Counts since the process began.

    Attributes
    ----------
    requests, rows
        How many requests and rows were recorded, by service.
    outcomes
        How many outcomes were, by service.
    dropped_requests, dropped_rows
        How many could not be, by service and reason.
    """

    requests: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    dropped_requests: Counter[DropKey] = field(default_factory=Counter)
    dropped_rows: Counter[DropKey] = field(default_factory=Counter)


class Recorder(Protocol):
    """What the data plane tells of requests; no method raises or waits."""

    @property
    def on(self) -> bool:
        """Whether anything is recorded; a caller need not prepare a record where it is False."""
        ...

    @property
    def sampling(self) -> Mapping[str, float]:
        """The share of requests whose rows are kept, by service; all of them where one is not named."""
        ...

    def sample(self, sampling: Mapping[str, float]) -> None:
        """Take over other shares."""
        ...

    def scored(self, record: Scored, inputs: Schema, outputs: Schema) -> None:
        """Record rows that were scored, before they are answered."""
        ...

    def unanswered(self, record: Unanswered) -> None:
        """Record a request that got no scores."""
        ...

    def observed(self, records: Sequence[Observation]) -> int:
        """Record outcomes and give how many, from the first, are in the log."""
        ...


class NoRecorder:
    """Records nothing."""

    on = False
    sampling: Mapping[str, float] = MappingProxyType({})

    def sample(self, sampling: Mapping[str, float]) -> None:
        """Leave it."""

    def scored(self, record: Scored, inputs: Schema, outputs: Schema) -> None:
        """Leave it."""

    def unanswered(self, record: Unanswered) -> None:
        """Leave it."""

    def observed(self, records: Sequence[Observation]) -> int:
        """Take none."""
        return 0


NO_RECORDER = NoRecorder()


class SpoolRecorder:
    """
    Records into a spool; every method runs in the event loop.

    Parameters
    ----------
    spool
        Where records go.
    record_bytes
        The largest record that a segment holds; larger requests are cut into several.

    Attributes
    ----------
    counts
        What was recorded, and what could not be.
    """

    on = True

    def __init__(self, spool: Spool, *, record_bytes: int) -> None:
        self._spool, self._record_bytes = spool, record_bytes
        self.counts = Recorded()
        self._untold: dict[DropKey, tuple[int, int]] = {}
        self.sampling: Mapping[str, float] = {}

    def sample(self, sampling: Mapping[str, float]) -> None:
        """Take over other shares."""
        self.sampling = sampling

    def scored(self, record: Scored, inputs: Schema, outputs: Schema) -> None:
        """Record rows that were scored, before they are answered."""

        def description() -> bytes:
            return encode(
                Described(
                    digest=record.digest,
                    snapshot=record.snapshot,
                    inputs=canonical(inputs),
                    outputs=canonical(outputs),
                )
            )

        rest, first = [record], True
        while rest:
            part = rest.pop()
            payload = _encoded(part)
            if payload is not None and len(payload) > self._record_bytes // 2 and part.rows > 1:
                rest.extend(_halves(part))
                continue
            reason = self._append(payload, part.digest, description)
            self._count(part.service, reason, requests=int(first), rows=part.rows, at=part.at_us)
            first = False

    def unanswered(self, record: Unanswered) -> None:
        """Record a request that got no scores."""
        reason = self._append(_encoded(record))
        self._count(record.service, reason, requests=1, rows=0, at=record.at_us)

    def observed(self, records: Sequence[Observation]) -> int:
        """Record outcomes and give how many, from the first, are in the log."""
        for number, record in enumerate(records):
            if self._append(_encoded(record)) is not None:
                return number
            self.counts.outcomes[record.service] += 1
        return len(records)

    def _append(
        self,
        payload: bytes | None,
        about: str | None = None,
        description: Callable[[], bytes] = bytes,
    ) -> DropReason | None:
        if payload is None:
            self._spool.dropped[DropReason.CODE] += 1
            return DropReason.CODE
        return self._spool.append(payload, about=about, description=description)

    def _count(
        self, service: str, reason: DropReason | None, *, requests: int, rows: int, at: int
    ) -> None:
        if reason is None:
            self.counts.requests[service] += requests
            self.counts.rows[service] += rows
            if self._untold:
                self._tell(at)
            return
        key = DropKey(service, reason)
        self.counts.dropped_requests[key] += requests
        self.counts.dropped_rows[key] += rows
        before = self._untold.get(key, (0, 0))
        self._untold[key] = (before[0] + requests, before[1] + rows)

    def _tell(self, at: int) -> None:
        """Write down what was dropped, now that there is room."""
        for key, (requests, rows) in list(self._untold.items()):
            told = Dropped(
                service=key.service,
                reason=key.reason.value,
                requests=requests,
                rows=rows,
                at_us=at,
            )
            if self._append(encode(told)) is not None:
                return
            del self._untold[key]


def _encoded(record: LogRecord) -> bytes | None:
    try:
        return encode(record)
    except OverflowError:
        return None if not isinstance(record, Scored) else _encoded(_narrowed(record))
    except (ValueError, TypeError):  # half of a surrogate pair has no UTF-8
        return None


def _narrowed(record: Scored) -> Scored:
    """Give whole numbers that no 64 bits hold as binary64, which a number's contract says is exact."""
    return msgspec.structs.replace(
        record, columns=_narrow_columns(record.columns), outputs=_narrow_columns(record.outputs)
    )


def _narrow_columns(columns: Mapping[str, Sequence[Scalar]]) -> dict[str, Sequence[Scalar]]:
    return {name: list(_narrow(values)) for name, values in columns.items()}


def _narrow(values: Iterable[Scalar]) -> Iterable[Scalar]:
    for value in values:
        wide = isinstance(value, int) and not MSGPACK_LOW <= value <= MSGPACK_HIGH
        yield float(value) if wide and isinstance(value, int) else value


def _halves(record: Scored) -> list[Scored]:
    """Cut a record in two, the second first, as a stack wants them."""
    middle = record.rows // 2
    return [_part(record, middle, record.rows), _part(record, 0, middle)]


def _part(record: Scored, start: int, end: int) -> Scored:
    first = record.first_row
    return msgspec.structs.replace(
        record,
        rows=end - start,
        first_row=first + start,
        columns={n: v[start:end] for n, v in record.columns.items()},
        outputs={n: v[start:end] for n, v in record.outputs.items()},
        flags=[f for f in record.flags if first + start <= f[0] < first + end],
    )
