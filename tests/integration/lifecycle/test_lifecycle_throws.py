"""What runs throw: messages and signals on their way to other runs, each taken once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.state import RunStatus, TokenStatus
from pilothouse.domain.events import EventType
from pilothouse.lifecycle.starting import SUBSCRIBER
from pilothouse.wire.requests import StartRun
from tests.integration.lifecycle.drawings import (
    CALLED_SIGNAL,
    ORDERED_MESSAGE,
    drawing,
    waits_for_message,
    waits_for_signal,
)
from tests.integration.lifecycle.house import ONLINE, OPAL, RISK

if TYPE_CHECKING:
    from pilothouse.domain.events import Event
    from pilothouse.wire.runs import RunView
    from tests.integration.lifecycle.house import House

MESSAGE = '<messageEventDefinition messageRef="paid"/>'
SIGNAL = '<signalEventDefinition signalRef="called"/>'


def throws(definition: str, declared: str) -> bytes:
    """Draw a process that throws and is over."""
    mapped = '<zeebe:ioMapping><zeebe:input source="=sum" target="amount"/></zeebe:ioMapping>'
    event = (
        f'<endEvent id="out"><extensionElements>{mapped}</extensionElements>{definition}</endEvent>'
    )
    body = f'<startEvent id="start"/>{event}'
    return drawing(body, "start>out", key="thrower", declared=declared)


def begin(house: House, key: str, **variables: object) -> RunView:
    return house.plane.runs.start(
        OPAL, StartRun(definition=key, service=ONLINE, variables=variables)
    )


def upload(house: House, *files: bytes) -> None:
    for xml in files:
        house.plane.definitions.upload(OPAL, group=RISK, xml=xml)


def seen(house: House, run: RunView) -> RunView:
    return house.plane.runs.get(OPAL, run_id=run.heading.run_id)


def thrown(house: House) -> Event:
    with house.database.open_work(SYSTEM) as work:
        [event] = work.outbox.claim(SUBSCRIBER, owner="x", lease_s=1.0, limit=9)
        return work.commit(event)


def ended_with(house: House, run: RunView) -> object:
    history = house.plane.runs.history(OPAL, run_id=run.heading.run_id)
    return history[-1].data["variables"]


def test_a_thrown_message_reaches_the_run_that_waits_for_its_key(house: House) -> None:
    upload(house, waits_for_message(), throws(MESSAGE, ORDERED_MESSAGE))
    waiting, other = begin(house, "small", order="A-1"), begin(house, "small", order="A-2")

    begin(house, "thrower", order="A-1", sum=5)
    house.plane.starting.run_once()

    assert seen(house, waiting).state is RunStatus.COMPLETED
    assert ended_with(house, waiting)["amount"] == 5  # type: ignore[index]
    assert seen(house, other).state is RunStatus.ACTIVE


def test_a_thrown_message_waits_for_the_run_that_comes_later(house: House) -> None:
    upload(house, waits_for_message(), throws(MESSAGE, ORDERED_MESSAGE))
    begin(house, "thrower", order="A-1", sum=5)
    house.plane.starting.run_once()

    assert begin(house, "small", order="A-1").state is RunStatus.COMPLETED


def test_what_is_thrown_is_kept_with_the_step_and_leaves_the_outbox_when_delivered(
    house: House,
) -> None:
    upload(house, throws(MESSAGE, ORDERED_MESSAGE))
    begin(house, "thrower", order="A-1", sum=5)
    with house.database.open_work.reading(SYSTEM) as work:
        assert work.outbox.waiting()[EventType.MESSAGE_THROWN] == 1

    house.plane.starting.run_once()

    with house.database.open_work.reading(SYSTEM) as work:
        assert work.outbox.waiting()[EventType.MESSAGE_THROWN] == 0


def test_a_message_event_that_comes_twice_is_one_message(house: House) -> None:
    upload(house, waits_for_message(), throws(MESSAGE, ORDERED_MESSAGE))
    begin(house, "thrower", order="A-1", sum=5)
    event = thrown(house)
    house.plane.messages.deliver(SYSTEM, event)
    house.plane.messages.deliver(SYSTEM, event)

    first, second = begin(house, "small", order="A-1"), begin(house, "small", order="A-1")

    assert (first.state, second.state) == (RunStatus.COMPLETED, RunStatus.ACTIVE)


def listens() -> bytes:
    """Draw a process that opens beside itself each time the signal ``called`` comes."""
    aside = (
        '<subProcess id="aside" triggeredByEvent="true"><startEvent id="on" isInterrupting="false">'
        f'{SIGNAL}</startEvent><userTask id="look"/>'
        '<sequenceFlow id="f" sourceRef="on" targetRef="look"/></subProcess>'
    )
    body = f'<startEvent id="start"/><userTask id="ask"/><endEvent id="end"/>{aside}'
    return drawing(body, "start>ask ask>end", key="listener", declared=CALLED_SIGNAL)


def test_a_thrown_signal_reaches_every_run_that_waits_for_it(house: House) -> None:
    upload(house, waits_for_signal(), throws(SIGNAL, CALLED_SIGNAL))
    waiting = [begin(house, "small"), begin(house, "small")]
    begin(house, "thrower", sum=5)

    house.plane.starting.run_once()

    assert [seen(house, run).state for run in waiting] == [RunStatus.COMPLETED] * 2
    assert ended_with(house, waiting[0])["amount"] == 5  # type: ignore[index]


def test_a_signal_event_that_comes_twice_opens_an_event_sub_process_once(house: House) -> None:
    upload(house, listens(), throws(SIGNAL, CALLED_SIGNAL))
    run = begin(house, "listener")
    begin(house, "thrower", sum=5)
    event = thrown(house)

    house.plane.messages.deliver(SYSTEM, event)
    house.plane.messages.deliver(SYSTEM, event)

    assert sorted(t.element for t in seen(house, run).tokens) == ["aside", "ask", "look"]


def test_a_signal_does_not_reach_a_run_that_began_to_wait_after_it(house: House) -> None:
    upload(house, waits_for_signal(), throws(SIGNAL, CALLED_SIGNAL))
    begin(house, "thrower", sum=5)
    house.clock.advance(timedelta(seconds=1))
    late = begin(house, "small")

    house.plane.starting.run_once()

    assert seen(house, late).state is RunStatus.ACTIVE


def test_all_messages_that_came_before_open_an_event_sub_process(house: House) -> None:
    aside = (
        '<subProcess id="aside" triggeredByEvent="true"><startEvent id="on" isInterrupting="false">'
        f'{MESSAGE}</startEvent><userTask id="look"/>'
        '<sequenceFlow id="f" sourceRef="on" targetRef="look"/></subProcess>'
    )
    body = f'<startEvent id="start"/><userTask id="ask"/><endEvent id="end"/>{aside}'
    upload(house, drawing(body, "start>ask ask>end", declared=ORDERED_MESSAGE))
    upload(house, throws(MESSAGE, ORDERED_MESSAGE))
    begin(house, "thrower", order="A-1", sum=5)
    begin(house, "thrower", order="A-1", sum=6)
    house.plane.starting.run_once()

    run = begin(house, "small", order="A-1")

    assert sorted(t.element for t in run.tokens) == ["aside", "aside", "ask", "look", "look"]


def test_each_instance_is_shown_once_and_not_what_holds_them(house: House) -> None:
    loop = (
        "<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics "
        'inputCollection="=[1, 2, 3]"/></extensionElements></multiInstanceLoopCharacteristics>'
    )
    body = f'<startEvent id="start"/><userTask id="ask">{loop}</userTask><endEvent id="end"/>'
    upload(house, drawing(body, "start>ask ask>end"))

    run = begin(house, "small")

    assert [t.element for t in run.tokens] == ["ask"] * 3
    assert len(run.tasks) == 3


def test_what_only_listens_is_not_shown_as_where_the_run_stands(house: House) -> None:
    upload(house, listens())
    run = begin(house, "listener")
    assert [(t.element, t.state) for t in run.tokens] == [("ask", TokenStatus.WAITING)]


@pytest.mark.parametrize("kind", [EventType.MESSAGE_THROWN, EventType.SIGNAL_THROWN])
def test_what_cannot_be_taken_is_told_and_holds_up_nothing(house: House, kind: EventType) -> None:
    message = kind is EventType.MESSAGE_THROWN
    failing = '<zeebe:ioMapping><zeebe:output source="=count(for a in 1..99999, b in 1..99999 return a)" target="x"/></zeebe:ioMapping>'
    catch = (
        f'<startEvent id="start"/><intermediateCatchEvent id="wait"><extensionElements>{failing}'
        f"</extensionElements>{MESSAGE if message else SIGNAL}</intermediateCatchEvent>"
        '<endEvent id="end"/>'
    )
    declared = ORDERED_MESSAGE if message else CALLED_SIGNAL
    definition = MESSAGE if message else SIGNAL
    upload(house, drawing(catch, "start>wait wait>end", declared=declared))
    upload(house, throws(definition, declared))
    waiting = begin(house, "small", order="A-1")
    begin(house, "thrower", order="A-1", sum=5)

    house.plane.starting.run_once()

    assert seen(house, waiting).state is RunStatus.ACTIVE
    [detail] = house.audited("drop", "message" if message else "signal")
    assert "fails" in str(detail["error"])
    with house.database.open_work.reading(SYSTEM) as work:
        assert sum(work.outbox.waiting().values()) == 0


def test_a_signal_of_another_group_reaches_nobody(house: House) -> None:
    upload(house, waits_for_signal(), throws(SIGNAL, CALLED_SIGNAL))
    waiting = begin(house, "small")
    begin(house, "thrower", sum=5)
    event = replace(thrown(house), group="cards")  # type: ignore[arg-type]

    house.plane.messages.deliver(SYSTEM, event)

    assert seen(house, waiting).state is RunStatus.ACTIVE
