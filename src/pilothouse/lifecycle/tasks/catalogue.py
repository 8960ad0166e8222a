"""The topics that come with Pilothouse and their parameters; what an upload is checked against."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from pilothouse.domain.plugins import PluginKind, PluginTwiceError, installed

if TYPE_CHECKING:
    from collections.abc import Mapping


class Kind(StrEnum):
    """What a parameter's value may be."""

    TEXT = "text"
    BOOLEAN = "true or false"
    OBJECT = "an object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One input of a task type."""

    kind: Kind
    description: str
    required: bool = True


class Topic(StrEnum):
    """What a service task can ask for."""

    DEPLOY = "deploy"
    SMOKE_TEST = "smoke-test"
    SCORE_JOB = "score-job"
    METRICS_JOB = "metrics-job"
    EVALUATE = "evaluate"
    EVALUATE_DECISION = "evaluate-decision"
    WITHDRAW = "withdraw"
    NOTIFY = "notify"


STAGE = Parameter(kind=Kind.TEXT, description="The stage, such as UAT.")
SERVICE = Parameter(kind=Kind.TEXT, description="The service's tag; one of the run's group.")
SNAPSHOT = Parameter(kind=Kind.TEXT, description="The snapshot, model@number.")
PLACED = {"stage": STAGE, "service": SERVICE, "snapshot": SNAPSHOT}
DATASET = Parameter(
    kind=Kind.TEXT,
    required=False,
    description="The dataset, name@version; without it the service's test dataset.",
)
PARAMETERS: Mapping[str, Mapping[str, Parameter]] = {
    Topic.DEPLOY: {
        **PLACED,
        "mode": Parameter(
            kind=Kind.TEXT,
            required=False,
            description="batch or online; without it the service's own mode.",
        ),
        "route": Parameter(
            kind=Kind.BOOLEAN,
            required=False,
            description="Online: whether it gets the service's traffic once it runs (true without it).",
        ),
        "replace": Parameter(
            kind=Kind.BOOLEAN,
            required=False,
            description="Whether what it replaces is withdrawn (false without it).",
        ),
    },
    Topic.SMOKE_TEST: PLACED,
    Topic.SCORE_JOB: {**PLACED, "dataset": DATASET},
    Topic.METRICS_JOB: {**PLACED, "dataset": DATASET},
    Topic.EVALUATE: {
        **PLACED,
        "decision": Parameter(kind=Kind.TEXT, description="The key of the decision table."),
        "metrics": Parameter(kind=Kind.OBJECT, description="The figures to judge."),
        "kind": Parameter(
            kind=Kind.TEXT,
            required=False,
            description="What the evaluation is called; the decision's key without it.",
        ),
    },
    Topic.EVALUATE_DECISION: {
        "decision": Parameter(kind=Kind.TEXT, description="The key of the decision table."),
        "context": Parameter(kind=Kind.OBJECT, description="The variables that it sees."),
    },
    Topic.WITHDRAW: PLACED,
    Topic.NOTIFY: {
        "subject": Parameter(kind=Kind.TEXT, description="One line."),
        "text": Parameter(kind=Kind.TEXT, required=False, description="All that there is to say."),
    },
}


def known_topics() -> Mapping[str, Mapping[str, bool] | None]:
    """
    Give every topic that somebody here works on, with its parameters and whether each is required.

    A decision's inputs are the table's own, so they are not checked; nor are a foreign type's.

    Raises
    ------
    PluginTwiceError
        When a plug-in claims a topic that Pilothouse brings, or two claim one.

    Examples
    --------
    >>> known_topics()["withdraw"]
    {'stage': True, 'service': True, 'snapshot': True}
    """
    topics: dict[str, Mapping[str, bool] | None] = {
        topic: {name: p.required for name, p in parameters.items()}
        for topic, parameters in PARAMETERS.items()
    }
    topics[Topic.EVALUATE_DECISION] = None
    for name in installed(PluginKind.TASK_TYPE):
        if name in topics:
            raise PluginTwiceError(kind=PluginKind.TASK_TYPE, name=name)
        topics[name] = None
    return topics
