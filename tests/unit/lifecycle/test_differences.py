"""What differs between two life cycles, or two decision files."""

from __future__ import annotations

from importlib.resources import files

import pytest
from lxml import etree

from pilothouse.bpmn.drawing import condition, document, gateway, service
from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.lifecycle.difference_trees import Detail, in_drawing
from pilothouse.lifecycle.differences import Change, Difference, KindsDifferError, differences
from pilothouse.lifecycle.errors import NotALifecycleError
from tests.integration.lifecycle.tables import MODEL, DecisionFile, unique_table

SHIPPED = files("pilothouse.lifecycle") / "definitions"
PROMOTION = (SHIPPED / "promote-online.bpmn").read_bytes()
THRESHOLDS = (SHIPPED / "thresholds.dmn").read_bytes()
START, END = '<startEvent id="start"/>', '<endEvent id="end"/>'
TEXT_OF_FLOWS = ("incoming", "outgoing")


def only(old: bytes, new: bytes) -> Difference:
    """Give the only difference."""
    [found] = differences(old, new)
    return found


def detail(old: bytes, new: bytes) -> tuple[str, str | None, str | None]:
    """Give the only detail of the only difference."""
    [found] = only(old, new).details
    return found.what, found.old, found.new


def mapped(*mappings: str) -> bytes:
    """Draw a task with input mappings such as ``a=1``."""
    pairs = (mapping.split("=") for mapping in mappings)
    inputs = "".join(f'<zeebe:input source="={s}" target="{t}"/>' for t, s in pairs)
    return document(service("a", inner=f"<zeebe:ioMapping>{inputs}</zeebe:ioMapping>"))


def timed(after: str) -> bytes:
    return document(
        service("a") + '<boundaryEvent id="late" attachedToRef="a"><timerEventDefinition id="t">'
        f"<timeDuration>{after}</timeDuration></timerEventDefinition></boundaryEvent>"
    )


def table(
    rules: str, columns: str = "<input id='i' label='n'/>", output: str = "<output id='o'/>"
) -> bytes:
    return (
        f'<definitions xmlns="{MODEL}" id="f" namespace="f"><decision id="d">'
        f"<decisionTable>{columns}{output}{rules}</decisionTable></decision></definitions>"
    ).encode()


def rule(name: str, *cells: str) -> str:
    known_as = f' id="{name}"' if name else ""
    *tests, output = cells
    inputs = "".join(f"<inputEntry><text>{t}</text></inputEntry>" for t in tests)
    return f"<rule{known_as}>{inputs}<outputEntry><text>{output}</text></outputEntry></rule>"


@pytest.mark.parametrize("xml", [PROMOTION, THRESHOLDS])
def test_a_file_is_equal_to_itself(xml: bytes) -> None:
    assert differences(xml, xml) == ()


@pytest.mark.parametrize("xml", [PROMOTION, THRESHOLDS])
def test_a_moved_shape_is_no_difference(xml: bytes) -> None:
    root = etree.fromstring(xml)
    moved = 0
    for element in root.iter("{*}Bounds", "{*}waypoint"):
        element.set("x", "7777")
        moved += 1

    assert differences(xml, etree.tostring(root)) == ()
    assert moved or xml is THRESHOLDS


def matters(element: etree._Element, attribute: str = "") -> bool:
    """Whether a change of an element, or of an attribute of it, has to be seen."""
    name = etree.QName(element)
    above = (element, *element.iterancestors())
    if any(in_drawing(e) for e in above) or name.localname in TEXT_OF_FLOWS:
        return False
    # The id of what stands inside an element is a tool's own affair.
    inside = not name.localname.endswith(("Task", "Event", "Gateway", "Flow", "rule", "decision"))
    written = attribute in ("exporter", "exporterVersion") or attribute.startswith("{http://www.w3")
    return not written and not (attribute == "id" and inside)


@pytest.mark.parametrize("xml", [PROMOTION, THRESHOLDS])
def test_no_changed_attribute_is_overseen(xml: bytes) -> None:
    root = etree.fromstring(xml)
    overseen, changed = [], 0
    for element in root.iter("{*}*"):
        for name, value in list(element.attrib.items()):
            if not matters(element, str(name)):
                continue
            element.set(name, str(value) + "x")
            changed += 1
            if not differences(xml, etree.tostring(root)):
                overseen.append((element.tag, name))
            element.set(name, value)

    assert (overseen, changed > 20) == ([], True)


@pytest.mark.parametrize("xml", [PROMOTION, THRESHOLDS])
def test_no_changed_text_is_overseen(xml: bytes) -> None:
    root = etree.fromstring(xml)
    overseen, changed = [], 0
    for element in root.iter("{*}*"):
        if not (element.text or "").strip() or not matters(element):
            continue
        kept = str(element.text)
        element.text = kept + " x"
        changed += 1
        if not differences(xml, etree.tostring(root)):
            overseen.append(element.tag)
        element.text = kept

    assert (overseen, changed > 5) == ([], True)


