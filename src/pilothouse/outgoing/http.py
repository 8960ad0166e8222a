"""Guarded calls over HTTP: granted hosts only, checked addresses, no redirects, bounded in size and time."""

from __future__ import annotations

import base64
import json
import math
import re
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpcore

from pilothouse.domain.outgoing import (
    CallRefusedError,
    CallTooLargeError,
    Credential,
    CredentialForm,
    HostGrant,
    HostUnreachableError,
    OutgoingAnswer,
    RedirectRefusedError,
    SecretNotGrantedError,
    UrlInvalidError,
)
from pilothouse.domain.plain import canonical
from pilothouse.domain.secrets import SecretMissingError
from pilothouse.outgoing.addresses import resolve
from pilothouse.outgoing.network import Deadline, GuardedBackend

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.domain.outgoing import OutgoingCall, OutgoingPolicy
    from pilothouse.ports.secrets import SecretSource

MAXIMUM_SENT = 1024 * 1024
MAXIMUM_ANSWER = 256 * 1024
LATER = frozenset({408, 425, 429})
LONGEST_PAUSE_S = 60.0
HIDDEN = "***"
DEEPEST = 32
"""Levels of an answer's JSON; one that is nested deeper is kept as text."""
HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}\Z")
HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\Z")
OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """How long a call may take in all, in seconds above 0, and how much may come back, in bytes."""

    timeout_s: float = 20.0
    answer_bytes: int = MAXIMUM_ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """A call as it goes over the wire, and the texts that must not come back in an answer."""

    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes
    hidden: tuple[str, ...] = field(default=(), repr=False)


class GuardedHttp:
    """
    Calls granted hosts.

    Parameters
    ----------
    secrets
        Where credentials are read, at each call anew.
    limits
        What a call may take.
    resolver
        Gives the addresses of a name and port.
    tls
        Whom to trust; the system's authorities where not given.
    """

    def __init__(
        self,
        *,
        secrets: SecretSource,
        limits: HttpLimits | None = None,
        resolver: Callable[[str, int], tuple[str, ...]] = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._secrets, self._resolver = secrets, resolver
        self._limits = limits or HttpLimits()
        self._tls = tls or ssl.create_default_context()

    def call(self, wanted: OutgoingCall, *, policy: OutgoingPolicy) -> OutgoingAnswer:
        """Send one call and give the answer (see `pilothouse.ports.outgoing`)."""
        grant = policy.grant_for(wanted.url)
        request = self._request(wanted, grant)
        try:
            status, headers, content = self._sent(request, grant)
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            problem = str(error) or type(error).__name__
            raise HostUnreachableError(url=_shown(request.url), problem=problem) from error
        body = _body(content, headers, request.hidden)
        return _judged(_shown(request.url), status, headers, body)

    def _request(self, wanted: OutgoingCall, grant: HostGrant) -> _Request:
        content = b"" if wanted.body is None else canonical(wanted.body)
        if len(content) > MAXIMUM_SENT:
            raise CallTooLargeError(url=_shown(wanted.url), what="body", limit=MAXIMUM_SENT)
        headers = {
            **wanted.headers,
            "Accept": "application/json",
            # An answer that is not compressed cannot grow when it is read.
            "Accept-Encoding": "identity",
            "Connection": "close",
            "Idempotency-Key": wanted.key,
            "User-Agent": "pilothouse",
        }
        if content:
            headers["Content-Type"] = "application/json"
        hidden: tuple[str, ...] = ()
        if wanted.credential is not None:
            value, hidden = self._credential(wanted, wanted.credential, grant)
            headers[wanted.credential.header] = value
        return _Request(
            method=wanted.method.value,
            url=wanted.url,
            headers=headers,
            content=content,
            hidden=hidden,
        )

    def _credential(
        self, wanted: OutgoingCall, credential: Credential, grant: HostGrant
    ) -> tuple[str, tuple[str, ...]]:
        if credential.reference not in grant.secrets:
            purpose = f"calls to {grant.origin}"
            raise SecretNotGrantedError(reference=credential.reference, purpose=purpose)
        if not HEADER_NAME.match(credential.header) or credential.header.lower() in OWN_HEADERS | {
            h.lower() for h in wanted.headers
        }:
            problem = f"the header {credential.header!r} is none that a secret may go by"
            raise UrlInvalidError(url=wanted.url, problem=problem)
        secret = self._secrets.resolve(credential.reference)
        value = _header_value(credential.form, secret)
        if not HEADER_VALUE.match(value):
            problem = "it holds characters that a header cannot carry"
            raise SecretMissingError(reference=credential.reference, problem=problem)
        password = secret.partition(":")[2] if credential.form is CredentialForm.BASIC else ""
        known = (value, secret, value.rpartition(" ")[2], password)
        return value, tuple(text for text in known if text)

    def _sent(self, request: _Request, grant: HostGrant) -> tuple[int, Mapping[str, str], bytes]:
        deadline = Deadline(timeout_s=self._limits.timeout_s)
        backend = GuardedBackend(private=grant.private, deadline=deadline, resolver=self._resolver)
        with (
            httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend) as pool,
            pool.stream(
                request.method,
                request.url,
                headers=[(name, value) for name, value in request.headers.items()],
                content=request.content,
                extensions={"timeout": deadline.for_each_part()},
            ) as answer,
        ):
            headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in answer.headers}
            return answer.status, headers, self._read(answer, request)

    def _read(self, answer: httpcore.Response, request: _Request) -> bytes:
        content, limit = b"", self._limits.answer_bytes
        for chunk in answer.iter_stream():
            content += chunk
            if len(content) > limit:
                raise CallTooLargeError(url=_shown(request.url), what="answer", limit=limit)
        return content


