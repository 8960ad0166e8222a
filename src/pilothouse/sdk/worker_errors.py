"""What the function of a worker raises to say what a job came to, where it is not simply done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.errors import InvalidError, PilothouseError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping


class BpmnError(PilothouseError):
    """A job ends by an error that the life cycle may catch, with variables for whatever comes after it."""

    code = "bpmn-error"

    def __init__(
        self,
        *,
        error_code: str,
        message: str = "",
        variables: Mapping[str, object] | None = None,
    ) -> None:
        self.error_code, self.variables = error_code, dict(variables or {})
        super().__init__(message or f"The job ended by the error {error_code}.")


class JobFailedError(PilothouseError):
    """A job could not be done; the function says when it is tried again and how many tries are left."""

    code = "job-failed"

    def __init__(
        self,
        message: str,
        *,
        failure_code: str = "worker-failed",
        retry_in_s: float | None = None,
        retries: int | None = None,
    ) -> None:
        self.failure_code, self.retry_in_s, self.retries = failure_code, retry_in_s, retries
        super().__init__(message)


class JobLaterError(PilothouseError):
    """What a job waits for is under way elsewhere: it is fetched again after so many seconds, and costs no try."""

    code = "job-later"

    def __init__(self, *, after_s: float) -> None:
        self.after_s = after_s
        super().__init__(f"The job is to be fetched again in {after_s:g} s.")


class JobLostError(RefusedError):
    """The worker does not hold the job any more: its lock ended, or its run."""

    code = "job-lost"

    def __init__(self, *, job: str, attempt: int) -> None:
        self.job, self.attempt = job, attempt
        super().__init__(
            f"Attempt {attempt} of job {job} is not this worker's any more. Stop; whoever has it now starts anew."
        )


class WorkerInvalidError(InvalidError):
    """A worker cannot run as it is set up."""

    code = "worker-invalid"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(f"The worker cannot run: {problem}. Correct its set-up.")
