"""Datasets by name, version and digest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.application.finding import dataset_named, location_named
from pilothouse.application.jobs import BlindDataError, check_not_blind
from pilothouse.domain.access import Action
from pilothouse.domain.datasets import Dataset, DatasetRole, parse_dataset_name
from pilothouse.domain.ids import DatasetId, GroupName
from pilothouse.domain.locations import LocationRefusedError

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.pages import Page
    from pilothouse.ports.places import Places
    from pilothouse.ports.unit_of_work import OpenWork, UnitOfWork
    from pilothouse.wire.requests import RegisterDataset


class Datasets:
    """Register datasets, fixed by the digest of their file."""

    def __init__(self, *, open_work: OpenWork, places: Places) -> None:
        self._open_work = open_work
        self._places = places

    def register(self, who: Principal, wanted: RegisterDataset) -> Dataset:
        """Register a version of a dataset from a file in a location; its digest is taken here."""
        who.require(Action.MANAGE_DATASET, group=GroupName(wanted.group))
        base, version = parse_dataset_name(wanted.name)
        place = wanted.place
        with self._open_work.reading(who) as work:
            location = location_named(work, place.location)
        if not location.readable:
            raise LocationRefusedError(
                location=location.name, path=place.path, problem="it is registered for writing only"
            )
        sha256, size = self._places.fingerprint(location, place.path)
        with self._open_work(who) as work:
            work.groups.get(wanted.group)
            _check_blind(work, wanted, sha256)
            dataset = work.datasets.add(
                Dataset(
                    id=DatasetId(work.new_id("dat")),
                    group=GroupName(wanted.group),
                    name=base,
                    dataset_version=version,
                    role=wanted.role,
                    place=place,
                    format=wanted.format,
                    sha256=sha256,
                    size=size,
                    label=wanted.label,
                    registered_by=who.person_id,
                    created_at=work.at,
                )
            )
            work.audit.record(
                "register",
                noun="dataset",
                subject=dataset.id,
                group=dataset.group,
                detail={"name": wanted.name, "sha256": sha256, "role": wanted.role},
            )
            return work.commit(dataset)

    def get(self, who: Principal, *, name: str) -> Dataset:
        """Give one dataset."""
        with self._open_work.reading(who) as work:
            return dataset_named(work, name)

    def page(self, who: Principal, *, after: str | None = None, limit: int = 50) -> Page[Dataset]:
        """List the datasets that the caller sees."""
        with self._open_work.reading(who) as work:
            return work.datasets.page(groups=who.readable, after=after, limit=limit)


def _check_blind(work: UnitOfWork, wanted: RegisterDataset, sha256: str) -> None:
    """Make sure that blind data does not become readable by being registered once more."""
    if wanted.role is DatasetRole.BLIND:
        return
    check_not_blind(work, wanted.place)
    known = work.datasets.all(role=DatasetRole.BLIND, sha256=sha256)
    if known:
        raise BlindDataError(dataset=known[0].full_name)