def _header_value(form: CredentialForm, secret: str) -> str:
    match form:
        case CredentialForm.PLAIN:
            return secret
        case CredentialForm.BEARER:
            return f"Bearer {secret}"
        case CredentialForm.BASIC:
            return f"Basic {base64.b64encode(secret.encode()).decode()}"


def _shown(url: str) -> str:
    """Give an address without its query, which may hold what is nobody's business."""
    return url.split("?", maxsplit=1)[0]


def _body(content: bytes, headers: Mapping[str, str], hidden: tuple[str, ...]) -> object:
    """Give the JSON or the text of an answer, without a secret that the host repeats."""
    text = content.decode("utf-8", errors="replace").replace("\0", "\ufffd")
    if "json" not in headers.get("content-type", ""):
        return _without(text, hidden)
    try:
        return _storable(json.loads(text, parse_constant=str), DEEPEST, hidden)
    except (ValueError, RecursionError):
        return _without(text, hidden)


def _without(text: str, hidden: tuple[str, ...]) -> str:
    for secret in hidden:
        text = text.replace(secret, HIDDEN)
    return text


def _storable(value: object, levels: int, hidden: tuple[str, ...]) -> object:
    """
    Give JSON that every database keeps: without U+0000, halves of surrogate pairs and endless numbers.

    Secrets are looked for in the texts themselves: before they are read, escapes would hide them from the look.

    Raises
    ------
    ValueError
        When it is nested deeper than so many levels.
    """
    if not levels:
        raise ValueError("nested too deep")
    match value:
        case str():
            whole = value.encode("utf-8", errors="replace").decode()
            return _without(whole.replace("\0", "\ufffd"), hidden)
        case float() if not math.isfinite(value):
            return str(value)
        case list():
            return [_storable(item, levels - 1, hidden) for item in value]
        case dict():
            items = value.items()
            return {
                str(_storable(k, 1, hidden)): _storable(v, levels - 1, hidden) for k, v in items
            }
        case _:
            return value


def _judged(url: str, status: int, headers: Mapping[str, str], body: object) -> OutgoingAnswer:
    if 200 <= status < 300:
        return OutgoingAnswer(status=status, body=body)
    if 300 <= status < 400:
        raise RedirectRefusedError(url=url, status=status)
    if status in LATER or status >= 500:
        pause_s = _pause_s(headers.get("retry-after", ""))
        raise HostUnreachableError(
            url=url, problem=f"it answered {status}: {str(body)[:200]}", retry_after_s=pause_s
        )
    raise CallRefusedError(url=url, status=status, body=body)


def _pause_s(text: str) -> float:
    """Read a ``Retry-After`` in seconds; one that is a date, or missing, is 5 s."""
    return min(float(text), LONGEST_PAUSE_S) if text.isascii() and text.isdigit() else 5.0
