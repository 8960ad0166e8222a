"""Smoke test: ask each endpoint for the golden records, and compare with the original model's own answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.application.evaluations import Judgement
from pilothouse.application.finding import snapshot_named
from pilothouse.domain.endpoints import EndpointKind
from pilothouse.domain.evaluations import Verdict
from pilothouse.domain.plain import to_plain
from pilothouse.lifecycle.errors import NoEndpointError, TaskInputError
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic
from pilothouse.lifecycle.tasks.contract import (
    BusinessError,
    Done,
    Facilities,
    Outcome,
    TaskContext,
    TaskType,
    own_service,
)
from pilothouse.lifecycle.tasks.evaluate import kept

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pilothouse.domain.schemas import Scalar, Schema
    from pilothouse.domain.snapshots import Snapshot

FAILED = "smoke-test-failed"
TOLERANCE = 1e-12
"""Relative to the golden answer where that is above 1, absolute below."""
BATCH = 100
SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where an endpoint's answer is not the golden one; a sensitive column's values are left out."""

    endpoint: str
    record: int
    column: str
    golden: Scalar
    answer: Scalar


def build(facilities: Facilities) -> TaskType:
    """Give the task type ``smoke-test``."""

    def handle(context: TaskContext) -> Outcome:
        return _Smoke(facilities, context).outcome()

    return TaskType(topic=Topic.SMOKE_TEST, parameters=PARAMETERS[Topic.SMOKE_TEST], handle=handle)


class _Smoke:
    """One delivery."""

    def __init__(self, facilities: Facilities, context: TaskContext) -> None:
        self._facilities, self._context = facilities, context
        self._service = own_service(facilities, context)
        with facilities.open_work.reading(context.who) as work:
            self._snapshot = snapshot_named(work, context.needed("snapshot"))

    def outcome(self) -> Outcome:
        stage = self._context.needed("stage")
        known = self._facilities.runtimes.endpoints(
            self._context.who, service=self._service.tag, stage=stage
        )
        endpoints = [e for e in known if e.kind is EndpointKind.REST]
        if not endpoints:
            raise NoEndpointError(service=self._service.tag, stage=stage)
        records = golden_records(self._facilities, self._snapshot)
        found = [d for e in endpoints for d in self._differences(e.url, records)]
        judgement = self._judgement(stage, [e.url for e in endpoints], len(records), found)
        smoke = kept(self._facilities, self._context, judgement)
        if found:
            return BusinessError(code=FAILED, message=judgement.reason, variables={"smoke": smoke})
        return Done(variables={"smoke": smoke})

    def _differences(
        self, url: str, records: Sequence[Mapping[str, Mapping[str, Scalar]]]
    ) -> Iterator[Difference]:
        manifest = self._snapshot.content.manifest
        for start in range(0, len(records), BATCH):
            some = records[start : start + BATCH]
            answers = self._facilities.entries.infer(
                url,
                number=self._snapshot.number,
                schema=manifest.inputs,
                columns=_columns(manifest.inputs, [r["input"] for r in some]),
            )
            for at, record in enumerate(some):
                for name, golden in record["output"].items():
                    column = answers.get(name, ())
                    answer = column[at] if at < len(column) else None
                    if at >= len(column) or not same(golden, answer):
                        hidden = _sensitive(manifest.outputs, name)
                        yield Difference(
                            endpoint=url,
                            record=start + at,
                            column=name,
                            golden=None if hidden else golden,
                            answer=None if hidden else answer,
                        )

    def _judgement(
        self, stage: str, urls: Sequence[str], records: int, found: Sequence[Difference]
    ) -> Judgement:
        asked = f"{records} golden records at {len(urls)} endpoint{'s' * (len(urls) > 1)}"
        reason = f"all answers equal the original's ({asked})"
        if found:
            reason = f"{len(found)} answers differ from the original's ({asked})"
        return Judgement(
            kind="smoke",
            snapshot=self._snapshot.name,
            service=self._service.tag,
            stage=stage,
            verdict=Verdict.FAIL if found else Verdict.PASS,
            reason=reason,
            evidence={
                "records": records,
                "endpoints": list(urls),
                "differences": len(found),
                "first_differences": to_plain(tuple(found[:SHOWN])),
            },
            run_id=self._context.heading.run_id,
        )


def golden_records(
    facilities: Facilities, snapshot: Snapshot
) -> tuple[Mapping[str, Mapping[str, Scalar]], ...]:
    """Read a snapshot's golden records, ``{"input": {…}, "output": {…}}`` a line."""
    text = b"".join(facilities.artifacts.get(snapshot.content.golden)).decode()
    records = tuple(json.loads(line) for line in text.splitlines() if line.strip())
    if not records:
        raise TaskInputError(
            topic=Topic.SMOKE_TEST,
            parameter="snapshot",
            problem=f"is {snapshot.name}, which has no golden records to ask for",
        )
    return records


def _columns(
    schema: Schema, inputs: Sequence[Mapping[str, Scalar]]
) -> Mapping[str, Sequence[Scalar]]:
    """Give the records column by column: what a caller must send, and what he may where a record has it."""
    names = [
        c.name
        for c in schema.columns
        if c.asked or (c.accepted and any(c.name in row for row in inputs))
    ]
    return {name: [row.get(name) for row in inputs] for name in names}


def _sensitive(schema: Schema, name: str) -> bool:
    column = schema.named(name)
    return column is not None and column.sensitive


def same(golden: Scalar, answer: Scalar) -> bool:
    """
    Whether an answer is the golden one.

    Numbers may differ by 1e-12, or by 1e-12 of the golden one where that is larger; all else must be equal.

    Examples
    --------
    >>> same(0.1, 0.1 + 1e-14), same(1e6, 1e6 + 1e-7), same(0.1, 0.2), same(True, 1), same(1, 1.0)
    (True, True, False, False, True)
    """
    if _is_number(golden) and _is_number(answer):
        one, other = float(answer or 0), float(golden or 0)
        return abs(one - other) <= TOLERANCE * max(1.0, abs(other))
    return type(golden) is type(answer) and golden == answer


def _is_number(value: Scalar) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
