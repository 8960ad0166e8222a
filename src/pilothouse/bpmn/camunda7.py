"""
Camunda 7 files, rewritten in the dialect of Camunda 8 before they are read.

What says the same in both is rewritten in the parsed tree: topics, assignments, mappings, simple expressions,
decisions, retries, forms, repeated activities. What is code, or has no equal, is rejected with its element, line and
advice; nothing that matters is dropped. The file itself is kept as it came.

A delegate expression becomes a topic by a table, which the caller gives, or the file itself::

    <bpmn:process id="promotion" isExecutable="true">
      <bpmn:extensionElements>
        <pilothouse:delegate expression="${deployer}" topic="deploy" />
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lxml import etree

from pilothouse.bpmn.camunda7_forms import rewrite_form
from pilothouse.bpmn.camunda7_mappings import rewrite_mappings
from pilothouse.bpmn.camunda7_words import ATTRIBUTES, EXTENSIONS, MEANINGLESS, OTHERWISE
from pilothouse.bpmn.tree import CAMUNDA, Tree
from pilothouse.bpmn.xml import Element, Namespace, children, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.bpmn.reading import Reading

PLATFORM = "{http://camunda.org/schema/modeler/1.0}executionPlatform"
CAMUNDA_7 = "Camunda Platform"
_RETRIES = re.compile(r"R(?P<times>[0-9]{1,3})/(?P<pause>P[^,/]+)")
_DECISION_RESULTS = frozenset({"singleEntry", "singleResult", "collectEntries"})
_NUMBERED_DAYS = re.compile(r"[0-9]")
_TIMES = ("timeDuration", "timeDate", "timeCycle")


def is_camunda7(root: Element) -> bool:
    """Whether a file is written for Camunda 7: it says so, or says nothing and has its extensions."""
    platform = root.get(PLATFORM)
    if platform is not None:
        return platform == CAMUNDA_7
    return any(
        name_of(e).space == CAMUNDA or any(str(a).startswith(f"{{{CAMUNDA}}}") for a in e.attrib)
        for e in root.iter(etree.Element)
    )


def from_camunda7(
    reading: Reading, root: Element, *, delegates: Mapping[str, str] | None = None
) -> None:
    """
    Rewrite a parsed file of Camunda 7 in the dialect of Camunda 8, in place.

    Parameters
    ----------
    reading
        Takes what cannot be rewritten as problems.
    root
        The parsed file.
    delegates
        Topics by delegate expression (``${deployer}``), before those that the file itself names.
    """
    tree = Tree(reading=reading, root=root)
    table = {**_declared_delegates(root), **(delegates or {})}
    for element in list(root.iter(etree.Element)):
        name = name_of(element)
        if name.space != Namespace.BPMN:
            continue
        for rewrite in _REWRITERS.get(name.local, ()):
            rewrite(tree, element)
        if name.local in ("serviceTask", "sendTask", "businessRuleTask"):
            _work(tree, element, table)
        rewrite_mappings(tree, element)
    _reject_the_rest(tree, root)


def _declared_delegates(root: Element) -> dict[str, str]:
    declared = {}
    for element in list(root.iter(f"{{{Namespace.PILOTHOUSE}}}delegate")):
        declared[element.get("expression", "")] = element.get("topic", "")
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)  # the reader knows it no more
    return declared


def _work(tree: Tree, element: Element, delegates: Mapping[str, str]) -> None:
    """Rewrite what does the work of a task: a decision, a topic, or a delegate that stands for a topic."""
    retries = _retries(tree, element)
    decision = tree.take(element, "decisionRef")
    if decision is not None:
        _decision(tree, element, decision, retries)
        return
    kind, topic = tree.take(element, "type"), tree.take(element, "topic")
    if kind not in (None, "external"):
        tree.reject(element, f"it is of type {kind!r}", 'Use camunda:type="external" and a topic.')
    delegate = tree.take(element, "delegateExpression")
    if topic is None and delegate is not None:
        topic = delegates.get(delegate)
        if not topic:
            tree.reject(
                element,
                f"the delegate expression {delegate!r} stands for no topic",
                "Add a pilothouse:delegate with its expression and topic to the process, or use an external task.",
            )
    if topic:
        tree.extend(element, "taskDefinition", type=topic, **retries)


def _decision(tree: Tree, element: Element, decision: str, retries: Mapping[str, str]) -> None:
    result = tree.take(element, "resultVariable")
    mapped = tree.take(element, "mapDecisionResult") or "resultList"
    binding = tree.take(element, "decisionRefBinding")
    if binding not in (None, "latest"):
        tree.reject(
            element, f"the decision is bound to {binding!r}", "The latest active version is taken."
        )
    if mapped not in _DECISION_RESULTS:
        tree.reject(
            element,
            f"the decision's result is mapped by {mapped!r}",
            f"Choose one of {', '.join(sorted(_DECISION_RESULTS))}.",
        )
    if not result:
        tree.reject(element, "the decision has no result variable", "Name one.")
    tree.extend(
        element,
        "calledDecision",
        decisionId=tree.feel(element, decision, what="decision"),
        resultVariable=result or "result",
        **retries,
    )


def _retries(tree: Tree, element: Element) -> dict[str, str]:
    """Rewrite ``R3/PT5M``: so many tries, always with the same pause."""
    cycle = tree.take_extension(element, "failedJobRetryTimeCycle")
    if cycle is None:
        return {}
    text = (cycle.text or "").strip()
    found = _RETRIES.fullmatch(text)
    if found is None:
        tree.reject(element, f"the retries {text!r} are not of one pause", "Write them as R3/PT5M.")
        return {}
    pause = found["pause"]
    tree.extend(element, "retry", Namespace.PILOTHOUSE, backoff=pause, longest=pause)
    return {"retries": found["times"]}


def _user(tree: Tree, element: Element) -> None:
    who = {
        name: tree.feel(element, text, what=name)
        for name in ("assignee", "candidateUsers", "candidateGroups")
        if (text := tree.take(element, name)) is not None
    }
    if who:
        tree.extend(element, "assignmentDefinition", **who)
    when = {
        name: tree.feel(element, text, what=name)
        for name in ("dueDate", "followUpDate")
        if (text := tree.take(element, name)) is not None
    }
    if when:
        tree.extend(element, "taskSchedule", **when)
    priority = tree.take(element, "priority")
    if priority is not None:
        value = tree.feel(element, priority, what="priority")
        tree.extend(element, "priorityDefinition", priority=value)
    rewrite_form(tree, element)


def _condition(tree: Tree, element: Element) -> None:
    """Rewrite the text of a condition."""
    language = element.get("language")
    if language is not None:
        tree.reject(
            element, f"the condition is written in {language}", "Write it as ${…} or in FEEL."
        )
        element.text = "=false"
        return
    text = (element.text or "").strip()
    if text and not text.startswith("="):
        feel = tree.feel(element, text, what="condition")
        element.text = feel if feel.startswith("=") else text


def _timer(tree: Tree, element: Element) -> None:
    for child in [c for local in _TIMES for c in children(element, local)]:
        text = (child.text or "").strip()
        child.text = tree.feel(child, text, what="timer")
        fields = text.split()
        # There the days of the week are counted from 1 for Sunday, here from 0.
        if len(fields) == 6 and _NUMBERED_DAYS.search(fields[5].partition("#")[0]):
            tree.reject(
                child, "the days of the week are numbers", "Write their names, such as MON-FRI."
            )


def _named(tree: Tree, element: Element) -> None:
    """Rewrite the name of a message or signal, which may be an expression."""
    name = element.get("name")
    if name is not None:
        element.set("name", tree.feel(element, name, what="name"))


def _caught_error(tree: Tree, element: Element) -> None:
    """Rewrite the variables that get the code and the words of an error which a boundary event catches."""
    event = element.getparent()
    for attribute, source in (
        ("errorCodeVariable", "=error.code"),
        ("errorMessageVariable", "=error.message"),
    ):
        target = tree.take(element, attribute)
        if target is not None and event is not None:
            tree.map_output(event, source=source, target=target)


def _repeated(tree: Tree, element: Element) -> None:
    """Rewrite an activity that is repeated over a collection."""
    collection, item = tree.take(element, "collection"), tree.take(element, "elementVariable")
    given: dict[str, str] = {}
    if collection is not None:
        feel = tree.feel(element, collection, what="collection")
        given["inputCollection"] = feel if feel.startswith("=") else f"={feel}"
    if item is not None:
        given["inputElement"] = item
    if given:
        tree.extend(element, "loopCharacteristics", **given)
    for local in ("loopCardinality", "completionCondition"):
        for child in children(element, local):
            child.text = tree.feel(child, (child.text or "").strip(), what=local)


_REWRITERS: dict[str, tuple[Callable[[Tree, Element], None], ...]] = {
    "userTask": (_user,),
    "conditionExpression": (_condition,),
    "condition": (_condition,),
    "timerEventDefinition": (_timer,),
    "message": (_named,),
    "signal": (_named,),
    "errorEventDefinition": (_caught_error,),
    "multiInstanceLoopCharacteristics": (_repeated,),
}


def _reject_the_rest(tree: Tree, root: Element) -> None:
    """Reject what is left of Camunda 7, each with its advice, and take out what has no meaning here."""
    for element in list(root.iter(etree.Element)):
        for local in tree.attributes(element):
            tree.take(element, local)
            if local not in MEANINGLESS:
                advice = ATTRIBUTES.get(local, OTHERWISE)
                tree.reject(element, f"camunda:{local} is not taken over", advice)
    for element in list(root.iter(f"{{{CAMUNDA}}}*")):
        local, parent = name_of(element).local, element.getparent()
        if parent is None or name_of(parent).space == CAMUNDA:
            continue  # told, or dropped, with what is around it
        if local not in MEANINGLESS:
            advice = EXTENSIONS.get(local, OTHERWISE)
            tree.reject(element, f"camunda:{local} is not taken over", advice)
        parent.remove(element)
