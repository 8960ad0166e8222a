"""The past is kept with its time: any moment can be asked about, on every database."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.domain.deployments import DeploymentState
from pilothouse.domain.plain import from_plain, to_plain
from pilothouse.domain.services import Service
from tests.contract.persistence import values

if TYPE_CHECKING:
    from pilothouse.persistence.engine import Database
    from tests.contract.persistence.conftest import HandClock

ADA = values.principal()
BOB = values.principal("bob", cause="run run_1")
NOON = values.NOON
EXAMPLES = count()


def titles(database: Database, at: datetime, tag: str) -> list[str]:
    with database.open_work.reading(ADA) as work:
        found = work.history.at("service", at=at, key=tag)
    return [from_plain(Service, change.value).title for change in found]


def test_every_moment_of_a_deployment_can_be_asked_about(
    company: Database, clock: HandClock
) -> None:
    with company.open_work(ADA) as work:
        first = work.deployments.add(values.deployment())
        work.commit(None)
    clock.forward(10)
    with company.open_work(BOB) as work:
        moved = first.moved(DeploymentState.RUNNING, at=work.at)
        second = work.deployments.save(moved)
        work.commit(None)
    with company.open_work.reading(ADA) as work:
        changes = work.history.of("deployment", "dep_1")
        before, then, now = (
            work.history.at("deployment", at=NOON + timedelta(seconds=s), key=values.FRAUD)
            for s in (-1, 9.999999, 10)
        )
    assert [c.value for c in changes] == [to_plain(first), to_plain(second)]
    assert [(c.actor, c.cause) for c in changes] == [("per_ada", ""), ("per_bob", "run run_1")]
    assert [(c.since, c.until) for c in changes] == [(NOON, clock.now()), (clock.now(), None)]
    assert (before, then, now) == ((), changes[:1], changes[1:])


def test_the_key_is_the_service_tag(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.services.add(values.service("heloc"))
        work.assignments.add(values.assignment())
        work.routes.add(values.route())
        work.commit(None)
    with company.open_work.reading(ADA) as work:
        found = {
            noun: [c.subject for c in work.history.at(noun, at=NOON, key="cc-fraud")]
            for noun in ("service", "assignment", "route", "deployment", "runtime")
        }
        runtimes = work.history.at("runtime", at=NOON)
    assert found == {
        "service": ["cc-fraud"],
        "assignment": ["asg_1"],
        "route": ["rou_1"],
        "deployment": [],
        "runtime": [],
    }
    assert [c.subject for c in runtimes] == ["rtm_1"]


def test_changes_of_a_unit_that_is_not_committed_leave_no_past(company: Database) -> None:
    with company.open_work(ADA) as work:
        work.services.save(replace(work.services.get("cc-fraud"), title="lost"))
    assert titles(company, NOON, "cc-fraud") == ["Card fraud"]


def test_a_noun_without_a_past_is_a_programming_error(company: Database) -> None:
    with company.open_work.reading(ADA) as work:
        with pytest.raises(ValueError, match="has no history"):
            work.history.at("model", at=NOON)
        with pytest.raises(ValueError, match="has no history"):
            work.history.of("services", "cc-fraud")


STEPS_US = st.lists(st.sampled_from([0, 0, 1, 2, 1_000_000, -1, -1_000_000]), max_size=12)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps_us=STEPS_US)
def test_the_past_is_what_a_plain_list_of_changes_says(
    company: Database, clock: HandClock, steps_us: list[int]
) -> None:
    """
    Model: a change counts from its moment, or from the one before where the clock ran backwards; at a
    moment the last change that counts from then or earlier stands.
    """
    tag = f"example-{next(EXAMPLES)}"
    with company.open_work(ADA) as work:
        service = work.services.add(replace(values.service(tag), title="0"))
        work.commit(None)
    model = [clock.now()]
    for number, step in enumerate(steps_us, start=1):
        clock.forward(step / 1_000_000)
        with company.open_work(ADA) as work:
            service = work.services.save(replace(service, title=str(number)))
            work.commit(None)
        model.append(max(model[-1], clock.now()))
    microsecond = timedelta(microseconds=1)
    for moment in {m + d for m in model for d in (-microsecond, 0 * microsecond, microsecond)}:
        stood = [str(n) for n, since in enumerate(model) if since <= moment][-1:]
        assert titles(company, moment, tag) == stood
    with company.open_work.reading(ADA) as work:
        kept = work.history.of("service", tag)
    assert [from_plain(Service, c.value).title for c in kept] == [str(n) for n in range(len(model))]
