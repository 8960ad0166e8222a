"""Life cycles that messages, signals, events of the platform and conditions start."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.access import ActionDeniedError, KeyedCall, Principal
from pilothouse.domain.errors import AlreadyExistsError, NotFoundError
from pilothouse.domain.events import Event, EventType
from pilothouse.domain.ids import GroupName, ServiceTag, SnapshotId
from pilothouse.domain.runtimes import Mode
from pilothouse.domain.services import Service
from pilothouse.domain.snapshots import ServiceAssignment
from pilothouse.lifecycle.chains import DEEPEST, PARENTS
from pilothouse.lifecycle.errors import RunStartError, VariableReservedError
from pilothouse.lifecycle.event_starts import Occasion
from pilothouse.testing.clock import START
from pilothouse.wire.requests import EvaluateConditions, PublishMessage, StartRun
from tests.integration.lifecycle.drawings import (
    drawing,
    waits_for_message,
    waits_for_signal,
)
from tests.integration.lifecycle.house import MODEL, ONLINE, OPAL, RISK, VERA
from tests.integration.lifecycle.starters import (
    MESSAGE,
    SIGNAL,
    by_condition,
    by_message,
    by_signal,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.wire.runs import MessageReceipt, RunView
    from tests.integration.lifecycle.house import House

ABOUT = {"service": ONLINE, "snapshot": f"{MODEL}@1"}


def upload(house: House, xml: bytes, group: str = RISK) -> None:
    who = OPAL if group == RISK else SYSTEM
    house.plane.definitions.upload(who, group=group, xml=xml)


def publish(
    house: House,
    number: int = 1,
    name: str = "ordered",
    *,
    given: Mapping[str, object] | None = None,
) -> MessageReceipt:
    wanted = PublishMessage(
        id=f"msg-{number}", group=RISK, name=name, correlation_key="k", payload=given or {}
    )
    return house.plane.messages.publish(OPAL, wanted)


def signal(house: House, name: str, **given: object) -> tuple[str, ...]:
    return house.plane.messages.signal(OPAL, group=RISK, name=name, variables=given)


def runs(house: House, key: str = "starter") -> list[RunView]:
    found = house.plane.runs.page(SYSTEM, limit=500).items
    ids = [r.heading.run_id for r in found if r.heading.definition_key == key]
    return [house.plane.runs.get(SYSTEM, run_id=i) for i in ids]


def test_a_message_starts_a_run_with_what_it_brings(any_house: House) -> None:
    upload(any_house, by_message())
    receipt = publish(any_house, given={"amount": 5})
    [run] = runs(any_house)
    assert (receipt.run_id, run.variables["amount"]) == (run.heading.run_id, 5)
    assert (run.heading.group, run.started_by) == (RISK, OPAL.person_id)


def test_a_message_that_comes_twice_starts_one_run(any_house: House) -> None:
    upload(any_house, by_message())
    publish(any_house)
    assert publish(any_house).seen_before
    assert len(runs(any_house)) == 1


def test_a_message_is_about_the_service_and_snapshot_that_it_names(house: House) -> None:
    upload(house, by_message())
    publish(house, given=ABOUT)
    [run] = runs(house)
    assert (run.heading.service, run.heading.snapshot) == (ONLINE, f"{MODEL}@1")
    assert run.business_key == f"{MODEL}@1:{ONLINE}"
    with pytest.raises(AlreadyExistsError):
        publish(house, 2, given=ABOUT)
    assert not publish(house, 2).seen_before


def test_a_run_that_waits_goes_before_a_start(house: House) -> None:
    body = by_message().replace(b'name="ordered"', b'name="paid"')
    upload(house, body)
    upload(house, waits_for_message())
    waiting = house.plane.runs.start(
        OPAL, StartRun(definition="small", service=ONLINE, variables={"order": "k"})
    )
    assert publish(house, 1, "paid").run_id == waiting.heading.run_id
    assert runs(house) == []
    assert publish(house, 2, "paid").run_id == runs(house)[0].heading.run_id


def test_a_message_that_started_a_run_is_kept_for_nobody_else(house: House) -> None:
    upload(house, by_message().replace(b'name="ordered"', b'name="paid"'))
    upload(house, waits_for_message())
    publish(house, 1, "paid")
    run = house.plane.runs.start(
        OPAL, StartRun(definition="small", service=ONLINE, variables={"order": "k"})
    )
    assert run.state is RunStatus.ACTIVE


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"snapshot": "nobody@1"}, NotFoundError),
        ({"service": "nobody"}, NotFoundError),
        ({"author": "per_x"}, VariableReservedError),
        ({**ABOUT, "digest": "0"}, VariableReservedError),
    ],
)
def test_a_message_about_what_is_not_there_is_refused_and_not_kept(
    house: House, given: dict[str, object], error: type[Exception]
) -> None:
    upload(house, by_message())
    with pytest.raises(error):
        publish(house, given=given)
    assert publish(house).run_id is not None


def test_a_message_for_one_group_starts_nothing_about_another(house: House) -> None:
    upload(house, by_message(), group="*")
    wanted = PublishMessage(
        id="x", group="cards", name="ordered", correlation_key="", payload={"service": ONLINE}
    )
    with pytest.raises(RunStartError):
        house.plane.messages.publish(SYSTEM, wanted)


def test_a_snapshot_of_another_group_has_to_be_tagged_with_the_service(house: House) -> None:
    with house.database.open_work(SYSTEM) as work:
        theirs = Service(
            tag=ServiceTag("limits"),
            group=GroupName("cards"),
            title="Limits",
            mode=Mode.ONLINE,
            lifecycle=None,
            test_dataset=None,
            owner=OPAL.person_id,
            created_at=START,
        )
        work.services.add(theirs)
        work.commit(None)
    upload(house, by_signal("called"), group="*")

    def call() -> tuple[str, ...]:
        given = {"service": "limits", "snapshot": f"{MODEL}@1"}
        occasion = Occasion(group=GroupName("cards"), name="called", variables=given)
        return house.plane.event_starts.by_signal(SYSTEM, occasion)

    assert call() == ()
    [refused] = house.audited("start-failed", "lifecycle")
    assert "not tagged" in str(refused["reason"])

    with house.database.open_work(SYSTEM) as work:
        tag = ServiceAssignment(
            id="asg_x",
            group=GroupName("cards"),
            snapshot_id=SnapshotId("snp_1"),
            service=ServiceTag("limits"),
            assigned_at=START,
            assigned_by=OPAL.person_id,
        )
        work.assignments.add(tag)
        work.commit(None)
    assert len(call()) == 1


def test_only_the_version_that_a_group_uses_is_started(house: House) -> None:
    upload(house, by_message(), group="*")
    publish(house, 1)
    upload(house, by_signal("called"))
    assert publish(house, 2).run_id is None
    assert [r.heading.definition for r in runs(house)] == ["starter@1"]


def test_a_signal_starts_each_life_cycle_of_the_group_and_tells_who_waits(any_house: House) -> None:
    house = any_house
    for key in ("one", "two"):
        upload(house, by_signal("called", key))
    upload(house, by_signal("other", "three"))
    upload(house, waits_for_signal())
    waiting = house.plane.runs.start(OPAL, StartRun(definition="small", service=ONLINE))

    told = signal(house, "called", amount=5)

    assert [len(runs(house, key)) for key in ("one", "two", "three")] == [1, 1, 0]
    started = {runs(house, key)[0].heading.run_id for key in ("one", "two")}
    assert set(told) == {waiting.heading.run_id, *started}
    assert len(signal(house, "called")) == 2


def test_a_signal_about_what_is_not_there_tells_nobody(house: House) -> None:
    upload(house, by_signal("called"))
    upload(house, waits_for_signal())
    waiting = house.plane.runs.start(OPAL, StartRun(definition="small", service=ONLINE))
    with pytest.raises(NotFoundError):
        signal(house, "called", service="nobody")
    seen = house.plane.runs.get(OPAL, run_id=waiting.heading.run_id)
    assert seen.state is RunStatus.ACTIVE


def test_snapshots_start_the_life_cycle_of_their_service_alone(house: House) -> None:
    upload(house, by_signal("snapshot-created"))
    assert signal(house, "snapshot-created") == ()
    house.tag()
    house.plane.starting.run_once()
    assert (len(runs(house)), len(runs(house, "promote-online"))) == (0, 1)


def test_a_life_cycle_that_starts_itself_by_a_signal_comes_to_an_end(any_house: House) -> None:
    house = any_house
    body = (
        '<startEvent id="on"><signalEventDefinition signalRef="s"/></startEvent>'
        '<endEvent id="out"><signalEventDefinition signalRef="s"/></endEvent>'
    )
    upload(house, drawing(body, "on>out", key="starter", declared=SIGNAL.format("again")))
    signal(house, "again")
    while house.plane.starting.run_once():
        pass
    chains = {len(_parents(house, run)) for run in runs(house)}
    assert chains == set(range(DEEPEST))
    [refused] = house.audited("start-failed", "lifecycle")
    assert "started one another" in str(refused["reason"])


def test_a_life_cycle_that_starts_itself_by_a_message_comes_to_an_end(house: House) -> None:
    body = (
        '<startEvent id="on"><messageEventDefinition messageRef="m"/></startEvent>'
        '<endEvent id="out"><extensionElements><zeebe:publishMessage correlationKey="k"/></extensionElements>'
        '<messageEventDefinition messageRef="m"/></endEvent>'
    )
    upload(house, drawing(body, "on>out", key="starter", declared=MESSAGE))
    publish(house)
    while house.plane.starting.run_once():
        pass
    assert len(runs(house)) == DEEPEST
    assert len(house.audited("drop", "message")) == 1


def _parents(house: House, run: RunView) -> list[object]:
    [begun] = house.plane.runs.history(SYSTEM, run_id=run.heading.run_id, limit=1)
    variables = begun.data["variables"]
    assert isinstance(variables, dict)
    return list(variables.get(PARENTS, ()))


def happened(kind: EventType, **payload: object) -> Event:
    """Give an event as a use case puts it into the outbox."""
    return Event(
        id="evt_x",
        type=kind,
        group=GroupName(RISK),
        subject="x",
        payload=payload,
        at=START,
    )


def test_the_end_of_a_job_starts_a_run_about_its_snapshot_and_service_once(
    any_house: House,
) -> None:
    house = any_house
    house.add_runtimes("DEV", "SIT", "UAT", "PROD")
    upload(house, by_signal("job-finished"))
    house.tag()
    house.until(lambda: len(runs(house)) == 1)
    [run], [parent] = runs(house), runs(house, "promote-online")
    assert (run.heading.service, run.heading.snapshot) == (ONLINE, f"{MODEL}@1")
    assert (run.variables["kind"], run.variables["result"]) == ("score", "success")
    assert _parents(house, run) == [parent.heading.run_id]


def test_an_event_that_comes_twice_starts_one_run(house: House) -> None:
    upload(house, by_signal("alert-fired"))
    event = happened(EventType.ALERT_FIRED, alert="alr_1", service=ONLINE, severity="high")
    house.plane.messages.announce(SYSTEM, event)
    house.plane.messages.announce(SYSTEM, event)
    [run] = runs(house)
    assert (run.heading.service, run.variables["severity"]) == (ONLINE, "high")


def test_an_alert_reaches_the_runs_that_wait_for_it(house: House) -> None:
    upload(house, waits_for_signal().replace(b'name="called"', b'name="alert-fired"'))
    run = house.plane.runs.start(OPAL, StartRun(definition="small"))
    house.clock.advance(timedelta(seconds=1))
    with house.database.open_work(SYSTEM) as work:
        event = Event(
            id="evt_1",
            type=EventType.ALERT_FIRED,
            group=GroupName(RISK),
            subject="alr_1",
            payload={"alert": "alr_1"},
            at=work.at,
        )
        work.outbox.publish(event)
        work.commit(None)
    house.plane.starting.run_once()
    assert house.plane.runs.get(OPAL, run_id=run.heading.run_id).state is RunStatus.COMPLETED


def test_a_job_that_a_run_ordered_makes_it_the_parent(house: House) -> None:
    upload(house, by_signal("job-finished"))
    upload(house, waits_for_signal())
    parent = house.plane.runs.start(OPAL, StartRun(definition="small")).heading.run_id
    event = happened(EventType.JOB_FINISHED, job="job_1", cause=f"run {parent}")
    house.plane.messages.announce(SYSTEM, event)
    [run] = runs(house)
    assert _parents(house, run) == [parent]


def evaluate(
    house: House, *, who: Principal = OPAL, given: Mapping[str, object] | None = None
) -> tuple[str, ...]:
    wanted = EvaluateConditions(group=RISK, variables=given or {})
    return house.plane.event_starts.by_conditions(who, wanted)


def test_conditions_are_evaluated_when_somebody_asks(any_house: House) -> None:
    house = any_house
    upload(house, by_condition("=drift > 0.2", "drifts"))
    upload(house, by_condition("=drift > 0.9", "drifts-much"))

    assert evaluate(house, given={"drift": 0.1}) == evaluate(house) == ()
    [run_id] = evaluate(house, given={"drift": 0.5, **ABOUT})

    [run] = runs(house, "drifts")
    assert (run.heading.run_id, run.heading.service, run.variables["drift"]) == (
        run_id,
        ONLINE,
        0.5,
    )
    assert runs(house, "drifts-much") == []


def test_a_condition_that_gives_no_truth_starts_nothing_at_all(house: House) -> None:
    upload(house, by_condition("=true", "always"))
    upload(house, by_condition("=drift", "wrong"))
    with pytest.raises(ExpressionFailedError):
        evaluate(house, given={"drift": "high"})
    assert runs(house, "always") == []


def test_who_may_start_runs_may_evaluate_conditions(house: House) -> None:
    with pytest.raises(ActionDeniedError):
        evaluate(house, who=VERA)


def test_a_repeated_evaluation_with_one_key_starts_one_run(house: House) -> None:
    upload(house, by_condition("=true"))
    keyed = replace(OPAL, call=KeyedCall(key="k", request="r"))
    wanted = EvaluateConditions(group=RISK, variables={})
    given = [
        house.plane.facilities.calls.once(
            keyed, tuple[str, ...], lambda: house.plane.event_starts.by_conditions(keyed, wanted)
        )
        for _ in range(2)
    ]
    assert given[0] == given[1]
    assert len(runs(house)) == 1
