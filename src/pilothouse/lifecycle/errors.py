"""What life cycles refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.errors import InvalidError, NotSupportedError, RefusedError

if TYPE_CHECKING:
    from pilothouse.domain.tasks import TaskState


class NotALifecycleError(InvalidError):
    """An uploaded file is neither BPMN nor DMN."""

    code = "not-a-lifecycle"

    def __init__(self, *, root: str) -> None:
        self.root = root
        super().__init__(
            f"The file's root element is {root!r}, which is neither BPMN 2.0 nor DMN. Upload what Camunda Modeler "
            "saves as a process or a decision."
        )


class RunStartError(RefusedError):
    """A run cannot begin as it was asked for."""

    code = "run-start-refused"

    def __init__(self, *, definition: str, problem: str) -> None:
        self.definition, self.problem = definition, problem
        super().__init__(f"The life cycle {definition} cannot be started: {problem}.")


class RunsNestedError(RefusedError):
    """Runs have started one another too many times in a row."""

    code = "runs-nested-too-deep"

    def __init__(self, *, run_id: str, deepest: int) -> None:
        self.run_id, self.deepest = run_id, deepest
        super().__init__(
            f"Run {run_id} is the last of {deepest} that started one another, and may start no more. Look whether a "
            "life cycle starts itself, and upload a corrected one."
        )


class VariableReservedError(InvalidError):
    """A variable that says what a run is about is set by nobody but the platform."""

    code = "variable-reserved"

    def __init__(self, *, names: tuple[str, ...]) -> None:
        self.names = names
        super().__init__(
            f"{', '.join(names)} say what the run is about and cannot be given. Leave them out; start another run "
            "for another snapshot or service."
        )


class TopicUnknownError(NotSupportedError):
    """Nobody here works on a topic."""

    code = "topic-unknown"

    def __init__(self, *, topic: str, known: tuple[str, ...]) -> None:
        self.topic, self.known = topic, known
        super().__init__(
            f"Nobody here works on the topic {topic!r}; known are {', '.join(known) or 'none'}. Install the package "
            "that brings it, or let an administrator give it to workers of the group, then retry."
        )


class TaskInputError(InvalidError):
    """A service task lacks an input, or has one of the wrong kind."""

    code = "task-input-invalid"

    def __init__(self, *, topic: str, parameter: str, problem: str) -> None:
        self.topic, self.parameter, self.problem = topic, parameter, problem
        super().__init__(
            f"The task type {topic} cannot run: its parameter {parameter!r} {problem}. Correct the run's variables "
            "and retry, or upload a corrected definition."
        )


class ForeignServiceError(RefusedError):
    """A run of one group would act on a service of another."""

    code = "service-of-another-group"

    def __init__(self, *, service: str, group: str) -> None:
        self.service, self.group = service, group
        super().__init__(
            f"A run of the group {group} may not act on {service}, which is another group's service. Start a run "
            "in that group."
        )


class LeaseLostError(RefusedError):
    """A worker has lost the job that it was doing to another one."""

    code = "lease-lost"

    def __init__(self, *, job_id: str, attempt: int) -> None:
        self.job_id, self.attempt = job_id, attempt
        super().__init__(
            f"Attempt {attempt} of job {job_id} has lost its lease: somebody else does the job now. Drop it."
        )


class DeploymentFailedError(RefusedError):
    """A deployment that a life cycle ordered does not come up."""

    code = "deployment-failed"

    def __init__(self, *, deployment: str, runtime: str, reason: str) -> None:
        self.deployment, self.runtime, self.reason = deployment, runtime, reason
        super().__init__(
            f"Deployment {deployment} failed on runtime {runtime}: {reason or 'no reason was given'}. See "
            f"`pilothouse runtimes logs {runtime}`, put it right, then retry."
        )


class JobUnsuccessfulError(RefusedError):
    """A batch job that a life cycle ordered has failed or was cancelled."""

    code = "job-unsuccessful"

    def __init__(self, *, job: str, state: str, error: str) -> None:
        self.job, self.state, self.error = job, state, error
        super().__init__(
            f"Job {job} is {state}: {error or 'no reason was given'} The next try orders a new one."
        )


class DatasetMissingError(InvalidError):
    """A service has no data to be measured on."""

    code = "test-dataset-missing"

    def __init__(self, *, service: str) -> None:
        self.service = service
        super().__init__(
            f"The service {service} has no test dataset, so its snapshots cannot be tried out. Register one "
            "(`pilothouse datasets register`), then retry with it: `pilothouse incidents retry INCIDENT "
            """--variables '{"test_dataset": "NAME@VERSION"}'`."""
        )


class NoEndpointError(RefusedError):
    """A smoke test has nobody to ask."""

    code = "no-endpoint"

    def __init__(self, *, service: str, stage: str) -> None:
        self.service, self.stage = service, stage
        super().__init__(
            f"{service} has no endpoint in {stage}. Deploy a snapshot online there first, then retry."
        )


class DecisionInvalidError(InvalidError):
    """A decision table does not give a verdict."""

    code = "decision-invalid"

    def __init__(self, *, decision: str, problem: str) -> None:
        self.decision, self.problem = decision, problem
        super().__init__(
            f"The decision {decision} {problem}. Its outputs must be verdict (PASS, FAIL or INCONCLUSIVE) and reason; "
            "upload a corrected table and retry."
        )


class DecisionTakenError(RefusedError):
    """A file gives decisions whose ids another file of the group has already."""

    code = "decision-taken"

    def __init__(self, *, decisions: tuple[str, ...], definitions: tuple[str, ...]) -> None:
        self.decisions, self.definitions = decisions, definitions
        super().__init__(
            f"The decisions {', '.join(decisions)} are given by {', '.join(definitions)} already, which is another "
            "file. Give them ids of their own, or retire the active versions of the other file first."
        )


class DecisionAmbiguousError(RefusedError):
    """Several active files of a group give a decision of the same id."""

    code = "decision-ambiguous"

    def __init__(self, *, decision: str, definitions: tuple[str, ...]) -> None:
        self.decision, self.definitions = decision, definitions
        super().__init__(
            f"The decision {decision} is given by several files: {', '.join(definitions)}. Retire all but one with "
            "`pilothouse lifecycles retire KEY@VERSION`, then retry."
        )


class NamespaceTwiceError(InvalidError):
    """Two of the decision files given have one namespace, so that an import of it could mean either."""

    code = "namespace-twice"

    def __init__(self, *, namespace: str) -> None:
        self.namespace = namespace
        super().__init__(
            f"Two of the files have the namespace {namespace!r}. Give each file a namespace of its own, or give one."
        )


class TicketAnswerError(RefusedError):
    """A ticket system answers with something else than it documents."""

    code = "ticket-answer-invalid"

    def __init__(self, *, path: str, body: str) -> None:
        self.path, self.body = path, body[:300]
        super().__init__(
            f"The ticket system's answer has no {path}: {self.body}. Check the system and the address that the task "
            "names, then retry."
        )


class TaskNotHeldError(RefusedError):
    """Somebody gives back a task that another person holds, or nobody."""

    code = "task-not-held"

    def __init__(self, *, task: str, holder: str | None, state: TaskState) -> None:
        self.task, self.holder, self.state = task, holder, state
        held = f"held by {holder}" if holder else "held by nobody"
        super().__init__(
            f"Task {task} is {held}, so you cannot release it. Its holder or an administrator can."
        )


class RunMovedOnError(RefusedError):
    """Somebody or something else moved the run since the caller looked at it."""

    code = "run-moved-on"

    def __init__(self, *, run_id: str, seen: int, now: int) -> None:
        self.run_id, self.seen, self.now = run_id, seen, now
        super().__init__(
            f"Run {run_id} has moved on: it is at revision {now}, not {seen}. Look at it again, then order again."
        )


class MigrationTargetError(RefusedError):
    """Runs cannot be carried over to that definition."""

    code = "migration-target-refused"

    def __init__(self, *, definition: str, problem: str) -> None:
        self.definition, self.problem = definition, problem
        super().__init__(
            f"Runs cannot be carried over to {definition}: {problem}. Name another active version of the same key: "
            "`pilothouse lifecycles list`."
        )
