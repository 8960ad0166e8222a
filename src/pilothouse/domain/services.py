"""Services: the business uses that models serve, each known by its tag."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pilothouse.domain.ids import GroupName, PersonId, ServiceTag
from pilothouse.domain.prediction_logs import LogPolicy
from pilothouse.domain.runtimes import Mode
from pilothouse.domain.snapshots import check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """
    A business use of models.

    Attributes
    ----------
    lifecycle
        Key of the life cycle that a snapshot tagged with this service goes through; None for none.
    test_dataset
        The labelled dataset, ``name@version``, that its snapshots are measured on.
    log
        What the prediction log keeps of it.
    """

    tag: ServiceTag
    group: GroupName
    title: str
    mode: Mode
    lifecycle: str | None
    test_dataset: str | None
    owner: PersonId
    created_at: datetime
    log: LogPolicy = LogPolicy()  # noqa: RUF009 frozen
    version: int = 1

    def __post_init__(self) -> None:
        check_name("service", self.tag)

    @property
    def id(self) -> str:
        """The tag, which is the service's key."""
        return self.tag
