"""Who may do what: roles and actions, groups and stages, and tokens in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pilothouse.domain.access import (
    ALLOWED,
    EVERY_GROUP,
    Action,
    ActionDeniedError,
    Grant,
    Principal,
    Role,
    Token,
    TokenKind,
    TokenRevokedError,
)
from pilothouse.domain.ids import GroupName, PersonId, StageName, TokenId
from pilothouse.testing.clock import START

RISK, CARDS = GroupName("risk"), GroupName("cards")
DEV, PROD = StageName("DEV"), StageName("PROD")
ADA = PersonId("per_ada")

TABLE = {
    "read": "AOVPSBU",
    "administer": "A",
    "register-model": "AO",
    "take-snapshot": "AO",
    "tag-snapshot": "AO",
    "manage-dataset": "AOS",
    "manage-service": "APB",
    "manage-runtime": "AP",
    "manage-location": "APS",
    "deploy": "AP",
    "run-job": "AOVP",
    "upload-lifecycle": "AP",
    "start-run": "AOP",
    "operate-run": "AP",
    "do-task": "AOVPSB",
    "read-audit": "AVU",
    "issue-scoring-token": "AP",
    "work-on-jobs": "AW",
}
LETTERS = {
    "A": Role.ADMINISTRATOR, "O": Role.MODEL_OWNER, "V": Role.VALIDATOR, "P": Role.OPERATOR,
    "S": Role.DATA_STEWARD, "B": Role.BUSINESS_OWNER, "U": Role.AUDITOR, "C": Role.CONSUMER,
    "W": Role.WORKER,
}  # fmt: skip


def somebody(role: Role, *, group: GroupName = RISK, stage: StageName | None = None) -> Principal:
    grant = Grant(
        id="grt_1",
        person_id=ADA,
        group=group,
        role=role,
        stage=stage,
        granted_at=START,
        granted_by=ADA,
    )
    return Principal(person_id=ADA, name="ada", grants=(grant,))


def test_the_table_names_every_action_and_role() -> None:
    assert set(TABLE) == {a.value for a in Action}
    assert set(LETTERS.values()) == set(Role) == set(ALLOWED)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("role", Role)
def test_a_role_allows_what_the_table_says_and_nothing_else(role: Role, action: Action) -> None:
    allowed = role in {LETTERS[letter] for letter in TABLE[action.value]}

    assert somebody(role).may(action, group=RISK) is allowed


@pytest.mark.parametrize("action", Action)
def test_a_role_counts_in_its_own_group_only(action: Action) -> None:
    assert not somebody(Role.ADMINISTRATOR).may(action, group=CARDS)
    assert not somebody(Role.ADMINISTRATOR).may(action, group=EVERY_GROUP)


def test_a_role_in_every_group_counts_in_each() -> None:
    everywhere = somebody(Role.ADMINISTRATOR, group=EVERY_GROUP)

    assert everywhere.may(Action.DEPLOY, group=CARDS, stage=PROD)
    assert everywhere.readable is None


def test_a_role_in_one_stage_counts_there_and_for_reading() -> None:
    opal = somebody(Role.OPERATOR, stage=DEV)

    assert opal.may(Action.DEPLOY, group=RISK, stage=DEV)
    assert opal.may(Action.READ, group=RISK)
    assert opal.readable == frozenset({RISK})


@pytest.mark.parametrize("action", [a for a in Action if a is not Action.READ])
def test_a_role_in_one_stage_counts_neither_elsewhere_nor_for_the_whole_group(
    action: Action,
) -> None:
    deputy = somebody(Role.ADMINISTRATOR, stage=DEV)

    assert not deputy.may(action, group=RISK, stage=PROD)
    assert not deputy.may(action, group=RISK)
    assert not deputy.has_role(Role.ADMINISTRATOR, group=RISK)


def test_an_ended_role_counts_no_more() -> None:
    was = somebody(Role.ADMINISTRATOR)
    is_ = replace(was, grants=(replace(was.grants[0], ended_at=START),))

    assert not is_.may(Action.READ, group=RISK)
    assert not is_.has_role(Role.ADMINISTRATOR, group=RISK)
    assert is_.readable == frozenset()


def test_a_denial_says_who_where_and_which_role_to_ask_for() -> None:
    with pytest.raises(ActionDeniedError) as denied:
        somebody(Role.AUDITOR).require(Action.DEPLOY, group=RISK, stage=PROD)

    assert (denied.value.person, denied.value.action) == ("ada", Action.DEPLOY)
    assert (denied.value.group, denied.value.stage) == (RISK, PROD)
    assert "roles administrator, operator" in denied.value.message


def token(**changes: object) -> Token:
    base = Token(
        id=TokenId("tok_1"),
        group=RISK,
        kind=TokenKind.API,
        name="t",
        person_id=ADA,
        sha256="0" * 64,
        services=(),
        issued_at=START,
        issued_by=ADA,
        expires_at=START + timedelta(hours=1),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "usable"), [(0, True), (3599, True), (3600, False)])
def test_a_token_is_usable_up_to_its_expiry(seconds: int, usable: bool) -> None:
    assert token().usable(at=START + timedelta(seconds=seconds)) is usable


def test_a_token_without_expiry_is_usable_until_it_is_revoked() -> None:
    endless = token(expires_at=None)

    assert endless.usable(at=START + timedelta(days=10_000))
    assert not endless.revoked(at=START).usable(at=START)


def test_a_token_is_revoked_once() -> None:
    with pytest.raises(TokenRevokedError) as refused:
        token().revoked(at=START).revoked(at=START)

    assert refused.value.token == "tok_1"
