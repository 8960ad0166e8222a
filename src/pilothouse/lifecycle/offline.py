"""What can be said of a life cycle without a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.lifecycle.files import findings
from pilothouse.lifecycle.tasks.catalogue import known_topics

if TYPE_CHECKING:
    from pilothouse.wire.runs import Finding


def lint(xml: bytes) -> tuple[Finding, ...]:
    """
    Say what an upload would refuse: every problem with its element, line and cure; nothing where it would succeed.

    Topics are those of the task types that are installed here; a foreign one's parameters are only checked
    by a server.

    Examples
    --------
    >>> [finding.element for finding in lint(b"<nothing/>")]
    ['(file)']
    """
    return findings(xml, topics=known_topics())
