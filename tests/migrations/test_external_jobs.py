"""Revision 0005 on a database with rows: what is offered goes back to the platform on the way down."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text

from pilothouse.bpmn.state import JobStatus
from pilothouse.persistence.engine import Database
from pilothouse.persistence.schema import downgrade, migrate
from tests.contract.persistence import values
from tests.contract.persistence.conftest import CountingIds, HandClock
from tests.migrations.test_schema import connected


def fill(url: str) -> None:
    """Write one job that is offered and held, and one of the platform."""
    database = Database.connect(url, subscribers={}, clock=HandClock(), ids=CountingIds())
    own = values.run_job(part="own")
    offered = replace(values.run_job(part="offered"), state=JobStatus.OFFERED)
    held = replace(offered, attempt=1, lease_owner="per_bot:w1", lease_until=values.NOON)
    with database.open_work(values.principal()) as work:
        values.seed(work)
        work.runs.add(values.heading(), values.started(jobs=(own, held)))
        work.commit(None)
    database.dispose()


def test_offered_jobs_go_back_to_the_platform_and_their_workers_are_fenced_off(
    database_url: str,
) -> None:
    fill(database_url)

    downgrade(database_url, "0004")
    with connected(database_url) as connection:
        query = text("SELECT element, state, attempt, lease_owner FROM run_jobs ORDER BY id")
        jobs = [tuple(row) for row in connection.execute(query)]
    migrate(database_url)

    assert jobs == [("deploy", "ready", 1 + 1, None), ("deploy", "ready", 0, None)]
