"""Calls to the world outside: which hosts a group's life cycles may reach, with which secrets, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from pilothouse.domain.errors import (
    DeniedError,
    InvalidError,
    NotSupportedError,
    RefusedError,
    UnavailableError,
)
from pilothouse.domain.secrets import parse_reference

PRIVATE = "private"
SHOWN = 300


class Scheme(StrEnum):
    """How a host is spoken to."""

    HTTP = "http"
    HTTPS = "https"


PORTS: Mapping[Scheme, int] = {Scheme.HTTP: 80, Scheme.HTTPS: 443}


class Method(StrEnum):
    """What a call does."""

    GET = "GET"
    POST = "POST"
    PATCH = "PATCH"


class CredentialForm(StrEnum):
    """How a secret becomes the value of a header."""

    PLAIN = "plain"
    BEARER = "bearer"
    BASIC = "basic"


class UrlInvalidError(InvalidError):
    """An address is none that is called."""

    code = "url-invalid"

    def __init__(self, *, url: str, problem: str) -> None:
        # What stands before an @ or behind a ? may be a secret, so only the beginning is repeated.
        self.url, self.problem = url.split("?", maxsplit=1)[0].rpartition("@")[2][:80], problem
        super().__init__(
            f"{self.url!r} cannot be called: {problem}. Write https://host/path, and secrets by reference only."
        )


class HostNotGrantedError(DeniedError):
    """The group's policy does not name the host."""

    code = "host-not-granted"

    def __init__(self, *, origin: str) -> None:
        self.origin = origin
        super().__init__(
            f"The group's policy does not let life cycles call {origin}. Let an administrator grant it: "
            f"`pilothouse groups policy GROUP --host {origin}`."
        )


class SecretNotGrantedError(DeniedError):
    """The group's policy does not let life cycles use the secret there."""

    code = "secret-not-granted"

    def __init__(self, *, reference: str, purpose: str) -> None:
        self.reference, self.purpose = reference, purpose
        super().__init__(
            f"The group's policy does not let life cycles use the secret {reference} for {purpose}. Let an "
            "administrator grant it with `pilothouse groups policy`."
        )


class AddressRefusedError(DeniedError):
    """A host's name stands for an address that is not called."""

    code = "address-refused"

    def __init__(self, *, host: str, address: str, problem: str) -> None:
        self.host, self.address, self.problem = host, address, problem
        super().__init__(
            f"{host} stands for {address}, which is {problem}, so it is not called. If it is meant to be, let an "
            f"administrator grant the host with the word {PRIVATE}; link-local addresses are never called."
        )


class RedirectRefusedError(RefusedError):
    """A host answers by sending the caller elsewhere."""

    code = "redirect-refused"

    def __init__(self, *, url: str, status: int) -> None:
        self.url, self.status = url, status
        super().__init__(
            f"{url} answered {status}: it sends the caller elsewhere, and redirects are not followed. Give the "
            "address that it leads to, and let its host be granted."
        )


class CallRefusedError(RefusedError):
    """A host refuses a call; the words are its own."""

    code = "call-refused"

    def __init__(self, *, url: str, status: int, body: object) -> None:
        self.url, self.status, self.body = url, status, body
        super().__init__(
            f"{url} refused the call ({status}): {str(body)[:SHOWN]}. Correct what was sent, then retry."
        )


class CallTooLargeError(RefusedError):
    """What is sent, or what comes back, is larger than is taken."""

    code = "call-too-large"

    def __init__(self, *, url: str, what: str, limit: int) -> None:
        self.url, self.what, self.limit = url, what, limit
        super().__init__(
            f"The {what} of the call to {url} is larger than {limit} bytes. Send or ask for less."
        )


class HostUnreachableError(UnavailableError):
    """A host does not answer, or says that it cannot just now."""

    code = "host-unreachable"

    def __init__(self, *, url: str, problem: str, retry_after_s: float = 5.0) -> None:
        self.url, self.problem = url, problem
        super().__init__(
            f"{url} does not answer: {problem}. It is tried again.", retry_after_s=retry_after_s
        )


class NotificationFailedError(UnavailableError):
    """A notification could not be sent."""

    code = "notification-failed"

    def __init__(self, *, target: str, problem: str) -> None:
        self.target, self.problem = target, problem
        super().__init__(
            f"The notification to {target} was not sent: {problem}. It is tried again."
        )


