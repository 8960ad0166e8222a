"""What can go wrong between a client and the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.errors import PilothouseError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping


class ApiError(PilothouseError):
    """The server refused a call; code and words are the server's own."""

    def __init__(
        self, *, status: int, code: str, detail: str, fields: Mapping[str, object] | None = None
    ) -> None:
        self.status, self.problem_code, self.detail = status, code, detail
        self.problem_fields = dict(fields or {})
        super().__init__(detail)


class WaitedTooLongError(UnavailableError, TimeoutError):
    """A job has not ended in the time that its waiter gave it."""

    code = "waited-too-long"

    def __init__(self, *, job: str, state: str, timeout_s: float) -> None:
        self.job, self.state, self.timeout_s = job, state, timeout_s
        super().__init__(
            f"Job {job} is still {state} after {timeout_s:g} s. It goes on all the same: wait again with "
            f"`pilothouse jobs wait {job}`, or stop it with `pilothouse jobs cancel {job}`."
        )


class ApiUnreachableError(UnavailableError):
    """No server answers at the address."""

    code = "api-unreachable"

    def __init__(self, *, url: str, problem: str) -> None:
        self.url, self.problem = url, problem
        super().__init__(
            f"No Pilothouse answers at {url} ({problem}). Start it with `pilothouse up`, or name another with "
            "PILOTHOUSE_URL."
        )
