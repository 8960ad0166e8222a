"""Definitions: upload life cycles and decision tables, look them up, retire them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pilothouse.domain.access import EVERY_GROUP, Action
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.ids import DefinitionId, GroupName
from pilothouse.domain.lifecycles import Definition, DefinitionKind, DefinitionState
from pilothouse.lifecycle.files import LifecycleFile, findings, read_file
from pilothouse.lifecycle.moving import persistent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.domain.access import Principal
    from pilothouse.domain.pages import Page
    from pilothouse.lifecycle.files import Topics
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.runs import Finding

CURE = "List them with `pilothouse lifecycles list`."


class Definitions:
    """
    Upload and look up definitions.

    A definition belongs to a group, or to every group (``*``), as the shipped ones do. A key's versions are
    counted over all groups, so ``promote-online@3`` is one file.
    """

    def __init__(self, *, open_work: OpenWork, topics: Topics) -> None:
        self._open_work = open_work
        self._topics = topics

    def upload(self, who: Principal, *, group: str, xml: bytes) -> Definition:
        """
        Keep a BPMN or DMN file as the next version of its key; the same bytes are the same version.

        A retired version that is uploaded again is active again.

        Raises
        ------
        DefinitionRejectedError, DmnRejectedError, NotALifecycleError
            When it cannot run; all reasons are given at once.
        """
        who.require(Action.UPLOAD_LIFECYCLE, group=GroupName(group))
        file = read_file(xml, topics=self._topics)
        return persistent(lambda: self._kept(who, GroupName(group), file, xml))

    def _kept(
        self, who: Principal, group: GroupName, file: LifecycleFile, xml: bytes
    ) -> Definition:
        with self._open_work(who) as work:
            if group != EVERY_GROUP:
                work.groups.get(group)
            versions = work.definitions.all(key=file.key)
            sha256 = hashlib.sha256(xml).hexdigest()
            same = [d for d in versions if (d.group, d.sha256) == (group, sha256)]
            if same:
                return work.commit(_reactivated(work, same[0]))
            number = max((d.definition_version for d in versions), default=0) + 1
            kept = work.definitions.add(
                Definition(
                    id=DefinitionId(work.new_id("def")),
                    group=group,
                    kind=file.kind,
                    key=file.key,
                    definition_version=number,
                    name=file.name,
                    xml=xml.decode(),
                    sha256=sha256,
                    start_signals=file.start_signals,
                    state=DefinitionState.ACTIVE,
                    uploaded_by=who.person_id,
                    uploaded_at=work.at,
                )
            )
            _audit(work, "upload", kept)
            return work.commit(kept)

    def install_shipped(
        self, who: Principal, *, group: str = EVERY_GROUP
    ) -> tuple[Definition, ...]:
        """Upload the life cycles and decision tables that come with Pilothouse; again changes nothing."""
        return tuple(self.upload(who, group=group, xml=xml) for xml in shipped())

    def retire(self, who: Principal, *, name: str) -> Definition:
        """Let no new run start from a version; those under way go on. Retiring twice changes nothing."""
        with self._open_work(who) as work:
            found = definition_named(work, name)
            who.require(Action.UPLOAD_LIFECYCLE, group=found.group)
            if found.state is DefinitionState.RETIRED:
                return work.commit(found)
            retired = work.definitions.save(replace(found, state=DefinitionState.RETIRED))
            _audit(work, "retire", retired)
            return work.commit(retired)

    def get(self, who: Principal, *, name: str) -> Definition:
        """Give a definition by ``key@version``, by id, or the latest of a key."""
        with self._open_work.reading(who) as work:
            return definition_named(work, name)

    def page(
        self,
        who: Principal,
        *,
        kind: DefinitionKind | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Definition]:
        """List the definitions of the caller's groups and of every group."""
        groups = None if who.readable is None else who.readable | {EVERY_GROUP}
        equals: dict[str, Any] = {} if kind is None else {"kind": kind}
        with self._open_work.reading(who) as work:
            return work.definitions.page(groups=groups, after=after, limit=limit, **equals)

    def lint(self, xml: bytes) -> tuple[Finding, ...]:
        """Say what an upload would refuse; nothing where it would succeed."""
        return findings(xml, topics=self._topics)


def shipped() -> Iterator[bytes]:
    """Give the files that come with Pilothouse."""
    folder = files("pilothouse.lifecycle") / "definitions"
    found = (f for f in folder.iterdir() if f.name.endswith((".bpmn", ".dmn")))
    return (f.read_bytes() for f in sorted(found, key=lambda f: f.name))


def definition_named(work: UnitOfWork, name: str) -> Definition:
    """Find a definition that the caller sees, by ``key@version``, by id, or the latest version of a key."""
    key, _, number = name.partition("@")
    if name.startswith("def_"):
        found = work.definitions.all(id=name)
    elif number.isascii() and number.isdigit() and len(number) <= 9:
        found = work.definitions.all(key=key, definition_version=int(number))
    else:
        found = work.definitions.all(key=name)
    seen = [d for d in found if usable_by_reader(work.who, d)]
    if not seen:
        raise NotFoundError(noun="lifecycle", name=name, cure=CURE)
    return max(seen, key=lambda d: d.definition_version)


def usable_by_reader(who: Principal, definition: Definition) -> bool:
    """Whether the caller may know of a definition: one of its groups', or everybody's."""
    return definition.group == EVERY_GROUP or who.may(Action.READ, group=definition.group)


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


def _reactivated(work: UnitOfWork, definition: Definition) -> Definition:
    if definition.state is DefinitionState.ACTIVE:
        return definition
    active = work.definitions.save(replace(definition, state=DefinitionState.ACTIVE))
    _audit(work, "reactivate", active)
    return active


def _audit(work: UnitOfWork, action: str, definition: Definition) -> None:
    work.audit.record(
        action,
        noun="lifecycle",
        subject=definition.id,
        group=definition.group,
        detail={"name": definition.full_name, "sha256": definition.sha256},
    )
