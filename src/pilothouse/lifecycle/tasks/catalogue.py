"""The topics that come with Pilothouse and their parameters; what an upload is checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pilothouse.bpmn.definition import GROUP_TARGETS
from pilothouse.domain.outgoing import CredentialForm
from pilothouse.domain.plugins import PluginKind, PluginTwiceError, installed
from pilothouse.domain.training import LONGEST_S, TIMEOUT_S


class Kind(StrEnum):
    """What a parameter's value may be."""

    TEXT = "text"
    BOOLEAN = "true or false"
    NUMBER = "a number"
    WHOLE = "a whole number"
    OBJECT = "an object"


TYPES: Mapping[Kind, type | tuple[type, ...]] = {
    Kind.TEXT: str,
    Kind.BOOLEAN: bool,
    Kind.NUMBER: (int, float),
    Kind.WHOLE: (int, float),
    Kind.OBJECT: Mapping,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """
    One input of a task type.

    Attributes
    ----------
    choices
        The only texts that it may be; none named means any.
    lowest, highest
        What a number must not be below, and not above.
    """

    kind: Kind
    description: str
    required: bool = True
    choices: tuple[str, ...] = ()
    lowest: float | None = None
    highest: float | None = None

    def problem(self, value: object) -> str:
        """
        Say what is wrong with a value that is there; nothing where it will do.

        Examples
        --------
        >>> Parameter(kind=Kind.NUMBER, description="", lowest=1).problem(0)
        'is 0, below 1'
        >>> Parameter(kind=Kind.TEXT, description="", choices=("a", "b")).problem("c")
        "is 'c', none of a, b"
        """
        numeric = self.kind in (Kind.NUMBER, Kind.WHOLE)
        if not isinstance(value, TYPES[self.kind]) or (numeric and isinstance(value, bool)):
            return f"is {value!r}, not {self.kind}"
        if self.kind is Kind.WHOLE and isinstance(value, float) and not value.is_integer():
            return f"is {value!r}, not {self.kind}"
        if self.choices and value not in self.choices:
            return f"is {value!r}, none of {', '.join(self.choices)}"
        return self._out_of_range(value) if isinstance(value, int | float) else ""

    def _out_of_range(self, value: float) -> str:
        if self.lowest is not None and not value >= self.lowest:
            return f"is {value!r}, below {self.lowest:g}"
        if self.highest is not None and not value <= self.highest:
            return f"is {value!r}, above {self.highest:g}"
        return ""


class Topic(StrEnum):
    """What a service task can ask for."""

    DEPLOY = "deploy"
    SMOKE_TEST = "smoke-test"
    SCORE_JOB = "score-job"
    METRICS_JOB = "metrics-job"
    TRAIN = "train"
    LOAD_TEST = "load-test"
    COMPARE_WITH_CHAMPION = "compare-with-champion"
    EVALUATE = "evaluate"
    EVALUATE_DECISION = "evaluate-decision"
    ROUTE = "route"
    WITHDRAW = "withdraw"
    NOTIFY = "notify"
    WEBHOOK = "webhook"
    TICKET = "ticket"
    START_LIFE_CYCLE = "start-life-cycle"


STAGE = Parameter(kind=Kind.TEXT, description="The stage, such as UAT.")
SERVICE = Parameter(kind=Kind.TEXT, description="The service's tag; one of the run's group.")
SNAPSHOT = Parameter(kind=Kind.TEXT, description="The snapshot, model@number.")
PLACED = {"stage": STAGE, "service": SERVICE, "snapshot": SNAPSHOT}
DATASET = Parameter(
    kind=Kind.TEXT,
    required=False,
    description="The dataset, name@version; without it the service's test dataset.",
)
REJECTED = "ticket-rejected"
CANCELLED = "life-cycle-cancelled"
REFUSED = "trained-snapshot-refused"


class System(StrEnum):
    """What keeps tickets."""

    GENERIC = "generic"
    JIRA = "jira"
    JIRA_DATA_CENTER = "jira-data-center"
    SERVICENOW = "servicenow"


def _optional(description: str) -> Parameter:
    return Parameter(kind=Kind.TEXT, required=False, description=description)


def _limit(description: str) -> Parameter:
    return Parameter(kind=Kind.NUMBER, required=False, lowest=0, description=description)


URL = Parameter(kind=Kind.TEXT, description="The address; the group's policy must grant its host.")
CREDENTIAL = {
    "secret": Parameter(
        kind=Kind.TEXT,
        required=False,
        description="A reference to the secret that goes with each call, granted together with the host.",
    ),
    "secret_header": Parameter(
        kind=Kind.TEXT,
        required=False,
        description="The header that it goes by (`Authorization` without it).",
    ),
    "secret_form": Parameter(
        kind=Kind.TEXT,
        required=False,
        choices=tuple(CredentialForm),
        description="As it is (without it), as a bearer token, or as `user:password` for basic authentication.",
    ),
}
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
    Topic.TRAIN: {
        **PLACED,
        "dataset": Parameter(
            kind=Kind.TEXT, description="The training data, name@version; of the role train."
        ),
        "parameters": Parameter(
            kind=Kind.OBJECT, required=False, description="What the model's `train` is given."
        ),
        "seed": Parameter(
            kind=Kind.WHOLE, required=False, lowest=0, description="The seed (0 without it)."
        ),
        "timeout": Parameter(
            kind=Kind.NUMBER,
            required=False,
            lowest=1,
            highest=LONGEST_S,
            description=f"How many seconds `train` may take ({TIMEOUT_S:g} without it).",
        ),
        "tag": Parameter(
            kind=Kind.BOOLEAN,
            required=False,
            description=(
                "Whether the new snapshot is tagged with the service, which starts the service's life cycle for it "
                "(false without it)."
            ),
        ),
    },
    Topic.LOAD_TEST: {
        **PLACED,
        "rate": Parameter(
            kind=Kind.NUMBER,
            lowest=0.1,
            highest=2000,
            description="Requests a second, each of one golden record, at every endpoint.",
        ),
        "duration": Parameter(
            kind=Kind.NUMBER, lowest=1, highest=3600, description="For how many seconds."
        ),
        "concurrency": Parameter(
            kind=Kind.WHOLE,
            required=False,
            lowest=1,
            highest=256,
            description="Connections, each with one request at a time (16 without it).",
        ),
        "p50_ms": _limit("The highest median of latency, in milliseconds."),
        "p99_ms": _limit("The highest 99th percentile of latency, in milliseconds."),
        "error_share": _limit("The highest share of requests not answered well (0 without it)."),
    },
    Topic.COMPARE_WITH_CHAMPION: {
        **PLACED,
        "champion": _optional("The snapshot to compare with; found by the route without it."),
        "champion_stage": _optional(
            "The stage whose route has the champion, as its heaviest other snapshot (`stage` without it)."
        ),
        "dataset": DATASET,
        "decision": _optional("The key of a decision table that judges."),
        "least": Parameter(
            kind=Kind.OBJECT,
            required=False,
            description="Without a decision: the least difference by metric, such as `={roc_auc: -0.005}`.",
        ),
        "most": Parameter(
            kind=Kind.OBJECT,
            required=False,
            description="Without a decision: the largest difference by metric, such as `={log_loss: 0.01}`.",
        ),
    },
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
    Topic.ROUTE: {
        **PLACED,
        "share": Parameter(
            kind=Kind.NUMBER,
            required=False,
            lowest=0,
            highest=1,
            description="The part of the requests that it is to answer; without it the route is only looked at.",
        ),
        "generation": Parameter(
            kind=Kind.WHOLE,
            required=False,
            lowest=0,
            description="The generation that the route must still have; without it the route is taken as it is.",
        ),
    },
    Topic.WITHDRAW: PLACED,
    Topic.NOTIFY: {
        "subject": Parameter(kind=Kind.TEXT, description="One line."),
        "text": Parameter(kind=Kind.TEXT, required=False, description="All that there is to say."),
        "targets": _optional(
            "References to secrets apart by commas, each of which holds an address of Apprise; the group's policy must "
            f"grant them. The word `{GROUP_TARGETS}` stands for all that it grants."
        ),
    },
    Topic.WEBHOOK: {
        "url": URL,
        "body": Parameter(
            kind=Kind.OBJECT, required=False, description="What is sent as JSON; `{}` without it."
        ),
        **CREDENTIAL,
    },
    Topic.START_LIFE_CYCLE: {
        "definition": Parameter(
            kind=Kind.TEXT,
            description="The key of a life cycle, whose latest version is started, or key@version.",
        ),
        "snapshot": _optional("The snapshot that it is about; the run's own without it."),
        "service": _optional("The service that it is about; the run's own without it."),
        "variables": Parameter(
            kind=Kind.OBJECT, required=False, description="What it begins with."
        ),
        "wait": Parameter(
            kind=Kind.BOOLEAN,
            required=False,
            description="Whether the task lasts until it has ended (true without it).",
        ),
    },
    Topic.TICKET: {
        "system": Parameter(
            kind=Kind.TEXT, choices=tuple(System), description="What keeps the tickets."
        ),
        "url": Parameter(
            kind=Kind.TEXT,
            description="The system's address, or of the generic one the address of its tickets; the group's policy "
            "must grant its host.",
        ),
        "project": _optional(
            "Jira: the project's key. ServiceNow: the table (`incident` without it)."
        ),
        "kind": _optional("Jira: the type of the issue (`Task` without it)."),
        "subject": _optional("One line; needed where no `ticket` is named."),
        "text": _optional("All that there is to say."),
        "fields": Parameter(
            kind=Kind.OBJECT, required=False, description="More of the system's own fields."
        ),
        "ticket": _optional("The `id` of a ticket that is there; without it one is opened."),
        "comment": _optional("A comment to add to it."),
        "until": _optional("States apart by commas; the task waits until the ticket is in one."),
        "unless": _optional(f"States in which the wait ends by the business error `{REJECTED}`."),
        **CREDENTIAL,
    },
}
RESULTS: Mapping[str, tuple[str, ...]] = {
    Topic.DEPLOY: ("deployments",),
    Topic.SMOKE_TEST: ("smoke",),
    Topic.SCORE_JOB: ("job",),
    Topic.METRICS_JOB: ("metrics", "job"),
    Topic.TRAIN: ("trained",),
    Topic.LOAD_TEST: ("load",),
    Topic.COMPARE_WITH_CHAMPION: ("comparison",),
    Topic.EVALUATE: ("evaluation",),
    Topic.EVALUATE_DECISION: ("result",),
    Topic.ROUTE: ("route",),
    Topic.WITHDRAW: ("deployments",),
    Topic.NOTIFY: (),
    Topic.WEBHOOK: ("response",),
    Topic.START_LIFE_CYCLE: ("life_cycle",),
    Topic.TICKET: ("ticket",),
}
"""The variables that a task type gives."""


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
