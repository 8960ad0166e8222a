"""
Simulate a run of a life cycle, offline: given answers, real decisions, and a clock that is moved to what comes next.

The engine is the one that runs life cycles; only the world around it is given. The same file and the same answers
give the same path, times and ids, every time, so that a company can test its life cycle as it tests code.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the codec reads the annotations
from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - the codec reads the annotations
from typing import TYPE_CHECKING

from pilothouse.bpmn.read import read
from pilothouse.bpmn.state import RunStatus
from pilothouse.dmn import read_decisions
from pilothouse.lifecycle.answers import Ending, Expected, Script
from pilothouse.lifecycle.expressions import FeelExpressions
from pilothouse.lifecycle.simulated_world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pilothouse.bpmn.definition import Definition
    from pilothouse.bpmn.history import HistoryEvent
    from pilothouse.dmn import Decisions

MAXIMUM_MOVES = 1000
"""More happenings than these are a life cycle that would go on for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One line of the history: what happened when at which element."""

    at: datetime
    event: HistoryEvent
    element: str | None
    name: str
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """
    What came of a simulation.

    Attributes
    ----------
    as_wanted
        Whether it ended as its script expects, or completed where the script says nothing of the ending.
    ending, words
        Why it is over: the kind, and in words.
    outcome
        The id of the end event that was reached, or the error's code.
    path
        The whole history.
    passed
        The elements that were passed or completed, in order.
    variables
        The variables of the process at the end.
    unused
        Answers that nothing asked for, and messages and signals that nobody waited for.
    unmet
        The expectations that were not met, in words.
    """

    as_wanted: bool
    ending: Ending
    words: str
    outcome: str | None
    started_at: datetime
    ended_at: datetime
    path: tuple[Passage, ...]
    passed: tuple[str, ...]
    variables: Mapping[str, object]
    unused: tuple[str, ...]
    unmet: tuple[str, ...]


def life_cycle(xml: bytes) -> Definition:
    """
    Read a life cycle from its file, as an upload would; topics that are not installed here are taken as they are.

    Raises
    ------
    DefinitionRejectedError
        When anything in it cannot run.
    """
    return read(xml, expressions=FeelExpressions())


def decisions_given(files: Mapping[str, bytes]) -> tuple[Decisions, ...]:
    """
    Read decision files, by their namespaces, each with those among them that it imports.

    Raises
    ------
    DmnRejectedError
        When one cannot run.
    """
    return tuple(read_decisions(xml, imports=files) for xml in files.values())


def simulate(
    definition: Definition, script: Script, *, decisions: Sequence[Decisions] = ()
) -> Simulated:
    """
    Run a definition to its end, or to where nothing answers it.

    Parameters
    ----------
    definition
        The life cycle, as `life_cycle` reads it from a file.
    script
        What it is answered, and how it has to end.
    decisions
        Decision files, which take the decisions of business rule tasks that have no answer of their own.

    Raises
    ------
    AnswersInvalidError
        When an answer names no element, or cannot be taken where it is given.
    UnexpectedHappeningError, VariableInvalidError
        When the run cannot begin so.
    """
    world = World(definition, script, decisions=decisions)
    for _ in range(MAXIMUM_MOVES):
        move = None if world.is_over else world.next_move()
        if move is None:
            break
        world.make(move)
    ending, words = _ended(world)
    return _told(world, script, ending, words)


def _ended(world: World) -> tuple[Ending, str]:
    state = world.play.state
    match state.run.state:
        case RunStatus.COMPLETED:
            return Ending.COMPLETED, f"The run completed at {state.run.outcome}."
        case RunStatus.FAILED:
            return Ending.FAILED, f"The run failed with the error {state.run.outcome}."
        case RunStatus.ACTIVE | RunStatus.SUSPENDED | RunStatus.TERMINATED:
            pass
    for incident in state.incidents.values():
        words = f"Incident at {incident.element} ({incident.code}): {incident.message}"
        return Ending.INCIDENT, words
    waits = "; ".join(world.waits())
    if world.next_move() is not None:
        return Ending.ENDLESS, f"Not over after {MAXIMUM_MOVES:,} happenings. Waiting: {waits}."
    return Ending.WAITING, f"Nothing answers: {waits}."


def _told(world: World, script: Script, ending: Ending, words: str) -> Simulated:
    play = world.play
    names = {node.id: node.name for node in play.definition.nodes.values()}
    path = tuple(
        Passage(
            at=entry.at,
            event=entry.event,
            element=entry.element,
            name=names.get(entry.element or "", ""),
            data=entry.data,
        )
        for entry in play.history
    )
    outcome, passed, variables = play.state.run.outcome, tuple(play.passed), play.variables
    expected = script.expected or Expected()
    wanted = expected.ending or Ending.COMPLETED
    unmet = tuple(_unmet(expected, (ending, outcome), passed, variables))
    return Simulated(
        as_wanted=ending is wanted and not unmet,
        ending=ending,
        words=words,
        outcome=outcome,
        started_at=script.at,
        ended_at=play.now,
        path=path,
        passed=passed,
        variables=variables,
        unused=tuple(world.unused()),
        unmet=unmet,
    )


def _unmet(
    expected: Expected,
    end: tuple[Ending, str | None],
    passed: tuple[str, ...],
    variables: Mapping[str, object],
) -> Iterator[str]:
    ending, outcome = end
    if expected.ending not in (None, ending):
        yield f"the ending is {ending}, not {expected.ending}"
    if expected.outcome not in (None, outcome):
        yield f"the outcome is {outcome}, not {expected.outcome}"
    if expected.passed not in (None, passed):
        yield f"the path is {', '.join(passed)}, not {', '.join(expected.passed or ())}"
    for name, value in expected.variables.items():
        if name not in variables:
            yield f"there is no variable {name}"
        elif variables[name] != value:
            yield f"the variable {name} is {variables[name]!r}, not {value!r}"
