"""
A life-cycle run as rows: what stands between two steps, and what one step changes.

Every value here is one row of one table: scalars, times, tuples of text and JSON-able mappings, nothing
else. All rows of a run are loaded and written together, by its ``run_id``, in one transaction that has
locked the run first. A row that is over is removed, so a loop of ten years costs nothing; what
happened is in the history.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the codec reads the annotations
from dataclasses import dataclass, field, fields
from datetime import datetime  # noqa: TC003 - the codec reads the annotations
from enum import StrEnum
from operator import attrgetter
from typing import Any, Protocol, TypeVar

from pilothouse.bpmn.history import HistoryEntry  # noqa: TC001 - the codec reads the annotations
from pilothouse.domain.approvals import Quorum, Vote  # noqa: TC001 - the codec reads the annotations


class Ids(Protocol):
    """Make a new id with a prefix; the only source of identity in a step."""

    def __call__(self, prefix: str, /) -> str:
        """Give an id such as ``tkn_01J…``, never the same twice."""
        ...


class IdPrefix(StrEnum):
    """The prefixes that a step asks ids for."""

    SCOPE = "sco"
    TOKEN = "tkn"  # noqa: S105 - a token of a run, not a secret
    JOB = "lcj"
    SUBSCRIPTION = "sub"
    TASK = "tsk"
    INCIDENT = "inc"
    COMPENSATION = "cmp"
    THROWN = "msg"


class RunStatus(StrEnum):
    """Where a whole run stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    """A person holds it where it stands, until somebody resumes it."""
    COMPLETED = "completed"
    """Every token reached an end, or a terminate end event was reached."""
    FAILED = "failed"
    """An error end event was reached that nothing in the drawing catches."""
    TERMINATED = "terminated"
    """A person cancelled the run."""


UNDER_WAY = frozenset({RunStatus.ACTIVE, RunStatus.SUSPENDED})
"""Of a run that has not ended."""


class ScopeKind(StrEnum):
    """What opened a scope."""

    PROCESS = "process"
    SUBPROCESS = "subprocess"
    EVENT_SUBPROCESS = "event-subprocess"
    MULTI_INSTANCE = "multi-instance"
    """All instances of an activity together; each is a token that holds a scope of its own."""
    INSTANCE = "instance"
    """One instance of a multi-instance activity."""
    LOOP = "loop"
    """All rounds of a standard loop together."""
    ROUND = "round"
    """One round of a standard loop."""
    COMPENSATION = "compensation"
    """Where one handler after the other undoes what was done."""


BODIES = frozenset({ScopeKind.MULTI_INSTANCE, ScopeKind.LOOP})
"""Scopes in which each token is one instance or round of the activity that the scope's holder stands at."""
REPETITIONS = frozenset({ScopeKind.INSTANCE, ScopeKind.ROUND})
"""Scopes in which a repeated activity runs as if it were drawn plainly."""


class TokenStatus(StrEnum):
    """Why a token stands where it stands."""

    MOVING = "moving"
    """Only inside a step: no row is ever stored so."""
    WAITING = "waiting"
    """For a job, a task, a message, a signal, a timer, or for an inner scope to end."""
    JOINING = "joining"
    """At a parallel or inclusive gateway, for the other incoming flows."""
    LISTENING = "listening"
    """At the start of an event sub-process, which opens when its event comes; it keeps no scope open."""
    STOPPED = "stopped"
    """At an element that could not be entered; an incident says why."""
    HELD = "held"
    """Come to an element while the run is suspended; it is entered when the run is resumed."""


class JobKind(StrEnum):
    """What has to be done about a job when it is due."""

    SERVICE = "service"
    TIMER = "timer"


class TaskTimer(StrEnum):
    """What a timer of a task is for; the topic of its job."""

    REMINDER = "reminder"
    ESCALATION = "escalation"


class JobStatus(StrEnum):
    """Whether a job may be claimed."""

    READY = "ready"
    OFFERED = "offered"
    """To workers outside the platform, which fetch it by its topic; nobody else claims it."""
    SUSPENDED = "suspended"
    """With its run; what a worker that has it already reports is taken."""
    INCIDENT = "incident"


class SubscriptionKind(StrEnum):
    """What a token waits to hear."""

    MESSAGE = "message"
    SIGNAL = "signal"
    CONDITION = "condition"


