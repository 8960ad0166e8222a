"""
The contract of every task type.

A task type's handler is called outside any transaction, may be cut off at any point and is then called again,
with the same job. So it makes sure (``ensure``) rather than does, and whatever creates something goes
through `TaskContext.once`. A wait is an outcome, `Later`, never a sleep.

A foreign package brings a task type by an entry point of the group ``pilothouse.task_types``: its name is the
topic, its object a function that takes the `Facilities` and gives the `TaskType`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from pilothouse.domain.access import KeyedCall
from pilothouse.domain.plain import digest
from pilothouse.lifecycle.errors import ForeignServiceError, TaskInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from pilothouse.application.calls import Calls
    from pilothouse.application.deployments import Deployments
    from pilothouse.application.evaluations import Evaluations
    from pilothouse.application.jobs import Jobs
    from pilothouse.application.load_tests import LoadTests
    from pilothouse.application.routes import Routes
    from pilothouse.application.runtimes import Runtimes
    from pilothouse.bpmn.state import Job
    from pilothouse.domain.access import Principal
    from pilothouse.domain.lifecycles import RunHeading
    from pilothouse.domain.services import Service
    from pilothouse.lifecycle.decisions import Decisions
    from pilothouse.lifecycle.runs import Runs
    from pilothouse.lifecycle.tasks.catalogue import Parameter
    from pilothouse.ports.artifacts import ArtifactStore
    from pilothouse.ports.clock import Clock
    from pilothouse.ports.entries import Entries
    from pilothouse.ports.outgoing import Notifications, Outgoing
    from pilothouse.ports.unit_of_work import OpenWork

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The task is done; its variables go to the run."""

    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """What the task waits for is under way: ask again after so many seconds. It costs no retry."""

    after_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessError:
    """The task has an outcome that the drawing may provide for by a boundary event."""

    code: str
    message: str
    variables: Mapping[str, object] = field(default_factory=dict)


Outcome = Done | Later | BusinessError


@dataclass(frozen=True, slots=True, kw_only=True)
class Facilities:
    """What task types work with; `results_location` is the registered location that score jobs write to."""

    open_work: OpenWork
    clock: Clock
    calls: Calls
    deployments: Deployments
    jobs: Jobs
    load_tests: LoadTests
    routes: Routes
    evaluations: Evaluations
    runtimes: Runtimes
    decisions: Decisions
    artifacts: ArtifactStore
    entries: Entries
    runs: Runs
    outgoing: Outgoing
    notifications: Notifications
    results_location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """
    One delivery of one job.

    Attributes
    ----------
    job
        The life-cycle job; its id stays the same over all attempts.
    heading
        The run that it belongs to.
    who
        The platform, with an operator's rights in the run's group and because of the run.
    at
        The moment of the delivery.
    confirm
        Raises `LeaseLostError` when another worker has the job now; `once` asks it before anything new.
    """

    job: Job
    heading: RunHeading
    who: Principal
    at: datetime
    calls: Calls
    confirm: Callable[[], None]

    @property
    def age(self) -> timedelta:
        """How long ago the job was offered first."""
        return self.at - self.job.created_at

    def keyed(self, part: str) -> Principal:
        """
        Give the platform with a key for one part of this job's work.

        The key is the job's id, the part and the digest of the inputs: retried with other inputs it is other work.
        """
        request = digest(self.job.inputs)
        return replace(
            self.who, call=KeyedCall(key=f"{self.job.id}/{part}/{request[:16]}", request=request)
        )

    def once(self, part: str, kind: type[T], act: Callable[[Principal], T]) -> T:
        """
        Act under a key, or give what the same part of this job came to in an earlier delivery.

        `act` is called with the caller to act as, and commits one unit of work with its result.
        """
        who = self.keyed(part)

        def acting() -> T:
            self.confirm()
            return act(who)

        return self.calls.once(who, kind, acting)

    def text(self, name: str) -> str | None:
        """Give a text input; None where it is null, empty or missing."""
        value = self.job.inputs.get(name)
        return str(value) if value else None

    def needed(self, name: str) -> str:
        """Give a text input that was checked to be there."""
        return str(self.job.inputs[name])

    def number(self, name: str, *, otherwise: float) -> float:
        """Give a number that was checked to be one."""
        value = self.job.inputs.get(name)
        return float(value) if isinstance(value, int | float) else otherwise

    def flag(self, name: str, *, otherwise: bool) -> bool:
        """Give a yes or no."""
        value = self.job.inputs.get(name)
        return otherwise if value is None else bool(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskType:
    """What works on a topic: its parameters, and the handler."""

    topic: str
    parameters: Mapping[str, Parameter]
    handle: Callable[[TaskContext], Outcome]


def check_inputs(task_type: TaskType, inputs: Mapping[str, object]) -> None:
    """
    Make sure that a job has what its task type needs.

    Raises
    ------
    TaskInputError
        When a parameter is missing or of the wrong kind.
    """
    for name, parameter in task_type.parameters.items():
        value = inputs.get(name)
        if value is None or value == "":
            problem = "is missing" if parameter.required else ""
        else:
            problem = parameter.problem(value)
        if problem:
            raise TaskInputError(topic=task_type.topic, parameter=name, problem=problem)


def own_service(facilities: Facilities, context: TaskContext) -> Service:
    """
    Give the service that a job is about.

    Raises
    ------
    ForeignServiceError
        When it is another group's.
    """
    with facilities.open_work.reading(context.who) as work:
        found = work.services.get(context.needed("service"))
    if found.group != context.heading.group:
        raise ForeignServiceError(service=found.tag, group=context.heading.group)
    return found


def reported_before(facilities: Facilities, context: TaskContext, part: str) -> bool:
    """Whether an earlier delivery has said so already; from now on one has."""
    keyed = context.keyed(part)
    if facilities.calls.answer(keyed) is not None:
        return True
    with facilities.open_work(keyed) as work:
        work.commit(True)
    return False


def pause_s(context: TaskContext, *, shortest_s: float = 0.5, longest_s: float = 10.0) -> float:
    """Give the time to the next look: a tenth of how long it has taken so far, so that long waits cost few rows."""
    return min(max(context.age.total_seconds() / 10, shortest_s), longest_s)
