"""Tokens: issue, revoke, and tell who is asking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilothouse.application.finding import group_seen, sees, service_tagged
from pilothouse.application.people import person_named
from pilothouse.domain.access import (
    EVERY_GROUP,
    Action,
    Principal,
    Token,
    TokenKind,
    TokenRevokedError,
)
from pilothouse.domain.errors import InvalidError, NotFoundError, NotSignedInError
from pilothouse.domain.ids import GroupName, PersonId, ServiceTag, TokenId
from pilothouse.domain.plain import from_plain
from pilothouse.wire.views import IssuedToken

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.domain.pages import Page
    from pilothouse.ports.tokens import TokenMint
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenWish:
    """What somebody wants of a new token."""

    name: str
    group: GroupName
    expires_at: datetime | None
    services: tuple[ServiceTag, ...] = ()


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
            if person.ended_at is not None:
                raise TokenWrongError
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
        again = self._reissued(who)
        if again is not None:
            return again
        with self._open_work(who) as work:
            holder = person_named(work, person) if person else work.people.get(who.person_id)
            if holder.id != who.person_id:
                who.require(Action.ADMINISTER, group=EVERY_GROUP)
            group_seen(work, group)
            text, token = self._minted(
                work,
                TokenKind.API,
                holder=holder.id,
                wanted=TokenWish(name=name, group=GroupName(group), expires_at=expires_at),
            )
            return IssuedToken(token=work.commit(token), text=text)

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
        again = self._reissued(who)
        if again is not None:
            return again
        with self._open_work(who) as work:
            work.groups.get(group)
            for tag in services:
                service = service_tagged(work, tag)
                who.require(Action.ISSUE_SCORING_TOKEN, group=service.group)
            wish = TokenWish(
                name=name,
                group=GroupName(group),
                expires_at=expires_at,
                services=tuple(ServiceTag(s) for s in services),
            )
            text, token = self._minted(work, TokenKind.SCORING, holder=who.person_id, wanted=wish)
            return IssuedToken(token=work.commit(token), text=text)

    def _minted(
        self, work: UnitOfWork, kind: TokenKind, *, holder: PersonId, wanted: TokenWish
    ) -> tuple[str, Token]:
        if wanted.expires_at is not None and wanted.expires_at <= work.at:
            raise TokenExpiryError(expires_at=wanted.expires_at)
        text, sha256 = self._mint.mint(kind)
        token = work.tokens.add(
            Token(
                id=TokenId(work.new_id("tok")),
                group=wanted.group,
                kind=kind,
                name=wanted.name,
                person_id=holder,
                sha256=sha256,
                services=wanted.services,
                issued_at=work.at,
                issued_by=work.who.person_id,
                expires_at=wanted.expires_at,
            )
        )
        work.audit.record(
            "issue",
            noun="token",
            subject=token.id,
            group=token.group,
            detail={"kind": kind, "person": holder, "services": wanted.services},
        )
        return text, token

    def _reissued(self, who: Principal) -> IssuedToken | None:
        """
        Give the token of the same keyed call with a new text, or None for a new call.

        The text of the first answer is kept nowhere; if that answer was lost, nobody has it.
        """
        if who.call is None:
            return None
        with self._open_work(who) as work:
            former = work.calls.answer(who)
        if former is None:
            return None
        with self._open_work(replace(who, call=None)) as work:
            token = work.tokens.get(from_plain(Token, former).id)
            if token.revoked_at is not None:
                raise TokenRevokedError(token=token.id)
            text, sha256 = self._mint.mint(token.kind)
            token = work.tokens.save(replace(token, sha256=sha256))
            work.audit.record(
                "reissue", noun="token", subject=token.id, group=token.group, detail={}
            )
            return IssuedToken(token=work.commit(token), text=text)

    def revoke(self, who: Principal, *, token_id: str) -> Token:
        """End a token: one's own, or any as an administrator of its group."""
        with self._open_work(who) as work:
            token = work.tokens.find(id=token_id)
            own = token is not None and who.person_id in (token.issued_by, token.person_id)
            if token is None or not (own or sees(who, token.group)):
                raise NotFoundError(noun="token", name=token_id)
            if not own:
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
