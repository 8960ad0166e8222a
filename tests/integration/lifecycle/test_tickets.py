"""The task type ticket, against simulators that speak the REST of each system."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.state import RunStatus
from pilothouse.wire.requests import RetryIncident
from tests.integration.lifecycle.drawings import asking
from tests.integration.lifecycle.house import OPAL, Killed, MortalWork
from tests.integration.lifecycle.reaching import catching, given, grant, incident, start
from tests.web.answering import Reply, answering
from tests.web.tickets import Simulated, SimulatedGeneric, SimulatedJira, SimulatedServiceNow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.lifecycle.house import House
    from tests.web.answering import Received, Server

USER = "robot:t0ken"
BASIC = "Basic " + base64.b64encode(USER.encode()).decode()


@dataclass
class Desk:
    """A simulated system that runs, and the inputs that lead to it."""

    server: Server
    simulated: Simulated
    inputs: dict[str, str]


def systems() -> dict[str, tuple[Simulated, str, str]]:
    """Give a simulator of each system, with the end of its address and the project."""
    return {
        "jira": (SimulatedJira(BASIC), "", "MRM"),
        "jira-data-center": (SimulatedJira(BASIC, search="search"), "/", "MRM"),
        "servicenow": (SimulatedServiceNow(BASIC), "", "change_request"),
        "generic": (SimulatedGeneric(BASIC), "/tickets", "models"),
    }


@contextmanager
def desk(house: House, name: str) -> Iterator[Desk]:
    simulated, end, project = systems()[name]
    house.environment["DESK"] = USER
    with answering(simulated) as server:
        grant(house, f"{server.url} private env:DESK")
        inputs = {
            "system": name,
            "url": server.url + end,
            "project": project,
            "subject": '="Release "+version',
            "text": "Please look.",
            "secret": "env:DESK",
            "secret_form": "basic",
        }
        yield Desk(server=server, simulated=simulated, inputs=inputs)


every_system = pytest.mark.parametrize("name", list(systems()))


@every_system
def test_a_ticket_is_opened_once_and_given_with_its_page(house: House, name: str) -> None:
    with desk(house, name) as there:
        start(house, asking("ticket", there.inputs), version="7")

        found = given(house)["ticket"]

        assert isinstance(found, dict)
        assert set(found) == {"id", "name", "url", "state"}
        assert str(found["url"]).startswith(there.server.url)
        [mark] = there.simulated.marks()
        assert mark.startswith("pilothouse-lcj_")
    [detail] = house.audited("open-ticket", "run")
    assert detail["ticket"] == found["name"]


@every_system
def test_a_wait_ends_when_people_have_moved_the_ticket(house: House, name: str) -> None:
    with desk(house, name) as there:
        start(house, asking("ticket", {**there.inputs, "until": "Approved, Done"}), version="7")
        house.until(lambda: bool(there.simulated.marks()))
        for _ in range(5):
            house.turn()
        assert house.run().outcome is None

        there.simulated.move("Done")

        found = given(house)["ticket"]
        assert isinstance(found, dict)
        assert found["state"] == "Done"
        assert len(there.simulated.marks()) == 1


@every_system
def test_a_rejected_ticket_is_a_business_error(house: House, name: str) -> None:
    with desk(house, name) as there:
        inputs = {**there.inputs, "until": "Approved", "unless": "Rejected,Cancelled"}
        start(house, catching("ticket", "ticket-rejected", **inputs), version="7")
        house.until(lambda: bool(there.simulated.marks()))
        there.simulated.move("Rejected")

        assert house.until_ended().outcome == "caught"


@every_system
def test_a_comment_is_added_to_a_ticket_that_is_there(house: House, name: str) -> None:
    with desk(house, name) as there:
        start(house, asking("ticket", there.inputs), version="7")
        first = given(house)["ticket"]
        assert isinstance(first, dict)
        inputs = {k: v for k, v in there.inputs.items() if k not in ("subject", "text")}
        more = {**inputs, "ticket": "=before", "comment": "It is deployed."}
        start(house, asking("ticket", more), before=first["id"])

        assert given(house)["ticket"] == first

        [said] = there.simulated.comments()
        assert "It is deployed." in said
        assert len(there.simulated.marks()) == 1


@every_system
def test_a_worker_that_is_killed_leaves_one_ticket_and_one_comment(house: House, name: str) -> None:
    with desk(house, name) as there:
        start(house, asking("ticket", {**there.inputs, "comment": "Look."}), version="7")
        for commit in (3, 5):  # before the note of the ticket, then before the note of the comment
            mortal = MortalWork(house.database.open_work)
            dying = house.built(mortal, owner=f"worker-{commit}")
            mortal.die_at = commit
            with pytest.raises(Killed):
                dying.executor.run_once()
            house.clock.advance(timedelta(seconds=60))

        given(house)

        assert (len(there.simulated.marks()), len(there.simulated.comments())) == (1, 1)


def test_a_system_that_is_away_during_a_long_wait_costs_nothing(house: House) -> None:
    simulated, away = SimulatedGeneric(BASIC), [False]

    def answer(request: Received) -> Reply:
        return Reply(status=503) if away[0] else simulated(request)

    house.environment["DESK"] = USER
    with answering(answer) as server:
        grant(house, f"{server.url} private env:DESK")
        inputs = {
            "system": "generic",
            "url": server.url + "/tickets",
            "subject": "x",
            "until": "ok",
        }
        secret = {"secret": "env:DESK", "secret_form": "basic"}
        start(house, asking("ticket", {**inputs, **secret}))
        house.until(lambda: bool(simulated.marks()))
        house.clock.advance(timedelta(days=3))
        away[0] = True
        before = len(server.received)
        house.until(lambda: len(server.received) > before)
        assert house.plane.runs.incidents(SYSTEM) == ()

        away[0] = False
        simulated.move("ok")

        assert house.until_ended().state is RunStatus.COMPLETED


def test_what_the_system_refuses_is_an_incident_with_its_words(house: House) -> None:
    with desk(house, "jira") as there:
        start(house, asking("ticket", {**there.inputs, "kind": "Epidemic"}), version="7")

        found = incident(house)

        assert (found.code, "Specify an issue type" in found.message) == ("call-refused", True)


def test_a_corrected_ticket_is_made_when_the_incident_is_retried(house: House) -> None:
    with desk(house, "jira") as there:
        start(house, asking("ticket", {**there.inputs, "kind": "=kind"}), version="7", kind="Odd")
        found = incident(house)
        wanted = RetryIncident(variables={"kind": "Change"})

        house.plane.runs.retry(OPAL, incident_id=found.id, wanted=wanted)

        given(house)
        assert len(there.simulated.marks()) == 1


def test_an_answer_that_is_no_ticket_is_an_incident(house: House) -> None:
    with answering(lambda _: Reply(body={"hello": "world"})) as server:
        grant(house, f"{server.url} private")
        inputs = {"system": "servicenow", "url": server.url, "subject": "x"}
        start(house, asking("ticket", inputs))

        assert incident(house).code == "ticket-answer-invalid"


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("ticket", ".."), ("ticket", "a^active=true"), ("project", "../sys_user"), ("subject", '=""')],
)
def test_an_input_that_will_not_do_is_an_incident(house: House, parameter: str, value: str) -> None:
    with answering(lambda _: Reply(body={"result": []})) as server:
        grant(house, f"{server.url} private")
        inputs = {"system": "servicenow", "url": server.url, "subject": "x", parameter: value}
        start(house, asking("ticket", inputs))

        found = incident(house)

        assert (found.code, parameter in found.message) == ("task-input-invalid", True)
