"""Simulated runs: given answers, real decisions, and a clock that nobody waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pilothouse.bpmn.drawing import Pen
from pilothouse.lifecycle.answers import AnswersInvalidError, Ending, read_script
from pilothouse.lifecycle.definitions import shipped
from pilothouse.lifecycle.expressions import FeelExpressions
from pilothouse.lifecycle.files import is_decision_file
from pilothouse.lifecycle.simulation import (
    MAXIMUM_MOVES,
    Simulated,
    decisions_given,
    life_cycle,
    simulate,
)
from tests.integration.lifecycle.tables import unique_table

if TYPE_CHECKING:
    from pilothouse.bpmn.definition import Definition

PEN = Pen(FeelExpressions())
DECLARED = (
    '<message id="m" name="told"><extensionElements><zeebe:subscription correlationKey="=key"/></extensionElements>'
    '</message><signal id="s" name="rung"/><error id="e" errorCode="too-bad"/>'
)
HEARS = '<messageEventDefinition messageRef="m"/>'
RINGS = '<signalEventDefinition signalRef="s"/>'
ASK = '<userTask id="ask"/>'
FORM = (
    '<userTask id="ask"><extensionElements><pilothouse:approval separateFrom="=author"/><pilothouse:form>'
    '<pilothouse:field name="decision" type="choice" choices="yes, no" required="true"/>'
    "</pilothouse:form></extensionElements></userTask>"
)


def edge(inner: str, identity: str = "edge", on: str = "ask", attributes: str = "") -> str:
    return (
        f'<boundaryEvent id="{identity}" attachedToRef="{on}" {attributes}>{inner}</boundaryEvent>'
    )


def lasting(text: str) -> str:
    return f"<timerEventDefinition><timeDuration>{text}</timeDuration></timerEventDefinition>"


def simulated(body: str, flows: str, **script: Any) -> Simulated:  # noqa: ANN401 as in a file
    return simulate(PEN.draw(body, flows, DECLARED), read_script(script))


def one_task() -> Definition:
    return PEN.draw(PEN.service("a"), "start>a a>end")


# answers


def test_a_worker_answers_with_variables() -> None:
    done = simulated(
        PEN.service("a"), "start>a a>end", answers={"a": {"variables": {"n": 1}, "after": "PT5M"}}
    )
    assert (done.ending, done.outcome, done.passed) == (
        *(Ending.COMPLETED, "end"),
        ("start", "a", "end"),
    )
    assert done.variables == {"n": 1}
    assert (done.ended_at - done.started_at).total_seconds() == 300
    assert done.as_wanted


def test_a_topic_is_answered_where_the_element_is_not() -> None:
    body = PEN.service("a") + PEN.service("b")
    topics = {"work": {"variables": {"by": "topic"}}}
    own = {"b": {"variables": {"by": "element"}}}
    assert simulated(body, "start>a a>b b>end", topics=topics).variables == {"by": "topic"}
    done = simulated(body, "start>a a>b b>end", topics=topics, answers=own)
    assert done.variables == {"by": "element"}


def test_a_list_answers_one_wait_after_the_other_and_no_more() -> None:
    again = PEN.condition("more", "a", "=n &lt; 5")
    body = PEN.service("a") + PEN.gateway("exclusive", "more", default="more-end") + again
    answers = {"a": [{"variables": {"n": 1}}, {"variables": {"n": 2}}]}
    done = simulated(body, "start>a a>more more>end", answers=answers)
    assert (done.ending, done.variables) == (Ending.WAITING, {"n": 2})
    assert done.words == "Nothing answers: a waits for a worker of the topic work."
    assert not done.as_wanted


def test_a_business_error_goes_to_its_boundary() -> None:
    body = PEN.service("a") + edge('<errorEventDefinition errorRef="e"/>', on="a")
    done = simulated(body, "start>a a>end edge>end", answers={"a": {"error": "too-bad"}})
    assert done.passed == ("start", "edge", "end")


def test_an_error_that_nothing_catches_is_an_incident_in_its_words() -> None:
    done = simulated(PEN.service("a"), "start>a a>end", answers={"a": {"error": "unforeseen"}})
    assert done.ending is Ending.INCIDENT
    assert done.words == "Incident at a (unforeseen): The worker answers unforeseen."


def test_failures_cost_retries_with_their_pauses_and_then_it_works() -> None:
    answers = {"a": [{"failure": "disk full"}, {"failure": "disk full"}, {}]}
    done = simulated(PEN.service("a"), "start>a a>end", answers=answers)
    assert done.ending is Ending.COMPLETED
    assert (done.ended_at - done.started_at).total_seconds() == 2 + 4


def test_failures_without_end_are_an_incident() -> None:
    done = simulated(PEN.service("a"), "start>a a>end", answers={"a": {"failure": "disk full"}})
    assert done.words == "Incident at a (simulated-failure): disk full"


def test_people_answer_forms() -> None:
    done = simulated(
        *(FORM, "start>ask ask>end"),
        variables={"author": ["ann"]},
        answers={"ask": {"variables": {"decision": "yes"}, "by": "bob"}},
    )
    assert done.variables == {"author": ["ann"], "decision": "yes"}


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"variables": {"decision": "maybe"}}, "must be one of"),
        ({"variables": {"decision": "yes"}, "by": "ann"}, "somebody else than ann"),
        ({"error": "no"}, "variables alone"),
    ],
)
def test_an_answer_that_a_task_cannot_take_is_refused(
    answer: dict[str, object], problem: str
) -> None:
    with pytest.raises(AnswersInvalidError, match=problem) as refused:
        simulated(FORM, "start>ask ask>end", variables={"author": ["ann"]}, answers={"ask": answer})
    assert refused.value.place == "ask"


# time


@pytest.mark.parametrize(
    ("after", "passed"),
    [("P2D", ("start", "ask", "end")), ("P4D", ("start", "edge", "end"))],
)
def test_the_earlier_of_an_answer_and_a_timer_comes(after: str, passed: tuple[str, ...]) -> None:
    body = ASK + edge(lasting("P3D"))
    done = simulated(body, "start>ask ask>end edge>end", answers={"ask": {"after": after}})
    assert done.passed == passed


def test_the_clock_goes_to_the_next_timer_where_nobody_answers() -> None:
    done = simulated(ASK + edge(lasting("P3D")), "start>ask ask>end edge>end")
    assert (done.ended_at - done.started_at).days == 3


def test_what_never_ends_is_stopped_and_said() -> None:
    reminder = "<timerEventDefinition><timeCycle>R/P1D</timeCycle></timerEventDefinition>"
    body = ASK + edge(reminder, attributes='cancelActivity="false"') + '<endEvent id="told"/>'
    done = simulated(body, "start>ask ask>end edge>told")
    assert done.ending is Ending.ENDLESS
    assert (done.ended_at - done.started_at).days == MAXIMUM_MOVES


# messages and signals


def test_a_message_finds_whom_its_key_names() -> None:
    body = f'<receiveTask id="wait" messageRef="m"/>{PEN.service("a")}'
    sent = [
        {"name": "told", "key": "other", "variables": {"to": "another"}},
        {"name": "told", "key": "k1", "variables": {"to": "me"}},
    ]
    done = simulated(body, "start>wait wait>a a>end", variables={"key": "k1"}, sent=sent)
    assert done.variables == {"key": "k1", "to": "me"}
    assert done.unused == ("sent told",)


def test_a_message_is_kept_until_somebody_waits_and_a_signal_is_not() -> None:
    body = (
        PEN.service("a")
        + f'<intermediateCatchEvent id="hear">{HEARS}</intermediateCatchEvent>'
        + f'<intermediateCatchEvent id="bell">{RINGS}</intermediateCatchEvent>'
    )
    done = simulated(
        *(body, "start>a a>hear hear>bell bell>end"),
        variables={"key": "k"},
        answers={"a": {"after": "PT1H"}},
        sent=[{"name": "told", "key": "k", "after": "PT1M"}, {"name": "rung", "after": "PT1M"}],
    )
    assert (done.ending, done.unused) == (Ending.WAITING, ("sent rung",))
    assert done.words == "Nothing answers: bell waits for the signal rung."


def test_a_signal_reaches_all_that_wait_once() -> None:
    ring = edge(RINGS, attributes='cancelActivity="false"')
    also = f'<intermediateCatchEvent id="bell">{RINGS}</intermediateCatchEvent>'
    body = PEN.gateway("parallel", "both") + ASK + ring + also + '<endEvent id="told"/>'
    done = simulated(
        *(body, "start>both both>ask both>bell ask>end bell>end edge>told"),
        sent=[{"name": "rung", "after": "PT1M"}],
        answers={"ask": {"after": "PT2M"}},
    )
    assert sorted(done.passed) == sorted(
        ("start", "both", "edge", "told", "bell", "end", "ask", "end")
    )


def test_a_message_can_be_answered_by_its_element() -> None:
    body = f'<intermediateCatchEvent id="hear">{HEARS}</intermediateCatchEvent>'
    done = simulated(
        *(body, "start>hear hear>end"), variables={"key": "k"}, answers={"hear": {"after": "PT3H"}}
    )
    assert (done.ended_at - done.started_at).total_seconds() == 3 * 3600


THROWS = '<intermediateThrowEvent id="throw"><extensionElements>{}</extensionElements>{}</intermediateThrowEvent>'


def test_a_signal_that_the_run_sends_reaches_those_of_its_branches_that_wait() -> None:
    ring = THROWS.format("", RINGS)
    hear = f'<intermediateCatchEvent id="hear">{RINGS}</intermediateCatchEvent>'
    late = f'<intermediateCatchEvent id="late">{RINGS}</intermediateCatchEvent>'
    body = PEN.gateway("parallel", "both") + PEN.service("a") + ring + hear + late
    done = simulated(
        *(body, "start>both both>hear both>a a>throw throw>late hear>end late>end"),
        answers={"a": {"after": "PT1M"}},
    )
    assert "hear" in done.passed
    assert done.words == "Nothing answers: late waits for the signal rung."


def test_a_message_that_the_run_sends_is_kept_for_the_branch_that_waits_later() -> None:
    key = '<zeebe:publishMessage correlationKey="=key"/>'
    io = '<zeebe:ioMapping><zeebe:input source="=1 + 1" target="n"/></zeebe:ioMapping>'
    send = THROWS.format(key + io, HEARS)
    hear = f'<intermediateCatchEvent id="hear">{HEARS}</intermediateCatchEvent>'
    body = send + PEN.service("a") + hear
    done = simulated(
        *(body, "start>throw throw>a a>hear hear>end"),
        variables={"key": "k"},
        answers={"a": {"after": "PT1H"}},
    )
    assert (done.ending, done.variables) == (Ending.COMPLETED, {"key": "k", "n": 2})


def test_instances_of_a_repeated_task_are_answered_one_by_one() -> None:
    loop = (
        "<multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics "
        'inputCollection="=[1, 2, 3]" inputElement="one" outputCollection="all" outputElement="=n"/>'
        "</extensionElements></multiInstanceLoopCharacteristics>"
    )
    body = PEN.service("a").replace("</serviceTask>", f"{loop}</serviceTask>")
    answers = {"a": [{"variables": {"n": n}} for n in (10, 20, 30)]}
    assert simulated(body, "start>a a>end", answers=answers).variables["all"] == [10, 20, 30]


def test_an_event_sub_process_is_answered_by_its_start_event() -> None:
    inner = (
        '<subProcess id="sub" triggeredByEvent="true">'
        f'<startEvent id="bell" isInterrupting="true">{RINGS}</startEvent><endEvent id="stopped"/>'
        '<sequenceFlow id="f" sourceRef="bell" targetRef="stopped"/></subProcess>'
    )
    done = simulated(ASK + inner, "start>ask ask>end", answers={"bell": {"after": "PT1H"}})
    assert (done.ending, done.passed[-2:]) == (Ending.COMPLETED, ("stopped", "sub"))


# decisions


def ruled(decision: str = "size") -> bytes:
    rule = (
        '<businessRuleTask id="judge"><extensionElements>'
        f'<zeebe:calledDecision decisionId="{decision}" resultVariable="size"/></extensionElements></businessRuleTask>'
    )
    return PEN.document(PEN.start + rule + PEN.end, flows="start>judge judge>end")


TABLE = unique_table("size", ("&lt; 5", '"small"'), ("&gt;= 5", '"big"'))


def test_a_business_rule_task_is_decided_by_the_file_that_is_given() -> None:
    files = decisions_given({"urn:one": TABLE})
    script = read_script({"variables": {next(iter(files[0].inputs.values())).name: 7}})
    done = simulate(life_cycle(ruled()), script, decisions=files)
    assert (done.ending, done.variables["size"]) == (Ending.COMPLETED, "big")


def test_an_answer_goes_before_the_table() -> None:
    script = read_script({"answers": {"judge": {"variables": {"result": "huge"}}}})
    done = simulate(life_cycle(ruled()), script, decisions=decisions_given({"urn:one": TABLE}))
    assert done.variables == {"size": "huge"}


@pytest.mark.parametrize(
    ("auc", "verdict"), [(0.88, "PASS"), (0.5, "FAIL"), (None, "INCONCLUSIVE")]
)
def test_the_topic_evaluate_is_judged_by_the_file_too(auc: float | None, verdict: str) -> None:
    io = PEN.mapping(
        {"decision": "thresholds", "metrics": "=metrics"}, verdict="=evaluation.verdict"
    )
    xml = PEN.document(
        PEN.start + PEN.service("a", "evaluate", io) + PEN.end, flows="start>a a>end"
    )
    tables = {f"urn:{n}": file for n, file in enumerate(shipped()) if is_decision_file(file)}
    metrics = {"rows": 9000, "roc_auc": auc, "rejected_share": 0}
    script = read_script({"variables": {"metrics": metrics}})
    done = simulate(life_cycle(xml), script, decisions=decisions_given(tables))
    assert done.variables["verdict"] == verdict


def test_a_decision_that_fails_is_an_incident_in_its_words() -> None:
    done = simulate(
        life_cycle(ruled()), read_script({}), decisions=decisions_given({"urn:one": TABLE})
    )
    assert done.ending is Ending.INCIDENT
    assert "judge" in done.words


def test_a_decision_that_no_file_has_is_refused() -> None:
    with pytest.raises(AnswersInvalidError, match="0 of the given decision files"):
        simulate(
            life_cycle(ruled("weight")),
            read_script({}),
            decisions=decisions_given({"urn:one": TABLE}),
        )


# expectations and mistakes


@pytest.mark.parametrize(
    ("expected", "unmet"),
    [
        ({"outcome": "end", "passed": ["start", "a", "end"], "variables": {"n": 1}}, ()),
        ({"outcome": "other"}, ("the outcome is end, not other",)),
        ({"ending": "failed"}, ("the ending is completed, not failed",)),
        ({"passed": ["start", "end"]}, ("the path is start, a, end, not start, end",)),
        ({"variables": {"n": 2}}, ("the variable n is 1, not 2",)),
        ({"variables": {"m": None}}, ("there is no variable m",)),
    ],
)
def test_expectations_are_compared(expected: dict[str, object], unmet: tuple[str, ...]) -> None:
    script = {"answers": {"a": {"variables": {"n": 1}}}, "expected": expected}
    done = simulate(one_task(), read_script(script))
    assert (done.unmet, done.as_wanted) == (unmet, not unmet)


def test_an_incident_can_be_what_is_expected() -> None:
    script = {"answers": {"a": {"error": "no"}}, "expected": {"ending": "incident"}}
    assert simulate(one_task(), read_script(script)).as_wanted


def test_answers_that_nothing_asked_for_are_named() -> None:
    script = read_script({"answers": {"a": {}, "end": {}}})
    assert simulate(one_task(), script).unused == ("answers.end",)


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ({"answers": {"b": {}}}, "answers.b"),
        ({"topics": {"play": {}}}, "topics.play"),
    ],
)
def test_an_answer_for_nothing_is_refused(script: dict[str, Any], place: str) -> None:
    with pytest.raises(AnswersInvalidError) as refused:
        simulate(one_task(), read_script(script))
    assert refused.value.place == place


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ({"anwsers": {}}, "anwsers"),
        ({"answers": []}, "no mapping by name"),
        ({"answers": {"a": {"varables": {}}}}, "varables"),
        ({"answers": {"a": {"after": "soon"}}}, "'soon' is not an ISO 8601 duration"),
        ({"answers": {"a": {"error": "x", "failure": "y"}}}, "an error and a failure"),
        ({"expected": {"ending": "well"}}, "ending"),
        ({"sent": [{"key": "k"}]}, "name"),
    ],
)
def test_a_script_with_a_mistake_is_refused(script: dict[str, Any], problem: str) -> None:
    with pytest.raises(AnswersInvalidError, match=problem):
        read_script(script)


def test_the_same_answers_give_the_same_run() -> None:
    script = read_script({"answers": {"a": [{"failure": "x"}, {"variables": {"n": 1}}]}})
    assert simulate(one_task(), script) == simulate(one_task(), script)


# conditions, and what starts


CONDITION = "<conditionalEventDefinition><condition>{0}</condition></conditionalEventDefinition>"


def test_a_condition_comes_true_by_what_is_answered() -> None:
    body = (
        ASK
        + edge(CONDITION.format("=drift &gt; 0.2"))
        + PEN.service("look")
        + PEN.service("measure")
    )
    body += PEN.gateway("parallel", "fork")
    flows = "start>fork fork>ask fork>measure ask>end measure>end edge>look look>end"
    answers = {"measure": {"variables": {"drift": 0.5}}, "look": {}}
    found = simulated(body, flows, answers=answers)
    assert found.as_wanted
    assert "look" in found.passed
    assert "ask" not in found.passed


def test_a_run_that_waits_for_a_condition_says_so() -> None:
    event = (
        f'<intermediateCatchEvent id="wait">{CONDITION.format("=ready")}</intermediateCatchEvent>'
    )
    found = simulated(event, "start>wait wait>end")
    assert (found.ending, found.words) == (
        Ending.WAITING,
        "Nothing answers: wait waits for its condition.",
    )


@pytest.mark.parametrize(
    "event",
    [
        "<timerEventDefinition><timeCycle>0 0 6 ? * MON</timeCycle></timerEventDefinition>",
        HEARS,
        RINGS,
        CONDITION.format("=drift &gt; 0.2"),
    ],
)
def test_a_life_cycle_is_simulated_from_whatever_starts_it(event: str) -> None:
    body = f'<startEvent id="on">{event}</startEvent><endEvent id="off"/>'
    definition = PEN.read(PEN.document(body, DECLARED, "on>off"))
    found = simulate(definition, read_script({"event": "on"}))
    assert found.passed == ("on", "off")
