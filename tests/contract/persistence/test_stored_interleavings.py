"""Random processes in random interleavings, each step written and the run read anew: nothing of it shows."""

from __future__ import annotations

from dataclasses import fields, replace
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from pilothouse.bpmn.drawing import Pen
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import TABLES, RunState, RunStatus
from pilothouse.persistence.addresses import DatabaseOptions, engine_for
from pilothouse.persistence.tables import runs
from tests.contract.persistence import values
from tests.unit.bpmn.conftest import TinyExpressions
from tests.unit.bpmn.test_interleavings import TREES, Tree, draw, moves

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Engine

    from pilothouse.bpmn.definition import Definition
    from pilothouse.bpmn.state import Changes
    from pilothouse.persistence.engine import Database

ADA = values.principal()


class StoredPlay(Play):
    """A play whose state is never kept: each step is written, and the run is read for the next one."""

    def __init__(
        self, definition: Definition, variables: Mapping[str, object], store: Database, dice: Random
    ) -> None:
        self._store, self._dice = store, dice
        super().__init__(definition, variables)

    def _keep(self, changes: Changes, before: RunState | None) -> RunState:
        """Write a step; what is read after it is what a step in memory would leave."""
        changes = replace(changes, run=replace(changes.run, definition_id=values.DEFINITION))
        with self._store.open_work(ADA) as work:
            if before is None:
                work.runs.add(values.heading(changes.run.id), changes)
            else:
                work.runs.write(changes)
            work.commit(None)
        after = super()._keep(changes, before)
        known = {after.run.id: after} if self._dice.random() < 0.3 else {}
        with self._store.open_work(ADA) as work:
            [read] = work.runs.load_all((after.run.id,), known=known).values()
        assert read == after
        return read

    def lines(self) -> list[object]:
        """Give what the store's history says."""
        with self._store.open_work.reading(ADA) as work:
            return list(work.runs.history(self.state.run.id, limit=5000))


def in_order(state: RunState) -> RunState:
    """A store gives rows in any order, and the dice choose by order."""
    assert {f.name for f in fields(state)} == {"run", *TABLES}
    tables = {name: dict(sorted(getattr(state, name).items())) for name in TABLES}
    return RunState(run=state.run, **tables)


def played_out(play: Play, seed: int) -> Play:
    dice = Random(seed)  # noqa: S311 a test's dice
    while play.state.run.state is RunStatus.ACTIVE:
        play.state = in_order(play.state)
        dice.choice(moves(play, dice))()
        assert len(play.history) < 5000
    return play


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = engine_for(database_url, DatabaseOptions())
    yield engine
    engine.dispose()


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=TREES, side=st.integers(1, 3), seed=st.integers(0, 99))
def test_a_run_that_is_written_and_read_between_steps_goes_as_one_that_is_not(
    company: Database, engine: Engine, tree: Tree, side: int, seed: int
) -> None:
    definition, _ = draw(Pen(TinyExpressions()), tree)
    variables = {"side": side, "key": "k", "pair": [1, 2]}
    variables |= {f"take{number}": number <= side for number in (1, 2, 3)}
    with engine.begin() as connection:
        connection.execute(delete(runs))

    dice = Random(seed)  # noqa: S311 a test's dice
    stored = StoredPlay(definition, variables, company, dice)
    played_out(stored, seed)
    kept = played_out(Play(definition, variables), seed)

    assert stored.history == kept.history == stored.lines()
    assert replace(stored.state.run, definition_id=definition.id) == kept.state.run
    assert not any(getattr(stored.state, table) for table in TABLES)
