"""The shipped life cycles over real processes: a vendor's model is taken in, watched, replaced by a challenger, and retired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.access import Role
from pilothouse.domain.datasets import DatasetRole
from pilothouse.domain.jobs import TableFormat
from pilothouse.domain.locations import Place
from pilothouse.domain.runtimes import Mode
from pilothouse.wire import requests
from pilothouse.wire.operations import MoveTokens
from tests.acceptance.plant import ROWS, eventually, running_plant, truth
from tests.models.build import PYTHON_SOURCE, python_model

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pilothouse.wire.runs import RunView
    from tests.acceptance.plant import Plant

SERVICE = "vendor"
APPROVE = {"decision": "approve"}


def furnish(plant: Plant) -> str:
    """Add a service for vendors' models and blind data; give the token of somebody who may approve and stop it."""
    (plant.folder / "data" / "blind.csv").write_text(truth(ROWS), "utf-8")
    token = plant.validator()
    with plant.client() as client:
        client.people.grant("vera", requests.GiveRole(group="default", role=Role.OPERATOR))
        client.datasets.register(
            requests.RegisterDataset(
                name="blind@1",
                group="default",
                place=Place(location="data", path="blind.csv"),
                format=TableFormat.CSV,
                role=DatasetRole.BLIND,
                label="eligible",
            )
        )
        client.services.define(
            requests.DefineService(
                tag=SERVICE,
                group="default",
                mode=Mode.ONLINE,
                lifecycle="vendor-intake",
                test_dataset="truth@1",
            )
        )
    return token


def taken(plant: Plant, folder: str) -> str:
    """Take a snapshot for the service; another folder is another source."""
    model = python_model(plant.folder / folder, source=f"{PYTHON_SOURCE}\n# {folder}\n")
    with plant.client() as client:
        return client.snapshots.take(model, group="default", services=(SERVICE,)).name


def answer(plant: Plant, token: str, element: str, answers: Mapping[str, object]) -> None:
    """Wait for the task of an element, and answer it."""

    def answered() -> bool | None:
        with plant.client(token) as client:
            for task in client.tasks.list(mine=True, waiting=True):
                if task.element == element:
                    client.tasks.complete(task.id, answers)
                    return True
        return None

    eventually(answered, what=f"the task {element}")


def only_run(plant: Plant, definition: str, snapshot: str) -> RunView | None:
    """Give the run of a life cycle that is about a snapshot, once it has begun; none of any may have an incident."""
    with plant.client() as client:
        assert not client.runs.incidents(), client.runs.incidents()
        found = [
            run.heading.run_id
            for run in client.runs.list(snapshot=snapshot)
            if run.heading.definition_key == definition
        ]
        assert len(found) <= 1
        return client.runs.get(found[0]) if found else None


def ended(plant: Plant, definition: str, snapshot: str) -> str:
    """Wait for the end of a run and say which it was."""

    def outcome() -> str | None:
        run = only_run(plant, definition, snapshot)
        return run.outcome if run is not None else None

    return eventually(outcome, what=f"the end of {definition}")


def stands_at(plant: Plant, definition: str, snapshot: str, element: str) -> RunView:
    """Wait until a run stands at an element."""

    def there() -> RunView | None:
        run = only_run(plant, definition, snapshot)
        stands = run is not None and element in {token.element for token in run.tokens}
        return run if stands else None

    return eventually(there, what=f"{definition} stands at {element}")


def begin(plant: Plant, definition: str, snapshot: str) -> None:
    """Start a life cycle by hand."""
    wanted = requests.StartRun(definition=definition, snapshot=snapshot, service=SERVICE)
    with plant.client() as client:
        client.runs.start(wanted)


def shares(plant: Plant) -> dict[str, float]:
    """Give PROD's traffic by snapshot."""
    with plant.client() as client:
        rows = client.services.where(SERVICE)
    return {row.snapshot: row.share for row in rows if row.stage == "PROD" and row.share}


def an_hour_later(plant: Plant, snapshot: str) -> None:
    """Spare the test an hour of watching, as an operator may: the token is moved on by hand."""
    run = stands_at(plant, "challenger-comparison", snapshot, "watch")
    move = MoveTokens(reason="watched", cancel=("watch",), begin=("smoke",), revision=run.revision)
    with plant.client() as client:
        client.runs.move(run.heading.run_id, move)


def take_in(plant: Plant, token: str) -> str:
    """Let a vendor's snapshot through intake and promotion."""
    first = taken(plant, "first")
    answer(plant, token, "documents", {"decision": "complete"})
    answer(plant, token, "risk", {"decision": "acceptable", "blind_dataset": "blind@1"})
    answer(plant, token, "approve", APPROVE)
    answer(plant, token, "approve", APPROVE)  # that of the promotion which the intake has called
    assert ended(plant, "vendor-intake", first) == "taken_in"
    assert ended(plant, "promote-online", first) == "promoted"
    assert shares(plant) == {first: 1.0}
    return first


def challenge(plant: Plant, token: str, champion: str) -> str:
    """Replace the champion by a second snapshot, in steps."""
    second = taken(plant, "second")
    intake = stands_at(plant, "vendor-intake", second, "documents")
    with plant.client() as client:
        client.runs.cancel(intake.heading.run_id, reason="it comes as a challenger")
    begin(plant, "challenger-comparison", second)
    answer(plant, token, "approve", APPROVE)
    stands_at(plant, "challenger-comparison", second, "watch")
    assert shares(plant) == pytest.approx({champion: 0.9, second: 0.1})
    an_hour_later(plant, second)
    eventually(lambda: shares(plant)[second] == pytest.approx(0.5) or None, what="the half")
    an_hour_later(plant, second)
    assert ended(plant, "challenger-comparison", second) == "replaced"
    assert shares(plant) == {second: 1.0}
    return second


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_vendors_model_is_taken_in_watched_replaced_and_retired(tmp_path: Path) -> None:
    with running_plant(tmp_path) as plant:
        token = furnish(plant)
        first = take_in(plant, token)

        begin(plant, "scheduled-monitoring", first)
        watched = stands_at(plant, "scheduled-monitoring", first, "week")
        assert watched.variables["evaluation"]["verdict"] == "PASS"  # type: ignore[index]

        second = challenge(plant, token, first)

        begin(plant, "retire", second)
        answer(plant, token, "approve", APPROVE)
        answer(plant, token, "alone", {"decision": "stop the service"})
        assert ended(plant, "retire", second) == "retired"
        eventually(lambda: True if not shares(plant) else None, what="nobody serves")
