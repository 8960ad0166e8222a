"""Random processes, random interleavings, with and without a save and load between the steps."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilothouse.bpmn.happenings import IncidentRetried, JobPostponed, TaskClaimed, TimerDue
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import JobKind, JobStatus, RunState, RunStatus, TokenStatus
from pilothouse.domain.plain import from_plain, to_plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from pilothouse.bpmn.definition import Definition
    from pilothouse.bpmn.drawing import Pen

Tree = tuple[str, tuple["Tree", ...]]
LEAVES = (
    *("service", "user", "timer", "receive", "edged", "rejecting", "race", "undone"),
    *("awaiting", "watched"),
)
BLOCKS = ("row", "choice", "fork", "any", "sub", "guarded", "each", "turns", "rounds")
LOOPS = {
    "each": "<multiInstanceLoopCharacteristics>{0}</multiInstanceLoopCharacteristics>",
    "turns": '<multiInstanceLoopCharacteristics isSequential="true">{0}</multiInstanceLoopCharacteristics>',
    "rounds": (
        '<standardLoopCharacteristics loopMaximum="2"><loopCondition>=true</loopCondition>'
        "</standardLoopCharacteristics>"
    ),
}
PAIR = '<extensionElements><zeebe:loopCharacteristics inputCollection="=pair" inputElement="one"/></extensionElements>'
UNCOUNTED = ("remind", "reject", "race", "undo", "un", *LOOPS)
"""How often these are done is for the dice, or more than a name tells."""
LEAF = st.sampled_from(LEAVES).map(lambda kind: (kind, ()))
TREES = st.recursive(
    LEAF,
    lambda inner: st.tuples(
        st.sampled_from(BLOCKS),
        st.lists(inner, min_size=1, max_size=3).map(tuple),
    ),
    max_leaves=7,
)
DECLARED = (
    '<message id="m" name="go"><extensionElements><zeebe:subscription correlationKey="=key"/>'
    '</extensionElements></message><error id="no" errorCode="no"/>'
)
CONDITION = "<conditionalEventDefinition><condition>{0}</condition></conditionalEventDefinition>"
TIMER = "<timerEventDefinition><{0}>{1}</{0}></timerEventDefinition>"


@dataclass
class Sketch:
    """Draws a tree as a block with one entry and one exit, which are returned."""

    pen: Pen
    count: int = 0
    body: list[str] = field(default_factory=list)
    times: dict[str, int] = field(default_factory=dict)
    within: int = 1

    def name(self, kind: str) -> str:
        self.count += 1
        self.times[f"{kind}{self.count}"] = self.within
        return f"{kind}{self.count}"

    def flow(self, a: str, b: str) -> None:
        self.body.append(f'<sequenceFlow id="{a}-{b}" sourceRef="{a}" targetRef="{b}"/>')

    def block(self, tree: Tree) -> tuple[str, str]:
        kind, inner = tree
        blocks: dict[str, Callable[[tuple[Tree, ...]], tuple[str, str]]] = {
            "row": self.row,
            "choice": self.choice,
            "fork": self.fork,
            "any": self.any,
            "sub": self.sub,
            "guarded": self.guarded,
            **{kind: partial(self.repeated, kind) for kind in LOOPS},
        }
        return blocks[kind](inner) if inner else self.leaf(kind)

    def leaf(self, kind: str) -> tuple[str, str]:
        name = self.name(kind)
        if kind == "race":
            return self.race(name)
        if kind == "undone":
            return self.undone(name)
        if kind == "awaiting":
            return self.awaiting(name)
        if kind == "user":
            self.body.append(f'<userTask id="{name}"/>')
        elif kind == "timer":
            inner = TIMER.format("timeDuration", "PT5M")
            self.body.append(
                f'<intermediateCatchEvent id="{name}">{inner}</intermediateCatchEvent>'
            )
        elif kind == "receive":
            self.body.append(f'<receiveTask id="{name}" messageRef="m"/>')
        else:
            self.body.append(self.pen.service(name, kind, retries=2))
        return self.edges(kind, name)

    def edges(self, kind: str, name: str) -> tuple[str, str]:
        if kind == "edged":  # a reminder that ends by itself
            timer = TIMER.format("timeCycle", "R2/PT1M")
            self.body.append(
                f'<boundaryEvent id="late{name}" attachedToRef="{name}" cancelActivity="false">{timer}</boundaryEvent>'
            )
            self.body.append(self.pen.service(f"remind{name}", "service"))
            self.flow(f"late{name}", f"remind{name}")
        if kind == "watched":
            self.watch(name)
        if kind != "rejecting":
            return name, name
        self.body.append(
            f'<boundaryEvent id="no{name}" attachedToRef="{name}"><errorEventDefinition errorRef="no"/></boundaryEvent>'
        )
        self.body.append(self.pen.gateway("exclusive", f"met{name}"))
        self.flow(name, f"met{name}")
        self.flow(f"no{name}", f"met{name}")
        return name, f"met{name}"

    def watch(self, name: str) -> None:
        """Draw an edge that fires whenever the mark of a run has become true, which work turns on and off."""
        event = CONDITION.format("=mark = true")
        self.body.append(
            f'<boundaryEvent id="on{name}" attachedToRef="{name}" cancelActivity="false">{event}</boundaryEvent>'
        )
        self.body.append(self.pen.service(f"remind{name}", "service"))
        self.flow(f"on{name}", f"remind{name}")

    def awaiting(self, name: str) -> tuple[str, str]:
        """Draw a condition that waits for the work beside it."""
        work, fork, join = self.name("service"), f"{name}fork", f"{name}join"
        event = CONDITION.format(f"={work} = true")
        self.body.append(
            f'<intermediateCatchEvent id="{name}">{event}</intermediateCatchEvent>{self.pen.service(work)}'
        )
        self.body += [self.pen.gateway("parallel", fork), self.pen.gateway("parallel", join)]
        for inner in (name, work):
            self.flow(fork, inner)
            self.flow(inner, join)
        return fork, join

    def row(self, inner: tuple[Tree, ...]) -> tuple[str, str]:
        ends = [self.block(tree) for tree in inner]
        for (_, left), (right, _) in pairwise(ends):
            self.flow(left, right)
        return ends[0][0], ends[-1][1]

    def choice(self, inner: tuple[Tree, ...]) -> tuple[str, str]:
        split, merge = self.name("split"), self.name("merge")
        ends = [self.block(tree) for tree in inner]
        self.body.append(self.pen.gateway("exclusive", split, f"{split}-{ends[-1][0]}"))
        self.body.append(self.pen.gateway("exclusive", merge))
        for number, (entry, leaving) in enumerate(ends, 1):
            if number < len(ends):
                self.body.append(self.pen.condition(split, entry, f"=side = {number}"))
            else:
                self.flow(split, entry)
            self.flow(leaving, merge)
        return split, merge

    def fork(self, inner: tuple[Tree, ...]) -> tuple[str, str]:
        fork, join = self.name("fork"), self.name("join")
        self.body += [self.pen.gateway("parallel", fork), self.pen.gateway("parallel", join)]
        for entry, leaving in map(self.block, inner):
            self.flow(fork, entry)
            self.flow(leaving, join)
        return fork, join

    def any(self, inner: tuple[Tree, ...]) -> tuple[str, str]:
        split, merge = self.name("split"), self.name("merge")
        self.body += [self.pen.gateway("inclusive", split), self.pen.gateway("inclusive", merge)]
        for number, (entry, leaving) in enumerate(map(self.block, inner), 1):
            self.body.append(self.pen.condition(split, entry, f"=take{number} = true"))
            self.flow(leaving, merge)
        return split, merge

    def race(self, name: str) -> tuple[str, str]:
        merge, late = f"{name}merge", TIMER.format("timeDuration", "PT5M")
        self.body.append(
            f'<eventBasedGateway id="{name}"/><receiveTask id="{name}go" messageRef="m"/>'
        )
        self.body.append(f'<intermediateCatchEvent id="{name}late">{late}</intermediateCatchEvent>')
        self.body.append(self.pen.gateway("exclusive", merge))
        for event in (f"{name}go", f"{name}late"):
            self.flow(name, event)
            self.flow(event, merge)
        return name, merge

    def undone(self, name: str) -> tuple[str, str]:
        self.body.append(self.pen.service(name))
        self.body.append(
            f'<boundaryEvent id="c{name}" attachedToRef="{name}"><compensateEventDefinition/></boundaryEvent>'
            f'<association id="as{name}" sourceRef="c{name}" targetRef="un{name}"/>'
        )
        handler = self.pen.service(f"un{name}")
        self.body.append(handler.replace("<serviceTask", '<serviceTask isForCompensation="true"'))
        order = f'<compensateEventDefinition activityRef="{name}"/>'
        self.body.append(
            f'<intermediateThrowEvent id="undo{name}">{order}</intermediateThrowEvent>'
        )
        self.flow(name, f"undo{name}")
        return name, f"undo{name}"

    def repeated(self, kind: str, inner: tuple[Tree, ...]) -> tuple[str, str]:
        self.within *= 2
        ends = self.sub(inner, kind, LOOPS[kind].format(PAIR))
        self.within //= 2
        return ends

    def guarded(self, inner: tuple[Tree, ...]) -> tuple[str, str]:
        name, timer = self.name("remindaside"), TIMER.format("timeCycle", "R2/PT1M")
        aside = (
            f'<subProcess id="{name}" triggeredByEvent="true"><startEvent id="on{name}" isInterrupting="false">'
            f"{timer}</startEvent>{self.pen.service(f'remindin{name}')}"
            f'<sequenceFlow id="f{name}" sourceRef="on{name}" targetRef="remindin{name}"/></subProcess>'
        )
        return self.sub(inner, "sub", aside)

    def sub(self, inner: tuple[Tree, ...], kind: str = "sub", more: str = "") -> tuple[str, str]:
        name, outside, self.body = self.name(kind), self.body, []
        entry, leaving = self.row(inner)
        self.body += [f'<startEvent id="in{name}"/>', f'<endEvent id="out{name}"/>']
        self.flow(f"in{name}", entry)
        self.flow(leaving, f"out{name}")
        drawn = "".join(self.body)
        self.body = [*outside, f'<subProcess id="{name}">{more}{drawn}</subProcess>']
        return name, name


def draw(pen: Pen, tree: Tree) -> tuple[Definition, dict[str, int]]:
    """Draw a tree; give it with how often each of its elements is done where it is reached."""
    sketch = Sketch(pen)
    entry, leaving = sketch.block(tree)
    drawn = pen.draw("".join(sketch.body), f"start>{entry} {leaving}>end", DECLARED)
    return drawn, sketch.times


def moves(play: Play, chance: Random) -> list[Callable[[], object]]:
    state = play.state
    found: list[Callable[[], object]] = []
    for job in state.jobs.values():
        if job.state is JobStatus.READY and job.kind is JobKind.SERVICE:
            found.append(partial(act, play, job.element, chance))
        elif job.state is JobStatus.READY:
            found.append(partial(fire, play, job.id))
    found += [
        partial(play.happen, IncidentRetried(incident_id=i, actor="ann", retries=2))
        for i in state.incidents
    ]
    found += [partial(play.tell, s.element) for s in play.heard()]
    found += [partial(person, play, t.id, t.element, chance) for t in state.tasks.values()]
    return found


def act(play: Play, element: str, chance: Random) -> None:
    what = chance.random()
    job = play.job(element)
    if what < 0.15:
        play.fail(element)
    elif what < 0.25:
        play.happen(JobPostponed(job_id=job.id, attempt=job.attempt, due_at=play.now))
    elif what < 0.4 and job.topic == "rejecting":
        play.refuse(element, "no")
    else:
        play.complete(element, **{element: True, "mark": chance.random() < 0.5})


def fire(play: Play, timer: str) -> None:
    play.now = max(play.now, play.state.jobs[timer].due_at)
    play.happen(TimerDue(job_id=timer))


def person(play: Play, task: str, element: str, chance: Random) -> None:
    if chance.random() < 0.3:
        play.happen(TaskClaimed(task_id=task, actor="player"))
    else:
        play.complete(element)


def saved_and_loaded(state: RunState) -> RunState:
    return from_plain(RunState, json.loads(json.dumps(to_plain(state))))


def play_out(definition: Definition, side: int, seed: int, save: bool) -> Play:
    taken = {f"take{number}": number <= side for number in (1, 2, 3)}
    given = {"side": side, "key": "k", "pair": [1, 2], "mark": False, **taken}
    play, chance = Play(definition, given), Random(seed)  # noqa: S311 - a test's dice
    while play.state.run.state is RunStatus.ACTIVE:
        assert all(t.state is not TokenStatus.MOVING for t in play.state.tokens.values())
        chance.choice(moves(play, chance))()
        if save:
            play.state = saved_and_loaded(play.state)
        assert len(play.history) < 5000
    return play


def rows_left(state: RunState) -> int:
    tables = (state.scopes, state.variables, state.tokens, state.jobs, state.subscriptions)
    return sum(len(table) for table in (*tables, state.tasks, state.incidents, state.compensations))


def work_done(play: Play) -> Counter[str]:
    done = (e for e in play.history if e.event is HistoryEvent.COMPLETED)
    return Counter(str(e.element) for e in done if not str(e.element).startswith(UNCOUNTED))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=TREES, side=st.integers(1, 3), seeds=st.tuples(st.integers(0, 99), st.integers(0, 99)))
def test_every_interleaving_ends_with_the_same_work_and_no_row_left(
    pen: Pen, tree: Tree, side: int, seeds: tuple[int, int]
) -> None:
    definition, times = draw(pen, tree)
    one, other = (play_out(definition, side, seed, save=False) for seed in seeds)
    assert one.state.run.state is RunStatus.COMPLETED
    assert rows_left(one.state) == rows_left(other.state) == 0
    assert work_done(one) == work_done(other)
    assert all(count == times[name] for name, count in work_done(one).items())


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tree=TREES, side=st.integers(1, 3), seed=st.integers(0, 99))
def test_saving_and_loading_between_steps_changes_nothing(
    pen: Pen, tree: Tree, side: int, seed: int
) -> None:
    definition, _ = draw(pen, tree)
    kept = play_out(definition, side, seed, save=False)
    saved = play_out(definition, side, seed, save=True)
    assert saved.history == kept.history
    assert saved.state == kept.state