@pytest.mark.parametrize("xml", [PROMOTION, THRESHOLDS])
def test_no_removed_element_is_overseen(xml: bytes) -> None:
    count = len(list(etree.fromstring(xml).iter("{*}*")))
    overseen = []
    for place in range(1, count):
        root = etree.fromstring(xml)
        element = list(root.iter("{*}*"))[place]
        above = element.getparent()
        says = element.attrib or (element.text or "").strip() or len(element)
        if above is None or not says or not matters(element):
            continue
        above.remove(element)
        if not differences(xml, etree.tostring(root)):
            overseen.append(element.tag)

    assert overseen == []


def test_elements_and_flows_that_come_and_go_are_told_by_their_ids() -> None:
    old = document(START + service("a") + END, flows="start>a a>end")
    new = document(START + service("b") + END, flows="start>b b>end")

    found = {d.element: (d.change, d.kind) for d in differences(old, new)}

    assert found == {
        "a": (Change.REMOVED, "serviceTask"),
        "start-a": (Change.REMOVED, "sequenceFlow"),
        "a-end": (Change.REMOVED, "sequenceFlow"),
        "b": (Change.ADDED, "serviceTask"),
        "start-b": (Change.ADDED, "sequenceFlow"),
        "b-end": (Change.ADDED, "sequenceFlow"),
    }


def test_what_an_added_element_says_is_told() -> None:
    found = only(document(START), document(START + service("a", topic="deploy")))

    assert found.details[0] == Detail(what="zeebe:taskDefinition/type", old=None, new="deploy")


def test_a_changed_topic_is_told() -> None:
    old, new = document(service("a", topic="deploy")), document(service("a", topic="withdraw"))

    assert detail(old, new) == ("zeebe:taskDefinition/type", "deploy", "withdraw")


def test_a_changed_mapping_is_told_by_its_target() -> None:
    assert detail(mapped("x=1", "y=2"), mapped("x=1", "y=3")) == (
        *("zeebe:ioMapping/input y/source", "=2", "=3"),
    )


def test_an_added_mapping_is_told() -> None:
    what = [d.what for d in only(mapped("x=1"), mapped("x=1", "y=x")).details]

    assert what == ["zeebe:ioMapping/input y/source", "zeebe:ioMapping/input y/target"]


def test_the_order_of_mappings_is_told_because_a_later_one_sees_an_earlier_one() -> None:
    assert detail(mapped("x=1", "y=2"), mapped("y=2", "x=1")) == (
        *("order of zeebe:ioMapping/input", "x, y", "y, x"),
    )


def test_a_changed_timer_is_told() -> None:
    assert detail(timed("PT5M"), timed("PT1H")) == (
        *("timerEventDefinition/timeDuration", "PT5M", "PT1H"),
    )


def test_a_changed_condition_is_told() -> None:
    old, new = (document(condition("a", "b", f"=n = {n}")) for n in (1, 2))

    assert detail(old, new) == ("conditionExpression", "=n = 1", "=n = 2")


def test_an_empty_element_that_comes_is_told() -> None:
    old = document('<endEvent id="end"/>')
    new = document('<endEvent id="end"><terminateEventDefinition id="t"/></endEvent>')

    assert detail(old, new) == ("terminateEventDefinition", None, "(present)")


def test_a_move_into_a_sub_process_is_told_with_both_scopes() -> None:
    old = document(service("a") + '<subProcess id="sub"/>')
    new = document(f'<subProcess id="sub">{service("a", retries=5)}</subProcess>')

    found = only(old, new)

    assert (found.change, found.element, found.scope) == (Change.MOVED, "a", "sub")
    assert [(d.what, d.old, d.new) for d in found.details] == [
        ("scope", "test", "sub"),
        ("zeebe:taskDefinition/retries", "3", "5"),
    ]


def test_another_type_of_the_same_id_is_a_change() -> None:
    assert detail(document('<userTask id="a"/>'), document('<manualTask id="a"/>')) == (
        *("type", "userTask", "manualTask"),
    )


def test_another_key_of_the_process_moves_none_of_its_elements() -> None:
    drawn = document(START + END, flows="start>end")

    assert detail(drawn, drawn.replace(b'id="test"', b'id="mine"')) == ("id", "test", "mine")


def test_a_default_that_is_written_out_is_no_difference() -> None:
    bare, written = (
        timed("PT5M"),
        timed("PT5M").replace(b"attached", b'cancelActivity="true" attached'),
    )

    assert differences(bare, written) == ()


