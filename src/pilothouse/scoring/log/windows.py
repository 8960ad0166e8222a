"""Counter windows: all that one segment counts, as an object that is put once under the segment's own name."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, from_url

from pilothouse.domain.plain import rfc3339
from pilothouse.scoring.log.cells import histogram_of
from pilothouse.scoring.log.records import (
    EPOCH,
    MICROSECOND,
    Dropped,
    Observation,
    Role,
    Scored,
    Unanswered,
)
from pilothouse.scoring.log.rows import kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obstore.store import ObjectStore

    from pilothouse.domain.schemas import Scalar, Schema
    from pilothouse.scoring.log.cells import Histogram
    from pilothouse.scoring.log.records import LogRecord
    from pilothouse.scoring.log.rows import Model
    from pilothouse.scoring.log.segments import SegmentName

FORMAT = 1
RESTRICTED = "restricted"
SUCCESS = "success"
BINNED_ROWS = 1024


class _Of(NamedTuple):
    """Whose counts: a deployment's, in one role."""

    service: str
    snapshot: str
    digest: str
    deployment: str
    role: Role


class _Counts:
    """What one deployment scored, in one role."""

    def __init__(self, model: Model) -> None:
        self.requests = self.rows = self.kept_rows = self.latency_us = 0
        self._sides = {"inputs": _Side(model.inputs), "outputs": _Side(model.outputs)}

    def add(self, record: Scored) -> None:
        first = record.first_row == 0
        self.requests += first
        self.rows += record.rows
        self.kept_rows += record.rows * kept(record)
        self.latency_us += record.latency_us * first
        self._sides["inputs"].add(record.columns)
        self._sides["outputs"].add(record.outputs)

    def columns(self, *, restricted: bool) -> dict[str, dict[str, object]]:
        return {name: s.document(restricted=restricted) for name, s in self._sides.items()}


class _Side:
    """Histograms of the columns that a model takes, or of those that it gives."""

    def __init__(self, schema: Schema) -> None:
        self._restricted = {c.name for c in schema.columns if c.sensitive or c.protected}
        self._counts: dict[str, Histogram] = {c.name: histogram_of(c) for c in schema.columns}
        self._waiting: dict[str, list[Scalar]] = {}

    def add(self, columns: dict[str, Sequence[Scalar]] | object) -> None:
        assert isinstance(columns, dict)  # noqa: S101 the decoder makes one
        for name, values in columns.items():
            waiting = self._waiting.setdefault(name, [])
            waiting.extend(values)
            if len(waiting) >= BINNED_ROWS:
                self._count(name)

    def document(self, *, restricted: bool) -> dict[str, object]:
        for name in list(self._waiting):
            self._count(name)
        return {
            name: counts.document()
            for name, counts in self._counts.items()
            if (name in self._restricted) is restricted
        }

    def _count(self, name: str) -> None:
        values = self._waiting.pop(name)
        if name in self._counts:  # a column that the schema does not name was never checked
            self._counts[name].add(values)


