"""Imports of decision files: found among a group's files when one is uploaded, and kept by version."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pilothouse.dmn import DmnRejectedError, Problem, imports_of
from pilothouse.domain.plain import digest
from pilothouse.lifecycle.files import is_decision_file
from pilothouse.lifecycle.lookup import namespace_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import Definition
    from pilothouse.ports.unit_of_work import UnitOfWork


def imported(work: UnitOfWork, xml: bytes, *, group: GroupName) -> Mapping[str, Definition]:
    """
    Find what a decision file needs, and what that needs in turn: the latest active file of each namespace.

    Raises
    ------
    DmnRejectedError
        When a namespace is that of no file, or of several.
    """
    found: dict[str, Definition] = {}
    problems: dict[str, Problem] = {}
    waiting = [(namespace, "") for namespace in _imports(xml)]
    while waiting:
        namespace, by = waiting.pop(0)
        if namespace in found or namespace in problems:
            continue
        files = namespace_files(work, namespace=namespace, group=group)
        if len(files) == 1:
            found[namespace] = files[0]
            waiting += [(n, files[0].full_name) for n in _imports(files[0].source)]
        else:
            problems[namespace] = _problem(namespace, by, files)
    if problems:
        raise DmnRejectedError(problems=tuple(problems.values()))
    return found


def pinned(work: UnitOfWork, definition: Definition) -> Mapping[str, bytes]:
    """Give the files that a definition was uploaded with, by namespace, retired or not."""
    return {
        namespace: _named(work, full_name).source
        for namespace, full_name in definition.imports.items()
    }


def identity(xml: bytes, found: Mapping[str, Definition]) -> str:
    """Give the digest by which an upload is known again: of the file, and of all that it imports."""
    own = hashlib.sha256(xml).hexdigest()
    if not found:
        return own
    return digest({"file": own, "imports": {n: d.sha256 for n, d in found.items()}})


def _imports(xml: bytes) -> tuple[str, ...]:
    return imports_of(xml) if is_decision_file(xml) else ()


def _named(work: UnitOfWork, full_name: str) -> Definition:
    key, _, number = full_name.rpartition("@")
    found = work.definitions.find(key=key, definition_version=int(number))
    if found is None:
        raise LookupError(
            f"The imported definition {full_name} is gone; definitions are never removed."
        )
    return found


def _problem(namespace: str, by: str, files: tuple[Definition, ...]) -> Problem:
    whose = f"{by}, which it imports," if by else "it"
    if not files:
        return Problem(
            element="definitions",
            line=0,
            problem=f"{whose} imports the namespace {namespace!r}, which is that of no active file of the group",
            cure="Upload the file of that namespace first",
        )
    names = ", ".join(sorted(d.full_name for d in files))
    return Problem(
        element="definitions",
        line=0,
        problem=f"{whose} imports the namespace {namespace!r}, which several files have: {names}",
        cure="Give each file a namespace of its own, or retire all but one",
    )
