"""Life cycles that come with Pilothouse, and what of BPMN runs."""

from __future__ import annotations

from functools import cache
from itertools import chain

from docs.generating.markdown import bullets, code, table
from docs.generating.source import calls, problems, words, yields
from pilothouse.bpmn import (
    advice,
    camunda7,
    camunda7_forms,
    camunda7_mappings,
    check_undoing,
    checks,
    definition,
    expressions,
    lanes,
    read,
    read_about,
    read_approvals,
    read_events,
    read_gateways,
    read_links,
    read_loops,
    read_tasks,
    read_throws,
    read_timers,
    read_triggers,
    reading,
    spreading,
    xml,
)
from pilothouse.bpmn.definition import (
    GROUP_TARGETS,
    AnyNode,
    Boundary,
    Catch,
    Condition,
    Definition,
    End,
    ErrorCode,
    Escalation,
    EventBased,
    EventStart,
    Exclusive,
    Human,
    Inclusive,
    Link,
    Message,
    Parallel,
    Pass,
    Service,
    Signal,
    Start,
    SubProcess,
    Throw,
    UndoneBy,
)
from pilothouse.bpmn.expressions import Value
from pilothouse.bpmn.forms import FieldType
from pilothouse.bpmn.timers import Timer, TimerKind
from pilothouse.dmn import read_decisions
from pilothouse.domain.approvals import Rejection
from pilothouse.domain.lifecycles import DefinitionKind
from pilothouse.lifecycle import files
from pilothouse.lifecycle.definitions import shipped
from pilothouse.lifecycle.expressions import FeelExpressions
from pilothouse.lifecycle.files import read_file
from pilothouse.lifecycle.tasks.catalogue import known_topics

