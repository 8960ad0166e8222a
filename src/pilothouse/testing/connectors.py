"""
The suite that every connector must pass.

A connector's tests subclass `ConnectorContract` and give it a `Bench`: a runtime to drive, work for it, and
the means to look behind the connector and to break things. Needs pytest.
"""

# The asserts are what this module is for.
# ruff: noqa: S101
from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

import pytest

from pilothouse.domain.errors import InvalidError, NotSupportedError
from pilothouse.domain.ids import JobId
from pilothouse.domain.jobs import JobState, JobUnknownError
from pilothouse.domain.runtimes import Ability, RuntimeUnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pilothouse.domain.desired import Desired, Observed
    from pilothouse.domain.jobs import JobOrder, JobReport
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.ports.connectors import Connector

T = TypeVar("T")
PATIENCE_S = 60.0
UNKNOWN_JOB = JobId("job_01KE70EHG0E008000000000000")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenProcess:
    """A process that the connector started, as its host sees it."""

    argv: Sequence[str]
    environment: Mapping[str, str]


class Bench(Protocol):
    """
    What the suite needs of a connector under test.

    Attributes
    ----------
    connector
        The connector.
    runtime
        A runtime that can do all that this kind can.
    limited
        Runtimes of the same kind that can do less; each inability that they declare is tried.
    secrets
        Texts that stand in the control plane's environment and must reach no runtime.
    """

    connector: Connector
    runtime: Runtime
    limited: Sequence[Runtime]
    secrets: Sequence[str]

    def desired(self, runtime: Runtime, *, generation: int) -> Desired:
        """Give a document with one deployment and its route."""
        ...

    def quick_job(self) -> JobOrder:
        """Give an order, of a new job each time, that completes by itself."""
        ...

    def endless_job(self) -> JobOrder:
        """Give an order, of a new job each time, that runs until it is cancelled."""
        ...

    def reopened(self) -> Connector:
        """Give another connector over the same runtimes, as a control plane has after its restart."""
        ...

    def kill_entry(self) -> None:
        """End the runtime's entry without a warning, behind the connector's back."""
        ...

    def starts(self, job_id: JobId) -> int:
        """Say how many processes of a job have begun to run."""
        ...

    def processes(self) -> Sequence[SeenProcess]:
        """Give the processes of the runtime that run now."""
        ...


