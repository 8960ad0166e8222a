"""Which definition a name means now: of a key, of a decision, of an imported namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.access import EVERY_GROUP
from pilothouse.domain.lifecycles import DefinitionKind, DefinitionState
from pilothouse.lifecycle.errors import DecisionAmbiguousError

if TYPE_CHECKING:
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.lifecycles import Definition
    from pilothouse.ports.unit_of_work import UnitOfWork

CURE = "List them with `pilothouse lifecycles list`."


def latest_active(
    work: UnitOfWork, *, key: str, kind: DefinitionKind, group: GroupName
) -> Definition | None:
    """Give the version that a group uses now: the latest active one of its own, or else of everybody's."""
    found = [
        d
        for d in work.definitions.all(key=key, kind=kind, state=DefinitionState.ACTIVE)
        if d.group in (group, EVERY_GROUP)
    ]
    return max(found, key=lambda d: (d.group == group, d.definition_version), default=None)


def decision_file(work: UnitOfWork, *, decision: str, group: GroupName) -> Definition | None:
    """
    Give the file whose decision a group uses now: one of its own, or else one of everybody's.

    Raises
    ------
    DecisionAmbiguousError
        When two files give the decision, as can come about when a newer version of one is retired.
    """
    for owner in (group, EVERY_GROUP):
        found = givers(work, decision=decision, owner=owner)
        if len(found) > 1:
            names = tuple(sorted(d.full_name for d in found))
            raise DecisionAmbiguousError(decision=decision, definitions=names)
        if found:
            return found[0]
    return None


def givers(work: UnitOfWork, *, decision: str, owner: GroupName) -> tuple[Definition, ...]:
    """Give the files of exactly this group whose latest active version has a decision of this id."""
    given = work.given_decisions.all(decision=decision, group=owner)
    ids = tuple(g.definition_id for g in given)
    active = work.definitions.all(id=ids, state=DefinitionState.ACTIVE) if ids else ()
    return tuple(d for d in active if _is_latest(work, d))


def namespace_files(
    work: UnitOfWork, *, namespace: str, group: GroupName
) -> tuple[Definition, ...]:
    """Give the latest active files of a namespace: a group's own, or where it has none, everybody's."""
    active = work.definitions.all(
        namespace=namespace,
        kind=DefinitionKind.DMN,
        state=DefinitionState.ACTIVE,
        group=(group, EVERY_GROUP),
    )
    latest = tuple(d for d in active if _is_latest(work, d))
    own = tuple(d for d in latest if d.group == group)
    return own or latest


def _is_latest(work: UnitOfWork, definition: Definition) -> bool:
    versions = work.definitions.all(
        key=definition.key,
        kind=definition.kind,
        group=definition.group,
        state=DefinitionState.ACTIVE,
    )
    return all(d.definition_version <= definition.definition_version for d in versions)
