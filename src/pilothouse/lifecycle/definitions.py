"""Definitions: upload life cycles and decision tables, look them up, activate and retire them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.dmn import DmnRejectedError
from pilothouse.domain.access import EVERY_GROUP, Action
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.ids import DefinitionId, GroupName
from pilothouse.domain.lifecycles import (
    Definition,
    DefinitionKind,
    DefinitionState,
    GivenDecision,
    xml_text,
)
from pilothouse.lifecycle.arming import arm
from pilothouse.lifecycle.errors import DecisionTakenError
from pilothouse.lifecycle.files import findings, read_file, refusals
from pilothouse.lifecycle.imports import identity, imported
from pilothouse.lifecycle.lookup import CURE, givers
from pilothouse.lifecycle.moving import persistent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pilothouse.domain.access import Principal
    from pilothouse.domain.pages import Page
    from pilothouse.lifecycle.files import LifecycleFile, Topics
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.runs import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class _Upload:
    """A file that can run, with the files that it imports by namespace."""

    group: GroupName
    xml: bytes
    file: LifecycleFile
    imports: Mapping[str, Definition]

    @property
    def identity(self) -> str:
        return identity(self.xml, self.imports)


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

        What a decision file imports is found among the latest active files of the group and of everybody, and
        stays as it was found: uploaded again when one of those has a newer version, it is a new version too.
        A retired version that is uploaded again is active again.

        Raises
        ------
        DefinitionRejectedError, DmnRejectedError, NotALifecycleError, EncodingUnsupportedError
            When it cannot run; all reasons are given at once.
        DecisionTakenError
            When another file of the group gives a decision of the same id.
        """
        who.require(Action.UPLOAD_LIFECYCLE, group=GroupName(group))
        found = self._imported(who, GroupName(group), xml)
        sources = {namespace: d.source for namespace, d in found.items()}
        topics = self._topics_of(who, GroupName(group))
        file = read_file(xml, topics=topics, imports=sources)
        wanted = _Upload(group=GroupName(group), xml=xml, file=file, imports=found)
        return persistent(lambda: self._kept(who, wanted))

    def _imported(self, who: Principal, group: GroupName, xml: bytes) -> Mapping[str, Definition]:
        with self._open_work.reading(who) as work:
            return imported(work, xml, group=group)

    def _kept(self, who: Principal, wanted: _Upload) -> Definition:
        with self._open_work(who) as work:
            if wanted.group != EVERY_GROUP:
                work.groups.get(wanted.group)
            _refuse_taken(work, wanted.group, wanted.file)
            versions = work.definitions.all(key=wanted.file.key)
            same = [d for d in versions if (d.group, d.sha256) == (wanted.group, wanted.identity)]
            if same:
                active = DefinitionState.ACTIVE
                return work.commit(_turned(work, same[0], active, action="reactivate"))
            number = max((d.definition_version for d in versions), default=0) + 1
            kept = work.definitions.add(_definition(work, wanted, number))
            for decision in kept.decisions:
                work.given_decisions.add(
                    GivenDecision(
                        id=work.new_id("gvn"),
                        definition_id=kept.id,
                        group=kept.group,
                        decision=decision,
                    )
                )
            _audit(work, "upload", kept)
            arm(work, group=kept.group, key=kept.key)
            return work.commit(kept)

    def install_shipped(
        self, who: Principal, *, group: str = EVERY_GROUP
    ) -> tuple[Definition, ...]:
        """Upload the life cycles and decision tables that come with Pilothouse; again changes nothing."""
        return tuple(self.upload(who, group=group, xml=xml) for xml in shipped())

    def activate(self, who: Principal, *, name: str) -> Definition:
        """
        Let new runs start from this very version: later ones of its key and group are retired with it.

        Runs under way go on as they are. Activating twice changes nothing.

        Raises
        ------
        DecisionTakenError
            When another file of the group gives a decision of the same id.
        """
        return persistent(lambda: self._activated(who, name))

    def _activated(self, who: Principal, name: str) -> Definition:
        with self._open_work(who) as work:
            found = definition_named(work, name)
            who.require(Action.UPLOAD_LIFECYCLE, group=found.group)
            _refuse_taken(work, found.group, found)
            versions = work.definitions.all(
                key=found.key,
                kind=found.kind,
                group=found.group,
                state=DefinitionState.ACTIVE,
            )
            for later in versions:
                if later.definition_version > found.definition_version:
                    _turned(work, later, DefinitionState.RETIRED, action="retire")
            active = DefinitionState.ACTIVE
            return work.commit(_turned(work, found, active, action="activate"))

    def retire(self, who: Principal, *, name: str) -> Definition:
        """Let no new run start from a version; those under way go on. Retiring twice changes nothing."""
        return persistent(lambda: self._retired(who, name))

    def _retired(self, who: Principal, name: str) -> Definition:
        with self._open_work(who) as work:
            found = definition_named(work, name)
            who.require(Action.UPLOAD_LIFECYCLE, group=found.group)
            return work.commit(_turned(work, found, DefinitionState.RETIRED, action="retire"))

    def get(self, who: Principal, *, name: str) -> Definition:
        """Give a definition by ``key@version``, by id, or of a key the latest active one, or else the latest."""
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

    def lint(self, who: Principal, *, xml: bytes, group: str = EVERY_GROUP) -> tuple[Finding, ...]:
        """Say what an upload to a group would refuse, and what its decision tables leave open or contradict."""
        if group != EVERY_GROUP or who.readable == frozenset():
            who.require(Action.READ, group=GroupName(group))
        try:
            found = self._imported(who, GroupName(group), xml)
        except (DefinitionRejectedError, DmnRejectedError) as error:
            return refusals(error.problems)
        sources = {namespace: d.source for namespace, d in found.items()}
        return findings(xml, topics=self._topics_of(who, GroupName(group)), imports=sources)

    def _topics_of(self, who: Principal, group: GroupName) -> Topics:
        """Give the topics that somebody works on for a group: the platform, or workers of its own."""
        if group == EVERY_GROUP:
            return self._topics
        with self._open_work.reading(who) as work:
            own = work.groups.get(group).external_topics
        return {**dict.fromkeys(own), **self._topics}


