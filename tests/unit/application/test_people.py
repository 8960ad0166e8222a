"""Roles, and the last of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.domain.access import EVERY_GROUP, LastAdministratorError, Role

if TYPE_CHECKING:
    from tests.unit.application.company import Company


def test_last_administrator_stays(company: Company) -> None:
    (own,) = company.people.grants(company.admin, person="admin")

    with pytest.raises(LastAdministratorError) as refused:
        company.people.end_grant(company.admin, grant_id=own.id)

    assert refused.value.person == company.admin.person_id
    assert company.people.grants(company.admin, person="admin") == (own,)


def test_administrator_may_go_once_there_is_another(company: Company) -> None:
    company.people.create(company.admin, name="bea")
    company.people.grant(company.admin, person="bea", group=EVERY_GROUP, role=Role.ADMINISTRATOR)
    (own,) = company.people.grants(company.admin, person="admin")

    ended = company.people.end_grant(company.admin, grant_id=own.id)

    assert ended.ended_at is not None