EXECUTED = (
    (
        "startEvent",
        (
            "none (by hand), timer, message, signal or condition; names and times are plain text. In an event "
            "sub-process: error, escalation, timer, message, signal or condition"
        ),
    ),
    (
        "endEvent",
        "none, error (with a code), terminate, message, signal, escalation or compensation",
    ),
    (
        "serviceTask",
        "with a `zeebe:taskDefinition`: a job for a task type, with retries and back-off",
    ),
    ("businessRuleTask", "with a `zeebe:calledDecision`, or a topic like a service task"),
    (
        "userTask",
        "a task for people: roles, people, due date, form, separation of duties, quorum, reminders, escalation",
    ),
    ("receiveTask", "waits for a message with a correlation key"),
    ("sendTask", "sends its message, or with a `zeebe:taskDefinition` a job like a service task"),
    (
        "callActivity",
        "with a `zeebe:calledElement`, or the attribute `calledElement`: starts the life cycle of that key, waits for its end, and takes its variables",
    ),
    ("manualTask", "passed at once: nobody tells Pilothouse that it is done"),
    (
        "intermediateCatchEvent",
        "timer (duration or date, no cycle), message, signal, condition, or the catching end of a link",
    ),
    (
        "intermediateThrowEvent",
        "none, message, signal, escalation, compensation, or the throwing end of a link",
    ),
    (
        "boundaryEvent",
        (
            "error (always interrupting), escalation, timer, message, signal, condition or compensation on a task or sub-process; "
            "one that does not interrupt may have a timer with a cycle, cron among them"
        ),
    ),
    ("exclusiveGateway", "conditions in FEEL, a default flow"),
    (
        "inclusiveGateway",
        "every flow whose condition holds, or the default one; a flow without a condition is always taken",
    ),
    ("parallelGateway", "forks and joins"),
    (
        "eventBasedGateway",
        "the first of the catch events and receive tasks after it decides; not one that starts a run or waits for all",
    ),
    (
        "subProcess",
        "embedded, with one none start event; or with `triggeredByEvent`, opened by its start event",
    ),
    (
        "multiInstanceLoopCharacteristics",
        (
            "on a service, send, user, receive or business rule task, a call activity or a sub-process, sequential or parallel, with a "
            "`completionCondition` and either a collection or a `loopCardinality`; at most 1,000 instances"
        ),
    ),
    (
        "standardLoopCharacteristics",
        "on the same: `loopCondition` in FEEL, `testBefore`, `loopMaximum` up to 100",
    ),
    (
        "association",
        (
            'from a compensation boundary event to the activity with `isForCompensation="true"` that undoes; any '
            "other one is mere drawing"
        ),
    ),
    ("sequenceFlow", "with a condition where it leaves an exclusive or inclusive gateway"),
    (
        "laneSet",
        "lanes named after a role give it the user tasks in them that name nobody; any other lane is mere drawing",
    ),
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
    (
        "zeebe:calledElement",
        "`processId` (a key, or `key@version`), `propagateAllParentVariables` and `propagateAllChildVariables` (true)",
    ),
    (
        "zeebe:publishMessage",
        (
            "on what sends a message: `correlationKey` (or that of the message), `timeToLive` (PT1H), how long it waits "
            "for somebody"
        ),
    ),
    (
        "zeebe:loopCharacteristics",
        "`inputCollection`, `inputElement`, `outputCollection`, `outputElement` of a multi-instance activity",
    ),
    (
        "zeebe:properties",
        (
            "of no meaning, but for `zeebe:property` of the names `pilothouse:retry.backoff` and the like: the same as "
            "that attribute of that `pilothouse` extension, for tools that write no other namespace; a form's are "
            "`pilothouse:field.NAME.type`, and so on, and `pilothouse:timeZone` has no dot"
        ),
    ),
    ("zeebe:versionTag", "taken and of no meaning"),
    (
        "pilothouse:retry",
        (
            "on a service or business rule task: `backoff` after the first failure (PT2S), doubled each time up to "
            "`longest` (PT5M); durations of days or less"
        ),
    ),
    (
        "pilothouse:approval",
        (
            "on a user task: `separateFrom`, the people who may not answer it, such as `=author`; `quorum`, how many "
            "people have to approve (1 to 100); `perRole`, how many of them from each role, such as "
            "`validator: 2, business-owner: 1`; "
            f"`rejection`, one of {', '.join(Rejection)} ({Rejection.ONE})"
        ),
    ),
    (
        "pilothouse:reminder",
        (
            "on a user task: `after` (a duration or cycle from when it was opened), `before` (a duration before it is "
            f"due), `targets` (references to secrets, as those of `notify`; {code(GROUP_TARGETS)} for all that the group is granted, which holds without it)"
        ),
    ),
    (
        "pilothouse:escalation",
        (
            "on a user task, when its due date passes: `roles` that may do it too, `code` of the escalation that is "
            "thrown, `targets` as those of a reminder"
        ),
    ),
    (
        "pilothouse:timeZone",
        "an attribute of a timer's event definition or of anything around it: the zone of its timers, such as `Europe/Paris`",
    ),
    (
        "pilothouse:about",
        (
            "on the timer start event of the process: `services` (tags with commas between them, or `*` for every one of "
            "the group), `snapshot` (`none`, `latest`, or `champion` with a `stage`)"
        ),
    ),
    (
        "pilothouse:delegate",
        "on the process, in a file of Camunda 7: `expression` and the `topic` that it stands for",
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


READERS = (
    xml,
    camunda7,
    camunda7_forms,
    camunda7_mappings,
    lanes,
    read,
    read_approvals,
    reading,
    read_about,
    read_events,
    read_gateways,
    read_links,
    read_loops,
    read_tasks,
    read_throws,
    read_timers,
    read_triggers,
    spreading,
    expressions,
)
"""Every module of the reader that can refuse something."""
ADVICE = "What the table above says of the element."


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


Trigger = Message | Signal | Timer | Condition | ErrorCode | Escalation | UndoneBy
KINDS = {
    Start: "start event",
    EventStart: "start event of an event sub-process",
    Throw: "throw event",
    Pass: "throw event",
    Link: "link",
    Inclusive: "inclusive gateway",
    EventBased: "event-based gateway",
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
        case Human(candidate_roles=roles, separate_from=apart, quorum=quorum):
            who = f"roles {code(roles.text)}" if roles else ""
            who += f", {quorum.count} of them" if quorum else ""
            return who + (f", not {code(apart.text)}" if apart else "")
        case (
            Start(trigger=trigger)
            | EventStart(trigger=trigger)
            | Catch(trigger=trigger)
            | Boundary(trigger=trigger)
        ):
            return _trigger(trigger)
        case _:
            return ""


def _trigger(trigger: Trigger | None) -> str:
    match trigger:
        case Signal(name=text) | Message(name=text) | Timer(value=text) | Condition(value=text):
            return f"{type(trigger).__name__.lower()} {code(text.text)}"
        case ErrorCode(code=error):
            return f"error {code(error or 'any')}"
        case Escalation(code=escalation):
            return f"escalation {code(escalation or 'any')}"
        case UndoneBy(handler=handler):
            return f"undone by {code(handler)}"
        case None:
            return ""


def elements() -> str:
    """Write the elements that run."""
    return table(("element", "as"), ((code(n), what) for n, what in EXECUTED))


def extensions() -> str:
    """Write the extensions that are read, and the timers."""
    timers = ", ".join(code(kind.value) for kind in TimerKind)
    shown = table(("extension", "attributes"), ((code(n), what) for n, what in EXTENSIONS))
    return f"{shown}\n\nTimers are {timers}: ISO 8601, for a cycle also cron, or FEEL behind `=` that gives one of these."


def drawn_only() -> str:
    """Write what may stand in a drawing and runs not."""
    with_a_row = {name for name, _ in EXECUTED}
    return bullets(code(name) for name in sorted(read.DRAWN - with_a_row))


def refused_elements() -> str:
    """Write what is refused by name, with what to draw instead."""
    found = chain(
        advice.ELEMENTS.items(), ((f"zeebe:{n}", c) for n, c in advice.EXTENSIONS.items())
    )
    rows = ((code(name), cure) for name, cure in found)
    named = set(xml.OTHER_ENGINES.values()) - {"Camunda 7", "another engine"}
    engines = ", ".join(sorted(named))
    shown = table(("refused", "instead"), rows)
    return (
        f"{shown}\n\nExtensions written for other engines ({engines} and others) are refused too. Those of Camunda 7 are "
        "taken over in a file of [Camunda 7](../how-to/import-from-camunda-7.md), and refused in any other."
    )


def refusals() -> str:
    """Write every other reason to refuse a drawing, as the source says it."""
    found: dict[str, str] = {}
    for module in READERS:
        for call, _ in calls(module, "reject", "_refuse"):
            if len(call.args) == 3:
                found.setdefault(words(call.args[1]), words(call.args[2]))
    for parts in (*yields(checks), *yields(check_undoing)):
        if len(parts) == 3:
            found.setdefault(words(parts[1]), words(parts[2]))
    found.update(problems(files, "Problem"))
    said = ((p, ADVICE if c == "{…}" else c) for p, c in sorted(found.items()))
    return table(("what is wrong", "what to do"), said)
