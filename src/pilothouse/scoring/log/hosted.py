"""The log of an entry: its spool and recorder, and the writer, which is started and watched."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from pilothouse.domain.desired import LogState, ObservedLog
from pilothouse.scoring.log import status
from pilothouse.scoring.log.recorder import NO_RECORDER, SpoolRecorder
from pilothouse.scoring.log.settings import LOG_FOLDER
from pilothouse.scoring.log.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from prometheus_client.core import Metric

    from pilothouse.ports.clock import Clock, Ids
    from pilothouse.scoring.counters import Labels
    from pilothouse.scoring.log.recorder import Recorded, Recorder
    from pilothouse.scoring.log.settings import LogSettings

log = logging.getLogger(__name__)

NEEDED = ("deltalake", "numpy", "pyarrow")
WRITER = (sys.executable, "-m", "pilothouse.scoring", "log")
RESTART_FIRST_S, RESTART_MOST_S = 1.0, 30.0
STREAM_BYTES = 16
SILENT_S = 30.0


class EntryLog(Protocol):
    """The log of an entry, or what stands in its place."""

    @property
    def recorder(self) -> Recorder:
        """What the data plane tells of requests."""
        ...

    def tend(self) -> None:
        """Look after it; called every second."""
        ...

    def close(self) -> None:
        """Let the writer finish, and end it; may block for a while."""
        ...

    def observed(self) -> ObservedLog:
        """Say how it stands."""
        ...

    def collect(self) -> Iterable[Metric]:
        """Give its metrics."""
        ...


class NoLog:
    """
    No log, and why.

    Parameters
    ----------
    state, reason
        What is told about it.
    """

    recorder: Recorder = NO_RECORDER

    def __init__(self, state: LogState = LogState.OFF, reason: str = "") -> None:
        self._observed = ObservedLog(state=state, reason=reason)

    def tend(self) -> None:
        """Nothing needs it."""

    def close(self) -> None:
        """Nothing is open."""

    def observed(self) -> ObservedLog:
        """Say why there is none."""
        return self._observed

    def collect(self) -> Iterable[Metric]:
        """Give its state."""
        yield _state(self._observed.state)


class WriterProcess:
    """
    The writer's process, started again whenever it ends.

    Parameters
    ----------
    command
        How it is started.
    clock
        For the pause between starts, which doubles until it has run for a while.
    """

    def __init__(self, command: tuple[str, ...], *, clock: Clock) -> None:
        self._command, self._clock = command, clock
        self._process: subprocess.Popen[bytes] | None = None
        self._start_at, self._pause_s, self.starts = 0.0, RESTART_FIRST_S, 0

    def tend(self) -> None:
        """Start it where it does not run and may be started."""
        now = self._clock.now().timestamp()
        if self._process is not None:
            ended = self._process.poll()
            if ended is None:
                return
            if now - self._start_at > RESTART_MOST_S:
                self._pause_s = RESTART_FIRST_S
            log.error("the writer of the prediction log ended (%d)", ended)
            self._let_go()
            self._start_at = now + self._pause_s
            self._pause_s = min(RESTART_MOST_S, self._pause_s * 2)
        if now >= self._start_at:
            self._start_at = now
            self._start()

    def close(self, *, timeout_s: float) -> None:
        """Let it carry what is left; end it after that time. What is left then waits on the disk."""
        if self._process is None:
            return
        assert self._process.stdin is not None  # noqa: S101 it was started with a pipe
        self._process.stdin.close()
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            log.warning("the writer of the prediction log did not finish within %g s", timeout_s)
            self._process.kill()
            self._process.wait()
        self._process = None

    def _start(self) -> None:
        try:
            # It ends with this pipe, so no writer outlives an entry that was killed for longer than it has work.
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE)  # noqa: S603 our own program
        except OSError as problem:
            log.error("the writer of the prediction log cannot be started: %s", problem)  # noqa: TRY400 tried again
            self._start_at = self._clock.now().timestamp() + self._pause_s
        else:
            self.starts += 1

    def _let_go(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._process = None


class SpooledLog:
    """
    A log that is on.

    Parameters
    ----------
    folder
        Where its segments are.
    settings
        What it was started with.
    stream
        The id of this process's stream.
    writer
        The writer's process.
    clock
        For ages.
    """

    def __init__(
        self,
        folder: Path,
        settings: LogSettings,
        *,
        stream: str,
        writer: WriterProcess,
        clock: Clock,
    ) -> None:
        self._folder, self._settings, self._clock = folder, settings, clock
        self._spool = Spool(folder, stream=stream, limits=settings.spool, clock=clock)
        self._writer = writer
        self._began_at = clock.now().timestamp()
        self.recorder = SpoolRecorder(self._spool, record_bytes=settings.spool.record_bytes)

    def tend(self) -> None:
        """Finish old segments, and keep the writer running."""
        self._spool.tend()
        self._writer.tend()

    def close(self) -> None:
        """Finish the last segment, and let the writer carry it."""
        self._spool.close()
        self._writer.close(timeout_s=self._settings.close_s)

    def observed(self) -> ObservedLog:
        """Say how recording and writing stand."""
        dropped: dict[str, int] = {}
        for key, rows in self.recorder.counts.dropped_rows.items():
            dropped[key.reason.value] = dropped.get(key.reason.value, 0) + rows
        seen = ObservedLog(
            state=LogState.ON, rows=self.recorder.counts.rows.total(), dropped=dropped
        )
        written = status.read(self._folder)
        said_at = self._began_at if written is None else written.at_us / 1e6
        silent_s = self._clock.now().timestamp() - max(said_at, self._began_at)
        if written is not None:
            seen = replace(
                seen,
                written=written.rows.get("predictions", 0),
                lag_bytes=written.lag_bytes,
                lag_s=written.lag_s,
            )
            if written.problem:
                return replace(seen, state=LogState.STALLED, reason=written.problem)
        if silent_s > SILENT_S:
            words = "its writer says nothing; see the entry's log"
            return replace(seen, state=LogState.STALLED, reason=words)
        return seen

    def collect(self) -> Iterable[Metric]:
        """Give the metrics of both sides."""
        return metrics(
            self.observed().state,
            self.recorder.counts,
            starts=self._writer.starts,
            written=status.read(self._folder),
        )


def open_log(home: Path, settings: LogSettings | None, *, clock: Clock, ids: Ids) -> EntryLog:
    """
    Open the log of an entry's home.

    Without settings there is none. Where what its tables need is not installed, or its folder cannot be made, there is
    none either, and whoever looks at the entry is told.
    """
    if settings is None:
        return NoLog()
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        reason = f"{', '.join(missing)} is not installed; install pilothouse[log] and start the entry again"
        log.error("NO PREDICTION IS LOGGED: %s", reason)
        return NoLog(LogState.UNAVAILABLE, reason)
    folder = home / LOG_FOLDER
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as problem:  # a full disk stops the log alone
        log.error("NO PREDICTION IS LOGGED: %s", problem)  # noqa: TRY400 it says it all
        return NoLog(LogState.UNAVAILABLE, f"its folder cannot be made ({problem.strerror})")
    return SpooledLog(
        folder,
        settings,
        stream=ids.entropy(STREAM_BYTES).hex(),
        writer=WriterProcess((*WRITER, "--home", str(home)), clock=clock),
        clock=clock,
    )


def metrics(
    state: LogState, counts: Recorded, *, starts: int, written: status.WriterStatus | None
) -> Iterable[Metric]:
    """Give the metrics of a log: of the recording side, and of the writer where it has said something."""
    yield _state(state)
    for name, words, counted in (
        ("rows", "Rows recorded before they were answered.", counts.rows),
        ("outcomes", "Outcomes taken.", counts.outcomes),
    ):
        yield _counter(name, words, ("service",), {(s,): n for s, n in counted.items()})
    dropped = {(k.service, k.reason.value): n for k, n in counts.dropped_rows.items()}
    yield _counter(
        "dropped_rows", "Rows answered and not recorded.", ("service", "reason"), dropped
    )
    yield _counter("writer_starts", "Starts of the writer.", (), {(): starts})
    if written is not None:
        yield from _written(written)


def _written(written: status.WriterStatus) -> Iterable[Metric]:
    tables = {(t,): n for t, n in written.rows.items()}
    yield _counter("written_rows", "Rows put into tables.", ("table",), tables)
    for name, words, number in (
        ("sampled_out_rows", "Rows left out of the tables on purpose.", written.sampled_out),
        ("windows", "Counter windows put.", written.windows),
        ("torn_segments", "Segments whose last record was never whole.", written.torn),
        ("set_aside_segments", "Segments that could not be read.", written.set_aside),
        ("writer_failures", "Times that the writer could not write.", written.failures),
    ):
        yield _counter(name, words, (), {(): number})
    for name, words, value in (
        ("lag_bytes", "Bytes of records that wait for the writer.", written.lag_bytes),
        ("lag_seconds", "Age of the oldest of them.", written.lag_s),
    ):
        yield GaugeMetricFamily(f"pilothouse_log_{name}", words, value=value)


def _state(state: LogState) -> Metric:
    family = GaugeMetricFamily("pilothouse_log_state", "State of the prediction log.", labels=("state",))  # fmt: skip
    for one in LogState:
        family.add_metric((one.value,), float(one is state))
    return family


def _counter(
    name: str, words: str, labels: tuple[str, ...], counts: Mapping[Labels, int]
) -> Metric:
    family = CounterMetricFamily(f"pilothouse_log_{name}", words, labels=labels)
    for values, number in counts.items():
        family.add_metric(values, number)
    return family
