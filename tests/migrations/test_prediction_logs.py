"""Revision 0010 on a database with rows: services keep everything until somebody says otherwise."""

from __future__ import annotations

from dataclasses import replace

from pilothouse.domain.prediction_logs import LogPolicy, SensitiveLogging
from pilothouse.persistence.engine import Database
from pilothouse.persistence.schema import downgrade, migrate
from tests.contract.persistence import values
from tests.contract.persistence.conftest import CountingIds, HandClock

ASKED = LogPolicy(sampling=0.25, sensitive=SensitiveLogging.HASH, retain_days=30)


def test_services_of_before_keep_everything_for_four_hundred_days(database_url: str) -> None:
    migrate(database_url)
    database = Database.connect(database_url, subscribers={}, clock=HandClock(), ids=CountingIds())
    with database.open_work(values.principal()) as work:
        values.seed(work)
        service = work.services.get(values.FRAUD)
        work.services.save(replace(service, log=ASKED))
        work.commit(None)

    with database.open_work.reading(values.principal()) as work:
        assert work.services.get(values.FRAUD).log == ASKED
    database.dispose()
    downgrade(database_url, "0009")
    migrate(database_url)

    database = Database.connect(database_url, subscribers={}, clock=HandClock(), ids=CountingIds())
    with database.open_work.reading(values.principal()) as work:
        assert work.services.get(values.FRAUD).log == LogPolicy()
    database.dispose()
