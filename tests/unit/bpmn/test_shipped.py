"""The shipped life cycles: every path that their drawing has, and the drawing itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

import pilothouse
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.read import read
from pilothouse.bpmn.state import RunStatus
from pilothouse.dmn import read_decisions
from pilothouse.feel import compile_expression
from pilothouse.lifecycle.tasks.catalogue import known_topics

if TYPE_CHECKING:
    from pilothouse.bpmn.definition import Definition
    from pilothouse.bpmn.expressions import Compiled

FOLDER = Path(pilothouse.__file__).parent / "lifecycle" / "definitions"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
WAYPOINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
LIFE_CYCLES = tuple(sorted(path.stem for path in FOLDER.glob("*.bpmn")))
METRICS = {"rows": 9000, "roc_auc": 0.88, "rejected_share": 0.0}
SIGNAL = {
    "snapshot": "fraud-gbm@7",
    "snapshot_id": "snp_1",
    "digest": "abc",
    "service": "cc-fraud",
    "mode": "online",
    "model": "fraud-gbm",
    "author": "ann",
    "test_dataset": "fraud-test@2",
    "risk_tier": "medium",
}
ROUTE: dict[str, object] = {"generation": 4, "champion": None, "share": 0.0, "shares": {}}
CHAMPION = {**ROUTE, "champion": "fraud-gbm@6", "shares": {"fraud-gbm@6": 1.0}}
ALONE = {"roles": "validator", "together": False, "due": "P3D", "reason": "the tier is medium"}


class Feel:
    """FEEL, as the engine asks for it."""

    def compile(self, text: str, /) -> Compiled:
        return compile_expression(text).evaluate


def shipped(name: str) -> Definition:
    xml = (FOLDER / f"{name}.bpmn").read_bytes()
    return read(xml, expressions=Feel(), topics=known_topics())


def judged(name: str, verdict: str) -> Play:
    """Play a life cycle up to its verdict."""
    play = Play(shipped(name), dict(SIGNAL), event="snapshot_taken")
    evaluation = {"id": "evl_1", "verdict": verdict, "reason": "so say the figures"}
    if name == "promote-online":
        play.complete("deploy_dev", deployments=["dep_1"])
        play.complete("score_dev", job="job_1")
        play.complete("deploy_sit", deployments=["dep_2"])
        play.complete("score_sit", job="job_2")
    else:
        play.complete("deploy_dev", deployments=["dep_1"])
        play.complete("deploy_sit", deployments=["dep_2"])
    play.complete("metrics_sit", metrics=METRICS)
    assert play.job("evaluate").inputs["metrics"] == METRICS
    play.complete("evaluate", evaluation=evaluation)
    return play


def in_uat(verdict: str = "PASS") -> Play:
    play = judged("promote-online", verdict)
    play.complete("find_champion", route=ROUTE)
    return through_uat(play)


def through_uat(play: Play, **approval: object) -> Play:
    """Play from UAT up to the approval."""
    play.complete("deploy_uat", deployments=["dep_3"])
    play.complete("smoke_uat", smoke={"rows": 10})
    play.complete("load_uat", load={"verdict": "PASS"})
    play.complete("who_approves", result={**ALONE, **approval})
    return play


def compared(verdict: str) -> Play:
    """Play up to the verdict over a challenger and the champion."""
    play = judged("promote-online", "PASS")
    play.complete("find_champion", route=CHAMPION)
    assert play.job("deploy_champion").inputs["snapshot"] == "fraud-gbm@6"
    play.complete("deploy_champion", deployments=["dep_6"])
    play.complete("compare", comparison={"verdict": verdict, "reason": "it is worse"})
    play.complete("withdraw_champion", deployments=["dep_6"])
    return play


def in_prod() -> Play:
    play = in_uat()
    play.complete("approve", decision="approve", comment="well tested")
    play.complete("deploy_prod", deployments=["dep_4"])
    return play


def test_promotion_by_rest_goes_from_dev_to_prod() -> None:
    play = in_prod()
    assert play.job("smoke_prod").inputs["stage"] == "PROD"
    play.complete("smoke_prod", smoke={"rows": 10})
    assert play.job("shift_prod").inputs["replace"] is True
    play.complete("shift_prod", deployments=["dep_4"])
    assert play.job("notify_promoted").inputs == {
        "subject": "In production: fraud-gbm@7",
        "text": "Snapshot fraud-gbm@7 serves cc-fraud in PROD.",
    }
    play.complete("notify_promoted")
    assert (play.state.run.state, play.state.run.outcome) == (RunStatus.COMPLETED, "promoted")
    assert play.variables["approval_comment"] == "well tested"
    assert play.variables["prod_deployments"] == ["dep_4"]


def test_first_order_of_a_promotion_is_dev_in_batch() -> None:
    play = Play(shipped("promote-online"), dict(SIGNAL), event="snapshot_taken")
    assert play.job("deploy_dev").inputs == {
        "stage": "DEV",
        "mode": "batch",
        "service": "cc-fraud",
        "snapshot": "fraud-gbm@7",
        "replace": True,
    }


def test_uat_and_prod_are_online() -> None:
    play = judged("promote-online", "PASS")
    play.complete("find_champion", route=ROUTE)
    assert play.job("deploy_uat").inputs["mode"] == "online"
    assert in_prod().state.jobs
    assert in_prod().job("smoke_prod").inputs["stage"] == "PROD"


def test_failed_evaluation_rejects_and_says_why() -> None:
    play = judged("promote-online", "FAIL")
    text = play.job("notify_rejected").inputs["text"]
    assert text == "Snapshot fraud-gbm@7 did not pass for cc-fraud: so say the figures"
    play.complete("notify_rejected")
    assert play.state.run.outcome == "rejected"


@pytest.mark.parametrize(
    ("decision", "after"), [("accept", "deploy_uat"), ("reject", "notify_rejected")]
)
def test_inconclusive_evidence_is_for_a_person(decision: str, after: str) -> None:
    play = judged("promote-online", "INCONCLUSIVE")
    assert play.task("review").candidate_roles == ("validator",)
    play.complete("review", decision=decision)
    assert play.at(after) == 1


@pytest.mark.parametrize(
    ("verdict", "after"),
    [("PASS", "deploy_uat"), ("INCONCLUSIVE", "review"), ("FAIL", "notify_rejected")],
)
def test_a_challenger_is_compared_with_the_champion(verdict: str, after: str) -> None:
    assert compared(verdict).at(after) == 1


def test_who_is_worse_than_the_champion_is_told_why() -> None:
    text = str(compared("FAIL").job("notify_rejected").inputs["text"])
    assert text.endswith("did not pass for cc-fraud: it is worse")


@pytest.mark.parametrize(
    ("decision", "after"), [("approve", "who_approves"), ("reject", "withdraw_uat")]
)
def test_a_failed_load_test_is_for_a_person(decision: str, after: str) -> None:
    play = judged("promote-online", "PASS")
    play.complete("find_champion", route=ROUTE)
    play.complete("deploy_uat", deployments=["dep_3"])
    play.complete("smoke_uat", smoke={"rows": 10})
    play.refuse("load_uat", "load-test-failed")
    play.complete("review_load", decision=decision)
    assert play.at(after) == 1


def test_a_high_risk_tier_asks_a_validator_and_a_business_owner() -> None:
    play = judged("promote-online", "PASS")
    play.complete("find_champion", route=ROUTE)
    task = through_uat(play, together=True).task("approve_together")
    assert task.quorum is not None
    assert (task.quorum.count, task.quorum.per_role) == (2, {"validator": 1, "business-owner": 1})


def test_approval_is_for_a_validator_who_is_not_the_author_and_names_the_digest() -> None:
    task = in_uat().task("approve")
    assert (task.candidate_roles, task.separate_from) == (("validator",), ("ann",))
    assert task.inputs["digest"] == "abc"
    assert task.due_at is not None


def test_refused_approval_withdraws_from_uat() -> None:
    play = in_uat()
    play.complete("approve", decision="reject", comment="no")
    assert play.job("withdraw_uat").inputs["stage"] == "UAT"
    play.complete("withdraw_uat")
    play.complete("notify_refused")
    assert (play.state.run.state, play.state.run.outcome) == (RunStatus.COMPLETED, "refused")


def test_failed_smoke_test_in_uat_withdraws() -> None:
    play = judged("promote-online", "PASS")
    play.complete("find_champion", route=ROUTE)
    play.complete("deploy_uat", deployments=[])
    play.refuse("smoke_uat", "smoke-test-failed")
    assert play.at("withdraw_uat") == 1


def test_failed_smoke_test_in_prod_withdraws_and_fails_the_run() -> None:
    play = in_prod()
    play.refuse("smoke_prod", "smoke-test-failed")
    play.complete("withdraw_prod")
    play.complete("notify_failed")
    assert (play.state.run.state, play.state.run.outcome) == (RunStatus.FAILED, "smoke-test-failed")


def test_missing_runtime_is_an_incident_that_says_what_is_missing() -> None:
    play = Play(shipped("promote-online"), dict(SIGNAL), event="snapshot_taken")
    play.refuse("deploy_dev", "no-runtime")
    (incident,) = play.state.incidents.values()
    assert (incident.element, incident.code) == ("deploy_dev", "no-runtime")


@pytest.mark.parametrize("verdict", ["PASS", "INCONCLUSIVE"])
def test_batch_promotion_asks_before_prod(verdict: str) -> None:
    play = judged("batch-only", verdict)
    play.complete("deploy_uat", deployments=["dep_8"])
    play.complete("who_approves", result=ALONE)
    play.complete("approve", decision="approve")
    assert play.job("deploy_prod").inputs["mode"] == "batch"
    play.complete("deploy_prod", deployments=["dep_9"])
    play.complete("notify_promoted")
    assert play.state.run.outcome == "promoted"


def test_batch_promotion_ends_where_it_failed_or_was_refused() -> None:
    failed = judged("batch-only", "FAIL")
    failed.complete("notify_rejected")
    refused = judged("batch-only", "PASS")
    refused.complete("deploy_uat", deployments=["dep_8"])
    refused.complete("who_approves", result=ALONE)
    refused.complete("approve", decision="reject")
    refused.complete("notify_refused")
    assert (failed.state.run.outcome, refused.state.run.outcome) == ("rejected", "refused")


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        ({}, "PASS"),
        ({"rows": 200, "roc_auc": 0.7, "rejected_share": 0.05}, "PASS"),
        ({"rows": 199}, "INCONCLUSIVE"),
        ({"rows": None}, "INCONCLUSIVE"),
        ({"roc_auc": None}, "INCONCLUSIVE"),
        ({"rejected_share": None}, "INCONCLUSIVE"),
        ({"rejected_share": 0.051}, "FAIL"),
        ({"roc_auc": 0.699}, "FAIL"),
    ],
)
def test_thresholds_never_pass_what_was_not_measured(
    figures: dict[str, object], verdict: str
) -> None:
    decisions = read_decisions((FOLDER / "thresholds.dmn").read_bytes())
    outcome = decisions.evaluate("thresholds", {"metrics": {**METRICS, **figures}})
    assert isinstance(outcome.value, dict)
    assert outcome.value["verdict"] == verdict
    assert outcome.value["reason"]


@pytest.mark.parametrize(
    ("tier", "together", "roles"),
    [
        ("high", True, "validator, business-owner"),
        ("medium", False, "validator"),
        ("low", False, "validator, model-owner"),
        ("unassigned", False, "validator"),
        (None, False, "validator"),
    ],
)
def test_the_risk_tier_says_who_approves(tier: str | None, together: bool, roles: str) -> None:
    decisions = read_decisions((FOLDER / "approvals.dmn").read_bytes())
    outcome = decisions.evaluate("approvals", {"risk_tier": tier})
    assert isinstance(outcome.value, dict)
    assert (outcome.value["together"], outcome.value["roles"]) == (together, roles)


@pytest.mark.parametrize(
    ("rows", "difference", "verdict"),
    [
        (9000, {"roc_auc": -0.005, "rejected_share": 0.01}, "PASS"),
        (9000, {"roc_auc": -0.0051, "rejected_share": 0}, "FAIL"),
        (9000, {"roc_auc": 0.1, "rejected_share": 0.011}, "FAIL"),
        (9000, {"roc_auc": None, "rejected_share": 0}, "INCONCLUSIVE"),
        (9000, {"roc_auc": 0, "rejected_share": None}, "INCONCLUSIVE"),
        (199, {"roc_auc": 0, "rejected_share": 0}, "INCONCLUSIVE"),
        (None, {"roc_auc": 0, "rejected_share": 0}, "INCONCLUSIVE"),
    ],
)
def test_a_challenger_never_passes_by_what_was_not_measured(
    rows: int | None, difference: dict[str, object], verdict: str
) -> None:
    decisions = read_decisions((FOLDER / "comparison.dmn").read_bytes())
    seen = {"challenger_metrics": {"rows": rows}, "difference": difference}
    outcome = decisions.evaluate("comparison", seen)
    assert isinstance(outcome.value, dict)
    assert outcome.value["verdict"] == verdict


def tree(name: str) -> etree._ElementTree:
    return etree.parse(str(FOLDER / f"{name}.bpmn"))


@pytest.mark.parametrize("name", LIFE_CYCLES)
def test_everything_is_drawn(name: str) -> None:
    definition, root = shipped(name), tree(name).getroot()
    shapes = {str(e.get("bpmnElement")) for e in root.iter(f"{DI}BPMNShape")}
    edges = {str(e.get("bpmnElement")) for e in root.iter(f"{DI}BPMNEdge")}
    assert shapes == set(definition.nodes)
    assert edges == set(definition.flows)


@pytest.mark.parametrize("name", LIFE_CYCLES)
def test_incoming_and_outgoing_say_what_the_flows_say(name: str) -> None:
    definition, root = shipped(name), tree(name).getroot()
    for node in definition.nodes.values():
        element = next(e for e in root.iter(etree.Element) if e.get("id") == node.id)
        told = {
            tag: tuple(e.text for e in element.iterchildren(BPMN + tag))
            for tag in ("incoming", "outgoing")
        }
        assert told == {"incoming": node.incoming, "outgoing": node.outgoing}


@pytest.mark.parametrize("name", LIFE_CYCLES)
def test_shapes_do_not_overlap_and_edges_end_at_their_borders(name: str) -> None:
    definition, root = shipped(name), tree(name).getroot()
    boxes = {}
    for shape in root.iter(f"{DI}BPMNShape"):
        bounds = shape.find(f"{DC}Bounds")
        assert bounds is not None
        x, y, w, h = (int(str(bounds.get(k))) for k in ("x", "y", "width", "height"))
        boxes[str(shape.get("bpmnElement"))] = (x, y, x + w, y + h)
    for edge in root.iter(f"{DI}BPMNEdge"):
        flow = definition.flows[str(edge.get("bpmnElement"))]
        points = [(int(str(p.get("x"))), int(str(p.get("y")))) for p in edge.iter(WAYPOINT)]
        assert on_border(points[0], boxes[flow.source]), flow.id
        assert on_border(points[-1], boxes[flow.target]), flow.id
    bodies = [
        (name, box)
        for name, box in boxes.items()
        if name not in {b.id for bs in definition.boundaries.values() for b in bs}
    ]
    for position, (one, box) in enumerate(bodies):
        assert not [other for other, o in bodies[position + 1 :] if overlap(box, o)], one


def on_border(point: tuple[int, int], box: tuple[int, int, int, int]) -> bool:
    (x, y), (left, top, right, bottom) = point, box
    inside = left <= x <= right and top <= y <= bottom
    return inside and (x in (left, right) or y in (top, bottom))


def overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
