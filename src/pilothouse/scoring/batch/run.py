"""One run of a job, from its order to its report."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from pilothouse.domain.desired import ACCEPTED_SCHEMAS, DesiredSchemaError
from pilothouse.domain.jobs import JobKind, JobOrder, JobProgress, JobReport, JobResult, JobState
from pilothouse.domain.snapshots import Manifest
from pilothouse.scoring.batch.asking import Asking, Model
from pilothouse.scoring.batch.disk import sha256_of
from pilothouse.scoring.batch.errors import (
    JobKindError,
    SourceChangedError,
    SourceDigestError,
    SourceMissingError,
    TargetMissingError,
)
from pilothouse.scoring.batch.manifests import (
    MANIFEST_SCHEMA,
    OutputColumn,
    OutputManifest,
    OutputSource,
)
from pilothouse.scoring.batch.output import Output
from pilothouse.scoring.batch.places import open_source
from pilothouse.scoring.batch.plan import Plan, plan
from pilothouse.scoring.batch.records import Records, Tally
from pilothouse.scoring.batch.rejects import RecordLog
from pilothouse.scoring.batch.sinks import open_sink
from pilothouse.scoring.tables.formats import open_reader

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pilothouse.ports.clock import Clock
    from pilothouse.scoring.batch.watch import Watch
    from pilothouse.scoring.tables.blocks import TableReader

REJECTED, FLAGGED = "_rejected.jsonl", "_flagged.jsonl"

Load = Callable[[JobOrder], AbstractContextManager[tuple[Model, Manifest]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What streaming a file through a model gave: counts, metrics, and the records in every file written."""

    plan: Plan
    tally: Tally
    metrics: Mapping[str, float | None]
    files: Mapping[str, int]


class Run:
    """
    One run of a job.

    Parameters
    ----------
    order
        What to do.
    attempt
        Which run of the job this is, from 1.
    home
        The job's home, where rejected records go when the order has no target.
    load
        Gives the snapshot's loaded model and its manifest.
    clock
        Says when the job began and ended.
    watch
        Takes progress, and says when to stop.
    """

    def __init__(
        self,
        order: JobOrder,
        *,
        attempt: int,
        home: Path,
        load: Load,
        clock: Clock,
        watch: Watch,
    ) -> None:
        self._order, self._attempt, self._home = order, attempt, home
        self._load, self._clock, self._watch = load, clock, watch

    def run(self) -> JobReport:
        """
        Do the job, or find that it is done.

        Returns
        -------
        JobReport
            Complete, with a result of success, or partial when records were rejected.

        Raises
        ------
        PilothouseError
            When the job fails or is cancelled; no output is left then, and nothing in staging.
        """
        self._refuse_unfit()
        if self._order.target is None:
            return self._measured()
        output = Output(self._order.target, job_id=self._order.job_id, attempt=self._attempt)
        output.sweep()
        done = output.published()
        if done is not None:
            return done
        try:
            return self._published(output)
        except (
            BaseException
        ):  # also when the process is told to end: staging is never left on purpose
            output.sweep()
            raise

    def _refuse_unfit(self) -> None:
        if self._order.schema not in ACCEPTED_SCHEMAS:
            raise DesiredSchemaError(found=self._order.schema)
        match self._order.kind:
            case JobKind.SCORE:
                if self._order.target is None:
                    raise TargetMissingError(job=self._order.job_id)
            case JobKind.METRICS:
                pass
            case JobKind.SNAPSHOT | JobKind.LOAD_TEST | JobKind.TRAIN:
                raise JobKindError(kind=self._order.kind.value)

    def _measured(self) -> JobReport:
        outcome, _ = self._streamed(self._home)
        tally = outcome.tally
        return JobReport(
            job_id=self._order.job_id,
            state=JobState.COMPLETE,
            progress=tally.progress(tally.read),
            result=JobResult.PARTIAL if tally.rejected else JobResult.SUCCESS,
            metrics=outcome.metrics,
        )

    def _published(self, output: Output) -> JobReport:
        started = self._clock.now()
        outcome, source = self._streamed(output.begin())
        manifest = self._manifest(output, outcome, source=source, started=started)
        self._watch.check()
        return output.publish(manifest)

    def _streamed(self, folder: Path) -> tuple[Outcome, OutputSource]:
        asked = self._order.source
        if asked is None:
            raise SourceMissingError(job=self._order.job_id)
        self._watch.progress(JobProgress())
        with ExitStack() as opened:
            stream = opened.enter_context(open_source(asked.root, asked.path))
            before = _state(stream)
            found = sha256_of(stream, between=self._watch.check)
            if asked.sha256 not in (None, found):
                raise SourceDigestError(path=asked.path, expected=str(asked.sha256), found=found)
            stream.seek(0)
            reader = open_reader(stream, asked.format)
            model, manifest = opened.enter_context(self._load(self._order))
            outcome = self._scored(reader, model, plan(self._order, manifest, reader), folder)
            if _state(stream) != before:
                raise SourceChangedError(path=asked.path)
        return outcome, OutputSource(path=asked.path, format=asked.format, sha256=found)

    def _scored(self, reader: TableReader, model: Model, what: Plan, folder: Path) -> Outcome:
        schema = what.manifest.inputs
        names = [c.name for c in what.manifest.outputs.columns]
        with (
            RecordLog(folder / REJECTED, schema=schema) as rejected,
            RecordLog(folder / FLAGGED, schema=schema, keep_empty=False) as flagged,
            open_sink(self._order, what, folder) as sink,
        ):
            records = Records(what, Asking(model, names=names), rejected=rejected, flagged=flagged)
            self._watch.progress(records.tally.progress(reader.records))
            for block in reader.blocks(what.read, rows=self._order.block_rows):
                scored = records.score(block)
                if scored.rows:
                    sink.take(scored)
                self._watch.progress(records.tally.progress(reader.records))
            metrics = sink.metrics(model, records.tally)
        files = {log.name: log.rows for log in (rejected, flagged) if log.kept}
        if sink.table is not None:
            files[sink.table] = records.tally.scored
        return Outcome(plan=what, tally=records.tally, metrics=metrics, files=files)

    def _manifest(
        self, output: Output, outcome: Outcome, *, source: OutputSource, started: datetime
    ) -> OutputManifest:
        order, tally = self._order, outcome.tally
        described = tuple(
            output.file(name, rows=rows) for name, rows in sorted(outcome.files.items())
        )
        columns = outcome.plan.output if order.kind is JobKind.SCORE else ()
        return OutputManifest(
            schema=MANIFEST_SCHEMA,
            job_id=order.job_id,
            kind=order.kind,
            service=order.service,
            stage=order.stage,
            snapshot=order.snapshot,
            digest=order.digest,
            source=source,
            files=described,
            columns=tuple(OutputColumn(name=n, type=t) for n, t in columns),
            rows_read=tally.read,
            rows_scored=tally.scored,
            rows_rejected=tally.rejected,
            rows_flagged=tally.flagged,
            values_coerced=tally.coerced,
            metrics=outcome.metrics,
            started_at=started,
            ended_at=self._clock.now(),
        )


def _state(stream: IO[bytes]) -> tuple[int, int]:
    """Give what changes when somebody writes to a file: its size and its time of change."""
    now = os.fstat(stream.fileno())
    return now.st_size, now.st_mtime_ns
