"""Groups: the teams that own things, and what their policy grants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pilothouse.domain.external_jobs import check_topic
from pilothouse.domain.ids import GroupName
from pilothouse.domain.outgoing import HostGrant, OutgoingPolicy
from pilothouse.domain.snapshots import check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """
    A team.

    Attributes
    ----------
    python_source
        Whether its models may bring Python source, which runs in a process of its own.
    skops_types
        Types beyond the platform's own list that its scikit-learn models may be built of.
    outgoing_hosts
        Hosts that its life cycles may call, each with the secrets that calls to it may carry.
    notification_targets
        References to the secrets that hold the addresses its life cycles may notify.
    external_topics
        Topics of its life cycles whose jobs are given to workers outside the platform.
    """

    name: GroupName
    title: str
    python_source: bool
    skops_types: tuple[str, ...]
    created_at: datetime
    outgoing_hosts: tuple[HostGrant, ...] = ()
    notification_targets: tuple[str, ...] = ()
    external_topics: tuple[str, ...] = ()
    version: int = 1

    def __post_init__(self) -> None:
        check_name("group", self.name)
        for topic in self.external_topics:
            check_topic(topic)

    @property
    def id(self) -> str:
        """The group's name, which is its key."""
        return self.name

    @property
    def outgoing(self) -> OutgoingPolicy:
        """What its life cycles may reach outside."""
        return OutgoingPolicy(
            hosts=self.outgoing_hosts, notification_targets=self.notification_targets
        )
