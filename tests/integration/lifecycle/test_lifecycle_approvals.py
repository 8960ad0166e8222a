"""Approvals by several people: who votes, what is kept of it, who is reminded, and what escalates."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import DefinitionRejectedError, FormAnswerError, VotedAlreadyError
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.access import Role
from pilothouse.domain.approvals import Decision
from pilothouse.domain.errors import PilothouseError
from pilothouse.domain.tasks import TaskDeniedError, TaskEndedError, TaskState
from pilothouse.wire.requests import StartRun
from tests.integration.lifecycle.drawings import asks
from tests.integration.lifecycle.house import (
    ADA,
    BORIS,
    MODEL,
    ONLINE,
    OPAL,
    RISK,
    VERA,
    VIC,
    person,
)
from tests.integration.lifecycle.reaching import grant
from tests.web.answering import Received, Reply, answering

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.domain.access import Principal
    from pilothouse.domain.tasks import Task
    from tests.integration.lifecycle.house import House

# The library itself asks for a module of Python's that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
FORM = (
    '<pilothouse:form><pilothouse:field name="decision" type="choice" required="true" choices="approve, reject"/>'
    '<pilothouse:field name="comment"/></pilothouse:form>'
)
DUE = '<zeebe:taskSchedule dueDate="P3D"/>'
APPROVE, REJECT = {"decision": "approve"}, {"decision": "reject"}
WENDY = person("wendy", Role.VALIDATOR, Role.BUSINESS_OWNER)


def opened(house: House, approval: str = 'quorum="2"', extra: str = "") -> Task:
    inside = f"<pilothouse:approval {approval}/>{FORM}{extra}"
    house.plane.definitions.upload(
        OPAL, group=RISK, xml=asks('candidateGroups="validator"', inside)
    )
    wanted = StartRun(definition="small", service=ONLINE, snapshot=f"{MODEL}@1")
    [task] = house.plane.runs.start(OPAL, wanted).tasks
    return task


def vote(house: House, who: Principal, task: Task, answers: Mapping[str, object]) -> Task:
    return house.plane.tasks.complete(who, task_id=task.id, answers=answers)


def test_each_vote_is_kept_with_its_person_roles_and_digest(any_house: House) -> None:
    house = any_house
    task = opened(house)

    first = vote(house, VERA, task, {**APPROVE, "comment": "seen"})
    done = vote(house, VIC, task, APPROVE)

    assert (first.state, done.state) == (TaskState.OPEN, TaskState.COMPLETED)
    assert first.quorum is not None
    assert done.votes[:1] == first.votes
    assert [(v.by, v.decision, v.roles, v.digest) for v in done.votes] == [
        (VERA.person_id, Decision.APPROVE, ("validator",), task.digest),
        (VIC.person_id, Decision.APPROVE, ("validator",), task.digest),
    ]
    assert done.votes[0].answers["comment"] == "seen"
    assert task.digest is not None
    assert house.plane.tasks.get(OPAL, task_id=task.id) == done
    assert house.run().state is RunStatus.COMPLETED


def test_each_vote_is_audited_and_in_the_history(house: House) -> None:
    task = opened(house)
    vote(house, VERA, task, APPROVE)
    vote(house, VIC, task, REJECT)

    [voted] = house.audited("vote", "task")
    [ended] = house.audited("complete", "task")
    assert (voted["answers"], voted["decides"], voted["digest"]) == (APPROVE, False, task.digest)
    assert (ended["answers"], ended["decides"], ended["votes"]) == (REJECT, True, 2)
    lines = house.plane.runs.history(OPAL, run_id=task.run_id)
    assert [line.actor for line in lines if line.event is HistoryEvent.TASK_VOTED] == [
        VERA.person_id,
        VIC.person_id,
    ]


def test_the_author_never_votes_even_where_the_drawing_says_nothing(house: House) -> None:
    task = opened(house)

    with pytest.raises(TaskDeniedError) as denied:
        vote(house, ADA, task, APPROVE)

    assert denied.value.problem == "whoever did the work does not judge it"


def test_whoever_has_voted_sees_the_task_as_hers_no_more(house: House) -> None:
    task = opened(house)
    vote(house, VERA, task, APPROVE)

    assert house.plane.tasks.page(VERA, mine=True, waiting=True).items == ()
    assert len(house.plane.tasks.page(VIC, mine=True, waiting=True).items) == 1
    with pytest.raises(VotedAlreadyError):
        vote(house, VERA, task, REJECT)
    assert len(house.plane.tasks.get(VERA, task_id=task.id).votes) == 1


def test_a_vote_that_is_wrong_or_too_late_is_refused(house: House) -> None:
    task = opened(house)
    with pytest.raises(FormAnswerError):
        vote(house, VERA, task, {"decision": "perhaps"})
    with pytest.raises(TaskDeniedError):
        vote(house, BORIS, task, APPROVE)
    vote(house, VERA, task, REJECT)

    with pytest.raises(TaskEndedError) as late:
        vote(house, VIC, task, APPROVE)

    assert late.value.state is TaskState.COMPLETED


def test_a_role_is_voted_for_by_those_who_hold_it(house: House) -> None:
    task = opened(house, 'perRole="validator: 1, business-owner: 1"')
    assert task.candidate_roles == ("validator", "business-owner")

    vote(house, WENDY, task, APPROVE)
    after = vote(house, BORIS, task, APPROVE)

    assert [v.roles for v in after.votes] == [("validator", "business-owner"), ("business-owner",)]
    assert after.state is TaskState.COMPLETED


@pytest.mark.parametrize("same_person", [True, False])
def test_votes_at_the_same_moment_count_once_for_each_person(
    any_house: House, same_person: bool
) -> None:
    house = any_house
    task = opened(house, 'quorum="3"')
    voters = [VERA] * 4 if same_person else [person(f"v{n}", Role.VALIDATOR) for n in range(4)]
    gate = threading.Barrier(len(voters))

    def at_once(who: Principal) -> str:
        gate.wait()
        try:
            vote(house, who, task, APPROVE)
        except PilothouseError as refused:
            return refused.code
        return "counted"

    with ThreadPoolExecutor(len(voters)) as callers:
        told = sorted(callers.map(at_once, voters))
    after = house.plane.tasks.get(OPAL, task_id=task.id)

    if same_person:
        assert told == ["counted", *["voted-already"] * 3]
        assert [v.by for v in after.votes] == [VERA.person_id]
    else:
        assert told == ["counted", "counted", "counted", "task-ended"]
        assert (after.state, len({v.by for v in after.votes})) == (TaskState.COMPLETED, 3)


def test_the_candidates_are_reminded_at_the_addresses_of_their_group(house: House) -> None:
    received: list[Received] = []

    def taken(request: Received) -> Reply:
        received.append(request)
        return Reply(body={})

    with answering(taken) as server:
        house.environment["RISK"] = f"json://127.0.0.1:{server.port}/risk"
        grant(house, targets=("env:RISK",))
        task = opened(house, extra='<pilothouse:reminder after="R/P1D"/>')
        vote(house, VERA, task, APPROVE)

        house.clock.advance(timedelta(days=1))
        house.turn()
        plane = house.built(house.database.open_work, owner="worker-2")
        house.clock.advance(timedelta(days=1))
        house.turn(plane)

    assert [r.path for r in received] == ["/risk", "/risk"]
    assert f"It is about {MODEL}@1." in str(received[0].body["message"])
    assert "1 have voted; 2 have to approve." in str(received[0].body["message"])
    assert len(house.audited("notify", "run")) == 2
    assert house.plane.tasks.get(VIC, task_id=task.id).state is TaskState.OPEN


def test_an_overdue_task_is_open_to_more_roles(house: House) -> None:
    escalation = f'{DUE}<pilothouse:escalation roles="business-owner"/>'
    task = opened(house, extra=escalation)
    vote(house, VERA, task, APPROVE)
    with pytest.raises(TaskDeniedError):
        vote(house, BORIS, task, APPROVE)

    house.clock.advance(timedelta(days=3))
    house.turn()
    done = vote(house, BORIS, task, APPROVE)

    assert done.candidate_roles == ("validator", "business-owner")
    assert (done.state, len(done.votes)) == (TaskState.COMPLETED, 2)
    [told] = house.audited("notify", "run")
    assert told["subject"] == "Ask is overdue"


def test_a_reminder_that_is_refused_is_an_incident_beside_a_task_that_can_be_done(
    house: House,
) -> None:
    task = opened(house, extra='<pilothouse:reminder after="P1D" targets="env:OTHERS"/>')

    house.clock.advance(timedelta(days=1))
    house.until(lambda: bool(house.plane.runs.incidents(OPAL)))
    vote(house, VERA, task, REJECT)

    assert house.plane.runs.incidents(OPAL) == ()
    assert house.run().state is RunStatus.COMPLETED


def test_escalation_to_a_role_that_is_none_is_refused_at_upload(house: House) -> None:
    with pytest.raises(DefinitionRejectedError, match="the candidate groups board are no roles"):
        opened(house, extra=f'{DUE}<pilothouse:escalation roles="board"/>')
