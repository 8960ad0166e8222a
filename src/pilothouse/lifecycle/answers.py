"""
What a simulated run is answered: by its workers, by people, by whoever sends it messages and signals.

Answers are given by the id of the element that waits. A mapping answers it every time; a list answers its first
wait, its second one and so on, and then no more. Moments are durations from when the element began to wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pilothouse.bpmn.durations import Duration
from pilothouse.domain.errors import InvalidError
from pilothouse.domain.plain import DocumentError, from_plain

SOMEBODY = "simulator"
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE = "PT0S"


class Ending(StrEnum):
    """Why a simulation is over."""

    COMPLETED = "completed"
    FAILED = "failed"
    """At an error end event that nothing catches."""
    INCIDENT = "incident"
    """At a step that a person would have to repair."""
    WAITING = "waiting"
    """For an answer that was not given."""
    ENDLESS = "endless"
    """After so many happenings that it may never end."""


class AnswersInvalidError(InvalidError):
    """What was given to a simulation cannot be used."""

    code = "answers-invalid"

    def __init__(self, *, place: str, problem: str) -> None:
        self.place, self.problem = place, problem
        super().__init__(f"The answers cannot be used: at {place}, {problem}. Correct them.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    One answer.

    Attributes
    ----------
    variables
        What the worker answers, the person fills in, or the message carries.
    error
        Instead: the code of a business error that the worker answers with.
    failure
        Instead: the words of a technical failure, which costs a retry.
    after
        How long it takes, an ISO 8601 duration.
    by
        Who completes a task; somebody that the task must be separate from is refused. Where nobody is named, each
        vote on a task with a quorum is another person's.
    roles
        The roles that this person votes in; where none is named, all that the task asks for.
    """

    variables: Mapping[str, object] = field(default_factory=dict)
    error: str | None = None
    failure: str | None = None
    after: str = AT_ONCE
    by: str = SOMEBODY
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """The answers of one element: `steps` in order, the last one again and again where `always`."""

    steps: tuple[Answer, ...]
    always: bool = False

    def at(self, wait: int) -> Answer | None:
        """
        Give the answer to a wait, counted from 0.

        Examples
        --------
        >>> Answers(steps=(Answer(error="late"),)).at(1) is None
        True
        """
        if wait < len(self.steps):
            return self.steps[wait]
        return self.steps[-1] if self.always and self.steps else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message (with its correlation key) or a signal (without one) that is sent `after` the start."""

    name: str
    key: str | None = None
    after: str = AT_ONCE
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How the run has to end; what is None is not looked at, and of `variables` only those that are named."""

    ending: Ending | None = None
    outcome: str | None = None
    passed: tuple[str, ...] | None = None
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """
    All that a simulation is given.

    Attributes
    ----------
    variables
        Those that the run begins with.
    event
        The id of the start event; without it the only one, or the only one without a trigger.
    at
        When the run begins.
    answers
        By the id of the element.
    topics
        By topic, for jobs whose element has no answer of its own.
    sent
        Messages and signals, for whoever waits for them by name.
    expected
        How it has to end.
    """

    variables: Mapping[str, object] = field(default_factory=dict)
    event: str | None = None
    at: datetime = BEGINNING
    answers: Mapping[str, Answers] = field(default_factory=dict)
    topics: Mapping[str, Answers] = field(default_factory=dict)
    sent: tuple[Sent, ...] = ()
    expected: Expected | None = None


def read_script(document: Mapping[str, Any]) -> Script:
    """
    Read a script from its plain form, as an answers file has it.

    Raises
    ------
    AnswersInvalidError
        When a field is not known, of another type, or contradicts another.

    Examples
    --------
    >>> script = read_script({"answers": {"approve": {"variables": {"decision": "approve"}, "after": "P2D"}}})
    >>> script.answers["approve"].at(7).after
    'P2D'
    """
    plain = dict(document)
    for place in ("answers", "topics"):
        plain[place] = _spread(place, plain.get(place, {}))
    try:
        script = from_plain(Script, plain)
    except DocumentError as error:
        raise AnswersInvalidError(
            place=error.path.replace(".steps", ""), problem=error.problem
        ) from None
    _check(script)
    return script


def _spread(place: str, given: object) -> dict[str, object]:
    if not isinstance(given, Mapping):
        raise AnswersInvalidError(place=place, problem="there is no mapping by name")
    return {
        str(name): {"steps": value, "always": False}
        if isinstance(value, list)
        else {"steps": [value if value is not None else {}], "always": True}
        for name, value in given.items()
    }


def _check(script: Script) -> None:
    for name, answers in {**script.topics, **script.answers}.items():
        for answer in answers.steps:
            _check_duration(name, answer.after)
            if answer.error is not None and answer.failure is not None:
                raise AnswersInvalidError(place=name, problem="there are an error and a failure")
    for sent in script.sent:
        _check_duration(sent.name, sent.after)


def _check_duration(place: str, text: str) -> None:
    try:
        Duration.parsed(text)
    except ValueError as error:
        raise AnswersInvalidError(place=place, problem=str(error)) from None