def test_the_order_of_the_flows_of_an_exclusive_gateway_is_told() -> None:
    flows = [condition("g", "a", "=n &gt; 1"), condition("g", "b", "=n &gt; 2")]
    old, new = (
        document(gateway("exclusive", "g") + "".join(order)) for order in (flows, flows[::-1])
    )

    assert detail(old, new) == ("order of outgoing flows", "g-a, g-b", "g-b, g-a")


def test_a_message_by_another_name_is_told() -> None:
    old, new = (document("", f'<message id="m" name="{name}"/>') for name in ("paid", "sent"))

    assert detail(old, new) == ("name", "paid", "sent")


def test_the_second_of_two_elements_of_one_id_is_compared_too() -> None:
    old = document(service("a") + service("a"))

    assert detail(old, document(service("a") + service("a", retries=9)))[2] == "9"


def test_a_changed_cell_is_told_by_rule_and_column() -> None:
    old = unique_table("size", ("&lt; 5", '"small"'), ("&gt;= 5", '"big"'))
    new = unique_table("size", ("&lt; 5", '"small"'), ("&gt;= 5", '"huge"'))

    found = only(old, new)

    assert (found.kind, found.element, found.scope) == ("rule", "r2", "size")
    assert found.details == (Detail(what="out", old='"big"', new='"huge"'),)


def test_rules_without_ids_are_told_by_their_positions() -> None:
    found = only(table(rule("", "1", "2")), table(rule("", "1", "2") + rule("", "3", "4")))

    assert (found.change, found.element) == (Change.ADDED, "rule 2")


def test_the_order_of_rules_is_told() -> None:
    one, two = rule("one", "1", "2"), rule("two", "3", "4")

    assert detail(table(one + two), table(two + one)) == ("order of rules", "one, two", "two, one")


def test_an_added_column_that_tests_nothing_changes_no_rule() -> None:
    more = "<input id='m' label='m'/><input id='i' label='n'/>"
    added = differences(table(rule("r", "1", "2")), table(rule("r", "-", "1", "2"), more))

    assert [(d.change, d.element) for d in added] == [(Change.ADDED, "m")]


def test_a_column_by_another_heading_changes_no_rule() -> None:
    new = table(rule("r", "1", "2"), "<input id='i' label='number'/>")

    assert detail(table(rule("r", "1", "2")), new) == ("label", "n", "number")


def test_another_column_s_test_is_told_in_each_rule() -> None:
    more = "<input id='m' label='m'/><input id='i' label='n'/>"
    added = differences(table(rule("r", "1", "2")), table(rule("r", "&gt; 0", "1", "2"), more))

    assert added[0].details == (Detail(what="m", old=None, new="> 0"),)


def test_cells_beyond_the_columns_are_compared_too() -> None:
    assert detail(table(rule("r", "1", "2", "3")), table(rule("r", "1", "9", "3"))) == (
        *("inputEntry 2", "2", "9"),
    )


def test_two_columns_of_one_heading_are_kept_apart() -> None:
    twice = "<input id='i' label='n'/><input id='j' label='n'/>"

    assert detail(
        table(rule("r", "1", "2", "3"), twice), table(rule("r", "1", "9", "3"), twice)
    ) == (*("n 2", "2", "9"),)


def test_another_hit_policy_is_told_and_the_default_is_known() -> None:
    old = table("")

    assert detail(old, old.replace(b"<decisionTable>", b'<decisionTable hitPolicy="FIRST">')) == (
        *("decisionTable/hitPolicy", "UNIQUE", "FIRST"),
    )


def test_decisions_come_and_go_and_change_their_texts() -> None:
    old = DecisionFile(namespace="n", decisions={"a": "1", "b": "2"}).xml
    new = DecisionFile(namespace="n", decisions={"b": "3", "c": "4"}).xml

    found = {d.element: d.change for d in differences(old, new)}

    assert found == {"a": Change.REMOVED, "b": Change.CHANGED, "c": Change.ADDED}


def test_another_version_of_dmn_is_all_that_it_tells() -> None:
    newer = "https://www.omg.org/spec/DMN/20230324/MODEL/"

    assert detail(THRESHOLDS, THRESHOLDS.replace(MODEL.encode(), newer.encode())) == (
        *("version of DMN", MODEL, newer),
    )


def test_a_life_cycle_is_not_compared_with_a_decision_file() -> None:
    with pytest.raises(KindsDifferError) as caught:
        differences(PROMOTION, THRESHOLDS)

    assert (caught.value.old.value, caught.value.new.value) == ("bpmn", "dmn")


def test_what_is_neither_is_refused() -> None:
    with pytest.raises(NotALifecycleError):
        differences(b"<nothing/>", PROMOTION)


def test_a_hostile_file_is_refused() -> None:
    with pytest.raises(DefinitionRejectedError):
        differences(PROMOTION, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>')
