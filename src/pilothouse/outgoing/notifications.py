"""Notifications by Apprise: mail, chat, pagers and a hundred more, each by an address that a secret holds."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from pilothouse.domain.errors import MissingExtraError
from pilothouse.domain.outgoing import NotificationFailedError, TargetInvalidError

if TYPE_CHECKING:
    from types import ModuleType

    from pilothouse.domain.outgoing import OutgoingPolicy
    from pilothouse.ports.secrets import SecretSource


class _Discreet(logging.Filter):
    """
    Keeps addresses out of the log: they are secrets.

    The library writes one that it cannot read into its log whole, and at the level of debugging every one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reading = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record may be kept."""
        return record.levelno > logging.DEBUG and not getattr(self.reading, "now", False)


_DISCREET = _Discreet()


class AppriseNotifications:
    """
    Sends notifications.

    Parameters
    ----------
    secrets
        Where the addresses are read, at each notification anew.

    References
    ----------
    .. [1] Apprise, "Supported notifications": what an address looks like.
    """

    def __init__(self, *, secrets: SecretSource) -> None:
        self._secrets = secrets

    def send(self, target: str, *, subject: str, text: str, policy: OutgoingPolicy) -> None:
        """Send words to the address that a secret holds (see `pilothouse.ports.outgoing`)."""
        policy.check_target(target)
        address = self._secrets.resolve(target)
        library = _library()
        service = library.Apprise()
        if not _added(service, address):
            raise TargetInvalidError(target=target)
        if not service.notify(title=subject, body=text or subject):
            problem = "the service did not take it (the logger `apprise` says more)"
            raise NotificationFailedError(target=target, problem=problem)


def _added(service: Any, address: str) -> bool:  # noqa: ANN401 the library's own
    """Whether a service can be made of an address."""
    _DISCREET.reading.now = True
    try:
        return bool(service.add(address)) and len(service) > 0
    finally:
        _DISCREET.reading.now = False


def _library() -> ModuleType:
    try:
        import apprise  # noqa: PLC0415 only who notifies needs it, and it takes a second to load
    except ImportError as missing:
        raise MissingExtraError(
            library="apprise", extra="notify", purpose="Sending notifications"
        ) from missing
    logging.getLogger("apprise").addFilter(_DISCREET)
    return apprise
