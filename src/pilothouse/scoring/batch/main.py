"""The process of one job: takes its home, runs the order that is there, leaves the report there."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

from pilothouse.artifacts.store import open_store
from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.ids import JobId
from pilothouse.domain.jobs import JobOrder, JobProgress, JobReport, JobResult, JobState
from pilothouse.observability.clock import SystemClock
from pilothouse.scoring.batch.errors import JobBusyError, JobCancelledError, StorageFailedError
from pilothouse.scoring.batch.home import JobHome
from pilothouse.scoring.batch.loading import Loading
from pilothouse.scoring.batch.run import Run
from pilothouse.scoring.batch.training import train
from pilothouse.scoring.batch.watch import Watch
from pilothouse.scoring.load.job import load_test
from pilothouse.scoring.packages import Packages

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

logger = logging.getLogger("pilothouse.batch")


class Exit(IntEnum):
    """How the process ends; its report says the rest."""

    COMPLETE = 0
    FAILED = 1
    USAGE = 2
    BUSY = 3
    CANCELLED = 5


class _Told:
    """Whether a signal told the process to stop."""

    def __init__(self) -> None:
        self.stop = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._take)

    def _take(self, number: int, frame: FrameType | None) -> None:
        self.stop = True


def main(argv: Sequence[str]) -> int:
    """
    Run the job of a home folder.

    Parameters
    ----------
    argv
        ``--home DIR``, a folder that holds ``order.json`` and ``job.json``.

    Returns
    -------
    int
        A member of `Exit`. A job that has ended already is left as it is, and its end told again.
    """
    parser = argparse.ArgumentParser(prog="pilothouse.scoring job", description=__doc__)
    parser.add_argument("--home", required=True, type=Path, help="the job's home folder")
    folder = parser.parse_args(argv).home
    if not folder.is_dir():
        parser.error(f"there is no folder {folder}")
    home = JobHome(folder.resolve())
    try:
        with home.held():
            return _held(home)
    except JobBusyError as problem:
        sys.stderr.write(problem.message + "\n")
        return Exit.BUSY


def _held(home: JobHome) -> int:
    told = _Told()
    _log_to(home.log)
    report = _ended(home)
    if report is None:
        attempt = home.enter().attempt
        logger.info("attempt %d, process %d", attempt, os.getpid())
        report = _outcome(home, attempt=attempt, told=told)
        home.write_report(report)
        logger.info("%s %s %s", report.state.value, report.result.value, report.error)
    match report.state:
        case JobState.COMPLETE:
            return Exit.COMPLETE
        case JobState.CANCELLED:
            return Exit.CANCELLED
        case _:
            return Exit.FAILED


def _ended(home: JobHome) -> JobReport | None:
    report = home.report()
    return report if report is not None and report.state.ended else None


def _log_to(path: Path) -> None:
    """Turn the whole process' standard error, also that of programs it starts, into the job's log."""
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 2)
    os.close(log)
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )


def _outcome(home: JobHome, *, attempt: int, told: _Told) -> JobReport:
    reached = _Reached(home)
    try:
        order = home.order()
        reached.job_id = order.job_id
        return _run(order, home, reached, attempt=attempt, told=told)
    except JobCancelledError:
        return reached.report(JobState.CANCELLED)
    except PilothouseError as problem:
        return reached.failed(problem)
    except OSError as problem:
        logger.exception("the disk refused")
        return reached.failed(StorageFailedError(problem=str(problem)))
    except Exception as problem:
        # The edge of the process: nobody above hears of a defect but by the report.
        logger.exception("a defect")
        return reached.report(
            JobState.FAILED,
            code=PilothouseError.code,
            words=f"The job met a defect ({type(problem).__name__}). Read its log and report it.",
        )


class _Reached:
    """How far a job came, so that its last report says it too."""

    def __init__(self, home: JobHome) -> None:
        self._home = home
        self.job_id, self._progress = JobId(home.folder.name), JobProgress()

    def tell(self, report: JobReport) -> None:
        self._progress = report.progress
        self._home.write_report(report)

    def failed(self, problem: PilothouseError) -> JobReport:
        return self.report(JobState.FAILED, code=problem.code, words=problem.message)

    def report(self, state: JobState, *, code: str = "", words: str = "") -> JobReport:
        failed = state is JobState.FAILED
        return JobReport(
            job_id=self.job_id,
            state=state,
            progress=self._progress,
            result=JobResult.FAILURE if failed else JobResult.UNKNOWN,
            error_code=code,
            error=words,
        )


def _run(
    order: JobOrder, home: JobHome, reached: _Reached, *, attempt: int, told: _Told
) -> JobReport:
    watch = Watch(
        order.job_id,
        tell=reached.tell,
        cancelled=lambda: told.stop or home.cancelled,
        seconds=time.monotonic,
    )
    if order.load is not None:
        store = open_store(home.settings().artifacts)
        package = Packages(store, Path(home.settings().packages)).fetch(order.digest)
        return load_test(order, package=package, token=home.take_token(), progress=watch.progress)
    if order.training is not None:
        return train(order, home=home, watch=watch)
    loading = Loading(home.settings(), log=home.folder / "model.log", watch=watch)
    return Run(
        order,
        attempt=attempt,
        home=home.folder,
        load=loading.load,
        clock=SystemClock(),
        watch=watch,
    ).run()
