"""
What can be said of life cycles and decision files without a server.

The command line comes in by this door only; what it offers of other modules is named in `__all__`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.dmn import DmnRejectedError, namespace_of, read_decisions
from pilothouse.lifecycle.answers import AnswersInvalidError, Script, read_script
from pilothouse.lifecycle.differences import Difference, differences
from pilothouse.lifecycle.element_templates import element_templates
from pilothouse.lifecycle.errors import NamespaceTwiceError
from pilothouse.lifecycle.files import (
    analysis_findings,
    findings,
    refusals,
)
from pilothouse.lifecycle.paths import Path, Paths, all_paths
from pilothouse.lifecycle.simulation import (
    Passage,
    Simulated,
    decisions_given,
    life_cycle,
    simulate,
)
from pilothouse.lifecycle.tasks.catalogue import known_topics
from pilothouse.lifecycle.upload_order import upload_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pilothouse.dmn import Decisions
    from pilothouse.wire.runs import Finding

__all__ = [
    "AnswersInvalidError",
    "Difference",
    "Passage",
    "Path",
    "Paths",
    "Script",
    "Simulated",
    "all_paths",
    "by_namespace",
    "decisions_given",
    "decisions_of",
    "differences",
    "element_templates",
    "life_cycle",
    "lint",
    "lint_decisions",
    "read_script",
    "simulate",
    "upload_order",
]


def lint(
    xml: bytes, *, others: Iterable[bytes] = (), external_topics: Iterable[str] = ()
) -> tuple[Finding, ...]:
    """
    Say what an upload would refuse, and where decision tables contradict themselves; nothing where all is well.

    Topics are those of the task types that are installed here; a foreign one's parameters are only checked
    by a server.

    Parameters
    ----------
    xml
        The file.
    others
        The decision files that it imports, and those that they import.
    external_topics
        The topics that workers of the group do, which a server knows from its policy.

    Raises
    ------
    NamespaceTwiceError
        When two of the others have one namespace.

    Examples
    --------
    >>> [finding.element for finding in lint(b"<nothing/>")]
    ['(file)']
    """
    topics = {**dict.fromkeys(external_topics), **known_topics()}
    return findings(xml, topics=topics, imports=by_namespace(others))


def lint_decisions(xml: bytes, *, others: Iterable[bytes] = ()) -> tuple[Finding, ...]:
    """
    Say all that can be said of a decision file: what an upload would refuse, or else what analysis of its tables finds.

    Raises
    ------
    NamespaceTwiceError
        When two of the others have one namespace.
    """
    try:
        return analysis_findings(decisions_of(xml, others=others))
    except DmnRejectedError as error:
        return refusals(error.problems)


def decisions_of(xml: bytes, *, others: Iterable[bytes] = ()) -> Decisions:
    """
    Read a decision file with those that it imports.

    Raises
    ------
    DmnRejectedError
        When it is no DMN, or cannot run.
    NamespaceTwiceError
        When two of the others have one namespace.
    """
    return read_decisions(xml, imports=by_namespace(others))


def by_namespace(files: Iterable[bytes]) -> Mapping[str, bytes]:
    """
    Give decision files by the namespaces that they are imported by.

    Raises
    ------
    NamespaceTwiceError
        When two have one namespace.
    DmnRejectedError
        When one is no DMN.
    """
    found: dict[str, bytes] = {}
    for xml in files:
        namespace = namespace_of(xml)
        if namespace in found:
            raise NamespaceTwiceError(namespace=namespace)
        found[namespace] = xml
    return found
