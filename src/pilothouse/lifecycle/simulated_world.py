"""The world around a simulated run: who answers what, and when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import Human
from pilothouse.bpmn.durations import Duration
from pilothouse.bpmn.errors import (
    ExpressionFailedError,
    FormAnswerError,
    VariableInvalidError,
    VotedAlreadyError,
)
from pilothouse.bpmn.happenings import (
    Happening,
    JobBusinessError,
    JobCompleted,
    JobFailed,
    MessageArrived,
    SignalArrived,
    TaskCompleted,
    TimerDue,
)
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import JobKind, JobStatus, NoticeKind, RunStatus, SubscriptionKind
from pilothouse.domain.plain import rfc3339
from pilothouse.lifecycle.answers import (
    SOMEBODY,
    Answer,
    Answers,
    AnswersInvalidError,
    Script,
    Sent,
)
from pilothouse.lifecycle.simulated_decisions import GivenDecisions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from pilothouse.bpmn.definition import Definition
    from pilothouse.bpmn.state import Job, Notice, Subscription, UserTask
    from pilothouse.dmn import Decisions

REFUSED = (FormAnswerError, VariableInvalidError, ExpressionFailedError, VotedAlreadyError)
THROWN = (NoticeKind.MESSAGE_THROWN, NoticeKind.SIGNAL_THROWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """
    Something that comes next: at which moment, in which order among those of one moment, to which element.

    ``used`` names the answers that it takes, ``sent`` the message or signal, ``wait`` the row that it is for.
    """

    at: datetime
    order: tuple[int, str]
    element: str
    wait: str
    happening: Happening
    used: str | None = None
    sent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Underway:
    """
    A message or signal that is sent at a moment; ``number`` tells it from others.

    Of a signal that the run itself sends, ``hearers`` are those who waited for it then.
    """

    number: int
    at: datetime
    sent: Sent
    hearers: frozenset[str] | None = None


class World:
    """
    One simulated run, with what is given to it.

    Of all that can come next the earliest comes; at one moment timers come before answers, and those in the order
    in which their waits began. A signal is for those who wait when it is sent; a message is kept until somebody
    waits for it.
    """

    def __init__(
        self, definition: Definition, script: Script, *, decisions: Sequence[Decisions] = ()
    ) -> None:
        _check_names(definition, script)
        self._script, self._decisions = script, GivenDecisions(files=decisions)
        self._taken: Counter[str] = Counter()
        self.play = Play(definition, script.variables, event=script.event, at=script.at)
        self._underway = [
            Underway(number=n, at=_later(script.at, sent.after), sent=sent)
            for n, sent in enumerate(script.sent)
        ]
        self._numbers, self._notices = len(self._underway), 0
        self._heard, self._answered = set[tuple[int, str]](), set[str]()
        self._take_thrown(frozenset())

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, or stands at an incident."""
        return self.play.state.run.state is not RunStatus.ACTIVE or bool(self.play.state.incidents)

    def next_move(self) -> Move | None:
        """Give what comes next, or None where nothing does."""
        moves = (*self._timers(), *self._jobs(), *self._tasks(), *self._arrivals())
        return min(moves, key=lambda move: (move.at, move.order), default=None)

    def make(self, move: Move) -> None:
        """
        Move the clock, and let it happen.

        Raises
        ------
        AnswersInvalidError
            When the run cannot take the answer.
        """
        self.play.now = max(self.play.now, move.at)
        waited = frozenset(self.play.state.subscriptions)
        try:
            self.play.happen(move.happening)
        except REFUSED as error:
            raise AnswersInvalidError(place=move.element, problem=error.message) from error
        if move.used is not None:
            self._taken[move.used] += 1
            self._answered.add(move.wait)
        if move.sent is not None:
            self._heard.add((move.sent, move.wait))
        self._underway = [u for u in self._underway if not self._is_spent(u)]
        self._take_thrown(waited)

    def _is_spent(self, underway: Underway) -> bool:
        """Whether nobody can hear it any more: a message has one hearer, a signal those of its moment."""
        if underway.sent.key is not None:
            return self._is_heard(underway.number)
        return underway.at < self.play.now

    def _is_heard(self, number: int) -> bool:
        return any(number == heard for heard, _ in self._heard)

    def waits(self) -> Iterator[str]:
        """Say what the run waits for."""
        state = self.play.state
        for job in sorted(state.jobs.values(), key=lambda j: j.id):
            if job.kind is JobKind.TIMER:
                yield f"the timer {job.element} is due at {rfc3339(job.due_at)}"
            else:
                yield f"{job.element} waits for a worker of the topic {job.topic}"
        for task in sorted(state.tasks.values(), key=lambda t: t.id):
            yield f"{task.element} waits for a person"
        for wait in sorted(state.subscriptions.values(), key=lambda s: s.id):
            if wait.kind is SubscriptionKind.CONDITION:
                yield f"{wait.element} waits for its condition"
                continue
            key = f" with the key {wait.correlation_key}" if wait.correlation_key else ""
            yield f"{wait.element} waits for the {wait.kind} {wait.name}{key}"

    def unused(self) -> Iterator[str]:
        """Name the answers that nothing asked for, and what was sent and not heard."""
        for place, given in (("answers", self._script.answers), ("topics", self._script.topics)):
            yield from (f"{place}.{name}" for name in given if not self._taken[f"{place}.{name}"])
        for number, sent in enumerate(self._script.sent):
            if not self._is_heard(number):
                yield f"sent {sent.name}"

    def _timers(self) -> Iterator[Move]:
        for job in self.play.state.jobs.values():
            if job.kind is JobKind.TIMER and job.state is JobStatus.READY:
                yield _move(job, job.due_at, TimerDue(job_id=job.id), rank=0)

    def _jobs(self) -> Iterator[Move]:
        for job in self.play.state.jobs.values():
            if job.kind is not JobKind.SERVICE or job.state is not JobStatus.READY:
                continue
            if isinstance(self.play.definition.nodes[job.element], Human):
                yield _move(job, job.due_at, JobCompleted(job_id=job.id, attempt=job.attempt))
                continue
            place, answer = self._answer(job.element, job.topic)
            if answer is not None:
                at = max(job.due_at, _later(job.created_at, answer.after))
                yield _move(job, at, _report(job, answer), used=place)
                continue
            decided = self._decisions.answer(job, now=max(self.play.now, job.due_at))
            if decided is not None:
                yield _move(job, job.due_at, decided)

    def _tasks(self) -> Iterator[Move]:
        for task in self.play.state.tasks.values():
            place, answer = self._answer(task.element)
            if answer is not None:
                at = _later(task.created_at, answer.after)
                yield _move(task, at, _completed(task, answer), used=place)

    def _arrivals(self) -> Iterator[Move]:
        waits = self.play.state.subscriptions.values()
        for wait in (w for w in waits if w.kind is not SubscriptionKind.CONDITION):
            place, answer = self._answer(wait.element)
            if answer is not None and not self._is_answered_always(wait):
                happening = _arrival(wait, answer.variables, message_id=f"message to {wait.id}")
                yield _move(wait, _later(wait.created_at, answer.after), happening, used=place)
            for underway in self._underway:
                if _reaches(underway, wait) and (underway.number, wait.id) not in self._heard:
                    yield _delivery(wait, underway)

    def _is_answered_always(self, wait: Subscription) -> bool:
        """Whether the one answer for every wait has been given to this one, which goes on listening."""
        given = self._script.answers.get(wait.element)
        return given is not None and given.always and wait.id in self._answered

    def _answer(self, element: str, topic: str | None = None) -> tuple[str, Answer | None]:
        own = self._script.answers.get(element)
        name = f"answers.{element}" if own is not None else f"topics.{topic}"
        found = own if own is not None else self._script.topics.get(topic or "", Answers(steps=()))
        return name, found.at(self._taken[name])

    def _take_thrown(self, waited: frozenset[str]) -> None:
        """Put what the run itself has sent on its way; a signal is for those who waited before the step."""
        fresh = self.play.notices[self._notices :]
        self._notices = len(self.play.notices)
        for notice in fresh:
            if notice.kind in THROWN:
                self._underway.append(self._thrown(notice, waited))
                self._numbers += 1

    def _thrown(self, notice: Notice, waited: frozenset[str]) -> Underway:
        is_message = notice.kind is NoticeKind.MESSAGE_THROWN
        sent = Sent(
            name=notice.text,
            key=(notice.correlation_key or "") if is_message else None,
            variables=notice.variables,
        )
        return Underway(
            number=self._numbers,
            at=self.play.now,
            sent=sent,
            hearers=None if is_message else waited,
        )


