"""Answers to keyed calls, so that a call which is repeated changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from pilothouse.domain.access import KeyReusedError
from pilothouse.domain.errors import ConflictError
from pilothouse.domain.plain import to_plain
from pilothouse.persistence.tables import calls

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.persistence.transaction import Transaction


class SqlCalls:
    """
    The keyed calls of a unit of work; the contract is `pilothouse.ports.unit_of_work.Calls`.

    Keys belong to the person who made them up. Whoever asks for an answer holds the key until the unit
    ends, so a second call with the same key waits for the first and then finds its answer.
    """

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def answer(self, who: Principal) -> object | None:
        """Give the plain result that the same call gave before, or None for a new call."""
        if who.call is None:
            return None
        self._transaction.lock("call", who.person_id, who.call.key)
        query = select(calls.c.request, calls.c.result).where(
            calls.c.person_id == who.person_id, calls.c.key == who.call.key
        )
        found = self._transaction.read(query).first()
        if found is None:
            return None
        if found.request != who.call.request:
            raise KeyReusedError(key=who.call.key)
        result: object = found.result
        return result

    def keep(self, result: object) -> None:
        """
        Keep the answer to the unit's own call; for a call without a key, nothing.

        None, which `answer` says of a new call too, is kept for a call that found nothing to change. Repeated,
        it may come to None again; where it would now change something, it is refused.

        Raises
        ------
        ConflictError
            When the same call was answered otherwise meanwhile: repeat it for that answer.
        """
        who = self._transaction.who
        if who.call is None:
            return
        row = {
            "person_id": who.person_id,
            "key": who.call.key,
            "request": who.call.request,
            "result": to_plain(result),
            "at": self._transaction.at,
        }
        statement = self._transaction.insert(calls).on_conflict_do_nothing()
        kept = self._transaction.write(statement.returning(calls.c.key), row)
        if kept.first() is None and not self._both_nothing(who, result):
            raise ConflictError(noun="keyed call", name=who.call.key, expected=0, found=1)

    def _both_nothing(self, who: Principal, result: object) -> bool:
        return result is None and self.answer(who) is None
