"""Runs: started by hand and by signal, looked at, cancelled, helped on; messages and signals."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.errors import AlreadyOverError, ExpressionFailedError
from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.access import ActionDeniedError
from pilothouse.domain.errors import AlreadyExistsError, NotFoundError
from pilothouse.domain.events import EventType
from pilothouse.domain.tasks import TaskState
from pilothouse.lifecycle.errors import RunStartError, VariableReservedError
from pilothouse.lifecycle.starting import SUBSCRIBER
from pilothouse.wire.requests import PublishMessage, RetryIncident, StartRun
from tests.integration.lifecycle.drawings import (
    asks,
    one_task,
    waits_for_message,
    waits_for_signal,
)
from tests.integration.lifecycle.house import ADA, MODEL, ONLINE, OPAL, RISK, VERA

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.wire.runs import RunView
    from tests.integration.lifecycle.house import House


def began(house: House, xml: bytes, **variables: object) -> RunView:
    house.plane.definitions.upload(OPAL, group=RISK, xml=xml)
    wanted = StartRun(definition="small", service=ONLINE, variables=variables)
    return house.plane.runs.start(OPAL, wanted)


def paid(number: int, order: str, payload: Mapping[str, object] | None = None) -> PublishMessage:
    return PublishMessage(
        id=f"msg-{number}", group=RISK, name="paid", correlation_key=order, payload=payload or {}
    )


def test_a_run_started_by_hand_knows_what_it_is_about(house: House) -> None:
    house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())

    run = house.plane.runs.start(
        ADA, StartRun(definition="small", snapshot=f"{MODEL}@1", service=ONLINE)
    )

    assert (run.heading.snapshot, run.heading.service, run.heading.author) == (
        f"{MODEL}@1",
        ONLINE,
        ADA.person_id,
    )
    assert run.business_key == f"{MODEL}@1:{ONLINE}"
    assert run.variables["digest"] == run.heading.digest
    assert run.variables["group"] == RISK
    assert house.plane.runs.get(VERA, run_id=run.heading.run_id) == run


def test_one_snapshot_and_service_have_one_active_run_of_a_life_cycle(house: House) -> None:
    house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())
    wanted = StartRun(definition="small", snapshot=f"{MODEL}@1", service=ONLINE)
    house.plane.runs.start(OPAL, wanted)

    with pytest.raises(AlreadyExistsError):
        house.plane.runs.start(OPAL, wanted)


def test_what_a_run_is_about_cannot_be_given_as_a_variable(house: House) -> None:
    house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())
    wanted = StartRun(definition="small", service=ONLINE, variables={"author": "per_x", "a": 1})

    with pytest.raises(VariableReservedError) as refused:
        house.plane.runs.start(OPAL, wanted)

    assert refused.value.names == ("author",)


def test_a_run_of_everybodys_definition_needs_to_know_whose_it_is(house: House) -> None:
    with pytest.raises(RunStartError) as refused:
        house.plane.runs.start(OPAL, StartRun(definition="promote-online"))

    assert "name a snapshot or a service" in refused.value.problem


def test_a_decision_table_cannot_be_started(house: House) -> None:
    with pytest.raises(RunStartError):
        house.plane.runs.start(OPAL, StartRun(definition="thresholds", service=ONLINE))


def test_only_who_may_start_runs_does(house: House) -> None:
    with pytest.raises(ActionDeniedError):
        house.plane.runs.start(VERA, StartRun(definition="promote-online", service=ONLINE))


def test_an_event_that_comes_twice_starts_one_run(house: House) -> None:
    house.tag()
    with house.database.open_work(SYSTEM) as work:
        [event] = work.outbox.claim(SUBSCRIBER, owner="x", lease_s=1.0, limit=9)
        work.commit(None)

    first = house.plane.starting.start(event)
    house.plane.runs.cancel(OPAL, run_id=str(first.run_id), reason="again")
    second = house.plane.starting.start(event)

    assert (event.type, second) == (EventType.SNAPSHOT_CREATED, first)
    assert len(house.plane.runs.page(SYSTEM).items) == 1


def test_a_delivered_event_leaves_the_outbox(house: House) -> None:
    house.tag()

    house.plane.worker.run_once()

    with house.database.open_work.reading(SYSTEM) as work:
        assert work.outbox.waiting()[EventType.SNAPSHOT_CREATED] == 0
    assert house.run().heading.snapshot == f"{MODEL}@1"


def test_a_service_whose_life_cycle_is_missing_is_told(house: House) -> None:
    with house.database.open_work(SYSTEM) as work:
        work.services.save(replace(work.services.get(ONLINE), lifecycle="nobody-drew-it"))
        work.commit(None)
    house.tag()

    house.plane.worker.run_once()

    assert house.plane.runs.page(SYSTEM).items == ()
    [detail] = house.audited("start-failed", "service")
    assert "pilothouse runs start nobody-drew-it" in str(detail["reason"])


def test_cancelling_ends_a_run_and_its_tasks(house: House) -> None:
    run = began(house, asks('candidateGroups="validator"'))
    [task] = run.tasks

    ended = house.plane.runs.cancel(OPAL, run_id=run.heading.run_id, reason="changed our minds")

    assert (ended.state, ended.outcome, ended.tasks) == (
        RunStatus.TERMINATED,
        "changed our minds",
        (),
    )
    assert house.plane.tasks.get(VERA, task_id=task.id).state is TaskState.CANCELLED
    with pytest.raises(AlreadyOverError):
        house.plane.runs.cancel(OPAL, run_id=run.heading.run_id, reason="again")


def test_only_operators_cancel(house: House) -> None:
    run = began(house, waits_for_signal())

    with pytest.raises(ActionDeniedError):
        house.plane.runs.cancel(ADA, run_id=run.heading.run_id, reason="no")


def test_an_unknown_run_and_an_unknown_incident_are_not_found(house: House) -> None:
    with pytest.raises(NotFoundError):
        house.plane.runs.get(OPAL, run_id="run_x")
    with pytest.raises(NotFoundError):
        house.plane.runs.retry(OPAL, incident_id="inc_x", wanted=RetryIncident())


def test_a_message_reaches_the_run_that_waits_for_its_key(house: House) -> None:
    run = began(house, waits_for_message(), order="A-1")

    other = house.plane.messages.publish(OPAL, paid(1, "A-2"))
    mine = house.plane.messages.publish(OPAL, paid(2, "A-1", {"amount": 5}))

    assert (other.run_id, mine.run_id) == (None, run.heading.run_id)
    assert house.plane.runs.get(OPAL, run_id=run.heading.run_id).state is RunStatus.COMPLETED


def test_a_message_that_comes_first_is_taken_by_the_catch(house: House) -> None:
    receipt = house.plane.messages.publish(OPAL, paid(1, "A-1", {"amount": 5}))

    run = began(house, waits_for_message(), order="A-1")

    assert receipt.run_id is None
    assert run.state is RunStatus.COMPLETED
    history = house.plane.runs.history(OPAL, run_id=run.heading.run_id)
    assert [h.data["message"] for h in history if h.event == "message-received"] == ["msg-1"]


def test_a_message_that_comes_twice_counts_once(house: House) -> None:
    house.plane.messages.publish(OPAL, paid(1, "A-1"))

    again = house.plane.messages.publish(OPAL, paid(1, "A-1"))
    first, second = began(house, waits_for_message(), order="A-1"), None
    second = house.plane.runs.start(
        OPAL, StartRun(definition="small", service=ONLINE, variables={"order": "A-1"})
    )

    assert again.seen_before
    assert (first.state, second.state) == (RunStatus.COMPLETED, RunStatus.ACTIVE)


def test_a_message_is_taken_by_the_run_that_waited_longest(house: House) -> None:
    first = began(house, waits_for_message(), order="A-1")
    house.clock.advance(timedelta(seconds=1))
    house.plane.runs.start(
        OPAL, StartRun(definition="small", service=ONLINE, variables={"order": "A-1"})
    )

    receipt = house.plane.messages.publish(OPAL, paid(1, "A-1"))

    assert receipt.run_id == first.heading.run_id


def test_a_message_past_its_time_is_taken_by_nobody(house: House) -> None:
    house.plane.messages.publish(OPAL, replace(paid(1, "A-1"), time_to_live_s=60.0))
    house.clock.advance(timedelta(seconds=61))

    expired = house.plane.messages.expire(SYSTEM)
    run = began(house, waits_for_message(), order="A-1")

    assert (expired, run.state) == (1, RunStatus.ACTIVE)


def test_a_signal_reaches_every_run_that_waits_for_it(house: House) -> None:
    first = began(house, waits_for_signal())
    second = house.plane.runs.start(OPAL, StartRun(definition="small", service=ONLINE))

    told = house.plane.messages.signal(OPAL, group=RISK, name="called")

    assert told == (first.heading.run_id, second.heading.run_id)
    assert house.plane.messages.signal(OPAL, group=RISK, name="called") == ()


def test_a_message_of_another_group_reaches_nobody(house: House) -> None:
    began(house, waits_for_message(), order="A-1")

    receipt = house.plane.messages.publish(SYSTEM, replace(paid(1, "A-1"), group="cards"))

    assert receipt.run_id is None


def test_a_message_cannot_change_what_a_run_is_about(house: House) -> None:
    run = began(house, waits_for_message(), order="A-1")

    with pytest.raises(ExpressionFailedError) as refusal:
        house.plane.messages.publish(OPAL, paid(1, "A-1", {"service": "payments"}))

    view = house.plane.runs.get(OPAL, run_id=run.heading.run_id)
    assert (refusal.value.expression, view.variables["service"]) == ("service", ONLINE)
    assert view.state is RunStatus.ACTIVE


def test_who_sent_a_message_is_in_the_audit(house: House) -> None:
    run = began(house, waits_for_message(), order="A-1")

    house.plane.messages.publish(OPAL, paid(1, "A-1", {"amount": 5}))
    house.plane.messages.publish(OPAL, paid(1, "A-1", {"amount": 5}))

    [detail] = house.audited("publish", "message")
    assert (detail["name"], detail["run"]) == ("paid", run.heading.run_id)
    assert detail["variables"] == ["amount"]


def test_who_sent_a_signal_is_in_the_audit_of_each_run_that_it_moved(house: House) -> None:
    run = began(house, waits_for_signal())

    house.plane.messages.signal(OPAL, group=RISK, name="called", variables={"amount": 5})

    [detail] = house.audited("signal", "run")
    assert (detail["name"], detail["variables"]) == ("called", ["amount"])
    assert detail["digest"] == run.heading.digest


def test_a_key_that_another_group_has_too_means_the_own_life_cycle(house: House) -> None:
    mine = house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())
    house.plane.definitions.upload(SYSTEM, group="cards", xml=waits_for_message())

    run = house.plane.runs.start(SYSTEM, StartRun(definition="small", service=ONLINE))

    assert run.heading.definition_id == mine.id


def test_an_incident_is_retried_with_changed_variables(house: House) -> None:
    xml = one_task("notify", subject="=title")
    run = began(house, xml)
    house.turn()
    [incident] = house.plane.runs.incidents(OPAL)

    house.plane.runs.retry(
        OPAL, incident_id=incident.id, wanted=RetryIncident(variables={"title": "Hello"})
    )
    house.turn()

    assert incident.code == "task-input-invalid"
    assert house.plane.runs.get(OPAL, run_id=run.heading.run_id).state is RunStatus.COMPLETED
    [detail] = house.audited("retry", "run")
    assert detail["variables"] == ["title"]


def test_runs_are_listed_by_snapshot_with_where_they_stand(house: House) -> None:
    house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())
    house.plane.runs.start(OPAL, StartRun(definition="small", snapshot=f"{MODEL}@1"))

    [found] = house.plane.runs.page(VERA, snapshot=f"{MODEL}@1").items

    assert [t.element for t in found.tokens] == ["wait"]
    assert house.plane.runs.page(VERA, snapshot=f"{MODEL}@2").items == ()