def _check_names(definition: Definition, script: Script) -> None:
    for name in script.answers:
        if name not in definition.nodes:
            raise AnswersInvalidError(
                place=f"answers.{name}", problem=f"{definition.id} has no element of this id"
            )
    for name in script.topics:
        if name not in definition.topics:
            raise AnswersInvalidError(
                place=f"topics.{name}", problem=f"no task of {definition.id} is of this topic"
            )


def _move(
    wait: Job | UserTask | Subscription,
    at: datetime,
    happening: Happening,
    *,
    used: str | None = None,
    rank: int = 1,
) -> Move:
    order = (rank, wait.id.rpartition("_")[2])
    return Move(
        at=at, order=order, element=wait.element, wait=wait.id, happening=happening, used=used
    )


def _delivery(wait: Subscription, underway: Underway) -> Move:
    happening = _arrival(
        wait, underway.sent.variables, message_id=f"message {underway.number} to {wait.id}"
    )
    move = _move(wait, max(underway.at, wait.created_at), happening)
    return replace(move, sent=underway.number)


def _later(at: datetime, after: str) -> datetime:
    return Duration.parsed(after).after(at)


def _report(job: Job, answer: Answer) -> Happening:
    if answer.failure is not None:
        return JobFailed(
            job_id=job.id, attempt=job.attempt, message=answer.failure, code="simulated-failure"
        )
    if answer.error is None:
        return JobCompleted(job_id=job.id, attempt=job.attempt, variables=answer.variables)
    return JobBusinessError(
        job_id=job.id,
        attempt=job.attempt,
        code=answer.error,
        message=f"The worker answers {answer.error}.",
        variables=answer.variables,
    )