class TaskStatus(StrEnum):
    """Whether somebody has taken a task."""

    OPEN = "open"
    CLAIMED = "claimed"


class NoticeKind(StrEnum):
    """What the caller of a step may want to tell others, in the same transaction."""

    RUN_ENDED = "run-ended"
    TASK_OPENED = "task-opened"
    INCIDENT_RAISED = "incident-raised"
    MESSAGE_THROWN = "message-thrown"
    SIGNAL_THROWN = "signal-thrown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    One instance of one version of a life cycle.

    ``revision`` grows by one with each step and is what compare-and-set is done on; ``history_length``
    is the sequence number of its last history entry; ``outcome`` is the id of the end event (or the
    error code, for a failed run) that ended it.
    """

    id: str
    definition_id: str
    business_key: str | None
    state: RunStatus
    revision: int
    history_length: int
    started_at: datetime
    started_by: str
    ended_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """
    Where variables live: the process itself, or what a token of the parent scope, ``token_id``, holds open.

    Of a repeated activity, ``size`` is how many instances there are to be (None for a loop, which decides
    after each round), ``started`` and ``ended`` how many there have been, ``items`` the items of the
    instances, where they come one after the other, and ``outputs`` what each has given so far. ``number`` is
    which instance or round it is, from 1.
    """

    id: str
    run_id: str
    parent_id: str | None
    token_id: str | None
    element: str
    kind: ScopeKind
    size: int | None = None
    started: int = 0
    ended: int = 0
    number: int | None = None
    items: tuple[object, ...] | None = None
    outputs: tuple[object, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """One JSON-able value by name in one scope; the key of the row is (scope_id, name)."""

    run_id: str
    scope_id: str
    name: str
    value: object

    @property
    def id(self) -> str:
        """The row's key as one text, for the mapping in `RunState`."""
        return f"{self.scope_id}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A place where the run is right now."""

    id: str
    run_id: str
    scope_id: str
    element: str
    state: TokenStatus
    incoming_flow: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    Work for a worker, or a timer.

    Claiming is not a step: the claim adds one to ``attempt`` and sets ``lease_owner`` and ``lease_until``,
    and leaves ``due_at`` alone. A job may be claimed when it is ready, due, and its lease is over or
    none. ``id`` is the idempotency key of the effect and stays the same over all attempts.

    ``attempt`` is a fence, not a count of failures (that is ``failures``): claims, failures and
    postponements each add one. ``repeats_left`` counts the further firings of a cyclic timer, None being
    no limit; ``period`` is its series, as `pilothouse.bpmn.series` keeps it.
    """

    id: str
    run_id: str
    token_id: str
    element: str
    kind: JobKind
    topic: str | None
    state: JobStatus
    due_at: datetime
    created_at: datetime
    attempt: int = 0
    failures: int = 0
    retries_left: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = None
    inputs: Mapping[str, object] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    last_error: str | None = None
    period: str | None = None
    repeats_left: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """
    A token that waits for a message by name and key, for a signal by name, or for a condition.

    Of a condition, ``name`` is its element, and ``held`` whether it held when it was last looked at: it takes
    effect where that changes from false to true. None says that it could not be evaluated, and waits for the
    retry of its incident.
    """

    id: str
    run_id: str
    token_id: str
    element: str
    kind: SubscriptionKind
    name: str
    correlation_key: str | None
    created_at: datetime
    held: bool | None = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UserTask:
    """
    A step that waits for people.

    Who may see or complete it is the caller's to check: ``candidate_roles``, ``candidate_people``,
    ``assignee`` and ``separate_from`` (people who may not complete it) are what the drawing says. ``form``
    is ``{"fields": [{name, type, label, required, choices}, …]}``; answers are checked against it. With a
    ``quorum`` each answer is one of the ``votes``, and the task is over with the one that decides.
    """

    id: str
    run_id: str
    token_id: str
    element: str
    name: str
    state: TaskStatus
    created_at: datetime
    candidate_roles: tuple[str, ...] = ()
    candidate_people: tuple[str, ...] = ()
    separate_from: tuple[str, ...] = ()
    assignee: str | None = None
    form: Mapping[str, object] | None = None
    inputs: Mapping[str, object] = field(default_factory=dict)
    due_at: datetime | None = None
    priority: int = 50
    quorum: Quorum | None = None
    votes: tuple[Vote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A token or a job that cannot go on until a person helps; the row goes when it is retried or cancelled."""

    id: str
    run_id: str
    token_id: str
    job_id: str | None
    element: str
    code: str
    message: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensation:
    """
    What can be undone: an activity that was completed in a scope, and the activity that undoes it.

    A greater ``sequence`` was completed later. ``variables`` are those that its scope saw and that the
    process itself does not have.
    """

    id: str
    run_id: str
    scope_id: str
    sequence: int
    element: str
    handler: str
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """
    Something that others may want to know: ``subject_id`` is the run, the task or the incident.

    Of a message or signal that was thrown, ``subject_id`` is an id of its own, by which it is delivered
    once, and ``text`` its name; a message has a ``correlation_key`` and lives ``time_to_live_s`` seconds.
    """

    kind: NoticeKind
    run_id: str
    subject_id: str
    element: str | None = None
    text: str = ""
    correlation_key: str | None = None
    time_to_live_s: float | None = None
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Some rows of one run, by table, in the order in which they were made."""

    scopes: tuple[Scope, ...] = ()
    variables: tuple[Variable, ...] = ()
    tokens: tuple[Token, ...] = ()
    jobs: tuple[Job, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    tasks: tuple[UserTask, ...] = ()
    incidents: tuple[Incident, ...] = ()
    compensations: tuple[Compensation, ...] = ()


TABLES = tuple(table.name for table in fields(Rows))
_EVERY_TABLE = attrgetter(*TABLES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """
    What one step did: write it all, in one transaction, or none of it.

    ``run`` is the run's new row. Its ``revision`` is 1 after the start and one more after each step, so
    a writer that finds another revision than ``run.revision - 1`` has lost a race.
    """

    run: Run
    added: Rows
    changed: Rows
    removed: Rows
    history: tuple[HistoryEntry, ...]
    notices: tuple[Notice, ...] = ()


class _Row(Protocol):
    @property
    def id(self) -> str: ...


_R = TypeVar("_R", bound=_Row)
_T = TypeVar("_T")
_CELLS: dict[type, tuple[tuple[str, ...], attrgetter[tuple[Any, ...]]]] = {}


def changed(value: _T, **changes: Any) -> _T:  # noqa: ANN401 fields of the value
    """
    Give a frozen value with some fields changed: `dataclasses.replace`, in half of its time.

    A step changes half a dozen values; through `replace` that took 16 us of its 160.

    Examples
    --------
    >>> changed(Token(id="t", run_id="r", scope_id="s", element="a", state=TokenStatus.MOVING), element="b").element
    'b'
    """
    kind = type(value)
    if kind not in _CELLS:
        names = tuple(field.name for field in fields(kind))  # type: ignore[arg-type]
        _CELLS[kind] = (names, attrgetter(*names))
    names, cells = _CELLS[kind]
    return kind(**dict(zip(names, cells(value), strict=True)) | changes)


def by_id(rows: tuple[_R, ...]) -> Mapping[str, _R]:
    """Index rows by their id."""
    return {row.id: row for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """All rows of one run but its history, by id."""

    run: Run
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    variables: Mapping[str, Variable] = field(default_factory=dict)
    tokens: Mapping[str, Token] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)
    subscriptions: Mapping[str, Subscription] = field(default_factory=dict)
    tasks: Mapping[str, UserTask] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    compensations: Mapping[str, Compensation] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run, rows: Rows) -> RunState:
        """Gather loaded rows; the order of the rows does not matter."""
        return cls(run=run, **{table: by_id(getattr(rows, table)) for table in TABLES})

    def after(self, changes: Changes) -> RunState:
        """Give the state that stands once `changes` is written, as a store would load it."""
        sides = (self, changes.removed, changes.changed, changes.added)
        each = zip(TABLES, *map(_EVERY_TABLE, sides), strict=True)
        tables = {name: _after(before, *rows) for name, before, *rows in each}
        return RunState(run=changes.run, **tables)


def _after(
    before: Mapping[str, Any],
    removed: tuple[_Row, ...],
    changed: tuple[_Row, ...],
    added: tuple[_Row, ...],
) -> Mapping[str, Any]:
    if not (removed or changed or added):
        return before  # most steps touch two of the tables
    rows = dict(before)
    for gone in removed:
        del rows[gone.id]
    for new in (*changed, *added):
        rows[new.id] = new
    return rows
