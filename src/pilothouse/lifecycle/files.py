"""Life-cycle files: told apart, read, and summed up for the shelf that they are kept on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import Human, Service
from pilothouse.bpmn.errors import DefinitionRejectedError, Problem
from pilothouse.bpmn.read import read
from pilothouse.bpmn.xml import Namespace, name_of, parse
from pilothouse.dmn import DmnRejectedError, read_decisions
from pilothouse.dmn import Problem as DmnProblem
from pilothouse.dmn.analysis import analysed
from pilothouse.domain.access import Role
from pilothouse.domain.lifecycles import DefinitionKind, EncodingUnsupportedError, xml_text
from pilothouse.lifecycle.errors import NotALifecycleError
from pilothouse.lifecycle.expressions import FeelExpressions
from pilothouse.wire.runs import Finding, FindingSeverity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from pilothouse.bpmn.definition import Definition as Process
    from pilothouse.bpmn.expressions import Value
    from pilothouse.dmn import Decisions

    Topics = Mapping[str, Mapping[str, bool] | None]

DMN_MARK = "/DMN/"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleFile:
    """What a file holds: its kind, the id and name of its process or first final decision, and what it gives."""

    kind: DefinitionKind
    key: str
    name: str
    start_signals: tuple[str, ...] = ()
    namespace: str | None = None
    decisions: tuple[str, ...] = ()


def is_decision_file(xml: bytes) -> bool:
    """
    Whether a file is DMN.

    Raises
    ------
    DefinitionRejectedError
        When it is no XML, or XML that is not read.
    """
    return DMN_MARK in name_of(parse(xml)).space.upper()


def read_file(
    xml: bytes, *, topics: Topics | None, imports: Mapping[str, bytes] | None = None
) -> LifecycleFile:
    """
    Read a BPMN or DMN file whole, with every expression in it compiled.

    Parameters
    ----------
    xml
        The file.
    topics
        The topics that somebody works on, each with its parameters and whether they are required (None where
        that is not known); None checks no topic.
    imports
        The files that a decision file imports, and those that they import, by namespace.

    Raises
    ------
    DefinitionRejectedError, DmnRejectedError
        When anything in it cannot run.
    EncodingUnsupportedError
        When it is not in the encoding that it declares.
    NotALifecycleError
        When it is neither.
    """
    root = name_of(parse(xml))
    xml_text(xml)
    if root.space == Namespace.BPMN:
        return _process(xml, topics)
    if DMN_MARK in root.space.upper():
        return _decisions(xml, read_decisions(xml, imports=imports or {}))
    raise NotALifecycleError(root=root.local)


def _process(xml: bytes, topics: Topics | None) -> LifecycleFile:
    known: Mapping[str, Collection[str] | None] | None = topics
    process = read(xml, expressions=FeelExpressions(), topics=known)
    problems = (
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
    for node in (n for n in process.nodes.values() if isinstance(n, Human)):
        unknown = (
            *_no_roles(node.candidate_roles),
            *_no_roles(node.overdue.roles if node.overdue else None),
        )
        if unknown:
            problem = f"the candidate groups {', '.join(unknown)} are no roles"
            cure = f"Roles are {', '.join(Role)}."
            found.append(Problem(element=node.id, line=node.line, problem=problem, cure=cure))
    return tuple(found)


def _no_roles(roles: Value | None) -> tuple[str, ...]:
    if roles is None or roles.compiled is not None:
        return ()
    return tuple(n for n in roles.names_given({}, purpose="roles") if n not in set(Role))


def _decisions(xml: bytes, file: Decisions) -> LifecycleFile:
    final = next(iter(file.final), None)
    key, name = _library(xml, file) if final is None else (final.id, final.name)
    return LifecycleFile(
        kind=DefinitionKind.DMN,
        key=key,
        name=name,
        namespace=file.namespace,
        decisions=tuple(file.decisions),
    )


def _library(xml: bytes, file: Decisions) -> tuple[str, str]:
    """Give the id and name of a file without decisions, which others import."""
    known_as = str(parse(xml).get("id", "")) or file.name
    if not known_as:
        problem = DmnProblem(
            element="definitions",
            line=0,
            problem="the file has no decision, and neither id nor name that it could be kept by",
            cure="Give its definitions an id",
        )
        raise DmnRejectedError(problems=(problem,))
    return known_as, file.name or known_as


def findings(
    xml: bytes, *, topics: Topics | None, imports: Mapping[str, bytes] | None = None
) -> tuple[Finding, ...]:
    """
    Give everything in a file that cannot run; of one that can, where its decision tables contradict themselves.

    See `read_file` for the parameters.
    """
    try:
        file = read_file(xml, topics=topics, imports=imports)
    except (DefinitionRejectedError, DmnRejectedError) as error:
        return refusals(error.problems)
    except (NotALifecycleError, EncodingUnsupportedError) as error:
        cure = "Upload what Camunda Modeler saves."
        return (Finding(element="(file)", line=1, problem=error.message, cure=cure),)
    if file.kind is not DefinitionKind.DMN:
        return ()
    said = analysis_findings(read_decisions(xml, imports=imports or {}))
    return tuple(finding for finding in said if finding.severity is FindingSeverity.ERROR)


def analysis_findings(decisions: Decisions) -> tuple[Finding, ...]:
    """Give what analysis finds in the tables of a file: overlaps, gaps, rules that can never fire, and notes."""
    return tuple(
        Finding(
            severity=FindingSeverity(found.severity.value),
            element=found.element,
            line=found.line,
            problem=found.message,
            cure="",
            rules=found.rules,
            example=found.example,
        )
        for found in analysed(decisions)
    )


def refusals(problems: Iterable[Problem | DmnProblem]) -> tuple[Finding, ...]:
    """Give the reasons to refuse a file as findings."""
    return tuple(
        Finding(element=p.element, line=p.line, problem=p.problem, cure=p.cure) for p in problems
    )
