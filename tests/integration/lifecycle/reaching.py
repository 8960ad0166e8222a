"""What tests of tasks that reach other systems share: grants, a started run, its audit and its failures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.application.founding import SYSTEM
from pilothouse.domain.outgoing import parse_grant
from pilothouse.wire.requests import StartRun
from tests.integration.lifecycle.drawings import drawing, service
from tests.integration.lifecycle.house import OPAL, RISK

if TYPE_CHECKING:
    from pilothouse.bpmn.state import Incident
    from pilothouse.wire.runs import RunView
    from tests.integration.lifecycle.house import House


def grant(house: House, *hosts: str, targets: tuple[str, ...] = ()) -> None:
    """Let the life cycles of the group call hosts, each `ORIGIN [private] [REFERENCE …]`, and notify."""
    with house.database.open_work(SYSTEM) as work:
        group = replace(
            work.groups.get(RISK),
            outgoing_hosts=tuple(parse_grant(h) for h in hosts),
            notification_targets=targets,
        )
        work.groups.save(group)
        work.commit(None)


def start(house: House, xml: bytes, **variables: object) -> RunView:
    """Start a run of a drawing with the key ``small`` about nothing but the group."""
    house.plane.definitions.upload(OPAL, group=RISK, xml=xml)
    return house.plane.runs.start(OPAL, StartRun(definition="small", variables=variables))


def catching(topic: str, code: str, **inputs: str) -> bytes:
    """Draw one task with a boundary event for a business error, which ends at ``caught``."""
    body = (
        f'<startEvent id="start"/>{service("task", topic, retries=1, **inputs)}<endEvent id="end"/><endEvent id="caught"/>'
        f'<boundaryEvent id="edge" attachedToRef="task"><errorEventDefinition errorRef="wrong"/></boundaryEvent>'
    )
    declared = f'<error id="wrong" name="wrong" errorCode="{code}"/>'
    return drawing(body, "start>task task>end edge>caught", declared=declared)


def incident(house: House) -> Incident:
    """Go on until something waits for help."""
    house.until(lambda: bool(house.plane.runs.incidents(SYSTEM)))
    [found] = house.plane.runs.incidents(SYSTEM)
    return found


def given(house: House) -> dict[str, object]:
    """Go on to the end, and give the variables there."""
    run = house.until_ended()
    found = house.plane.runs.history(SYSTEM, run_id=run.heading.run_id)[-1].data["variables"]
    assert isinstance(found, dict)
    return found
