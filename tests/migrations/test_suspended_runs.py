"""Revision 0007 on a database with rows: a suspended run is in nobody's way down unseen."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from pilothouse.persistence.engine import Database
from pilothouse.persistence.schema import downgrade, migrate
from tests.contract.persistence import values
from tests.contract.persistence.conftest import CountingIds, HandClock
from tests.migrations.test_schema import connected


def fill(url: str) -> None:
    database = Database.connect(url, subscribers={}, clock=HandClock(), ids=CountingIds())
    with database.open_work(values.principal()) as work:
        values.seed(work)
        work.runs.add(values.heading(), values.started())
        work.commit(None)
    database.dispose()


def turn(url: str, state: str) -> None:
    with connected(url) as connection:
        connection.execute(text("UPDATE runs SET state = :state"), {"state": state})
        connection.commit()


def test_the_way_down_is_closed_while_a_run_is_suspended(database_url: str) -> None:
    fill(database_url)
    turn(database_url, "suspended")

    with pytest.raises(ValueError, match="Resume or cancel them"):
        downgrade(database_url, "0006")

    turn(database_url, "active")
    downgrade(database_url, "0006")
    migrate(database_url)
    with connected(database_url) as connection:
        assert connection.execute(text("SELECT state FROM runs")).scalar_one() == "active"
