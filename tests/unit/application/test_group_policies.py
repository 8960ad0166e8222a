"""What a group's policy grants its life cycles, and who may grant it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.access import ActionDeniedError, Role
from pilothouse.domain.outgoing import parse_grant
from pilothouse.domain.secrets import SecretReferenceError
from pilothouse.wire.requests import SetPolicy

if TYPE_CHECKING:
    from tests.unit.application.company import Company

HOSTS = (parse_grant("https://desk.example env:DESK"),)


def test_an_administrator_of_all_groups_grants_hosts_and_it_is_audited(company: Company) -> None:
    wanted = SetPolicy(outgoing_hosts=HOSTS, notification_targets=("env:TEAM",))

    group = company.groups.set_policy(company.admin, name="risk", wanted=wanted)

    assert (group.outgoing.hosts, group.outgoing.notification_targets) == (HOSTS, ("env:TEAM",))
    [row] = [r for r in company.audit.page(company.admin).items if r.action == "set-policy"]
    assert row.detail["notification_targets"] == ["env:TEAM"]
    assert row.detail["outgoing_hosts"] != []


@pytest.mark.parametrize(
    "wanted", [SetPolicy(outgoing_hosts=HOSTS), SetPolicy(notification_targets=("env:TEAM",))]
)
def test_an_administrator_of_one_group_grants_no_secrets_of_the_platform(
    company: Company, wanted: SetPolicy
) -> None:
    gus = company.hire("gus", Role.ADMINISTRATOR)

    with pytest.raises(ActionDeniedError):
        company.groups.set_policy(gus, name="risk", wanted=wanted)

    assert company.groups.get(company.admin, name="risk").outgoing.hosts == ()


def test_what_is_not_named_stays_and_an_empty_list_takes_back(company: Company) -> None:
    company.groups.set_policy(company.admin, name="risk", wanted=SetPolicy(outgoing_hosts=HOSTS))

    kept = company.groups.set_policy(
        company.admin, name="risk", wanted=SetPolicy(python_source=True)
    )
    taken = company.groups.set_policy(
        company.admin, name="risk", wanted=SetPolicy(outgoing_hosts=())
    )

    assert (kept.outgoing_hosts, taken.outgoing_hosts) == (HOSTS, ())
    assert taken.python_source


def test_a_secret_itself_is_no_target(company: Company) -> None:

    with pytest.raises(SecretReferenceError):
        company.groups.set_policy(
            company.admin, name="risk", wanted=SetPolicy(notification_targets=("hunter2",))
        )
