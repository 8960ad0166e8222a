"""Task types, life cycles that come with Pilothouse, and what of BPMN runs."""

from __future__ import annotations

from functools import cache
from itertools import chain

from docs.generating.markdown import bullets, code, table
from docs.generating.source import calls, problems, words, yields
from pilothouse.bpmn import (
    advice,
    checks,
    definition,
    expressions,
    read,
    read_events,
    read_tasks,
    reading,
    xml,
)
from pilothouse.bpmn.definition import (
    AnyNode,
    Boundary,
    Catch,
    Definition,
    End,
    ErrorCode,
    Exclusive,
    Human,
    Message,
    Parallel,
    Service,
    Signal,
    Start,
    SubProcess,
)
from pilothouse.bpmn.expressions import Value
from pilothouse.bpmn.forms import FieldType
from pilothouse.bpmn.timers import Timer, TimerKind
from pilothouse.dmn import read_decisions
from pilothouse.domain.lifecycles import DefinitionKind
from pilothouse.lifecycle import files
from pilothouse.lifecycle.definitions import shipped
from pilothouse.lifecycle.expressions import FeelExpressions
from pilothouse.lifecycle.files import read_file
from pilothouse.lifecycle.tasks.catalogue import PARAMETERS, Topic, known_topics
from pilothouse.lifecycle.tasks.smoke_test import FAILED

TASKS = {
    Topic.DEPLOY: (
        "Orders the snapshot onto every runtime that suits, waits until all run it, then moves the traffic.",
        "`deployments`: a list of `{id, runtime, stage, mode}`",
    ),
    Topic.SMOKE_TEST: (
        (
            "Asks every endpoint of the stage for the golden records and compares with the original model's answers, "
            "to 1e-12."
        ),
        f"`smoke`: `{{id, verdict, reason}}`; a difference is the business error `{FAILED}`",
    ),
    Topic.SCORE_JOB: (
        "Scores a dataset into the location that `PILOTHOUSE_RESULTS_LOCATION` names, and waits for the end.",
        "`job`: `{id, result, output, rows, rows_scored, rows_rejected, rejected_share}`",
    ),
    Topic.METRICS_JOB: (
        "Measures the snapshot on a labelled dataset, and waits for the end.",
        "`metrics`: the figures with `rows`, `rows_scored`, `rows_rejected`, `rejected_share`; `job` as above",
    ),
    Topic.EVALUATE: (
        "Judges figures by a decision table and keeps the verdict, the rule and the evidence as an evaluation.",
        "`evaluation`: `{id, verdict, reason}`, the verdict PASS, FAIL or INCONCLUSIVE",
    ),
    Topic.EVALUATE_DECISION: (
        "Takes a decision; it is what a business rule task with a called decision becomes.",
        "`result`, which becomes the task's result variable",
    ),
    Topic.WITHDRAW: (
        "Withdraws the snapshot from the service in the stage, out of the route too.",
        "`deployments`: a list of ids",
    ),
    Topic.NOTIFY: (
        "Writes the words into the audit, and as a line of the log `pilothouse.notifications`.",
        "nothing",
    ),
}
EXECUTED = (
    ("startEvent", "none (by hand) or signal; the signal's name is plain text"),
    ("endEvent", "none, error (with a code) or terminate"),
    (
        "serviceTask",
        "with a `zeebe:taskDefinition`: a job for a task type, with retries and back-off",
    ),
    ("businessRuleTask", "with a `zeebe:calledDecision`, or a topic like a service task"),
    ("userTask", "a task for people: roles, people, due date, form, separation of duties"),
    ("receiveTask", "waits for a message with a correlation key"),
    ("intermediateCatchEvent", "timer (duration or date), message or signal"),
    (
        "boundaryEvent",
        (
            "error (always interrupting), timer, message or signal on a task or sub-process; one that does not "
            "interrupt may have a timer with a cycle"
        ),
    ),
    ("exclusiveGateway", "conditions in FEEL, a default flow"),
    ("parallelGateway", "forks and joins"),
    ("subProcess", "embedded, with one none start event"),
    ("sequenceFlow", "with a condition where it leaves an exclusive gateway"),
)
EXTENSIONS = (
    ("zeebe:taskDefinition", "`type` (the topic, plain text), `retries` (1 to 100; 3)"),
    (
        "zeebe:ioMapping",
        "`zeebe:input` and `zeebe:output`, each `source` (a text, or FEEL behind `=`) and `target`",
    ),
    ("zeebe:taskHeaders", "`zeebe:header` with `key` and `value`"),
    ("zeebe:calledDecision", "`decisionId`, `resultVariable`, `retries`"),
    ("zeebe:userTask", "taken and of no meaning: every user task is Pilothouse's own"),
    (
        "zeebe:assignmentDefinition",
        "`candidateGroups` (roles), `candidateUsers` (people), `assignee`",
    ),
    ("zeebe:taskSchedule", "`dueDate`: a date with its zone, or a duration such as `P3D`"),
    ("zeebe:priorityDefinition", "`priority`, 0 to 100 (50)"),
    ("zeebe:subscription", "`correlationKey` of a message, such as `=snapshot_id`"),
    ("zeebe:properties, zeebe:versionTag", "taken and of no meaning"),
    (
        "pilothouse:retry",
        (
            "on a service or business rule task: `backoff` after the first failure (PT2S), doubled each time up to "
            "`longest` (PT5M); durations of days or less"
        ),
    ),
    (
        "pilothouse:approval",
        "on a user task: `separateFrom`, the people who may not answer it, such as `=author`",
    ),
    ("pilothouse:form", "on a user task: one or more `pilothouse:field`"),
    (
        "pilothouse:field",
        (
            f"`name`, `label`, `required` (`true`), `type` (one of {', '.join(FieldType)}), and for a choice "
            '`choices="approve, reject"`'
        ),
    ),
)


