"""What the local connector promises beyond the contract: whose processes it touches, and what it survives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilothouse.connectors.local.errors import (
    AddressInvalidError,
    EntryRefusedError,
)
from pilothouse.connectors.local.jobs import CANCEL_PATIENCE_S, DIED_CODE, MAXIMUM_STARTS
from pilothouse.connectors.local.processes import identity_of
from pilothouse.domain.ids import JobId, RuntimeId
from pilothouse.domain.jobs import (
    FileTarget,
    JobProgress,
    JobReport,
    JobResult,
    JobState,
    JobStillRunsError,
    TableFormat,
)
from pilothouse.domain.locations import STAGING
from pilothouse.domain.plain import to_plain
from pilothouse.domain.runtimes import RuntimeUnreachableError
from pilothouse.domain.snapshots import PathInvalidError
from pilothouse.testing.connectors import ended, ensured, running, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.connectors.benches import StandInBench


CONTROL_PLANE = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.integration.connectors.benches import StandInBench
from pilothouse.testing.connectors import ensured
bench = StandInBench(Path(sys.argv[2]))
order = bench.endless_job()
ensured(bench, generation=4)
bench.connector.run_job(bench.runtime, order)
print(order.job_id, flush=True)
time.sleep(600)
"""


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is nobody's business here."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    yield process
    process.kill()
    process.wait()


def claim(bench: StandInBench, process: subprocess.Popen[bytes], *, start_time: int) -> None:
    record = json.loads((bench.entry / "process.json").read_text())
    record.update(pid=process.pid, start_time=start_time)
    (bench.entry / "process.json").write_text(json.dumps(record))


@pytest.mark.parametrize("exact", [True, False], ids=["same start", "other start"])
def test_a_process_that_has_the_id_of_a_dead_entry_is_left_alone(
    stand_in: StandInBench, bystander: subprocess.Popen[bytes], exact: bool
) -> None:
    ensured(stand_in)
    stand_in.kill_entry()
    identity = identity_of(bystander.pid)
    assert identity is not None
    claim(stand_in, bystander, start_time=identity.start_time if exact else 1)

    stand_in.connector.withdraw(stand_in.runtime)

    assert bystander.poll() is None
    with pytest.raises(RuntimeUnreachableError):
        stand_in.connector.observe(stand_in.runtime)


def test_an_entry_that_will_not_end_is_killed(stand_in: StandInBench) -> None:
    stand_in.entry.mkdir(parents=True)
    (stand_in.entry / "deaf").touch()
    ensured(stand_in)

    stand_in.connector.withdraw(stand_in.runtime)

    assert stand_in.pids() == []


def test_an_entry_that_cannot_start_says_why(stand_in: StandInBench) -> None:
    stand_in.entry.mkdir(parents=True)
    (stand_in.entry / "broken").touch()

    with pytest.raises(RuntimeUnreachableError) as unreachable:
        ensured(stand_in)

    assert "the port is taken" in unreachable.value.problem
    assert stand_in.connector.logs(stand_in.runtime) == ["the port is taken"]


def test_an_entry_whose_settings_changed_is_started_anew(stand_in: StandInBench) -> None:
    before = ensured(stand_in)
    stand_in.runtime = replace(stand_in.runtime, address="127.0.0.1:8702")

    after = ensured(stand_in)

    assert after.process != before.process
    assert json.loads((stand_in.entry / "entry.json").read_text())["port"] == 8702
    assert len(stand_in.pids()) == 1


def test_the_secret_of_the_control_socket_is_private_and_stays(stand_in: StandInBench) -> None:
    ensured(stand_in)
    before = (stand_in.entry / "secret").read_text()
    stand_in.connector.withdraw(stand_in.runtime)
    ensured(stand_in)

    assert (stand_in.entry / "secret").read_text() == before
    assert (stand_in.entry / "secret").stat().st_mode & 0o777 == 0o600
    assert stand_in.entry.stat().st_mode & 0o777 == 0o700
    assert len(before) == 64


def test_an_entry_that_does_not_know_the_secret_refuses_and_can_still_be_withdrawn(
    stand_in: StandInBench,
) -> None:
    ensured(stand_in)
    (stand_in.entry / "refusing").touch()

    with pytest.raises(EntryRefusedError) as refused:
        ensured(stand_in, generation=2)

    assert refused.value.status == 401
    stand_in.connector.withdraw(stand_in.runtime)
    assert stand_in.pids() == []


@pytest.mark.parametrize("address", ["8701", ":8701", "host:", "host:0", "host:65536", "host:x"])
def test_an_address_that_nobody_can_listen_on_is_refused(
    stand_in: StandInBench, address: str
) -> None:
    stand_in.runtime = replace(stand_in.runtime, address=address)

    with pytest.raises(AddressInvalidError) as refused:
        ensured(stand_in)

    assert refused.value.address == address


def test_a_kill_of_the_control_plane_ends_nothing(stand_in: StandInBench) -> None:
    control_plane = subprocess.Popen(
        [sys.executable, "-c", CONTROL_PLANE, str(Path(__file__).parents[3]), str(stand_in.home)],
        stdout=subprocess.PIPE,
        text=True,
    )
    with control_plane:
        assert control_plane.stdout is not None
        job_id = JobId(control_plane.stdout.readline().strip())
        running(stand_in, job_id)
        before = stand_in.connector.observe(stand_in.runtime)
        control_plane.kill()

    after = ensured(stand_in, generation=5)

    assert (after.process, after.generation) == (before.process, 5)
    assert stand_in.connector.poll(stand_in.runtime, job_id).state is JobState.RUNNING
    assert stand_in.starts(job_id) == 1


