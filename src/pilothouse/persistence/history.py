"""The past of historic nouns: one row for each stretch of time in which a thing had one value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import and_, case, literal, or_, select, update

from pilothouse.domain.events import Change
from pilothouse.domain.plain import to_plain
from pilothouse.persistence.columns import UtcDateTime
from pilothouse.persistence.nouns import HISTORIC
from pilothouse.persistence.rows import from_row, shape
from pilothouse.persistence.tables import history

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.persistence.nouns import Noun
    from pilothouse.persistence.transaction import Transaction

T = TypeVar("T")
COLUMNS = tuple(history.c[field.name] for field in shape(Change))


class SqlHistory:
    """
    Answers for any past moment.

    A value stands from `since` to just before `until`. Where a thing changes twice in one microsecond, or
    a clock stands behind the one before, the former value keeps a stretch of no length: `of` gives it, in
    its place, and no moment does.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def at(self, noun: str, *, at: datetime, key: str | None = None) -> tuple[Change, ...]:
        """Give each subject's value that stood at `at`, by subject."""
        stood = [
            history.c.noun == _known(noun),
            history.c.since <= at,
            or_(history.c.until.is_(None), history.c.until > at),
        ]
        if key is not None:
            stood.append(history.c.key == key)
        return self._changes(select(*COLUMNS).where(*stood).order_by(history.c.subject))

    def of(self, noun: str, subject: str) -> tuple[Change, ...]:
        """Give all values of one subject, oldest first."""
        its = and_(history.c.noun == _known(noun), history.c.subject == subject)
        return self._changes(select(*COLUMNS).where(its).order_by(history.c.id))

    def _changes(self, query: Any) -> tuple[Change, ...]:  # noqa: ANN401 select() names every column's type
        return tuple(from_row(Change, row) for row in self._transaction.read(query))


def _known(noun: str) -> str:
    if noun not in HISTORIC:
        raise ValueError(f"{noun!r} has no history; {', '.join(sorted(HISTORIC))} have")
    return noun


def write_history(transaction: Transaction, noun: Noun[T], value: T, *, new: bool) -> None:
    """Close the open row of a value that had one, and open its next."""
    subject = noun.key_of(value)
    since = transaction.at if new else _close(transaction, noun.name, subject)
    transaction.write(
        history.insert(),
        {
            "noun": noun.name,
            "subject": subject,
            "key": None if noun.service is None else getattr(value, noun.service),
            "value": to_plain(value),
            "since": since,
            "until": None,
            "actor": transaction.who.person_id,
            "cause": transaction.who.cause,
        },
    )


def _close(transaction: Transaction, noun: str, subject: str) -> datetime:
    at = literal(transaction.at, UtcDateTime())  # without its type SQLite gets another text
    closed = transaction.write(
        update(history)
        .where(history.c.noun == noun, history.c.subject == subject, history.c.until.is_(None))
        .values(until=case((history.c.since > at, history.c.since), else_=at))
        .returning(history.c.until)
    )
    until: datetime = closed.scalar_one()
    return until
