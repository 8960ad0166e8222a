"""What can be wrong with a definition, and with an order to a run."""

from __future__ import annotations

from dataclasses import dataclass

from pilothouse.domain.errors import InvalidError, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One reason why a definition cannot run: the element's id, its line, what is wrong, and what to do instead."""

    element: str
    line: int
    problem: str
    cure: str

    def __str__(self) -> str:
        return f"{self.element} (line {self.line}): {self.problem}. {self.cure}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """One reason why a run cannot be carried over: the old element, what is wrong, and what to do."""

    element: str
    problem: str
    cure: str

    def __str__(self) -> str:
        return f"{self.element} {self.problem}. {self.cure}"


class DefinitionRejectedError(InvalidError):
    """A definition contains what cannot run; all reasons are collected in ``problems``."""

    code = "definition-rejected"

    def __init__(self, *, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "\n".join(f"- {problem}" for problem in problems)
        super().__init__(f"The definition is rejected, for {count}:\n{lines}")


class ExpressionFailedError(InvalidError):
    """An expression of a definition gives no usable value for this run's variables."""

    code = "expression-failed"

    def __init__(self, *, expression: str, problem: str) -> None:
        self.expression, self.problem = expression, problem
        super().__init__(
            f"The expression {expression!r} {problem}. "
            "Correct the run's variables and retry, or upload a corrected definition."
        )


class VariableInvalidError(InvalidError):
    """A value cannot be kept as a variable of a run."""

    code = "variable-invalid"

    def __init__(self, *, name: str, problem: str) -> None:
        self.name, self.problem = name, problem
        super().__init__(
            f"The variable {name!r} {problem}. "
            "Give text, a finite number, true, false, null, a list or an object."
        )


class StaleAttemptError(RefusedError):
    """A worker reports on an attempt that is over: somebody else holds the job, or it is done."""

    code = "stale-attempt"

    def __init__(self, *, job_id: str, attempt: int, current: int | None) -> None:
        self.job_id, self.attempt, self.current = job_id, attempt, current
        now = "the job is over" if current is None else f"the job is now at attempt {current}"
        super().__init__(
            f"Attempt {attempt} of job {job_id} is not the current one: {now}. "
            "Drop the result and claim again."
        )


class AlreadyOverError(RefusedError):
    """What the order is about is no longer there: completed, cancelled, or overtaken by another event."""

    code = "already-over"

    def __init__(self, *, noun: str, name: str) -> None:
        self.noun, self.name = noun, name
        super().__init__(
            f"The {noun} {name} is over: somebody or something else was first. "
            "Look at the run's history for what happened."
        )


class TimerNotDueError(RefusedError):
    """A timer is asked to fire before its moment."""

    code = "timer-not-due"

    def __init__(self, *, job_id: str, due_at: str) -> None:
        self.job_id, self.due_at = job_id, due_at
        super().__init__(f"The timer {job_id} is due at {due_at}, not now. Ask again then.")


class UnexpectedHappeningError(RefusedError):
    """The order does not fit the kind of the thing that it names."""

    code = "unexpected-happening"

    def __init__(self, *, name: str, happening: str, cure: str) -> None:
        self.name, self.happening = name, happening
        super().__init__(f"{name} cannot take a {happening}. {cure}")


class TaskHeldError(RefusedError):
    """Another person has claimed the task."""

    code = "task-held"

    def __init__(self, *, task_id: str, assignee: str) -> None:
        self.task_id, self.assignee = task_id, assignee
        super().__init__(
            f"The task {task_id} is held by {assignee}. Ask {assignee} to complete or release it."
        )


class VotedAlreadyError(RefusedError):
    """The person has voted on the task before."""

    code = "voted-already"

    def __init__(self, *, task_id: str, person: str) -> None:
        self.task_id, self.person = task_id, person
        super().__init__(
            f"{person} has voted on task {task_id} already, and a vote stands. "
            "Let another candidate vote."
        )


class FormAnswerError(InvalidError):
    """The answers do not fit the form of the task."""

    code = "form-answer-invalid"

    def __init__(self, *, task_id: str, problems: tuple[str, ...]) -> None:
        self.task_id, self.problems = task_id, problems
        super().__init__(
            f"The answers do not fit the form of task {task_id}: {'; '.join(problems)}. "
            "Correct them and complete the task again."
        )


class RunSuspendedError(RefusedError):
    """A suspended run takes no order but those that help it."""

    code = "run-suspended"

    def __init__(self, *, run_id: str, order: str) -> None:
        self.run_id, self.order = run_id, order
        super().__init__(
            f"Run {run_id} is suspended, and cannot take: {order}. Resume it first: "
            f"`pilothouse runs resume {run_id} --reason WHY`."
        )


class RunNotSuspendedError(RefusedError):
    """A run that goes on cannot be resumed."""

    code = "run-not-suspended"

    def __init__(self, *, run_id: str) -> None:
        self.run_id = run_id
        super().__init__(
            f"Run {run_id} is not suspended, so there is nothing to resume. See what it waits for: "
            f"`pilothouse runs show {run_id}`."
        )


class ScopeUnknownError(InvalidError):
    """No open scope, or more than one, is meant."""

    code = "scope-unknown"

    def __init__(self, *, run_id: str, scope: str, known: tuple[str, ...]) -> None:
        self.run_id, self.scope, self.known = run_id, scope, known
        super().__init__(
            f"{scope!r} names no open scope of run {run_id}, or more than one. Name one by its id: "
            f"{', '.join(known) or 'there is none but the process, which is meant without a name'}."
        )


class VariableUnknownError(InvalidError):
    """A variable that is not there cannot be removed."""

    code = "variable-unknown"

    def __init__(self, *, names: tuple[str, ...], known: tuple[str, ...]) -> None:
        self.names, self.known = names, known
        super().__init__(
            f"There is no variable {', '.join(names)} in that scope; there are {', '.join(known) or 'none'}. "
            "Name one of these, or the scope that has it."
        )


class MoveRefusedError(RefusedError):
    """Tokens cannot be moved as it was asked for."""

    code = "move-refused"

    def __init__(self, *, element: str, problem: str, cure: str) -> None:
        self.element, self.problem, self.cure = element, problem, cure
        super().__init__(f"Tokens cannot be moved: {element} {problem}. {cure}")


class MigrationRefusedError(RefusedError):
    """A run has no place in another version of its life cycle; all reasons are collected in ``obstacles``."""

    code = "migration-refused"

    def __init__(self, *, run_id: str, to: str, obstacles: tuple[Obstacle, ...]) -> None:
        self.run_id, self.to, self.obstacles = run_id, to, obstacles
        reasons = "\n".join(f"- {obstacle}" for obstacle in obstacles)
        super().__init__(f"Run {run_id} cannot be carried over to {to}:\n{reasons}")