@pytest.mark.parametrize("delay_s", [0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7])
def test_a_kill_at_any_moment_leaves_one_entry_and_one_process_for_each_job(
    stand_in: StandInBench, delay_s: float
) -> None:
    script = CONTROL_PLANE.replace("ensured(", "print('ready', flush=True)\nensured(", 1)
    arguments = [str(Path(__file__).parents[3]), str(stand_in.home)]
    order = stand_in.endless_job()  # ids are counted, so the other process makes this very order
    control_plane = subprocess.Popen(
        [sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True
    )
    with control_plane:
        assert control_plane.stdout is not None
        control_plane.stdout.readline()
        time.sleep(delay_s - 0.25)  # the moment of the kill is what the test is about
        control_plane.kill()

    ensured(stand_in, generation=5)
    stand_in.connector.run_job(stand_in.runtime, order)
    running(stand_in, order.job_id)

    assert stand_in.starts(order.job_id) == 1
    serving, jobs = stand_in.commands("serve"), stand_in.commands("job")
    assert (len(serving), len(jobs)) == (1, 1)


def test_a_job_whose_process_was_killed_is_started_again(stand_in: StandInBench) -> None:
    order = stand_in.endless_job()
    stand_in.connector.run_job(stand_in.runtime, order)
    running(stand_in, order.job_id)
    process = json.loads((stand_in.job_home(order.job_id) / "process.json").read_text())
    os.kill(process["pid"], signal.SIGKILL)

    def second_start() -> int:
        stand_in.connector.poll(stand_in.runtime, order.job_id)
        return stand_in.starts(order.job_id)

    assert until(second_start, lambda starts: starts == 2) == 2
    assert running(stand_in, order.job_id).state is JobState.RUNNING


def test_a_job_that_kills_its_process_each_time_fails_with_its_last_words(
    stand_in: StandInBench,
) -> None:
    order = stand_in.job("deadly")
    stand_in.connector.run_job(stand_in.runtime, order)

    report = ended(stand_in, order.job_id)

    assert (report.state, report.result, report.error_code) == (
        JobState.FAILED,
        JobResult.FAILURE,
        DIED_CODE,
    )
    assert "out of memory" in report.error
    assert stand_in.starts(order.job_id) == MAXIMUM_STARTS


def test_a_job_that_is_given_up_leaves_nothing_unfinished(
    stand_in: StandInBench, tmp_path: Path
) -> None:
    target = FileTarget(root=str(tmp_path / "results"), path="out", format=TableFormat.CSV)
    order = replace(stand_in.job("deadly"), target=target)
    mine, others = (
        tmp_path / "results" / STAGING / name for name in (f"{order.job_id}-3", "job_other-1")
    )
    for folder in (mine, others):
        folder.mkdir(parents=True)
        (folder / "part-0.csv").write_text("1")
    stand_in.connector.run_job(stand_in.runtime, order)

    report = ended(stand_in, order.job_id)

    assert report.error_code == DIED_CODE
    assert not mine.exists()
    assert others.exists()


def test_a_job_that_ignores_its_cancellation_is_killed_in_the_end(stand_in: StandInBench) -> None:
    order = stand_in.job("stubborn")
    stand_in.connector.run_job(stand_in.runtime, order)
    running(stand_in, order.job_id)
    stand_in.connector.cancel(stand_in.runtime, order.job_id)
    assert stand_in.connector.poll(stand_in.runtime, order.job_id).state is JobState.RUNNING

    stand_in.clock.advance(timedelta(seconds=CANCEL_PATIENCE_S + 60))

    assert ended(stand_in, order.job_id).state is JobState.CANCELLED


def test_a_running_job_is_not_cleared(stand_in: StandInBench) -> None:
    order = stand_in.endless_job()
    stand_in.connector.run_job(stand_in.runtime, order)

    with pytest.raises(JobStillRunsError) as refused:
        stand_in.connector.clear(stand_in.runtime, order.job_id)

    assert refused.value.job == order.job_id
    assert running(stand_in, order.job_id).state is JobState.RUNNING


def test_clearing_leaves_nothing_of_the_job_on_the_disk(stand_in: StandInBench) -> None:
    order = stand_in.quick_job()
    stand_in.connector.run_job(stand_in.runtime, order)
    ended(stand_in, order.job_id)
    until(stand_in.pids, lambda pids: pids == [])

    stand_in.connector.clear(stand_in.runtime, order.job_id)

    assert not stand_in.job_home(order.job_id).exists()


def test_the_report_of_the_process_is_given_as_it_is(stand_in: StandInBench) -> None:
    order = stand_in.quick_job()
    stand_in.connector.run_job(stand_in.runtime, order)
    ended(stand_in, order.job_id)
    report = JobReport(
        job_id=order.job_id,
        state=JobState.COMPLETE,
        result=JobResult.PARTIAL,
        progress=JobProgress(rows_read=10, rows_scored=9, rows_rejected=1, rows_total=10),
        metrics={"auc": 0.75, "lift": None},
    )
    (stand_in.job_home(order.job_id) / "report.json").write_text(json.dumps(to_plain(report)))

    assert stand_in.connector.poll(stand_in.runtime, order.job_id) == report


@pytest.mark.parametrize("name", ["../../etc", "..", "a/../../b", ""])
def test_an_id_never_leads_out_of_the_home(stand_in: StandInBench, name: str) -> None:
    stranger = replace(stand_in.runtime, id=RuntimeId(name))

    with pytest.raises(PathInvalidError):
        stand_in.connector.withdraw(stranger)
    with pytest.raises(PathInvalidError):
        stand_in.connector.poll(stand_in.runtime, JobId(name))