def _completed(task: UserTask, answer: Answer) -> TaskCompleted:
    if answer.error is not None or answer.failure is not None:
        raise AnswersInvalidError(place=task.element, problem="a person answers by variables alone")
    if answer.by in task.separate_from:
        raise AnswersInvalidError(
            place=task.element, problem=f"it must be done by somebody else than {answer.by}"
        )
    by = f"{SOMEBODY} {len(task.votes) + 1}" if task.votes and answer.by == SOMEBODY else answer.by
    return TaskCompleted(
        task_id=task.id,
        actor=task.assignee if task.assignee is not None else by,
        variables=answer.variables,
        roles=answer.roles or task.candidate_roles,
    )


def _arrival(wait: Subscription, variables: Mapping[str, object], *, message_id: str) -> Happening:
    if wait.kind is SubscriptionKind.SIGNAL:
        return SignalArrived(subscription_id=wait.id, variables=variables)
    return MessageArrived(subscription_id=wait.id, message_id=message_id, variables=variables)


def _reaches(underway: Underway, wait: Subscription) -> bool:
    if wait.name != underway.sent.name:
        return False
    if underway.sent.key is None:
        in_time = wait.created_at <= underway.at
        heard = wait.id in underway.hearers if underway.hearers is not None else in_time
        return wait.kind is SubscriptionKind.SIGNAL and heard
    return wait.kind is SubscriptionKind.MESSAGE and wait.correlation_key == underway.sent.key
