"""A definition: what a BPMN file says, checked, compiled and frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.bpmn.expressions import Value
    from pilothouse.bpmn.timers import Timer
    from pilothouse.domain.approvals import Quorum


GROUP_TARGETS = "group"
"""All addresses that the policy of the run's group lets its life cycles notify."""


class EndKind(StrEnum):
    """What happens to the scope when an end event is reached."""

    NONE = "none"
    ERROR = "error"
    TERMINATE = "terminate"
    MESSAGE = "message"
    SIGNAL = "signal"
    ESCALATION = "escalation"
    COMPENSATION = "compensation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message by name, and the key that says which run it is for (none for a start event)."""

    name: Value
    correlation_key: Value | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A signal by name."""

    name: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What has to hold of the variables that the event sees."""

    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCode:
    """A business error by its code; None catches every error."""

    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """An escalation by its code; None catches every one."""

    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoneBy:
    """A boundary event that never fires: it names the activity that undoes the one it is attached to."""

    handler: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageThrown:
    """A message that is sent: kept for `time_to_live_s` seconds where nobody waits for it yet."""

    name: Value
    correlation_key: Value
    time_to_live_s: float = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalThrown:
    """A signal that is sent to every run of the group that waits for it."""

    name: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationThrown:
    """An escalation that the nearest event around may catch."""

    code: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class CompensationThrown:
    """The order to undo completed activities: `activity` alone, or None for all of the scope."""

    activity: str | None


Thrown = MessageThrown | SignalThrown | EscalationThrown | CompensationThrown


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiInstance:
    """
    One instance of an activity for each item of a collection, or so many as `cardinality` says.

    Exactly one of `collection` and `cardinality` is given. `output_element` is evaluated at the end of
    each instance, and its values become the list `output_collection` in the order of the items.
    """

    sequential: bool
    collection: Value | None = None
    cardinality: Value | None = None
    input_element: str | None = None
    output_collection: str | None = None
    output_element: Value | None = None
    completion: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardLoop:
    """An activity again and again while `condition` holds, at most `maximum` times where that is given."""

    condition: Value
    before: bool
    maximum: int | None = None


