"""Finding things by the names that people use, among what the caller may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.access import EVERY_GROUP, Action
from pilothouse.domain.datasets import Dataset, parse_dataset_name
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.snapshots import Snapshot, parse_snapshot_name

if TYPE_CHECKING:
    from pilothouse.domain.access import Principal
    from pilothouse.domain.groups import Group
    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.locations import Location
    from pilothouse.domain.models import Model
    from pilothouse.domain.runtimes import Runtime
    from pilothouse.domain.services import Service
    from pilothouse.domain.stages import Stage
    from pilothouse.ports.unit_of_work import UnitOfWork


def sees(who: Principal, group: GroupName) -> bool:
    """Whether the caller may know of the group's things."""
    return who.may(Action.READ, group=group)


def group_seen(work: UnitOfWork, name: str) -> Group:
    """Find a group that the caller sees."""
    found = work.groups.find(name=name)
    if found is None or not sees(work.who, found.name):
        raise NotFoundError(noun="group", name=name)
    return found


def visible(who: Principal, group: GroupName) -> bool:
    """Whether something of a group, or of every group, may be shown to the caller."""
    return group == EVERY_GROUP or sees(who, group)


def snapshot_named(work: UnitOfWork, name: str) -> Snapshot:
    """Find a snapshot by ``model@number`` or by id."""
    if name.startswith("snp_"):
        found = work.snapshots.find(id=name)
    else:
        model, number = parse_snapshot_name(name)
        found = work.snapshots.find(model=model, number=number)
    if found is None or not sees(work.who, found.group):
        raise NotFoundError(noun="snapshot", name=name)
    return found


def model_named(work: UnitOfWork, name: str) -> Model:
    """Find a model by name."""
    found = work.models.find(name=name)
    if found is None or not sees(work.who, found.group):
        raise NotFoundError(noun="model", name=name)
    return found


def dataset_named(work: UnitOfWork, name: str) -> Dataset:
    """Find a dataset by ``name@version``."""
    base, version = parse_dataset_name(name)
    found = work.datasets.find(name=base, dataset_version=version)
    if found is None or not sees(work.who, found.group):
        raise NotFoundError(noun="dataset", name=name)
    return found


def service_tagged(work: UnitOfWork, tag: str) -> Service:
    """Find a service by its tag."""
    found = work.services.find(tag=tag)
    if found is None or not sees(work.who, found.group):
        raise NotFoundError(noun="service", name=tag)
    return found


def runtime_named(work: UnitOfWork, name: str) -> Runtime:
    """Find a runtime by name or id."""
    found = (
        work.runtimes.find(id=name) if name.startswith("rtm_") else work.runtimes.find(name=name)
    )
    if found is None or not sees(work.who, found.group):
        raise NotFoundError(noun="runtime", name=name)
    return found


def location_named(work: UnitOfWork, name: str) -> Location:
    """Find a location by name."""
    found = work.locations.find(name=name)
    if found is None or not sees(work.who, found.group):
        raise NotFoundError(noun="location", name=name)
    return found


def stage_named(work: UnitOfWork, name: str) -> Stage:
    """Find a stage by name; stages are everybody's."""
    found = work.stages.find(name=name)
    if found is None:
        raise NotFoundError(noun="stage", name=name)
    return found
