"""Locks: requirements that may be asked for, and locks that pin every package by version and hash."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilothouse.scoring.model_errors import LockInvalidError, RequirementRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
VERSION = r"(?:~=|===?|!=|<=?|>=?)\s*[A-Za-z0-9.*+!_-]+"
MARKER = r"[^\n\r\\#]*"
REQUIREMENT = re.compile(
    rf"\s*(?P<name>{NAME})\s*(?:\[\s*{NAME}(?:\s*,\s*{NAME})*\s*\])?"
    rf"\s*(?:{VERSION}(?:\s*,\s*{VERSION})*)?\s*(?:;{MARKER})?\s*\Z"
)
PINNED = re.compile(
    rf"(?P<name>{NAME})(?:\[[^\]]*\])?==[A-Za-z0-9.+!_-]+\s*(?:;[^\n\r\\#]*?)?"
    r"(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})*)\s*\Z"
)
MAXIMUM_REQUIREMENTS = 1000


def normal(name: str) -> str:
    """
    Give a package's name in its normal form (PEP 503).

    Examples
    --------
    >>> normal("Scikit_Learn")
    'scikit-learn'
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def requirement_names(requirements: Sequence[str]) -> tuple[str, ...]:
    """
    Give the packages that requirements name, in normal form.

    Raises
    ------
    RequirementRefusedError
        When one is no named package (an option, an address, a path), or there are too many.

    Examples
    --------
    >>> requirement_names(["Scikit_Learn[alldeps]>=1.5,<2 ; python_version >= '3.11'"])
    ('scikit-learn',)
    """
    if len(requirements) > MAXIMUM_REQUIREMENTS:
        raise RequirementRefusedError(requirement=f"({len(requirements)} of them)")
    names = []
    for requirement in requirements:
        found = REQUIREMENT.match(requirement)
        if found is None:
            raise RequirementRefusedError(requirement=requirement)
        names.append(normal(found["name"]))
    return tuple(names)


def locked_names(lock: str) -> tuple[str, ...]:
    """
    Give the packages that a lock pins, in normal form.

    Raises
    ------
    LockInvalidError
        When a line is anything but a comment or an exact version with SHA-256 hashes.
    """
    names = []
    for number, line in _logical_lines(lock):
        found = PINNED.match(line)
        if found is None:
            raise LockInvalidError(
                line=number, problem=f"{line[:80]!r} is no 'name==version' with hashes"
            )
        if not found["hashes"]:
            raise LockInvalidError(line=number, problem=f"{found['name']} has no hash")
        names.append(normal(found["name"]))
    return tuple(names)


def check_lock(lock: str, requirements: Sequence[str]) -> None:
    """
    Check a lock that a model folder brings against its requirements.

    Raises
    ------
    LockInvalidError
        When it is not exact, has no hashes, or lacks a package that the manifest requires.
    RequirementRefusedError
        When a requirement is refused.
    """
    missing = sorted(set(requirement_names(requirements)) - set(locked_names(lock)))
    if missing:
        raise LockInvalidError(
            line=1, problem=f"it lacks {', '.join(missing)}, which the manifest requires"
        )


def _logical_lines(lock: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    carried, first = "", 0
    for number, raw in enumerate(lock.splitlines(), start=1):
        line = raw.strip()
        if not carried:
            first = number
            if not line or line.startswith("#"):
                continue
        if line.endswith("\\"):
            carried += line[:-1].rstrip() + " "
            continue
        lines.append((first, (carried + line).strip()))
        carried = ""
    if carried:
        raise LockInvalidError(line=first, problem="it ends inside a line")
    return lines