class TargetInvalidError(NotSupportedError):
    """A secret is no address that notifications are sent to."""

    code = "notification-target-invalid"

    def __init__(self, *, target: str) -> None:
        self.target = target
        super().__init__(
            f"The secret {target} holds no address that notifications are sent to. Write one of Apprise's, such "
            "as mailto://… or slack://…, into it."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class HostGrant:
    """
    One host that life cycles of a group may call.

    Attributes
    ----------
    host
        Its name or address, in small letters.
    port
        1 to 65,535.
    private
        Whether its name may stand for a private or loopback address.
    secrets
        References to the secrets that calls to it may carry.
    """

    scheme: Scheme
    host: str
    port: int
    private: bool = False
    secrets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if parse_origin(self.origin) != (self.scheme, self.host, self.port):
            problem = "its host is not written as it is compared: in small letters, by itself"
            raise UrlInvalidError(url=self.origin, problem=problem)
        for reference in self.secrets:
            parse_reference(reference)

    @property
    def origin(self) -> str:
        """What an address begins with, such as ``https://jira.example.com``."""
        return _origin(self.scheme, self.host, self.port)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingPolicy:
    """What the life cycles of a group may reach."""

    hosts: tuple[HostGrant, ...] = ()
    notification_targets: tuple[str, ...] = ()

    def grant_for(self, url: str) -> HostGrant:
        """
        Give the grant by which an address may be called.

        Raises
        ------
        UrlInvalidError
            When it is no address of http or https, or carries a user.
        HostNotGrantedError
            When no grant has its scheme, host and port.
        """
        scheme, host, port = parse_origin(url)
        for grant in self.hosts:
            if (grant.scheme, grant.host, grant.port) == (scheme, host, port):
                return grant
        raise HostNotGrantedError(origin=_origin(scheme, host, port))

    def check_target(self, reference: str) -> None:
        """
        Make sure that notifications may go where a secret says.

        Raises
        ------
        SecretNotGrantedError
            When they may not.
        """
        if reference not in self.notification_targets:
            raise SecretNotGrantedError(reference=reference, purpose="notifications")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A secret that goes with a call, by reference; a ``basic`` one is ``user:password``."""

    reference: str
    header: str = "Authorization"
    form: CredentialForm = CredentialForm.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingCall:
    """
    One call.

    Attributes
    ----------
    body
        What is sent as JSON; None sends nothing.
    key
        The idempotency key, the same in every repetition.
    """

    method: Method
    url: str
    key: str
    body: object = None
    credential: Credential | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingAnswer:
    """What came back of a call that was taken: the status, and the JSON or the text."""

    status: int
    body: object


def parse_origin(url: str) -> tuple[Scheme, str, int]:
    """
    Give the scheme, the host and the port of an address.

    Raises
    ------
    UrlInvalidError
        When it is none that can be called.

    Examples
    --------
    >>> parse_origin("https://Jira.example.com/rest")[1:]
    ('jira.example.com', 443)
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise UrlInvalidError(url=url, problem="it holds characters that addresses do not have")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as problem:
        raise UrlInvalidError(url=url, problem=str(problem)) from None
    if parts.scheme not in set(Scheme) or not host or port == 0:
        raise UrlInvalidError(url=url, problem="it has no scheme https (or http), host and port")
    if "@" in parts.netloc or parts.fragment:
        raise UrlInvalidError(url=url, problem="it holds a user or a fragment")
    scheme = Scheme(parts.scheme)
    return scheme, host, port or PORTS[scheme]


def parse_grant(text: str) -> HostGrant:
    """
    Read a grant: an origin, then perhaps the word ``private``, then references to secrets.

    Raises
    ------
    UrlInvalidError
        When it does not begin with an origin, or the origin has a path.
    SecretReferenceError
        When one of the other words is no reference.

    Examples
    --------
    >>> parse_grant("https://jira.example.com env:JIRA_TOKEN").secrets
    ('env:JIRA_TOKEN',)
    >>> parse_grant("http://10.0.0.7:8080 private").origin
    'http://10.0.0.7:8080'
    """
    origin, *words = text.split() or [""]
    scheme, host, port = parse_origin(origin)
    parts = urlsplit(origin)
    if parts.path not in ("", "/") or parts.query:
        raise UrlInvalidError(url=origin, problem="a grant is for a whole host, without a path")
    secrets = tuple(str(parse_reference(word)) for word in words if word != PRIVATE)
    return HostGrant(scheme=scheme, host=host, port=port, private=PRIVATE in words, secrets=secrets)


def _origin(scheme: Scheme, host: str, port: int) -> str:
    named = f"[{host}]" if ":" in host else host
    return f"{scheme.value}://{named}" + ("" if port == PORTS[scheme] else f":{port}")
