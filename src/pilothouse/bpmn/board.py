"""The board of one step: the rows of a run while they move, and what came of it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from pilothouse.bpmn.history import HistoryEntry, HistoryEvent
from pilothouse.bpmn.state import (
    BODIES,
    REPETITIONS,
    Changes,
    Compensation,
    IdPrefix,
    Ids,
    Incident,
    Job,
    JobStatus,
    Notice,
    NoticeKind,
    Rows,
    RunState,
    Scope,
    Subscription,
    Token,
    TokenStatus,
    UserTask,
    Variable,
    changed,
)

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.bpmn.definition import AnyNode, Boundary, Definition

Row = Scope | Variable | Token | Job | Subscription | UserTask | Incident | Compensation
TABLE_OF: dict[type[Any], str] = {
    Scope: "scopes",
    Variable: "variables",
    Token: "tokens",
    Job: "jobs",
    Subscription: "subscriptions",
    UserTask: "tasks",
    Incident: "incidents",
    Compensation: "compensations",
}


class Board:
    """
    A mutable copy of a run's rows, for the length of one step.

    ``queue`` holds the ids of the tokens that have arrived somewhere and must be looked at; ``moves``
    counts the nodes entered in this step; ``actor`` stands in the history for who caused it.
    """

    def __init__(
        self,
        *,
        definition: Definition,
        state: RunState,
        at: datetime,
        ids: Ids,
        actor: str | None = None,
    ) -> None:
        self.definition, self.at, self.actor, self.run = definition, at, actor, state.run
        self.scopes = dict(state.scopes)
        self.variables = dict(state.variables)
        self.tokens = dict(state.tokens)
        self.jobs = dict(state.jobs)
        self.subscriptions = dict(state.subscriptions)
        self.tasks = dict(state.tasks)
        self.incidents = dict(state.incidents)
        self.compensations = dict(state.compensations)
        self.queue: deque[str] = deque()
        self.moves = 0
        self._before, self._ids = state, ids
        self._touched: dict[str, dict[str, None]] = {}
        self._history: list[HistoryEntry] = []
        self._notices: list[Notice] = []

    def new_id(self, prefix: IdPrefix) -> str:
        """Make an id."""
        return self._ids(prefix.value)

    def node(self, token: Token) -> AnyNode:
        """Give the node where a token stands."""
        return self.definition.nodes[token.element]

    def put(self, row: Row) -> None:
        """Add a row, or take its new values."""
        table, key = self._touched_table(row)
        table[key] = row

    def drop(self, row: Row) -> None:
        """Remove a row."""
        table, key = self._touched_table(row)
        del table[key]

    def _touched_table(self, row: Row) -> tuple[dict[str, Any], str]:
        name, key = TABLE_OF[type(row)], row.id
        self._touched.setdefault(name, {})[key] = None
        return getattr(self, name), key

    @property
    def history_length(self) -> int:
        """The sequence number of the last line of history."""
        return self._before.run.history_length + len(self._history)

    def move(self, token: Token, **changes: Any) -> None:  # noqa: ANN401 fields of a token
        """Put a token that has arrived somewhere, with what changes of it, to be looked at in its turn."""
        self.put(changed(token, state=TokenStatus.MOVING, **changes))
        self.queue.append(token.id)

    def wait(self, token: Token, status: TokenStatus = TokenStatus.WAITING) -> None:
        """Let a token stand."""
        self.put(changed(token, state=status))

    def in_scope(self, scope_id: str) -> list[Token]:
        """Give the tokens of a scope, oldest first."""
        return sorted(
            (t for t in self.tokens.values() if t.scope_id == scope_id), key=lambda t: t.id
        )

    def running_in(self, scope_id: str) -> list[Token]:
        """Give the tokens that keep a scope open, oldest first: not those that only listen."""
        return [t for t in self.in_scope(scope_id) if t.state is not TokenStatus.LISTENING]

    def scope_of(self, token: Token) -> Scope:
        """Give the scope that a token is in."""
        return self.scopes[token.scope_id]

    def holder(self, token: Token) -> Token | None:
        """Give the token that holds open the scope that a token is in; None in the process itself."""
        return self.tokens.get(self.scope_of(token).token_id or "")

    def boundaries(self, token: Token) -> tuple[Boundary, ...]:
        """Give the boundary events of where a token stands; of a repeated activity they hang on the whole."""
        if self.scope_of(token).kind in BODIES | REPETITIONS:
            return ()
        return self.definition.boundaries.get(token.element, ())

    def inner_scope(self, token: Token) -> Scope | None:
        """Give the scope that a token holds open."""
        return next((s for s in self.scopes.values() if s.token_id == token.id), None)

    def record(self, event: HistoryEvent, *, token: Token | None = None, **data: object) -> None:
        """Write a line of history."""
        self._history.append(
            HistoryEntry(
                run_id=self.run.id,
                sequence=self.history_length + 1,
                at=self.at,
                event=event,
                element=token.element if token else None,
                token_id=token.id if token else None,
                actor=self.actor,
                data={name: value for name, value in data.items() if value is not None},
            )
        )

    def notify(self, kind: NoticeKind, *, subject_id: str, element: str | None, text: str) -> None:
        """Tell the caller of the step."""
        notice = Notice(
            kind=kind, run_id=self.run.id, subject_id=subject_id, element=element, text=text
        )
        self.tell(notice)

    def tell(self, notice: Notice) -> None:
        """Tell the caller of the step what has more to say than a text."""
        self._notices.append(notice)

    def raise_incident(
        self, token: Token, *, code: str, message: str, job: Job | None = None
    ) -> None:
        """Open an incident on a token or on its job."""
        incident = Incident(
            id=self.new_id(IdPrefix.INCIDENT),
            run_id=self.run.id,
            token_id=token.id,
            job_id=job.id if job else None,
            element=token.element,
            code=code,
            message=message,
            created_at=self.at,
        )
        self.put(incident)
        self.record(
            HistoryEvent.INCIDENT_RAISED,
            token=token,
            incident=incident.id,
            code=code,
            message=message,
        )
        self.notify(
            NoticeKind.INCIDENT_RAISED, subject_id=incident.id, element=token.element, text=message
        )

    def stop(self, token: Token, *, code: str, message: str) -> None:
        """Let a token stand with an incident; a retry looks at it again where it stands."""
        self.wait(token, TokenStatus.STOPPED)
        self.raise_incident(token, code=code, message=message)

    def give_back(self, job: Job, *, due_at: datetime) -> None:
        """Let a job be claimed again at `due_at`; the attempt grows, so that a second report on the claim is stale."""
        self.put(_unleased(changed(job, due_at=due_at, state=JobStatus.READY)))

    def hold(self, job: Job, *, code: str, message: str) -> None:
        """Keep a job from being claimed until somebody retries its incident."""
        held = _unleased(changed(job, state=JobStatus.INCIDENT, last_error=message))
        self.put(held)
        self.raise_incident(self.tokens[job.token_id], code=code, message=message, job=held)

    def clear(self, token: Token) -> None:
        """Remove what hangs on a token: jobs, subscriptions, tasks, incidents and the scope that it holds open."""
        for table in (self.jobs, self.subscriptions, self.tasks, self.incidents):
            for row in [r for r in table.values() if r.token_id == token.id]:
                self.drop(row)
        scope = self.inner_scope(token)
        if scope is not None:
            self.close(scope)

    def close(self, scope: Scope) -> None:
        """Remove a scope with its variables and all tokens in it, noting where they were cancelled."""
        for token in self.in_scope(scope.id):
            self.cancel(token)
        for table in (self.variables, self.compensations):
            for row in [r for r in table.values() if r.scope_id == scope.id]:
                self.drop(row)
        self.drop(scope)

    def cancel(self, token: Token) -> None:
        """
        Remove a token where it stands, with what hangs on it.

        Nothing is noted of one that only listened, or that only holds the scope of an instance open.
        """
        if token.state is not TokenStatus.LISTENING and self.scope_of(token).kind not in BODIES:
            self.record(HistoryEvent.CANCELLED, token=token)
        self.clear(token)
        self.drop(token)

    def changes(self) -> Changes:
        """Give the difference to the rows of the beginning; only what was touched is looked at."""
        added: dict[str, tuple[Row, ...]] = {}
        other: dict[str, tuple[Row, ...]] = {}
        removed: dict[str, tuple[Row, ...]] = {}
        for table, keys in self._touched.items():
            before, after = getattr(self._before, table), getattr(self, table)
            pairs = [(before.get(key), after.get(key)) for key in keys]
            added[table] = tuple(new for old, new in pairs if old is None and new is not None)
            other[table] = tuple(
                new for old, new in pairs if old is not None and new is not None and old != new
            )
            removed[table] = tuple(old for old, new in pairs if old is not None and new is None)
        return Changes(
            run=changed(
                self.run, revision=self.run.revision + 1, history_length=self.history_length
            ),
            added=_rows(added),
            changed=_rows(other),
            removed=_rows(removed),
            history=tuple(self._history),
            notices=tuple(self._notices),
        )


def _unleased(job: Job) -> Job:
    return changed(job, attempt=job.attempt + 1, lease_owner=None, lease_until=None)


def _rows(tables: dict[str, Any]) -> Rows:
    return Rows(**tables)
