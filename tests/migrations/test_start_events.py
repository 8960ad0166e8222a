"""Revision 0008 on a database with rows: signals are armed on the way up, what 0007 cannot keep holds up the way down."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from pilothouse.bpmn.state import SubscriptionKind
from pilothouse.domain.ids import DefinitionId
from pilothouse.domain.lifecycles import DefinitionKind, DefinitionState, StartEvent, StartKind
from pilothouse.persistence.engine import Database
from pilothouse.persistence.schema import downgrade, migrate
from tests.contract.persistence import values
from tests.contract.persistence.conftest import CountingIds, HandClock
from tests.migrations.test_schema import connected

QUERY = text('SELECT definition_id, "group", key, kind, name FROM start_events ORDER BY id')


def opened(url: str) -> Database:
    return Database.connect(url, subscribers={}, clock=HandClock(), ids=CountingIds())


def test_the_signals_of_the_latest_active_versions_are_armed(database_url: str) -> None:
    database = opened(database_url)
    with database.open_work(values.principal()) as work:
        values.seed(work)
        first = values.definition()
        for number, signals, state in (
            (8, ("a", "b"), DefinitionState.ACTIVE),
            (9, ("c",), DefinitionState.RETIRED),
        ):
            later = replace(
                first,
                id=DefinitionId(f"def_{number}"),
                kind=DefinitionKind.BPMN,
                key="watch",
                definition_version=number,
                sha256=str(number),
                start_signals=signals,
                state=state,
            )
            work.definitions.add(later)
        work.commit(None)
    database.dispose()

    downgrade(database_url, "0007")
    migrate(database_url)

    with connected(database_url) as connection:
        armed = [tuple(row) for row in connection.execute(QUERY) if row.key == "watch"]
    assert armed == [
        ("def_8", first.group, "watch", "signal", "a"),
        ("def_8", first.group, "watch", "signal", "b"),
    ]


@pytest.mark.parametrize("kind", ["condition", "timer"])
def test_what_the_code_before_cannot_keep_holds_up_the_way_down(
    database_url: str, kind: str
) -> None:
    database = opened(database_url)
    with database.open_work(values.principal()) as work:
        values.seed(work)
        begun = values.started()
        if kind == "condition":
            first, *others = begun.added.subscriptions
            waits = replace(first, kind=SubscriptionKind.CONDITION, correlation_key=None, held=None)
            rows = replace(begun.added, subscriptions=(waits, *others))
            begun = replace(begun, added=rows)
        work.runs.add(values.heading(), begun)
        if kind == "timer":
            definition = values.definition()
            timer = StartEvent(
                id="sta_1",
                definition_id=definition.id,
                group=definition.group,
                key=definition.key,
                kind=StartKind.TIMER,
                element="on",
                due_at=values.NOON,
            )
            work.start_events.replace((timer,), group=timer.group, key=timer.key)
        work.commit(None)
    database.dispose()

    with pytest.raises(ValueError, match="go down again"):
        downgrade(database_url, "0007")
