"""The paths through a drawing."""

from __future__ import annotations

import pytest

from pilothouse.bpmn.drawing import Pen
from pilothouse.lifecycle.definitions import shipped
from pilothouse.lifecycle.expressions import FeelExpressions
from pilothouse.lifecycle.files import is_decision_file
from pilothouse.lifecycle.paths import Paths, all_paths
from pilothouse.lifecycle.simulation import life_cycle

PEN = Pen(FeelExpressions())
ERROR = '<error id="e" errorCode="bad"/>'
FAILS = '<errorEventDefinition errorRef="e"/>'


def paths(body: str, flows: str) -> list[str]:
    found = all_paths(PEN.draw(body, flows, ERROR))
    assert found.complete
    return [" ".join(path.elements) for path in found.paths]


def diamonds(count: int) -> Paths:
    """Draw gateways in a row, each with two ways to the next."""
    names = [f"g{n}" for n in range(count)]
    body, flows = "", ["start>g0"]
    for name, after in zip(names, [*names[1:], "end"], strict=True):
        body += PEN.gateway("exclusive", name, default=f"{name}-{name}b")
        body += PEN.service(f"{name}a") + PEN.service(f"{name}b")
        body += PEN.condition(name, f"{name}a", "=true")
        flows += [f"{name}>{name}b", f"{name}a>{after}", f"{name}b>{after}"]
    return all_paths(PEN.draw(body, " ".join(flows)))


def test_both_sides_of_a_gateway_are_paths_with_their_conditions() -> None:
    body = PEN.gateway("exclusive", "well", default="well-b") + PEN.service("a") + PEN.service("b")
    drawn = PEN.draw(body + PEN.condition("well", "a", "=n > 1"), "start>well well>b a>end b>end")
    one, other = all_paths(drawn).paths
    assert {one.elements, other.elements} == {
        ("start", "well", "a", "end"),
        ("start", "well", "b", "end"),
    }
    assert {one.ways[2].by, other.ways[2].by} == {"=n > 1", "otherwise"}


def test_each_branch_of_a_fork_is_a_path() -> None:
    body = PEN.gateway("parallel", "fork") + PEN.service("a") + PEN.service("b")
    body += PEN.gateway("parallel", "join")
    flows = "start>fork fork>a fork>b a>join b>join join>end"
    assert paths(body, flows) == ["start fork a join end", "start fork b join end"]


def test_a_boundary_event_is_a_way_out() -> None:
    body = PEN.service("a") + f'<boundaryEvent id="edge" attachedToRef="a">{FAILS}</boundaryEvent>'
    assert paths(body, "start>a a>end edge>end") == ["start a edge end", "start a end"]


def test_a_loop_is_gone_round_once() -> None:
    body = PEN.service("a") + PEN.gateway("exclusive", "again", default="again-end")
    body += PEN.condition("again", "a", "=true")
    found = paths(body, "start>a a>again again>end")
    assert found == ["start a again a again end", "start a again end"]


def test_a_circle_without_a_way_out_is_no_path() -> None:
    body = PEN.gateway("exclusive", "m") + PEN.service("a") + PEN.service("b")
    body += PEN.gateway("parallel", "fork")
    flows = "start>fork fork>end fork>m m>a a>b b>m"
    assert paths(body, flows) == ["start fork end"]


def test_a_path_goes_through_sub_processes_and_out_of_them_by_errors() -> None:
    inner = (
        '<subProcess id="sub"><startEvent id="in"/><endEvent id="out"/>'
        f'<endEvent id="fail">{FAILS}</endEvent>'
        + PEN.gateway("exclusive", "well", default="well-out")
        + '<sequenceFlow id="in-well" sourceRef="in" targetRef="well"/>'
        '<sequenceFlow id="well-out" sourceRef="well" targetRef="out"/>'
        + PEN.condition("well", "fail", "=true")
        + f'</subProcess><boundaryEvent id="edge" attachedToRef="sub">{FAILS}</boundaryEvent>'
        '<endEvent id="failed"/>'
    )
    assert sorted(paths(inner, "start>sub sub>end edge>failed")) == [
        "start sub edge failed",
        "start sub in well fail edge failed",
        "start sub in well out sub end",
    ]


def test_more_paths_than_are_looked_for_are_said_to_be_more() -> None:
    assert (len(diamonds(5).paths), diamonds(5).complete) == (32, True)
    found = diamonds(30)
    assert (len(found.paths), found.complete) == (1000, False)


@pytest.mark.parametrize("xml", [xml for xml in shipped() if not is_decision_file(xml)])
def test_paths_of_the_shipped_life_cycles_reach_every_element(xml: bytes) -> None:
    definition = life_cycle(xml)
    found = all_paths(definition)
    reached = {element for path in found.paths for element in path.elements}
    assert (reached, found.complete) == (set(definition.nodes), True)


def test_paths_go_over_links_and_begin_at_event_sub_processes() -> None:
    link = '<linkEventDefinition name="on"/>'
    body = (
        f'<intermediateThrowEvent id="out">{link}</intermediateThrowEvent>'
        f'<intermediateCatchEvent id="in">{link}</intermediateCatchEvent>'
        '<subProcess id="sub" triggeredByEvent="true"><startEvent id="bell" isInterrupting="true">'
        "<timerEventDefinition><timeDuration>P1D</timeDuration></timerEventDefinition></startEvent>"
        '<endEvent id="stopped"/><sequenceFlow id="f" sourceRef="bell" targetRef="stopped"/></subProcess>'
    )
    assert paths(body, "start>out in>end") == ["start out in end", "bell stopped"]


def test_a_condition_at_an_edge_is_a_path_that_says_which() -> None:
    body = PEN.service("a") + (
        '<boundaryEvent id="edge" attachedToRef="a"><conditionalEventDefinition><condition>=x &gt; 1</condition>'
        "</conditionalEventDefinition></boundaryEvent>"
    )
    drawn = all_paths(PEN.draw(body, "start>a a>end edge>end"))
    assert {way.by for path in drawn.paths for way in path.ways} == {"", "condition =x > 1"}
