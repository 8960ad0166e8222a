"""The client: one connection, every noun an attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pilothouse.sdk import nouns
from pilothouse.sdk.external_jobs import ExternalJobs
from pilothouse.sdk.lifecycles import Lifecycles, Runs, Tasks
from pilothouse.sdk.snapshots import Snapshots
from pilothouse.sdk.transport import Transport

if TYPE_CHECKING:
    from types import TracebackType


class Client:
    """
    A connection to a Pilothouse server.

    Parameters
    ----------
    url
        Where the server is, such as ``http://127.0.0.1:8100``.
    token
        An API token (`pilothouse tokens issue`).
    timeout_s
        How long one call may take, above 0.

    Examples
    --------
    >>> with Client(url="http://127.0.0.1:8100", token="ph_0000") as client:
    ...     client.url
    'http://127.0.0.1:8100'
    """

    def __init__(self, *, url: str, token: str | None, timeout_s: float = 60.0) -> None:
        self.url = url
        self._transport = transport = Transport(url=url, token=token, timeout_s=timeout_s)
        self.groups = nouns.Groups(transport)
        self.people = nouns.People(transport)
        self.tokens = nouns.Tokens(transport)
        self.models = nouns.Models(transport)
        self.stages = nouns.Stages(transport)
        self.services = nouns.Services(transport)
        self.locations = nouns.Locations(transport)
        self.datasets = nouns.Datasets(transport)
        self.runtimes = nouns.Runtimes(transport)
        self.deployments = nouns.Deployments(transport)
        self.jobs = nouns.Jobs(transport)
        self.snapshots = Snapshots(transport, self.jobs)
        self.evaluations = nouns.Evaluations(transport)
        self.audit = nouns.Audit(transport)
        self.lifecycles = Lifecycles(transport)
        self.runs = Runs(transport)
        self.tasks = Tasks(transport)
        self.external_jobs = ExternalJobs(transport)

    def health(self) -> None:
        """Ask whether the server answers; needs no token."""
        self._transport.get(object, "/health")

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
