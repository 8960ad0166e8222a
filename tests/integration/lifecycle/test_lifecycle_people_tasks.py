"""Tasks of people: who may take, give back and answer them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import TaskHeldError
from pilothouse.bpmn.state import RunStatus
from pilothouse.domain.access import ActionDeniedError, Role
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.ids import GroupName
from pilothouse.domain.tasks import TaskDeniedError, TaskState
from pilothouse.lifecycle.errors import TaskNotHeldError
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

if TYPE_CHECKING:
    from pilothouse.domain.tasks import Task
    from tests.integration.lifecycle.house import House

FOR_VALIDATORS = 'candidateGroups="validator"'
AUDITOR = person("aud", Role.AUDITOR)
STRANGER = person("sam", Role.VALIDATOR, group=GroupName("cards"))


def opened(house: House, assignment: str, extra: str = "") -> Task:
    house.plane.definitions.upload(OPAL, group=RISK, xml=asks(assignment, extra))
    wanted = StartRun(definition="small", service=ONLINE, snapshot=f"{MODEL}@1")
    [task] = house.plane.runs.start(OPAL, wanted).tasks
    return task


def test_a_claimed_task_is_its_holders(house: House) -> None:
    task = opened(house, FOR_VALIDATORS)

    claimed = house.plane.tasks.claim(VERA, task_id=task.id)

    assert (claimed.state, claimed.assignee) == (TaskState.CLAIMED, VERA.person_id)
    with pytest.raises(TaskHeldError) as held:
        house.plane.tasks.complete(VIC, task_id=task.id, answers={})
    assert held.value.assignee == VERA.person_id


def test_a_released_task_can_be_done_by_another_candidate(house: House) -> None:
    task = opened(house, FOR_VALIDATORS)
    house.plane.tasks.claim(VERA, task_id=task.id)

    released = house.plane.tasks.release(VERA, task_id=task.id)
    house.plane.tasks.complete(VIC, task_id=task.id, answers={})

    assert (released.state, released.assignee) == (TaskState.OPEN, None)
    assert house.run().state is RunStatus.COMPLETED


def test_only_the_holder_gives_a_task_back(house: House) -> None:
    task = opened(house, FOR_VALIDATORS)
    house.plane.tasks.claim(VERA, task_id=task.id)

    with pytest.raises(TaskNotHeldError) as refused:
        house.plane.tasks.release(VIC, task_id=task.id)

    assert refused.value.holder == VERA.person_id


def test_a_candidate_person_needs_none_of_the_roles(house: House) -> None:
    task = opened(house, 'candidateGroups="validator" candidateUsers="boris"')

    done = house.plane.tasks.complete(BORIS, task_id=task.id, answers={})

    assert done.ended_by == BORIS.person_id


def test_a_task_that_is_assigned_by_name_is_done_by_that_person(house: House) -> None:
    task = opened(house, 'candidateGroups="validator" assignee="boris"')

    with pytest.raises(TaskHeldError):
        house.plane.tasks.complete(VERA, task_id=task.id, answers={})
    done = house.plane.tasks.complete(BORIS, task_id=task.id, answers={})

    assert done.state is TaskState.COMPLETED


def test_a_task_of_another_group_is_not_found(house: House) -> None:
    task = opened(house, FOR_VALIDATORS)

    with pytest.raises(NotFoundError):
        house.plane.tasks.complete(STRANGER, task_id=task.id, answers={})


def test_an_auditor_sees_a_task_and_may_not_do_it(house: House) -> None:
    task = opened(house, FOR_VALIDATORS)

    assert house.plane.tasks.get(AUDITOR, task_id=task.id) == task
    with pytest.raises(ActionDeniedError):
        house.plane.tasks.claim(AUDITOR, task_id=task.id)


def test_the_author_is_kept_out_where_duties_are_separate_at_all(house: House) -> None:
    separate = '<pilothouse:approval separateFrom="per_somebody_else"/>'
    task = opened(house, FOR_VALIDATORS, separate)

    with pytest.raises(TaskDeniedError) as denied:
        house.plane.tasks.claim(ADA, task_id=task.id)

    assert denied.value.problem == "whoever did the work does not judge it"
    assert task.separate_from == ("per_somebody_else", ADA.person_id)


def test_my_tasks_are_those_that_i_may_do(house: House) -> None:
    task = opened(house, FOR_VALIDATORS)

    assert house.plane.tasks.page(VERA, mine=True, waiting=True).items == (task,)
    assert house.plane.tasks.page(BORIS, mine=True, waiting=True).items == ()
    assert house.plane.tasks.page(BORIS, waiting=True).items == (task,)
    house.plane.tasks.complete(VERA, task_id=task.id, answers={})
    assert house.plane.tasks.page(VERA, mine=True, waiting=True).items == ()
