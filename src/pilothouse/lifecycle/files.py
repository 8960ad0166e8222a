"""Life-cycle files: told apart, read, and summed up for the shelf that they are kept on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import Human, Message, Service
from pilothouse.bpmn.errors import DefinitionRejectedError, Problem
from pilothouse.bpmn.read import read
from pilothouse.bpmn.xml import Namespace, name_of, parse
from pilothouse.dmn import DmnRejectedError, read_decisions
from pilothouse.dmn import Problem as DmnProblem
from pilothouse.domain.access import Role
from pilothouse.domain.lifecycles import DefinitionKind
from pilothouse.lifecycle.errors import NotALifecycleError
from pilothouse.lifecycle.expressions import FeelExpressions
from pilothouse.wire.runs import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pilothouse.bpmn.definition import Definition as Process
    from pilothouse.dmn import Decisions

    Topics = Mapping[str, Mapping[str, bool] | None]

DMN_MARK = "/DMN/"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleFile:
    """What a file holds: its kind, the id and name of its process or decision, and the signals that start it."""

    kind: DefinitionKind
    key: str
    name: str
    start_signals: tuple[str, ...] = ()


def read_file(xml: bytes, *, topics: Topics | None) -> LifecycleFile:
    """
    Read a BPMN or DMN file whole, with every expression in it compiled.

    Parameters
    ----------
    xml
        The file.
    topics
        The topics that somebody works on, each with its parameters and whether they are required (None where
        that is not known); None checks no topic.

    Raises
    ------
    DefinitionRejectedError, DmnRejectedError
        When anything in it cannot run.
    NotALifecycleError
        When it is neither.
    """
    root = name_of(parse(xml))
    if root.space == Namespace.BPMN:
        return _process(xml, topics)
    if DMN_MARK in root.space.upper():
        return _decision(read_decisions(xml))
    raise NotALifecycleError(root=root.local)


def _process(xml: bytes, topics: Topics | None) -> LifecycleFile:
    known: Mapping[str, Collection[str] | None] | None = topics
    process = read(xml, expressions=FeelExpressions(), topics=known)
    problems = (
        *_message_starts(process),
        *_missing_inputs(process, topics or {}),
        *_unknown_roles(process),
    )
    if problems:
        raise DefinitionRejectedError(problems=problems)
    return LifecycleFile(
        kind=DefinitionKind.BPMN,
        key=process.id,
        name=process.name,
        start_signals=tuple(sorted(process.start_signals)),
    )


def _message_starts(process: Process) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            element=start.id,
            line=start.line,
            problem="a run is started by a signal or by hand, not by a message",
            cure="Use a signal start event, or a none start event and a message catch after it.",
        )
        for start in process.starts
        if isinstance(start.trigger, Message)
    )


def _missing_inputs(process: Process, topics: Topics) -> tuple[Problem, ...]:
    """Say which required parameters a task's own mapping leaves out; without a mapping it gets all variables."""
    found = []
    for node in process.nodes.values():
        parameters = topics.get(node.topic) if isinstance(node, Service) else None
        if not isinstance(node, Service) or not parameters or not node.inputs:
            continue
        given = {mapping.target for mapping in node.inputs}
        missing = [n for n, required in parameters.items() if required and n not in given]
        if missing:
            found.append(
                Problem(
                    element=node.id,
                    line=node.line,
                    problem=f"the topic {node.topic!r} is not given {', '.join(missing)}",
                    cure="Add an input mapping for each.",
                )
            )
    return tuple(found)


def _unknown_roles(process: Process) -> tuple[Problem, ...]:
    """Find candidate groups that are written out and are no roles: nobody could ever do the task."""
    found = []
    for node in process.nodes.values():
        roles = node.candidate_roles if isinstance(node, Human) else None
        if roles is None or roles.compiled is not None:
            continue
        unknown = [n for n in roles.names_given({}, purpose="roles") if n not in set(Role)]
        if unknown:
            problem = f"the candidate groups {', '.join(unknown)} are no roles"
            cure = f"Roles are {', '.join(Role)}."
            found.append(Problem(element=node.id, line=node.line, problem=problem, cure=cure))
    return tuple(found)


def _decision(decisions: Decisions) -> LifecycleFile:
    required = {r for d in decisions.decisions.values() for r in d.requires}
    final = [d for d in decisions.decisions.values() if d.id not in required]
    if len(final) != 1:
        problem = DmnProblem(
            element="definitions",
            line=0,
            problem=f"{len(final)} of its decisions ({', '.join(d.id for d in final)}) are required by no other",
            cure="Keep one final decision in a file; upload the others apart",
        )
        raise DmnRejectedError(problems=(problem,))
    return LifecycleFile(kind=DefinitionKind.DMN, key=final[0].id, name=final[0].name)


def findings(xml: bytes, *, topics: Topics | None) -> tuple[Finding, ...]:
    """Give everything in a file that cannot run; nothing where an upload would succeed."""
    try:
        read_file(xml, topics=topics)
    except DefinitionRejectedError as error:
        return tuple(_finding(p) for p in error.problems)
    except DmnRejectedError as error:
        return tuple(_finding(p) for p in error.problems)
    except NotALifecycleError as error:
        cure = "Upload what Camunda Modeler saves."
        return (Finding(element="(file)", line=1, problem=error.message, cure=cure),)
    return ()


def _finding(problem: Problem | DmnProblem) -> Finding:
    return Finding(
        element=problem.element,
        line=problem.line,
        problem=problem.problem,
        cure=problem.cure,
    )