def shipped() -> Iterator[bytes]:
    """Give the files that come with Pilothouse."""
    folder = files("pilothouse.lifecycle") / "definitions"
    found = (f for f in folder.iterdir() if f.name.endswith((".bpmn", ".dmn")))
    return (f.read_bytes() for f in sorted(found, key=lambda f: f.name))


def _definition(work: UnitOfWork, wanted: _Upload, number: int) -> Definition:
    file = wanted.file
    return Definition(
        id=DefinitionId(work.new_id("def")),
        group=wanted.group,
        kind=file.kind,
        key=file.key,
        definition_version=number,
        name=file.name,
        xml=xml_text(wanted.xml),
        sha256=wanted.identity,
        start_signals=file.start_signals,
        state=DefinitionState.ACTIVE,
        uploaded_by=work.who.person_id,
        uploaded_at=work.at,
        namespace=file.namespace,
        decisions=file.decisions,
        imports={namespace: d.full_name for namespace, d in sorted(wanted.imports.items())},
    )


def definition_named(work: UnitOfWork, name: str) -> Definition:
    """Find a definition that the caller sees: by ``key@version``, by id, or of a key the latest active one, or else the latest."""
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
    active = DefinitionState.ACTIVE
    return max(seen, key=lambda d: (d.state is active, d.definition_version))


def usable_by_reader(who: Principal, definition: Definition) -> bool:
    """Whether the caller may know of a definition: one of its groups', or everybody's."""
    return definition.group == EVERY_GROUP or who.may(Action.READ, group=definition.group)


def _refuse_taken(work: UnitOfWork, group: GroupName, file: LifecycleFile | Definition) -> None:
    """Refuse decision ids that another file of the same group gives now."""
    taken: dict[str, set[str]] = {}
    for decision in file.decisions:
        others = givers(work, decision=decision, owner=group)
        names = {d.full_name for d in others if d.key != file.key}
        if names:
            taken[decision] = names
    if taken:
        names = set().union(*taken.values())
        raise DecisionTakenError(decisions=tuple(taken), definitions=tuple(sorted(names)))


def _turned(
    work: UnitOfWork, definition: Definition, state: DefinitionState, *, action: str
) -> Definition:
    """Give a version another state: the one place where what a key starts with changes, but for uploads."""
    if definition.state is state:
        return definition
    turned = work.definitions.save(replace(definition, state=state))
    _audit(work, action, turned)
    arm(work, group=turned.group, key=turned.key)
    return turned


def _audit(work: UnitOfWork, action: str, definition: Definition) -> None:
    work.audit.record(
        action,
        noun="lifecycle",
        subject=definition.id,
        group=definition.group,
        detail={"name": definition.full_name, "sha256": definition.sha256},
    )
