"""The control socket of an entry, asked over HTTP with its secret."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from pilothouse.connectors.local.errors import EntryRefusedError
from pilothouse.domain.desired import Desired, Observed
from pilothouse.domain.plain import DocumentError, canonical, from_plain
from pilothouse.domain.runtimes import RuntimeUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = "http://entry"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlSocket:
    """
    One entry's control socket.

    Attributes
    ----------
    runtime
        The runtime's name, for errors.
    socket
        The path of the Unix socket.
    secret
        What opens it.
    timeout_s
        How long one call may take.
    """

    runtime: str
    socket: str
    secret: str = field(repr=False)
    timeout_s: float = 10.0

    def put_desired(self, desired: Desired) -> None:
        """
        Hand over what the entry shall hold; it has it on its disk when this returns.

        Raises
        ------
        EntryRefusedError
            When the entry cannot take the document, or holds another one of the same generation.
        RuntimeUnreachableError
            When the entry does not answer.
        """
        with self._client() as client:
            self._checked(client.put("/desired", content=canonical(desired)))

    def observed(self) -> Observed:
        """Ask what the entry holds."""
        with self._client() as client:
            answer = self._checked(client.get("/observed"))
        try:
            return from_plain(Observed, json.loads(answer.content))
        except (DocumentError, ValueError) as problem:
            raise RuntimeUnreachableError(
                runtime=self.runtime, problem=f"its answer cannot be read ({problem})"
            ) from problem

    def drain(self) -> None:
        """Ask the entry to take no new requests, finish those it has, and end."""
        with self._client() as client:
            self._checked(client.post("/drain"))

    @contextmanager
    def _client(self) -> Iterator[httpx.Client]:
        try:
            with httpx.Client(
                transport=httpx.HTTPTransport(uds=self.socket),
                base_url=BASE,
                headers={"authorization": f"Bearer {self.secret}"},
                timeout=self.timeout_s,
                trust_env=False,
            ) as client:
                yield client
        except (httpx.TransportError, OSError) as problem:
            raise RuntimeUnreachableError(
                runtime=self.runtime,
                problem=f"its control socket fails ({type(problem).__name__}: {problem})",
            ) from problem

    def _checked(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_client_error:
            raise EntryRefusedError(
                runtime=self.runtime, status=answer.status_code, answer=answer.text[:600]
            )
        if not answer.is_success:
            raise RuntimeUnreachableError(
                runtime=self.runtime,
                problem=f"its control socket answers {answer.status_code}: {answer.text[:300]}",
            )
        return answer