ADVICE = "What the table above says of the element."


def task_types() -> str:
    """Write every task type with its parameters."""
    parts = []
    for topic in Topic:
        does, gives = TASKS[topic]
        rows = (
            (code(name), p.kind.value, "yes" if p.required else "", p.description)
            for name, p in PARAMETERS[topic].items()
        )
        shown = table(("input", "kind", "required", "meaning"), rows)
        parts.append(f"### {topic.value}\n\n{does}\n\n{shown}\n\nGives {gives}.")
    return "\n\n".join(parts)


@cache
def drawings() -> tuple[Definition, ...]:
    """Give the life cycles that come with Pilothouse."""
    topics = known_topics()
    return tuple(
        read.read(data, expressions=FeelExpressions(), topics=topics)
        for data in shipped()
        if read_file(data, topics=topics).kind is DefinitionKind.BPMN
    )


def shipped_lifecycles() -> str:
    """Write the steps of every life cycle that comes with Pilothouse."""
    parts = []
    for drawn in drawings():
        starts = ", ".join(code(name) for name in drawn.start_signals) or "hand alone"
        rows = (
            (node.name or node.id, code(node.id), _kind(node), _detail(node))
            for node in drawn.nodes.values()
        )
        shown = table(("step", "id", "kind", "what it asks for"), rows)
        parts.append(f"### {drawn.id}\n\n{drawn.name}. Started by the signal {starts}.\n\n{shown}")
    return "\n\n".join(parts)


def shipped_decisions() -> str:
    """Write the rules of every decision table that comes with Pilothouse."""
    parts = []
    for data in shipped():
        found = read_file(data, topics=None)
        if found.kind is not DefinitionKind.DMN:
            continue
        for identity, one in read_decisions(data).decisions.items():
            parts.append(f"### {identity}\n\n{_decision_table(one.logic)}")
    return "\n\n".join(parts)