Loop = MultiInstance | StandardLoop


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """One input or output mapping: the variable `target` gets the value of `source`."""

    source: Value
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """
    The pause after a failure: `first` after the first one, doubled each time, at most `longest`.

    Both are ISO 8601 durations in seconds, read at upload.
    """

    first_s: float = 2.0
    longest_s: float = 300.0

    def after_s(self, failures: int) -> float:
        """
        Give the pause in seconds after so many failures in a row.

        Examples
        --------
        >>> [Backoff().after_s(n) for n in (1, 2, 3, 50)]
        [2.0, 4.0, 8.0, 300.0]
        """
        return min(self.first_s * 2.0 ** min(failures - 1, 60), self.longest_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """The life cycle that a call activity starts and waits for; whether all variables go in, and all come back."""

    process: Value
    all_in: bool = True
    all_out: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A sequence flow."""

    id: str
    source: str
    target: str
    name: str = ""
    condition: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A flow node: `scope` is the id of the process or sub-process around it; flows are ids in document order."""

    id: str
    name: str
    line: int
    scope: str
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()


class SnapshotChoice(StrEnum):
    """Which snapshot of a service a run that a timer starts is about."""

    NONE = "none"
    LATEST = "latest"
    """The one that was tagged with the service last."""
    CHAMPION = "champion"
    """The one with the greatest weight in the service's route in a stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """
    What the runs that a timer starts are about: one run for each of the services.

    ``services`` is None for every service of the group; ``stage`` is where the champion is looked for.
    """

    services: tuple[str, ...] | None
    snapshot: SnapshotChoice = SnapshotChoice.NONE
    stage: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(Node):
    """
    A start event; `trigger` is None where it starts by hand or with its sub-process.

    What it begins runs about is said where a timer starts it; without that they are about nothing.
    """

    trigger: Message | Signal | Timer | Condition | None = None
    about: About | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStart(Node):
    """The start event of an event sub-process: what opens it while the scope around it is open."""

    interrupting: bool
    trigger: ErrorCode | Escalation | Timer | Message | Signal | Condition
    outputs: tuple[Mapped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Node):
    """An end event; `thrown` is what it sends where its kind is to send something."""

    kind: EndKind = EndKind.NONE
    error_code: str | None = None
    thrown: Thrown | None = None
    inputs: tuple[Mapped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Throw(Node):
    """An intermediate throw event or a send task; its `inputs` are the variables that are sent along."""

    thrown: Thrown
    inputs: tuple[Mapped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass(Node):
    """What a token passes at once: a none throw event, a manual task, the catching end of a link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link(Node):
    """The throwing end of a link: the token goes on at the element `target`, without a flow."""

    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(Node):
    """
    A service task; a business rule task, of topic ``evaluate-decision``; or a call activity, ``start-life-cycle``.

    A decision's job has the inputs ``decision`` and ``context`` and answers with the variable ``result``,
    which becomes `result_variable`. A call's job has the inputs ``definition`` and ``variables`` and answers
    with the variable ``life_cycle``, whose ``variables`` are those that the called run had at its end.
    """

    topic: str
    retries: int = 3
    backoff: Backoff = field(default_factory=Backoff)
    headers: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Mapped, ...] = ()
    outputs: tuple[Mapped, ...] = ()
    decision: Value | None = None
    called: Called | None = None
    result_variable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """
    When the candidates of a task are reminded, and at which addresses.

    `after` is a duration or a cycle, counted from when the task was opened; `before` a duration before it is due.
    """

    targets: str
    after: Value | None = None
    before: Value | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """What happens when a task is not done by its due date: who may do it too, what is thrown, who is told."""

    targets: str
    roles: Value | None = None
    code: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Human(Node):
    """A user task."""

    candidate_roles: Value | None = None
    candidate_people: Value | None = None
    separate_from: Value | None = None
    assignee: Value | None = None
    due: Value | None = None
    priority: int = 50
    form: Mapping[str, object] | None = None
    quorum: Quorum | None = None
    reminder: Reminder | None = None
    overdue: Overdue | None = None
    inputs: tuple[Mapped, ...] = ()
    outputs: tuple[Mapped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch(Node):
    """A receive task or an intermediate catch event."""

    trigger: Message | Signal | Timer | Condition
    outputs: tuple[Mapped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary(Node):
    """An event on the edge of the activity `attached_to`."""

    attached_to: str
    interrupting: bool
    trigger: ErrorCode | Escalation | UndoneBy | Timer | Message | Signal | Condition
    outputs: tuple[Mapped, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusive(Node):
    """An exclusive gateway; `default` is the id of its default flow."""

    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parallel(Node):
    """A parallel gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inclusive(Node):
    """An inclusive gateway; `default` is the id of its default flow."""

    default: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBased(Node):
    """An event-based gateway: the first of the events after it decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubProcess(Node):
    """
    An embedded sub-process, or one that an event opens; `start` is the id of its only start event.

    One that an event opens (`by_event`) has no flows: it belongs to the scope around it.
    """

    start: str
    by_event: bool = False
    inputs: tuple[Mapped, ...] = ()
    outputs: tuple[Mapped, ...] = ()


Activity = Service | Human | Catch | SubProcess
Gateway = Exclusive | Inclusive | Parallel | EventBased
AnyNode = Start | EventStart | End | Throw | Pass | Link | Boundary | Activity | Gateway


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """
    One executable process.

    ``id`` is the BPMN process id; ``digest`` the SHA-256 of the file. ``boundaries`` are the boundary
    events by activity, in document order; ``starts`` the start events of the process itself; ``loops`` how
    activities repeat, by activity.
    """

    id: str
    name: str
    digest: str
    nodes: Mapping[str, AnyNode]
    flows: Mapping[str, Flow]
    boundaries: Mapping[str, tuple[Boundary, ...]]
    starts: tuple[Start, ...]
    loops: Mapping[str, Loop] = field(default_factory=dict)

    def handler_of(self, activity: str) -> str | None:
        """Give the activity that undoes another one."""
        triggers = (boundary.trigger for boundary in self.boundaries.get(activity, ()))
        return next((t.handler for t in triggers if isinstance(t, UndoneBy)), None)

    def opened_by_events(self, scope: str) -> tuple[SubProcess, ...]:
        """Give the event sub-processes of a process or sub-process, in document order."""
        return tuple(
            node
            for node in self.nodes.values()
            if isinstance(node, SubProcess) and node.by_event and node.scope == scope
        )

    def within(self, element: str, outer: str) -> bool:
        """Whether an element is `outer` or lies inside it."""
        at: AnyNode | None = self.nodes.get(element)
        while at is not None and at.id != outer:
            at = self.nodes.get(at.scope)
        return at is not None

    @property
    def start_signals(self) -> Mapping[str, str]:
        """The names of the signals that start a run, with the start event of each."""
        return {s.trigger.name.text: s.id for s in self.starts if isinstance(s.trigger, Signal)}

    @property
    def start_messages(self) -> Mapping[str, str]:
        """The names of the messages that start a run, with the start event of each."""
        return {s.trigger.name.text: s.id for s in self.starts if isinstance(s.trigger, Message)}

    @property
    def topics(self) -> frozenset[str]:
        """The topics of its service and business rule tasks."""
        return frozenset(n.topic for n in self.nodes.values() if isinstance(n, Service))
