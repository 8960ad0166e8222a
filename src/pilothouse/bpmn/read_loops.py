"""How activities repeat, from XML: multi-instance and standard loops."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import Loop, MultiInstance, StandardLoop
from pilothouse.bpmn.read_timers import NOTHING
from pilothouse.bpmn.xml import Element, children

if TYPE_CHECKING:
    from pilothouse.bpmn.expressions import Value
    from pilothouse.bpmn.reading import Reading

MULTIPLE = "multiInstanceLoopCharacteristics"
STANDARD = "standardLoopCharacteristics"
LOOPS = (MULTIPLE, STANDARD)


def read_loop(reading: Reading, element: Element) -> Loop | None:
    """Read how an activity repeats; None where it does not."""
    many, rounds = children(element, MULTIPLE), children(element, STANDARD)
    if len(many) + len(rounds) > 1:
        reading.reject(element, "it repeats in more than one way", "Keep one of them.")
    if many:
        return _multi_instance(reading, many[0])
    return _standard(reading, rounds[0]) if rounds else None


def _multi_instance(reading: Reading, element: Element) -> MultiInstance:
    reading.check_children(element, "loopCardinality", "completionCondition")
    if element.get("behavior", "All") != "All":
        reading.reject(
            element,
            "it throws events as its instances end",
            "Throw them by what it does, or after it.",
        )
    found = reading.extensions(element, "loopCharacteristics").get("loopCharacteristics")
    collection = reading.optional(found, "inputCollection", what="input collection")
    cardinality = _child_value(reading, element, "loopCardinality", "number of instances")
    if (collection is None) == (cardinality is None):
        reading.reject(
            element,
            "it has not either an input collection or a loop cardinality",
            "Give it a zeebe:loopCharacteristics with an inputCollection, such as =runtimes.",
        )
    gathered = _name(reading, found, "outputCollection", what="output collection")
    given = reading.optional(found, "outputElement", what="output element")
    if (gathered is None) != (given is None):
        reading.reject(
            element,
            "it has an output collection or an output element, and not the other",
            "Give both, or neither.",
        )
    completion = _child_value(reading, element, "completionCondition", "completion condition")
    return MultiInstance(
        sequential=element.get("isSequential") == "true",
        collection=_feel(reading, element, collection, "input collection"),
        cardinality=cardinality,
        input_element=_name(reading, found, "inputElement", what="input element"),
        output_collection=gathered,
        output_element=_feel(reading, element, given, "output element"),
        completion=_feel(reading, element, completion, "completion condition"),
    )


def _standard(reading: Reading, element: Element) -> StandardLoop:
    reading.check_children(element, "loopCondition")
    reading.extensions(element)
    condition = _child_value(reading, element, "loopCondition", "loop condition")
    if condition is None:
        reading.reject(element, "the loop has no condition", "Write when it goes on, in FEEL.")
    maximum = element.get("loopMaximum")
    limit = None
    if maximum is not None:
        limit = reading.whole(element, "loopMaximum", default=1, lowest=1)
    return StandardLoop(
        condition=_feel(reading, element, condition, "loop condition") or NOTHING,
        before=element.get("testBefore") == "true",
        maximum=limit,
    )


def _child_value(reading: Reading, element: Element, name: str, what: str) -> Value | None:
    found = children(element, name)
    text = (found[0].text or "").strip() if found else ""
    return reading.value(element, text, what=what) if text else None


def _feel(reading: Reading, element: Element, value: Value | None, what: str) -> Value | None:
    if value is not None and not value.text.startswith("="):
        reading.reject(
            element, f"the {what} {value.text!r} is not FEEL", "Write FEEL behind a leading =."
        )
    return value


def _name(reading: Reading, element: Element | None, attribute: str, *, what: str) -> str | None:
    name = (element.get(attribute) or "").strip() if element is not None else ""
    if name and element is not None and not name.replace("_", "a").isalnum():
        reading.reject(
            element,
            f"the {what} {name!r} is not a plain variable name",
            "Use letters, digits and _.",
        )
    return name or None
