"""What a token waits for: the jobs, tasks, subscriptions and timers that are armed when it enters a node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import (
    Activity,
    Catch,
    Condition,
    EventStart,
    Human,
    Message,
    Service,
    Signal,
    SubProcess,
)
from pilothouse.bpmn.errors import ExpressionFailedError
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.reminding import arm_task
from pilothouse.bpmn.state import (
    IdPrefix,
    Job,
    JobKind,
    JobStatus,
    NoticeKind,
    Scope,
    ScopeKind,
    Subscription,
    SubscriptionKind,
    TaskStatus,
    Token,
    TokenStatus,
    UserTask,
)
from pilothouse.bpmn.timers import Timer, TimerKind, read_schedule, schedule
from pilothouse.bpmn.variables import mapped, visible, write_local

if TYPE_CHECKING:
    from datetime import datetime

    from pilothouse.bpmn.board import Board
    from pilothouse.bpmn.expressions import Value, Variables

Trigger = Timer | Message | Signal | Condition


def enter_activity(board: Board, token: Token, node: Activity) -> None:
    """
    Let a token wait at an activity or catch event, with its boundary events armed.

    Raises
    ------
    ExpressionFailedError
        When a mapping, an assignment or a timer cannot be evaluated; rows may have been armed by then.
    """
    seen = visible(board, token.scope_id)
    board.wait(token)
    match node:
        case Service():
            subject: dict[str, object] = {"job": _offer_job(board, token, node, seen)}
        case Human():
            subject = {"task": _open_task(board, token, node, seen)}
        case Catch():
            subject = {}
            arm(board, token, node.id, node.trigger, seen)
        case SubProcess():
            inputs = mapped(node.inputs, seen)
            opened = open_scope(board, token, ScopeKind.SUBPROCESS, inputs, node.start)
            subject = {"scope": opened}
    arm_boundaries(board, token, seen)
    board.record(HistoryEvent.ENTERED, token=token, **subject)


def arm_boundaries(board: Board, token: Token, seen: Variables) -> None:
    """Arm the boundary events that wait for something; errors, escalations and orders to undo find theirs."""
    for boundary in board.boundaries(token):
        if isinstance(boundary.trigger, Trigger):
            arm(board, token, boundary.id, boundary.trigger, seen)


def listen(board: Board, token: Token, node: EventStart) -> None:
    """Let a token stand at the start of an event sub-process, until its event comes or its scope ends."""
    if isinstance(node.trigger, Trigger):
        arm(board, token, node.id, node.trigger, visible(board, token.scope_id))
    board.wait(token, TokenStatus.LISTENING)


def arm(board: Board, token: Token, element: str, trigger: Trigger, seen: Variables) -> None:
    """Arm a timer, or listen for a message, a signal, or a condition."""
    match trigger:
        case Timer():
            armed = schedule(trigger, seen, at=board.at)
            timer = Job(
                id=board.new_id(IdPrefix.JOB),
                run_id=board.run.id,
                token_id=token.id,
                element=element,
                kind=JobKind.TIMER,
                topic=None,
                state=JobStatus.READY,
                due_at=armed.due_at,
                created_at=board.at,
                period=armed.period,
                repeats_left=armed.repeats_left,
            )
            board.put(timer)
        case Message(name=name, correlation_key=key):
            told = name.text_given(seen, purpose="message name")
            key_text = key.text_given(seen, purpose="correlation key") if key else None
            _listen(board, token, element, SubscriptionKind.MESSAGE, (told, key_text))
        case Signal(name=name):
            told = name.text_given(seen, purpose="signal name")
            _listen(board, token, element, SubscriptionKind.SIGNAL, (told, None))
        case Condition():
            # It is looked at once nothing moves any more, also for the first time.
            _listen(board, token, element, SubscriptionKind.CONDITION, (element, None))


def _listen(
    board: Board,
    token: Token,
    element: str,
    kind: SubscriptionKind,
    address: tuple[str, str | None],
) -> None:
    subscription = Subscription(
        id=board.new_id(IdPrefix.SUBSCRIPTION),
        run_id=board.run.id,
        token_id=token.id,
        element=element,
        kind=kind,
        name=address[0],
        correlation_key=address[1],
        created_at=board.at,
    )
    board.put(subscription)


def job_inputs(node: Service, seen: Variables) -> dict[str, object]:
    """
    Give what the worker gets: the mapped inputs, or all visible variables where nothing is mapped.

    Raises
    ------
    ExpressionFailedError
        When a mapping fails.
    """
    given = mapped(node.inputs, seen) if node.inputs else dict(seen)
    if node.called is not None:
        name = node.called.process.text_given(seen, purpose="process id")
        passed = {**seen, **given} if node.called.all_in else mapped(node.inputs, seen)
        return {"definition": name, "variables": passed}
    if node.decision is None:
        return given
    name = node.decision.text_given(seen, purpose="decision id")
    return {"decision": name, "context": given if not node.inputs else {**seen, **given}}


def _offer_job(board: Board, token: Token, node: Service, seen: Variables) -> str:
    job = Job(
        id=board.new_id(IdPrefix.JOB),
        run_id=board.run.id,
        token_id=token.id,
        element=node.id,
        kind=JobKind.SERVICE,
        topic=node.topic,
        state=JobStatus.READY,
        due_at=board.at,
        created_at=board.at,
        retries_left=node.retries,
        inputs=job_inputs(node, seen),
        headers=node.headers,
    )
    board.put(job)
    return job.id


def _open_task(board: Board, token: Token, node: Human, seen: Variables) -> str:
    assignee = _optional_text(node.assignee, seen, "assignee")
    roles = _names(node.candidate_roles, seen, "candidate groups")
    needed = tuple(node.quorum.per_role) if node.quorum else ()
    task = UserTask(
        id=board.new_id(IdPrefix.TASK),
        run_id=board.run.id,
        token_id=token.id,
        element=node.id,
        name=node.name or node.id,
        state=TaskStatus.CLAIMED if assignee else TaskStatus.OPEN,
        created_at=board.at,
        candidate_roles=tuple(dict.fromkeys((*roles, *needed))),
        candidate_people=_names(node.candidate_people, seen, "candidate users"),
        separate_from=_names(node.separate_from, seen, "people to be separate from"),
        assignee=assignee,
        form=node.form,
        inputs=mapped(node.inputs, seen),
        due_at=_due(node.due, seen, board.at),
        priority=node.priority,
        quorum=node.quorum,
    )
    board.put(task)
    arm_task(board, task, node, seen)
    board.notify(
        NoticeKind.TASK_OPENED,
        subject_id=task.id,
        element=node.id,
        text=f"{task.name} waits for you",
    )
    return task.id


def _names(value: Value | None, seen: Variables, purpose: str) -> tuple[str, ...]:
    return value.names_given(seen, purpose=purpose) if value else ()


def _optional_text(value: Value | None, seen: Variables, purpose: str) -> str | None:
    return value.text_given(seen, purpose=purpose) if value else None


def _due(value: Value | None, seen: Variables, at: datetime) -> datetime | None:
    if value is None:
        return None
    given = value.given(seen)
    kind = TimerKind.DATE
    if isinstance(given, str) and given.startswith("P"):
        kind = TimerKind.DURATION
    try:
        return read_schedule(kind, given, at=at).due_at
    except (TypeError, ValueError, OverflowError) as error:
        raise ExpressionFailedError(
            expression=value.text, problem=f"is no due date: {error}"
        ) from error


def open_scope(
    board: Board, token: Token, kind: ScopeKind, variables: Variables, start: str
) -> str:
    """Open the scope of the sub-process where a token stands, and begin in it; give the scope's id."""
    scope = Scope(
        id=board.new_id(IdPrefix.SCOPE),
        run_id=board.run.id,
        parent_id=token.scope_id,
        token_id=token.id,
        element=token.element,
        kind=kind,
    )
    board.put(scope)
    write_local(board, scope.id, variables)
    begin_in(board, scope, start)
    return scope.id


def begin_in(board: Board, scope: Scope, start: str) -> None:
    """Begin in a new scope: first its event sub-processes listen, then its start event is passed."""
    for process in board.definition.opened_by_events(scope.element):
        begin_token(board, scope.id, process.start)
    begin_token(board, scope.id, start)


def begin_token(board: Board, scope_id: str, element: str, flow: str | None = None) -> None:
    """Make a token that moves."""
    token = Token(
        id=board.new_id(IdPrefix.TOKEN),
        run_id=board.run.id,
        scope_id=scope_id,
        element=element,
        state=TokenStatus.MOVING,
        incoming_flow=flow,
    )
    board.move(token)
