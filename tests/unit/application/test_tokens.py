"""Tokens: shown once, kept as hashes, ended in time; and what the audit and the keyed calls keep of them."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.tokens import TokenExpiryError, TokenWrongError
from pilothouse.domain.access import KeyedCall, KeyReusedError, Role, TokenKind, TokenRevokedError

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.domain.access import Principal
    from tests.unit.application.company import Company


def keyed(who: Principal, *, key: str = "k-1", request: str = "r-1") -> Principal:
    return replace(who, call=KeyedCall(key=key, request=request))


def everything_stored(folder: Path) -> str:
    with sqlite3.connect(folder / "pilothouse.db") as connection:
        stored = "\n".join(connection.iterdump())
    connection.close()
    return stored


def test_a_token_signs_its_person_in(company: Company) -> None:
    ada = company.hire("ada", Role.MODEL_OWNER)
    text = company.tokens.issue(ada, name="laptop", group="risk").text

    who = company.tokens.sign_in(text)

    assert (who.person_id, [g.role for g in who.grants]) == (ada.person_id, [Role.MODEL_OWNER])


@pytest.mark.parametrize("text", ["", "ph_wrong", "\udcff", "a" * 10_000])
def test_an_unknown_text_signs_nobody_in(company: Company, text: str) -> None:
    with pytest.raises(TokenWrongError):
        company.tokens.sign_in(text)


def test_an_expired_token_signs_nobody_in(company: Company) -> None:
    end = company.clock.now() + timedelta(hours=1)
    text = company.tokens.issue(company.admin, name="t", group="default", expires_at=end).text
    company.clock.set(end)

    with pytest.raises(TokenWrongError):
        company.tokens.sign_in(text)


def test_a_token_counts_until_the_moment_it_expires(company: Company) -> None:
    end = company.clock.now() + timedelta(hours=1)
    text = company.tokens.issue(company.admin, name="t", group="default", expires_at=end).text
    company.clock.set(end - timedelta(microseconds=1))

    assert company.tokens.sign_in(text).name == "admin"


def test_a_revoked_token_signs_nobody_in(company: Company) -> None:
    issued = company.tokens.issue(company.admin, name="t", group="default")
    company.tokens.revoke(company.admin, token_id=issued.token.id)

    with pytest.raises(TokenWrongError):
        company.tokens.sign_in(issued.text)


def test_a_token_is_revoked_once(company: Company) -> None:
    issued = company.tokens.issue(company.admin, name="t", group="default")
    company.tokens.revoke(company.admin, token_id=issued.token.id)

    with pytest.raises(TokenRevokedError) as refused:
        company.tokens.revoke(company.admin, token_id=issued.token.id)

    assert refused.value.token == issued.token.id


def test_a_scoring_token_signs_nobody_in_here(company: Company) -> None:
    issued = company.tokens.issue_scoring(company.admin, name="t", group="risk", services=())

    with pytest.raises(TokenWrongError):
        company.tokens.sign_in(issued.text)


def test_a_token_that_would_be_over_before_it_begins_is_refused(company: Company) -> None:
    now = company.clock.now()

    with pytest.raises(TokenExpiryError) as refused:
        company.tokens.issue(company.admin, name="t", group="default", expires_at=now)

    assert refused.value.expires_at == now


@pytest.mark.parametrize("kind", TokenKind)
def test_no_token_s_text_is_stored_anywhere(
    company: Company, tmp_path: Path, kind: TokenKind
) -> None:
    who = keyed(company.admin)
    if kind is TokenKind.API:
        issued = company.tokens.issue(who, name="t", group="risk")
    else:
        issued = company.tokens.issue_scoring(who, name="t", group="risk", services=())

    stored = everything_stored(tmp_path)

    assert issued.text not in stored
    assert issued.text.rpartition("_")[2] not in stored
    assert company.admin_token not in stored
    assert issued.token.sha256 in stored


def test_repeating_a_keyed_issue_gives_the_same_token_with_a_new_text(company: Company) -> None:
    lost = company.tokens.issue(keyed(company.admin), name="t", group="risk")

    again = company.tokens.issue(keyed(company.admin), name="t", group="risk")

    assert again.token.id == lost.token.id
    assert company.tokens.sign_in(again.text).name == "admin"
    with pytest.raises(TokenWrongError):
        company.tokens.sign_in(lost.text)


def test_a_key_of_another_issue_is_refused(company: Company) -> None:
    company.tokens.issue(keyed(company.admin), name="t", group="risk")

    with pytest.raises(KeyReusedError) as refused:
        company.tokens.issue(keyed(company.admin, request="r-2"), name="u", group="risk")

    assert refused.value.key == "k-1"


def test_a_revoked_token_is_not_given_again(company: Company) -> None:
    issued = company.tokens.issue(keyed(company.admin), name="t", group="risk")
    company.tokens.revoke(company.admin, token_id=issued.token.id)

    with pytest.raises(TokenRevokedError):
        company.tokens.issue(keyed(company.admin), name="t", group="risk")


def test_founding_twice_changes_nothing(company: Company) -> None:
    kept: list[str] = []

    assert company.founding.found(keep_token=kept.append) is False
    assert kept == []


def test_what_the_audit_says_of_a_token_is_no_secret(company: Company) -> None:
    company.tokens.issue_scoring(company.admin, name="t", group="risk", services=("cc-fraud",))

    entry = company.audit.page(company.admin, noun="token").items[0]

    assert dict(entry.detail) == {
        "kind": "scoring", "person": company.admin.person_id, "services": ["cc-fraud"],
    }  # fmt: skip
