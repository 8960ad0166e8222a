"""The task types that are installed: Pilothouse's own, and those of other packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.domain.plugins import PluginKind, installed
from pilothouse.lifecycle.errors import TopicUnknownError
from pilothouse.lifecycle.tasks import (
    compare,
    deploy,
    evaluate,
    jobs,
    load_test,
    notify,
    route,
    smoke_test,
    start_life_cycle,
    ticket,
    train,
    webhook,
    withdraw,
)
from pilothouse.lifecycle.tasks.catalogue import known_topics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.lifecycle.tasks.contract import Facilities, TaskType

BUILDERS = (
    deploy.build,
    smoke_test.build,
    jobs.build_score,
    jobs.build_metrics,
    train.build,
    load_test.build,
    compare.build,
    evaluate.build,
    evaluate.build_decision,
    route.build,
    withdraw.build,
    notify.build,
    start_life_cycle.build,
    ticket.build,
    webhook.build,
)


class TaskTypes:
    """Task types by topic; a foreign one is loaded when it is first needed."""

    def __init__(self, facilities: Facilities) -> None:
        self._facilities = facilities
        self._built: dict[str, TaskType] = {t.topic: t for t in (b(facilities) for b in BUILDERS)}
        self.topics: Mapping[str, Mapping[str, bool] | None] = known_topics()

    def of(self, topic: str) -> TaskType:
        """
        Give the task type of a topic.

        Raises
        ------
        TopicUnknownError
            When nobody here works on it.
        """
        if topic not in self._built:
            point = installed(PluginKind.TASK_TYPE).get(topic)
            if point is None:
                raise TopicUnknownError(topic=topic, known=tuple(sorted(self.topics)))
            self._built[topic] = point.load()(self._facilities)
        return self._built[topic]