def until(ask: Callable[[], T], accept: Callable[[T], bool]) -> T:
    """Ask again and again until the answer is accepted; give up after a minute."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = ask()
        if accept(answer):
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"still {answer!r} after {PATIENCE_S:g} s")
        time.sleep(0.05)


def ended(bench: Bench, job_id: JobId) -> JobReport:
    """Wait for the end of a job."""
    return until(
        lambda: bench.connector.poll(bench.runtime, job_id), lambda report: report.state.ended
    )


def running(bench: Bench, job_id: JobId) -> JobReport:
    """Wait until a job runs."""
    return until(
        lambda: bench.connector.poll(bench.runtime, job_id),
        lambda report: report.state is JobState.RUNNING,
    )


def ensured(bench: Bench, *, generation: int = 1) -> Observed:
    """Bring the runtime to a generation and see what it holds."""
    desired = bench.desired(bench.runtime, generation=generation)
    bench.connector.ensure(bench.runtime, desired)
    return bench.connector.observe(bench.runtime)


def _attempt(bench: Bench, runtime: Runtime, ability: Ability) -> None:
    connector = bench.connector
    match ability:
        case Ability.ONLINE:
            connector.ensure(runtime, bench.desired(runtime, generation=1))
        case Ability.SCORE_JOB | Ability.METRICS_JOB | Ability.TRAIN_JOB | Ability.LOAD_TEST:
            connector.run_job(runtime, bench.quick_job())
        case Ability.CANCEL:
            connector.cancel(runtime, UNKNOWN_JOB)
        case Ability.LOGS:
            connector.logs(runtime)


class ConnectorContract:
    """The suite; a subclass of it gives the fixture ``bench``."""

    @pytest.fixture
    def bench(self) -> Bench:
        """Give the bench; every subclass has its own."""
        raise NotImplementedError("a connector's tests give their bench")

    def test_every_ability_is_declared_possible_or_impossible_with_a_reason(
        self, bench: Bench
    ) -> None:
        """An ability that is not mentioned at all would be a silent no."""
        for runtime in (bench.runtime, *bench.limited):
            found = bench.connector.capabilities(runtime)
            assert found.abilities | found.inabilities.keys() == frozenset(Ability)
            assert not found.abilities & found.inabilities.keys()
            assert all(found.inabilities.values())

    def test_what_is_declared_impossible_is_refused_with_its_reason(self, bench: Bench) -> None:
        """The declaration is wrong as soon as the call works."""
        for runtime in (bench.runtime, *bench.limited):
            inabilities = bench.connector.capabilities(runtime).inabilities
            for ability, reason in inabilities.items():
                with pytest.raises(NotSupportedError) as refused:
                    _attempt(bench, runtime, ability)
                assert reason in refused.value.message

    def test_the_formats_are_named(self, bench: Bench) -> None:
        """Placement asks for them."""
        assert bench.connector.capabilities(bench.runtime).formats

    def test_a_runtime_converges_to_what_is_desired(self, bench: Bench) -> None:
        """The entry holds the generation once `ensure` returns."""
        desired = bench.desired(bench.runtime, generation=3)

        bench.connector.ensure(bench.runtime, desired)

        observed = bench.connector.observe(bench.runtime)
        assert (observed.runtime_id, observed.generation) == (bench.runtime.id, 3)
        assert {d.id for d in observed.deployments} == {d.id for d in desired.deployments}

    def test_ensuring_again_changes_nothing(self, bench: Bench) -> None:
        """A lost answer leads to a second call."""
        first = ensured(bench, generation=2)
        second = ensured(bench, generation=2)

        assert (second.process, second.generation) == (first.process, 2)

    def test_an_order_that_comes_late_is_ignored(self, bench: Bench) -> None:
        """A lower generation never replaces a higher one."""
        ensured(bench, generation=5)

        observed = ensured(bench, generation=4)

        assert observed.generation == 5

    def test_many_calls_at_once_start_one_entry(self, bench: Bench) -> None:
        """Several control planes may reconcile one runtime."""
        connectors = [bench.connector, bench.reopened(), bench.reopened(), bench.reopened()]
        desired = bench.desired(bench.runtime, generation=1)

        with ThreadPoolExecutor(len(connectors)) as threads:
            list(threads.map(lambda c: c.ensure(bench.runtime, desired), connectors))

        seen = {c.observe(bench.runtime).process for c in connectors}
        assert len(seen) == 1

    def test_a_runtime_without_an_entry_is_unreachable(self, bench: Bench) -> None:
        """It is not the same as an entry that holds nothing."""
        with pytest.raises(RuntimeUnreachableError) as unreachable:
            bench.connector.observe(bench.runtime)

        assert unreachable.value.runtime == bench.runtime.name

    def test_withdrawing_ends_the_entry(self, bench: Bench) -> None:
        """Nothing of it runs afterwards."""
        ensured(bench)

        bench.connector.withdraw(bench.runtime)

        assert bench.processes() == []
        with pytest.raises(RuntimeUnreachableError):
            bench.connector.observe(bench.runtime)

    def test_withdrawing_twice_or_what_never_ran_is_no_error(self, bench: Bench) -> None:
        """Every call may be repeated."""
        bench.connector.withdraw(bench.runtime)
        ensured(bench)
        bench.connector.withdraw(bench.runtime)
        bench.connector.withdraw(bench.runtime)

        assert bench.processes() == []

    def test_a_withdrawn_runtime_can_be_used_again(self, bench: Bench) -> None:
        """Its last generation may be far behind."""
        ensured(bench, generation=1)
        bench.connector.withdraw(bench.runtime)

        observed = ensured(bench, generation=7)

        assert observed.generation == 7

    def test_an_entry_that_died_is_seen_and_started_again(self, bench: Bench) -> None:
        """The next `ensure` brings back what was there."""
        before = ensured(bench, generation=2)
        bench.kill_entry()
        with pytest.raises(RuntimeUnreachableError):
            bench.connector.observe(bench.runtime)

        after = ensured(bench, generation=2)

        assert after.process != before.process
        assert after.generation == 2

    def test_a_new_control_plane_finds_the_entry_again(self, bench: Bench) -> None:
        """Entries outlive the control plane that started them."""
        before = ensured(bench)

        after = bench.reopened().observe(bench.runtime)

        assert after.process == before.process

    def test_a_job_runs_to_its_end(self, bench: Bench) -> None:
        """And its report stays the same for whoever asks later."""
        order = bench.quick_job()

        bench.connector.run_job(bench.runtime, order)

        report = ended(bench, order.job_id)
        assert (report.job_id, report.state) == (order.job_id, JobState.COMPLETE)
        assert bench.reopened().poll(bench.runtime, order.job_id) == report

    def test_ordering_a_job_again_starts_it_once(self, bench: Bench) -> None:
        """The job's id is the key, while it runs and after its end."""
        order = bench.quick_job()
        connectors = [bench.connector, bench.reopened(), bench.reopened()]
        with ThreadPoolExecutor(len(connectors)) as threads:
            list(threads.map(lambda c: c.run_job(bench.runtime, order), connectors))
        report = ended(bench, order.job_id)

        bench.connector.run_job(bench.runtime, order)

        assert bench.connector.poll(bench.runtime, order.job_id) == report
        assert bench.starts(order.job_id) == 1

    def test_an_unknown_job_is_told(self, bench: Bench) -> None:
        """The control plane orders it again."""
        with pytest.raises(JobUnknownError) as unknown:
            bench.connector.poll(bench.runtime, UNKNOWN_JOB)

        assert unknown.value.job == UNKNOWN_JOB

    def test_a_running_job_can_be_cancelled(self, bench: Bench) -> None:
        """Twice is as good as once."""
        order = bench.endless_job()
        bench.connector.run_job(bench.runtime, order)
        running(bench, order.job_id)

        bench.connector.cancel(bench.runtime, order.job_id)
        bench.connector.cancel(bench.runtime, order.job_id)

        report = ended(bench, order.job_id)
        assert (report.state, report.output) == (JobState.CANCELLED, None)

    def test_a_job_can_be_cancelled_as_soon_as_it_is_ordered(self, bench: Bench) -> None:
        """Its process may not even have begun."""
        order = bench.endless_job()
        bench.connector.run_job(bench.runtime, order)

        bench.connector.cancel(bench.runtime, order.job_id)

        assert ended(bench, order.job_id).state is JobState.CANCELLED

    def test_cancelling_an_ended_or_unknown_job_changes_nothing(self, bench: Bench) -> None:
        """A cancel may come too late."""
        order = bench.quick_job()
        bench.connector.run_job(bench.runtime, order)
        report = ended(bench, order.job_id)

        bench.connector.cancel(bench.runtime, order.job_id)
        bench.connector.cancel(bench.runtime, UNKNOWN_JOB)

        assert bench.connector.poll(bench.runtime, order.job_id) == report

    def test_clearing_forgets_an_ended_job(self, bench: Bench) -> None:
        """Twice is as good as once."""
        order = bench.quick_job()
        bench.connector.run_job(bench.runtime, order)
        ended(bench, order.job_id)

        bench.connector.clear(bench.runtime, order.job_id)
        bench.connector.clear(bench.runtime, order.job_id)

        with pytest.raises(JobUnknownError):
            bench.connector.poll(bench.runtime, order.job_id)

    def test_jobs_go_on_when_the_entry_is_withdrawn(self, bench: Bench) -> None:
        """They are processes of their own."""
        order = bench.endless_job()
        ensured(bench)
        bench.connector.run_job(bench.runtime, order)
        running(bench, order.job_id)

        bench.connector.withdraw(bench.runtime)

        assert bench.connector.poll(bench.runtime, order.job_id).state is JobState.RUNNING
        assert bench.starts(order.job_id) == 1

    def test_a_new_control_plane_finds_the_job_again(self, bench: Bench) -> None:
        """Jobs outlive the control plane that started them."""
        order = bench.endless_job()
        bench.connector.run_job(bench.runtime, order)
        running(bench, order.job_id)
        later = bench.reopened()

        later.run_job(bench.runtime, order)

        assert later.poll(bench.runtime, order.job_id).state is JobState.RUNNING
        assert bench.starts(order.job_id) == 1

    def test_logs_give_the_last_lines(self, bench: Bench) -> None:
        """Of the entry, and of a job."""
        order = bench.quick_job()
        ensured(bench)
        bench.connector.run_job(bench.runtime, order)
        ended(bench, order.job_id)

        entry = bench.connector.logs(bench.runtime, lines=1)
        job = bench.connector.logs(bench.runtime, job_id=order.job_id, lines=1)

        assert len(entry) <= 1
        assert len(job) <= 1
        assert all("\n" not in line for line in (*entry, *job))

    def test_logs_of_an_unknown_job_are_refused(self, bench: Bench) -> None:
        """Empty logs would say that it ran."""
        with pytest.raises(JobUnknownError):
            bench.connector.logs(bench.runtime, job_id=UNKNOWN_JOB)

    @pytest.mark.parametrize("lines", [-1, 0, 10_001])
    def test_only_1_to_10000_lines_can_be_asked_for(self, bench: Bench, lines: int) -> None:
        """Nothing is cut in silence."""
        with pytest.raises(InvalidError):
            bench.connector.logs(bench.runtime, lines=lines)

    def test_no_secret_of_the_control_plane_reaches_a_runtime(self, bench: Bench) -> None:
        """Neither by an argument nor by a variable."""
        order = bench.endless_job()
        ensured(bench)
        bench.connector.run_job(bench.runtime, order)
        running(bench, order.job_id)

        processes = bench.processes()

        assert len(processes) >= 2
        for process in processes:
            told = " ".join((*process.argv, *process.environment, *process.environment.values()))
            assert not any(secret in told for secret in bench.secrets)
