"""Revision 0009 on a database with snapshots: nobody trained those of before, and no training is cut off."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from pilothouse.persistence.engine import Database
from pilothouse.persistence.schema import current, downgrade, migrate, needed
from tests.contract.persistence import values
from tests.contract.persistence.conftest import CountingIds, HandClock
from tests.migrations.test_schema import connected


def fill(url: str) -> None:
    database = Database.connect(url, subscribers={}, clock=HandClock(), ids=CountingIds())
    with database.open_work(values.principal()) as work:
        values.seed(work)
        work.jobs.add(values.job())
        work.commit(None)
    database.dispose()


def test_snapshots_of_before_were_trained_by_nobody(database_url: str) -> None:
    fill(database_url)

    downgrade(database_url, "0008")
    migrate(database_url)

    with connected(database_url) as connection:
        found = connection.execute(text("SELECT trained FROM snapshots")).scalars().all()
    assert found == [None]


def test_a_training_that_has_ended_stays_readable(database_url: str) -> None:
    fill(database_url)
    with connected(database_url) as connection, connection.begin():
        connection.execute(text("UPDATE jobs SET kind = 'train', state = 'complete'"))

    downgrade(database_url, "0008")

    with connected(database_url) as connection:
        assert connection.execute(text("SELECT kind FROM jobs")).scalars().all() == ["metrics"]
    migrate(database_url)


@pytest.mark.parametrize("kind", ["train", "snapshot"])
def test_what_is_under_way_keeps_the_database_up(database_url: str, kind: str) -> None:
    fill(database_url)
    with connected(database_url) as connection, connection.begin():
        connection.execute(text(f"UPDATE jobs SET kind = '{kind}', state = 'running'"))  # noqa: S608

    with pytest.raises(ValueError, match="train or take snapshots"):
        downgrade(database_url, "0008")

    assert current(database_url) == needed()
