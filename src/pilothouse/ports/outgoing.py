"""Calls and notifications to the world outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pilothouse.domain.outgoing import OutgoingAnswer, OutgoingCall, OutgoingPolicy


class Outgoing(Protocol):
    """Calls other systems over HTTP, as far as a policy lets it."""

    def call(self, wanted: OutgoingCall, *, policy: OutgoingPolicy) -> OutgoingAnswer:
        """
        Send one call with its idempotency key, and give the answer of a status 200 to 299.

        Raises
        ------
        UrlInvalidError, HostNotGrantedError, SecretNotGrantedError, AddressRefusedError
            When the policy does not let it.
        SecretReferenceError, SecretMissingError, SecretExposedError
            When the credential cannot be read.
        RedirectRefusedError
            When the host answers 300 to 399: no redirect is followed.
        CallRefusedError
            When it answers 400 to 499 and trying again is of no use.
        CallTooLargeError
            When what is sent or what comes back is too large.
        HostUnreachableError
            When it does not answer in time, or answers 408, 425, 429 or 500 and above.
        """
        ...


class Notifications(Protocol):
    """Tells people by mail, chat or pager."""

    def send(self, target: str, *, subject: str, text: str, policy: OutgoingPolicy) -> None:
        """
        Send words to the address that a secret holds.

        Parameters
        ----------
        target
            A reference to the secret, such as ``env:OPS_CHANNEL``.

        Raises
        ------
        SecretNotGrantedError
            When the policy does not name the reference.
        SecretReferenceError, SecretMissingError, SecretExposedError
            When it cannot be read.
        TargetInvalidError
            When the secret is no address of a service that is known.
        NotificationFailedError
            When the service did not take it.
        MissingExtraError
            When the library is not installed.
        """
        ...
