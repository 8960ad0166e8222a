"""Revision 0006 on a database with tasks: they take one answer as before, and no vote is lost on the way down."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.state import JobKind, Run, TaskTimer
from pilothouse.domain.approvals import Decision, Quorum, Vote
from pilothouse.persistence.engine import Database
from pilothouse.persistence.schema import current, downgrade, migrate, needed
from tests.contract.persistence import values
from tests.contract.persistence.conftest import CountingIds, HandClock

if TYPE_CHECKING:
    from pilothouse.bpmn.state import Changes, RunState
    from pilothouse.domain.tasks import Task

QUORUM = Quorum(count=2, per_role={"validator": 1})
VOTE = Vote(by="per_vera", at=values.NOON, decision=Decision.APPROVE, digest="abc")


def voting(changes: Changes) -> Changes:
    tasks = tuple(replace(t, quorum=QUORUM, votes=(VOTE,)) for t in changes.added.tasks)
    return replace(changes, added=replace(changes.added, tasks=tasks))


def reminding(changes: Changes) -> Changes:
    jobs = tuple(
        replace(j, kind=JobKind.TIMER, topic=TaskTimer.REMINDER.value) for j in changes.added.jobs
    )
    return replace(changes, added=replace(changes.added, jobs=jobs))


def telling(changes: Changes) -> Changes:
    jobs = tuple(replace(j, element="approve", topic="notify") for j in changes.added.jobs)
    return replace(changes, added=replace(changes.added, jobs=jobs))


def fill(url: str, changes: Changes) -> None:
    database = Database.connect(url, subscribers={}, clock=HandClock(), ids=CountingIds())
    with database.open_work(values.principal()) as work:
        values.seed(work)
        work.runs.add(values.heading(), changes)
        [row] = changes.added.tasks
        work.tasks.add(replace(values.task(), quorum=row.quorum, votes=row.votes))
        work.commit(None)
    database.dispose()


def kept(url: str) -> tuple[RunState, Task]:
    database = Database.connect(url, subscribers={}, clock=HandClock(), ids=CountingIds())
    with database.open_work.reading(values.principal()) as work:
        run, task = work.runs.load("run_1"), work.tasks.get("tsk_1")
    database.dispose()
    return run, task


def test_tasks_of_before_take_one_answer(database_url: str) -> None:
    fill(database_url, values.started())

    downgrade(database_url, "0005")
    migrate(database_url)

    run, task = kept(database_url)
    assert isinstance(run.run, Run)
    [row] = run.tasks.values()
    assert (row.quorum, row.votes, task.quorum, task.votes) == (None, (), None, ())


def test_votes_are_kept_by_the_run_and_by_the_task(database_url: str) -> None:
    fill(database_url, voting(values.started()))

    run, task = kept(database_url)

    [row] = run.tasks.values()
    assert (row.quorum, row.votes) == (task.quorum, task.votes) == (QUORUM, (VOTE,))


@pytest.mark.parametrize("change", [voting, reminding, telling])
def test_a_run_that_waits_for_votes_or_reminds_keeps_the_database_up(
    database_url: str, change: object
) -> None:
    assert callable(change)
    fill(database_url, change(values.started()))

    with pytest.raises(ValueError, match="The runs run_1"):
        downgrade(database_url, "0005")

    assert current(database_url) == needed()
