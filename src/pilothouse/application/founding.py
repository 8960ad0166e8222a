"""Founding: what a new home needs before anybody can sign in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pilothouse.domain.access import EVERY_GROUP, Grant, Principal, Role, Token, TokenKind
from pilothouse.domain.groups import Group
from pilothouse.domain.ids import GroupName, PersonId, StageName, TokenId
from pilothouse.domain.people import Person
from pilothouse.domain.stages import DEFAULT_PATH, Stage

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.ports.tokens import TokenMint
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork

SYSTEM_ID = PersonId("per_system")
SYSTEM = Principal(
    person_id=SYSTEM_ID,
    name="pilothouse",
    grants=(
        Grant(
            id="grt_system",
            person_id=SYSTEM_ID,
            group=EVERY_GROUP,
            role=Role.ADMINISTRATOR,
            stage=None,
            granted_at=datetime(2026, 1, 1, tzinfo=UTC),
            granted_by=SYSTEM_ID,
        ),
    ),
)
"""The platform itself, which reconciles, runs life cycles and sweeps; it has no token."""

FIRST_GROUP = GroupName("default")


class Founding:
    """Make the first group, the stages, and the first administrator with a token."""

    def __init__(self, *, open_work: OpenWork, mint: TokenMint) -> None:
        self._open_work = open_work
        self._mint = mint

    def found(self, *, keep_token: Callable[[str], None]) -> bool:
        """
        Found the home unless it is founded; True when it was new.

        Parameters
        ----------
        keep_token
            Keeps the first administrator's token durably; it is called before anything is committed, so that
            no crash leaves an administrator without a token.
        """
        with self._open_work(SYSTEM) as work:
            if work.people.find(id=SYSTEM_ID) is not None:
                return False
            text, sha256 = self._mint.mint(TokenKind.API)
            keep_token(text)
            _people(work)
            _world(work)
            _token(work, sha256)
            work.audit.record(
                "found", noun="home", subject=FIRST_GROUP, group=FIRST_GROUP, detail={}
            )
            return work.commit(True)


def _people(work: UnitOfWork) -> None:
    for person_id, name, machine in ((SYSTEM_ID, "pilothouse", True), (_ADMIN, "admin", False)):
        work.people.add(
            Person(id=person_id, name=name, title=name, machine=machine, created_at=work.at)
        )
        work.grants.add(
            Grant(
                id=work.new_id("grt"),
                person_id=person_id,
                group=EVERY_GROUP,
                role=Role.ADMINISTRATOR,
                stage=None,
                granted_at=work.at,
                granted_by=SYSTEM_ID,
            )
        )


_ADMIN = PersonId("per_admin")


def _world(work: UnitOfWork) -> None:
    work.groups.add(
        Group(
            name=FIRST_GROUP,
            title="Everybody",
            python_source=False,
            skops_types=(),
            created_at=work.at,
        )
    )
    for position, name in enumerate(DEFAULT_PATH, start=1):
        work.stages.add(
            Stage(
                name=StageName(name),
                position=position * 10,
                production=name == DEFAULT_PATH[-1],
                created_at=work.at,
            )
        )


def _token(work: UnitOfWork, sha256: str) -> None:
    work.tokens.add(
        Token(
            id=TokenId(work.new_id("tok")),
            group=FIRST_GROUP,
            kind=TokenKind.API,
            name="first administrator",
            person_id=_ADMIN,
            sha256=sha256,
            services=(),
            issued_at=work.at,
            issued_by=SYSTEM_ID,
            expires_at=None,
        )
    )