def _decision_table(logic: object) -> str:
    inputs = getattr(logic, "inputs", ())
    outputs = getattr(logic, "outputs", ())
    head = (*(i.label for i in inputs), *(o.name for o in outputs))
    rows = (
        (
            *(code(test.text) for test in rule.tests),
            *(code(said.expression.text) for said in rule.outputs),
        )
        for rule in getattr(logic, "rules", ())
    )
    policy = getattr(logic, "policy", "")
    return f"Hit policy {policy}: the rules in order.\n\n{table(head, rows)}"


KINDS = {
    Start: "start event",
    End: "end event",
    Service: "service task",
    Human: "user task",
    Catch: "catch event",
    Boundary: "boundary event",
    Exclusive: "exclusive gateway",
    Parallel: "parallel gateway",
    SubProcess: "sub-process",
}


def _kind(node: AnyNode) -> str:
    match node:
        case End(kind=kind) if kind is not definition.EndKind.NONE:
            return f"{kind.value} end event"
        case Service(decision=Value()):
            return "business rule task"
        case Boundary(attached_to=host):
            return f"boundary event of {code(host)}"
        case _:
            return KINDS[type(node)]


def _detail(node: AnyNode) -> str:
    match node:
        case Service(topic=topic, inputs=inputs):
            stage = next((m.source.text for m in inputs if m.target == "stage"), "")
            return code(topic) + (f" in {stage}" if stage else "")
        case Human(candidate_roles=roles, separate_from=apart):
            who = f"roles {code(roles.text)}" if roles else ""
            return who + (f", not {code(apart.text)}" if apart else "")
        case Start(trigger=trigger) | Catch(trigger=trigger) | Boundary(trigger=trigger):
            return _trigger(trigger)
        case _:
            return ""


def _trigger(trigger: Message | Signal | Timer | ErrorCode | None) -> str:
    match trigger:
        case Signal(name=name):
            return f"signal {code(name.text)}"
        case Message(name=name):
            return f"message {code(name.text)}"
        case Timer(value=value):
            return f"timer {code(value.text)}"
        case ErrorCode(code=error):
            return f"error {code(error or 'any')}"
        case None:
            return ""


def elements() -> str:
    """Write the elements that run."""
    return table(("element", "as"), ((code(n), what) for n, what in EXECUTED))


def extensions() -> str:
    """Write the extensions that are read, and the timers."""
    timers = ", ".join(code(kind.value) for kind in TimerKind)
    shown = table(("extension", "attributes"), ((code(n), what) for n, what in EXTENSIONS))
    return f"{shown}\n\nTimers are {timers}: ISO 8601, or FEEL behind `=`."


def drawn_only() -> str:
    """Write what may stand in a drawing and runs not."""
    return bullets(code(name) for name in sorted(read.DRAWN))


def refused_elements() -> str:
    """Write what is refused by name, with what to draw instead."""
    found = chain(
        advice.ELEMENTS.items(), ((f"zeebe:{n}", c) for n, c in advice.EXTENSIONS.items())
    )
    rows = ((code(name), cure) for name, cure in found)
    engines = ", ".join(dict.fromkeys(xml.OTHER_ENGINES.values()))
    shown = table(("refused", "instead"), rows)
    return f"{shown}\n\nExtensions written for other engines ({engines}) are refused too."


def refusals() -> str:
    """Write every other reason to refuse a drawing, as the source says it."""
    found: dict[str, str] = {}
    for module in (xml, read, reading, read_events, read_tasks, expressions):
        for call, _ in calls(module, "reject", "_refuse"):
            if len(call.args) == 3:
                found.setdefault(words(call.args[1]), words(call.args[2]))
    for parts in yields(checks):
        if len(parts) == 3:
            found.setdefault(words(parts[1]), words(parts[2]))
    found.update(problems(files, "Problem"))
    said = ((p, ADVICE if c == "{…}" else c) for p, c in sorted(found.items()))
    return table(("what is wrong", "what to do"), said)
