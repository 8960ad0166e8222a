"""One HTTP connection to the API: bearer token, keyed mutations, problems as errors, safe repetition."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import httpx

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.pages import Page
from pilothouse.domain.plain import from_plain, to_plain
from pilothouse.sdk.errors import ApiError, ApiUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T")
ATTEMPTS = 4
FIRST_PAUSE_S = 0.2


class NameUnusableError(InvalidError):
    """A text cannot be a part of an address."""

    code = "name-unusable"

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(f"{name!r} names nothing. Give the name or id of the thing.")


def part(name: str) -> str:
    """
    Write a name as one part of an address, so that no character of it leads elsewhere.

    Raises
    ------
    NameUnusableError
        When it is empty or made of dots.

    Examples
    --------
    >>> part("cc-fraud-gbm@7"), part("a/b?c")
    ('cc-fraud-gbm@7', 'a%2Fb%3Fc')
    """
    if not name.strip("."):
        raise NameUnusableError(name=name)
    return quote(name, safe="@:")


class Transport:
    """
    Sends calls to ``/api/v1``.

    Every change carries an ``Idempotency-Key``, so it is sent again when the answer is lost on the way or
    the server says 503, up to four times, and still happens once.
    """

    def __init__(self, *, url: str, token: str | None, timeout_s: float = 60.0) -> None:
        self.url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=self.url + "/api/v1", headers=headers, timeout=timeout_s, trust_env=False
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def get(self, kind: type[T], path: str, **parameters: object) -> T:
        """Read one value."""
        return from_plain(kind, self._call("GET", path, parameters=parameters).json())

    def page(self, kind: type[T], path: str, **parameters: object) -> Page[T]:
        """Read one page of values."""
        body = self._call("GET", path, parameters=parameters).json()
        items = tuple(from_plain(kind, item) for item in body["items"])
        return Page(items=items, next=body["next"])

    def every(self, kind: type[T], path: str, **parameters: object) -> Iterable[T]:
        """Read all values, page after page."""
        after: object = None
        while True:
            page = self.page(kind, path, after=after, limit=200, **parameters)
            yield from page.items
            if page.next is None:
                return
            after = page.next

    def post(self, kind: type[T], path: str, body: object = None, **parameters: object) -> T:
        """Change something once, whatever happens on the way."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        content = {} if body is None else to_plain(body)
        answer = self._call("POST", path, parameters=parameters, headers=headers, body=content)
        return from_plain(kind, answer.json())

    def post_as(self, kind: type[T], path: str, body: object, *, key: str) -> T:
        """Change something once under a key of the caller's own, who may repeat the call for as long as he likes."""
        headers = {"Idempotency-Key": key}
        answer = self._call("POST", path, parameters={}, headers=headers, body=to_plain(body))
        return from_plain(kind, answer.json())

    def post_once(self, kind: type[T], path: str, body: object) -> T:
        """Do what the server keeps no answer of: it is sent a single time, and a lost answer is an error."""
        answer = self._call("POST", path, parameters={}, body=to_plain(body))
        return from_plain(kind, answer.json())

    def post_xml(self, kind: type[T], path: str, xml: bytes, **parameters: object) -> T:
        """Send an XML file, once whatever happens on the way."""
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/xml"}
        answer = self._call("POST", path, parameters=parameters, headers=headers, body=xml)
        return from_plain(kind, answer.json())

    def present(self, path: str, **parameters: object) -> bool:
        """Ask whether something is there."""
        try:
            self._call("HEAD", path, parameters=parameters)
        except ApiError as problem:
            if problem.status == httpx.codes.NOT_FOUND:
                return False
            raise
        return True

    def upload(self, path: str, chunks: Iterable[bytes], **parameters: object) -> None:
        """Send a stream; it is not repeated here, since a stream is read once."""
        try:
            answer = self._http.put(path, content=chunks, params=_given(parameters))
        except httpx.TransportError as problem:
            raise ApiUnreachableError(url=self.url, problem=str(problem)) from problem
        _raise_for(answer)

    def _call(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, object],
        headers: Mapping[str, str] | None = None,
        body: object = None,
    ) -> httpx.Response:
        pause = FIRST_PAUSE_S
        attempts = ATTEMPTS if method != "POST" or headers is not None else 1
        content: dict[str, Any] = {"content": body} if isinstance(body, bytes) else {"json": body}
        for attempt in range(1, attempts + 1):
            try:
                answer = self._http.request(
                    method, path, params=_given(parameters), headers=headers, **content
                )
            except httpx.TransportError as problem:
                if attempt == attempts:
                    raise ApiUnreachableError(url=self.url, problem=str(problem)) from problem
            else:
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE or attempt == attempts:
                    _raise_for(answer)
                    return answer
            time.sleep(pause)
            pause *= 2
        raise AssertionError("the loop returns or raises")


def _given(parameters: Mapping[str, object]) -> dict[str, str | int | float | bool]:
    plain = {name: to_plain(value) for name, value in parameters.items()}
    return {name: value for name, value in plain.items() if value is not None}


def _raise_for(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    try:
        problem = answer.json()
        code, detail = str(problem["code"]), str(problem["detail"])
        fields = problem.get("fields")
    except (ValueError, KeyError, TypeError):
        code, detail, fields = "http-error", f"HTTP {answer.status_code} without a problem", None
    raise ApiError(status=answer.status_code, code=code, detail=detail, fields=fields)