class Window:
    """
    The counts of one segment.

    Parameters
    ----------
    stage
        The stage's name.
    name, made_us
        The segment's.

    Attributes
    ----------
    broken
        Whether the segment could not be read to its end.
    """

    def __init__(self, *, stage: str, name: SegmentName, made_us: int) -> None:
        self._stage, self._name, self._made_us = stage, name, made_us
        self._first_us: int | None = None
        self._last_us = 0
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._dropped: Counter[tuple[str, str, str]] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._counts: dict[_Of, _Counts] = {}
        self.broken = False

    @property
    def empty(self) -> bool:
        """Whether nothing was counted."""
        return not (self._counts or self._requests or self._dropped or self._outcomes)

    def add(self, record: LogRecord, model: Model | None) -> None:
        """Count a record; `model` describes what a `Scored` is about."""
        match record:
            case Scored():
                self._scored(record, model)
            case Unanswered():
                self._requests[record.service, record.snapshot, record.outcome] += 1
                self._seen(record.at_us)
            case Observation():
                self._outcomes[record.service] += 1
                self._seen(record.at_us)
            case Dropped():
                self._dropped[record.service, record.reason, "requests"] += record.requests
                self._dropped[record.service, record.reason, "rows"] += record.rows
            case _:
                pass

    def objects(self) -> dict[str, bytes]:
        """Give the window's objects by key: the open one, and the one with sensitive and protected columns."""
        day = _time(self._made_us)[:10]
        place = f"{self._stage}/windows/{day}/{self._name.stream}-{self._name.number:010d}.json"
        found = {place: self._document(restricted=False)}
        closed = self._document(restricted=True)
        if any(m["inputs"] or m["outputs"] for m in closed["models"]):
            found[f"{RESTRICTED}/{place}"] = closed
        return {key: msgspec.json.encode(document) for key, document in found.items()}

    def _scored(self, record: Scored, model: Model | None) -> None:
        assert model is not None  # noqa: S101 the reader refuses a record without its description
        of = _Of(record.service, record.snapshot, record.digest, record.deployment, record.role)
        if of not in self._counts:
            self._counts[of] = _Counts(model)
        self._counts[of].add(record)
        self._seen(record.at_us)
        if record.role is not Role.SHADOW and record.first_row == 0:
            self._requests[record.service, record.snapshot, SUCCESS] += 1

    def _seen(self, at_us: int) -> None:
        self._first_us = at_us if self._first_us is None else min(self._first_us, at_us)
        self._last_us = max(self._last_us, at_us)

    def _document(self, *, restricted: bool) -> dict[str, list[dict[str, object]]]:
        models = [
            {
                **of._asdict(),
                "requests": counts.requests,
                "rows": counts.rows,
                "kept_rows": counts.kept_rows,
                "latency_us": counts.latency_us,
                **counts.columns(restricted=restricted),
            }
            for of, counts in self._counts.items()
        ]
        heading = {
            "format": FORMAT,
            "stage": self._stage,
            "stream": self._name.stream,
            "segment": self._name.number,
            "broken": self.broken,
            "first": None if self._first_us is None else _time(self._first_us),
            "last": None if self._first_us is None else _time(self._last_us),
        }
        if restricted:
            return {**heading, "models": models}  # type: ignore[dict-item]
        return {
            **heading,  # type: ignore[dict-item]
            "models": models,
            "requests": [
                {"service": s, "snapshot": n, "outcome": o, "requests": count}
                for (s, n, o), count in self._requests.items()
            ],
            "dropped": self._drops(),
            "outcomes": [{"service": s, "outcomes": n} for s, n in self._outcomes.items()],
        }

    def _drops(self) -> list[dict[str, object]]:
        return [
            {
                "service": service,
                "reason": reason,
                "requests": self._dropped[service, reason, "requests"],
                "rows": self._dropped[service, reason, "rows"],
            }
            for service, reason in dict.fromkeys((s, r) for s, r, _ in self._dropped)
        ]


class WindowStore:
    """
    Where windows are put.

    Parameters
    ----------
    root
        A folder or URL.
    stage
        The stage's name.
    """

    def __init__(self, root: str, *, stage: str) -> None:
        self._root, self._stage = root, stage
        self._store: ObjectStore | None = None

    def begin(self, name: SegmentName, *, made_us: int) -> Window:
        """Begin the window of a segment."""
        return Window(stage=self._stage, name=name, made_us=made_us)

    def put(self, window: Window) -> None:
        """Put a window's objects; those that are there already, of a writer that was killed, stay."""
        store = self._store = self._store or _opened(self._root)
        for key, content in window.objects().items():
            try:
                obstore.put(store, key, content, mode="create")
            except AlreadyExistsError:
                continue


def _time(microseconds: int) -> str:
    return rfc3339(EPOCH + microseconds * MICROSECOND)


def _opened(root: str) -> ObjectStore:
    return from_url(root) if "://" in root else LocalStore(root, mkdir=True)
