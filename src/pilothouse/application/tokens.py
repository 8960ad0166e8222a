"""Tokens: issue, revoke, and tell who is asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.application.finding import service_tagged
from pilothouse.application.people import person_named
from pilothouse.domain.access import Action, Principal, Token, TokenKind
from pilothouse.domain.errors import InvalidError, NotSignedInError
from pilothouse.domain.ids import GroupName, PersonId, ServiceTag, TokenId
from pilothouse.wire.views import IssuedToken

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.domain.pages import Page
    from pilothouse.ports.tokens import TokenMint
    from pilothouse.ports.unit_of_work import OpenWork


class TokenWrongError(NotSignedInError):
    """The token is not known, or does not count any more."""

    code = "token-wrong"

    def __init__(self) -> None:
        super().__init__(
            "The token is not known, has expired or was revoked. Send `Authorization: Bearer TOKEN` with a token "
            "that somebody issued you (`pilothouse tokens issue`)."
        )


class TokenExpiryError(InvalidError):
    """A token would end before it begins."""

    code = "token-expiry"

    def __init__(self, *, expires_at: datetime) -> None:
        self.expires_at = expires_at
        super().__init__(
            f"The token would expire at {expires_at.isoformat()}, which is past. Give a later time."
        )


NOBODY = Principal(person_id=PersonId("per_nobody"), name="nobody", grants=())


class Tokens:
    """Issue and revoke tokens, and know callers by them."""

    def __init__(self, *, open_work: OpenWork, mint: TokenMint) -> None:
        self._open_work = open_work
        self._mint = mint

    def sign_in(self, text: str) -> Principal:
        """
        Tell who holds an API token.

        Raises
        ------
        TokenWrongError
            When nobody does.
        """
        with self._open_work.reading(NOBODY) as work:
            token = work.tokens.find(sha256=self._mint.fingerprint(text))
            if token is None or token.kind is not TokenKind.API or not token.usable(at=work.at):
                raise TokenWrongError
            person = work.people.get(token.person_id)
            grants = work.grants.all(person_id=person.id, ended_at=None)
        return Principal(person_id=person.id, name=person.name, grants=grants, token_id=token.id)

    def issue(
        self,
        who: Principal,
        *,
        name: str,
        group: str,
        person: str | None = None,
        expires_at: datetime | None = None,
    ) -> IssuedToken:
        """Issue an API token; for oneself freely, for somebody else as an administrator."""
        with self._open_work(who) as work:
            holder = person_named(work, person) if person else work.people.get(who.person_id)
            if holder.id != who.person_id:
                who.require(Action.ADMINISTER, group=GroupName("*"))
            work.groups.get(group)
            self._check_expiry(expires_at, work.at)
            text, sha256 = self._mint.mint(TokenKind.API)
            token = work.tokens.add(
                Token(
                    id=TokenId(work.new_id("tok")),
                    group=GroupName(group),
                    kind=TokenKind.API,
                    name=name,
                    person_id=holder.id,
                    sha256=sha256,
                    services=(),
                    issued_at=work.at,
                    issued_by=who.person_id,
                    expires_at=expires_at,
                )
            )
            work.audit.record(
                "issue",
                noun="token",
                subject=token.id,
                group=token.group,
                detail={"kind": token.kind, "person": holder.name},
            )
            work.commit(token)
        return IssuedToken(token=token, text=text)

    def issue_scoring(
        self,
        who: Principal,
        *,
        name: str,
        group: str,
        services: tuple[str, ...],
        expires_at: datetime | None = None,
    ) -> IssuedToken:
        """Issue a token by which a consuming application may ask the named services."""
        who.require(Action.ISSUE_SCORING_TOKEN, group=GroupName(group))
        with self._open_work(who) as work:
            work.groups.get(group)
            for tag in services:
                service = service_tagged(work, tag)
                who.require(Action.ISSUE_SCORING_TOKEN, group=service.group)
            self._check_expiry(expires_at, work.at)
            text, sha256 = self._mint.mint(TokenKind.SCORING)
            token = work.tokens.add(
                Token(
                    id=TokenId(work.new_id("tok")),
                    group=GroupName(group),
                    kind=TokenKind.SCORING,
                    name=name,
                    person_id=who.person_id,
                    sha256=sha256,
                    services=tuple(ServiceTag(s) for s in services),
                    issued_at=work.at,
                    issued_by=who.person_id,
                    expires_at=expires_at,
                )
            )
            work.audit.record(
                "issue",
                noun="token",
                subject=token.id,
                group=token.group,
                detail={"kind": token.kind, "services": services},
            )
            work.commit(token)
        return IssuedToken(token=token, text=text)

    def revoke(self, who: Principal, *, token_id: str) -> Token:
        """End a token: one's own, or any as an administrator of its group."""
        with self._open_work(who) as work:
            token = work.tokens.get(token_id)
            if token.issued_by != who.person_id and token.person_id != who.person_id:
                who.require(Action.ADMINISTER, group=token.group)
            revoked = work.tokens.save(token.revoked(at=work.at))
            work.audit.record(
                "revoke", noun="token", subject=token.id, group=token.group, detail={}
            )
            return work.commit(revoked)

    def page(self, who: Principal, *, after: str | None = None, limit: int = 50) -> Page[Token]:
        """List the tokens of the groups that the caller sees, never their texts."""
        with self._open_work.reading(who) as work:
            return work.tokens.page(groups=who.readable, after=after, limit=limit)

    @staticmethod
    def _check_expiry(expires_at: datetime | None, at: datetime) -> None:
        if expires_at is not None and expires_at <= at:
            raise TokenExpiryError(expires_at=expires_at)
