"""Repeated activities: instances over a collection, one after the other or together, and loops."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.bpmn.happenings import IncidentRetried, JobCompleted
from pilothouse.bpmn.history import HistoryEvent
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import RunStatus, ScopeKind

if TYPE_CHECKING:
    from pilothouse.bpmn.drawing import Pen

EACH = 'inputCollection="=items" inputElement="item"'
COLLECT = f'{EACH} outputCollection="results" outputElement="=result"'


def many(attributes: str = EACH, *, sequential: bool = False, inner: str = "") -> str:
    """Draw what makes an activity multi-instance."""
    flag = ' isSequential="true"' if sequential else ""
    zeebe = (
        f"<extensionElements><zeebe:loopCharacteristics {attributes}/></extensionElements>"
        if attributes
        else ""
    )
    return (
        f"<multiInstanceLoopCharacteristics{flag}>{zeebe}{inner}</multiInstanceLoopCharacteristics>"
    )


def looped(condition: str, attributes: str = "") -> str:
    return (
        f"<standardLoopCharacteristics {attributes}><loopCondition>{condition}</loopCondition>"
        "</standardLoopCharacteristics>"
    )


def repeated(pen: Pen, loop: str, io: str = "", after: str = "") -> str:
    return pen.service("a", inner=io).replace("</serviceTask>", f"{loop}</serviceTask>") + after


def begun(pen: Pen, loop: str, io: str = "", **variables: object) -> Play:
    body = repeated(pen, loop, io) + pen.service("b")
    return Play(pen.draw(body, "start>a a>b b>end"), {"items": ["x", "y", "z"], **variables})


def answer(play: Play, item: object, **variables: object) -> None:
    (job,) = [j for j in play.state.jobs.values() if j.inputs.get("item") == item]
    play.happen(JobCompleted(job_id=job.id, attempt=job.attempt, variables=variables))


def test_parallel_instances_have_their_items_and_numbers(pen: Pen) -> None:
    play = begun(pen, many())
    seen = [(j.inputs["item"], j.inputs["loopCounter"]) for j in play.state.jobs.values()]
    assert seen == [("x", 1), ("y", 2), ("z", 3)]


def test_activity_ends_with_its_last_instance(pen: Pen) -> None:
    play = begun(pen, many())
    answer(play, "y")
    answer(play, "x")
    assert play.at("b") == 0

    answer(play, "z")

    assert [t.element for t in play.state.tokens.values()] == ["b"]
    assert [s.kind for s in play.state.scopes.values()] == [ScopeKind.PROCESS]


def test_outputs_are_collected_in_the_order_of_the_items(pen: Pen) -> None:
    play = begun(pen, many(COLLECT))
    answer(play, "z", result=3)
    answer(play, "x", result=1)
    answer(play, "y", result=2)
    assert play.variables["results"] == [1, 2, 3]
    assert "result" not in play.variables
    assert "item" not in play.variables


def test_instances_do_not_see_what_others_gave(pen: Pen) -> None:
    play = begun(pen, many(COLLECT), result="old")
    answer(play, "x", result=1)
    assert play.variables["result"] == "old"
    assert [v.value for v in play.state.variables.values() if v.name == "result"] == [
        "old",
        None,
        None,
    ]


def test_sequential_instances_come_one_after_the_other(pen: Pen) -> None:
    play = begun(pen, many(COLLECT, sequential=True))
    for number, item in enumerate(("x", "y", "z"), 1):
        (job,) = play.state.jobs.values()
        assert (job.inputs["item"], job.inputs["loopCounter"]) == (item, number)
        answer(play, item, result=number)
    assert play.variables["results"] == [1, 2, 3]
    assert play.at("b") == 1


def test_sequential_instances_keep_to_the_collection_they_began_with(pen: Pen) -> None:
    play = begun(pen, many(sequential=True))
    answer(play, "x", items=["q"])
    assert play.job("a").inputs["item"] == "y"


@pytest.mark.parametrize("sequential", [True, False])
def test_no_items_are_no_instances(pen: Pen, sequential: bool) -> None:
    play = begun(pen, many(COLLECT, sequential=sequential), items=[])
    assert play.at("b") == 1
    assert play.variables["results"] == []


def test_number_of_instances_may_be_given(pen: Pen) -> None:
    inner = "<loopCardinality>=size</loopCardinality>"
    play = begun(pen, many("", inner=inner), size=2)
    assert [j.inputs["loopCounter"] for j in play.state.jobs.values()] == [1, 2]


@pytest.mark.parametrize("sequential", [True, False])
def test_completion_condition_ends_the_others(pen: Pen, sequential: bool) -> None:
    inner = "<completionCondition>=numberOfCompletedInstances = 2</completionCondition>"
    play = begun(pen, many(COLLECT, sequential=sequential, inner=inner))
    answer(play, "x", result=1)
    assert play.at("b") == 0

    answer(play, "y", result=2)

    assert [t.element for t in play.state.tokens.values()] == ["b"]
    assert [job.element for job in play.state.jobs.values()] == ["b"]
    assert play.variables["results"] == [1, 2, None]


@pytest.mark.parametrize("value", ["text", None, {"a": 1}, 5])
def test_collection_that_is_no_list_is_an_incident_that_a_retry_cures(
    pen: Pen, value: object
) -> None:
    play = begun(pen, many(), items=value)
    (incident,) = play.state.incidents.values()
    assert (incident.code, incident.element) == ("expression-failed", "a")

    play.happen(IncidentRetried(incident_id=incident.id, actor="ann", variables={"items": ["x"]}))

    assert play.job("a").inputs["item"] == "x"


def test_a_thousand_instances_begin_together_and_one_more_is_refused(pen: Pen) -> None:
    assert len(begun(pen, many(), items=list(range(1000))).state.jobs) == 1000
    play = begun(pen, many(), items=list(range(1001)))
    (incident,) = play.state.incidents.values()
    assert incident.code == "too-many-instances"
    assert not play.state.jobs


def test_number_beyond_reason_is_refused_at_once(pen: Pen) -> None:
    inner = "<loopCardinality>999999999999</loopCardinality>"
    (incident,) = begun(pen, many("", inner=inner)).state.incidents.values()
    assert incident.code == "too-many-instances"


def test_output_that_fails_is_an_incident_and_repeats_nothing(pen: Pen) -> None:
    attributes = f'{EACH} outputCollection="results" outputElement="=boom"'
    play = begun(pen, many(attributes), items=["x"])
    answer(play, "x")
    (incident,) = play.state.incidents.values()
    assert (incident.code, incident.job_id) == ("expression-failed", None)
    assert not play.state.jobs
    play.happen(IncidentRetried(incident_id=incident.id, actor="ann"))
    assert len(play.state.incidents) == 1


def test_boundary_event_hangs_on_the_whole_activity(pen: Pen) -> None:
    timer = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
    edge = f'<boundaryEvent id="late" attachedToRef="a">{timer}</boundaryEvent>' + pen.service("c")
    body = repeated(pen, many(), after=edge)
    play = Play(pen.draw(body, "start>a a>end late>c c>end"), {"items": [1, 2]})
    assert sum(job.element == "late" for job in play.state.jobs.values()) == 1

    play.advance(timedelta(hours=1))

    assert [t.element for t in play.state.tokens.values()] == ["c"]
    assert [s.kind for s in play.state.scopes.values()] == [ScopeKind.PROCESS]


def test_error_of_one_instance_is_caught_for_the_whole_activity(pen: Pen) -> None:
    edge = (
        '<boundaryEvent id="no" attachedToRef="a"><errorEventDefinition errorRef="e"/></boundaryEvent>'
        + pen.service("c")
    )
    body = repeated(pen, many(), after=edge)
    declared = '<error id="e" errorCode="bad"/>'
    play = Play(pen.draw(body, "start>a a>end no>c c>end", declared), {"items": [1, 2]})
    play.refuse("a", "bad")
    assert [t.element for t in play.state.tokens.values()] == ["c"]
    assert [job.element for job in play.state.jobs.values()] == ["c"]


def test_each_instance_maps_its_own_inputs_and_outputs(pen: Pen) -> None:
    io = pen.mapping({"stage": "=item"}, result="=verdict")
    play = begun(pen, many(COLLECT), io, items=["x", "y"])
    assert [j.inputs for j in play.state.jobs.values()] == [{"stage": "x"}, {"stage": "y"}]
    for job in list(play.state.jobs.values()):
        verdict = {"verdict": f"{job.inputs['stage']}!"}
        play.happen(JobCompleted(job_id=job.id, attempt=job.attempt, variables=verdict))
    assert play.variables["results"] == ["x!", "y!"]


def sub(inner: str, loop: str, identity: str = "sub") -> str:
    return f'<subProcess id="{identity}">{loop}{inner}</subProcess>'


def flow(source: str, target: str) -> str:
    return f'<sequenceFlow id="{source}-{target}" sourceRef="{source}" targetRef="{target}"/>'


def test_sub_process_is_repeated_with_variables_of_its_own(pen: Pen) -> None:
    inner = '<startEvent id="in"/>' + pen.service("a") + pen.service("b")
    inner += flow("in", "a") + flow("a", "b")
    play = Play(pen.draw(sub(inner, many(COLLECT)), "start>sub sub>end"), {"items": ["x", "y"]})
    for item in ("y", "x"):
        answer(play, item, half=item)
    assert [j.inputs["half"] for j in play.state.jobs.values()] == ["y", "x"]
    for item in ("x", "y"):
        answer(play, item, result=item * 2)
    assert play.state.run.state is RunStatus.COMPLETED
    assert play.variables["results"] == ["xx", "yy"]


def test_repetitions_nest(pen: Pen) -> None:
    task = repeated(pen, many('inputCollection="=row" inputElement="item"'))
    inner = '<startEvent id="in"/>' + task + flow("in", "a")
    loop = many('inputCollection="=rows" inputElement="row"', sequential=True)
    play = Play(pen.draw(sub(inner, loop), "start>sub sub>end"), {"rows": [[1, 2], [3]]})
    assert [j.inputs["item"] for j in play.state.jobs.values()] == [1, 2]
    answer(play, 1)
    answer(play, 2)
    assert [j.inputs["item"] for j in play.state.jobs.values()] == [3]
    answer(play, 3)
    assert play.state.run.state is RunStatus.COMPLETED
    assert not play.state.scopes


def test_user_and_receive_tasks_repeat(pen: Pen) -> None:
    declared = (
        '<message id="m" name="go"><extensionElements><zeebe:subscription correlationKey="=item"/>'
        "</extensionElements></message>"
    )
    body = f'<userTask id="ask">{many()}</userTask>'
    body += f'<receiveTask id="wait" messageRef="m">{many()}</receiveTask>'
    play = Play(pen.draw(body, "start>ask ask>wait wait>end", declared), {"items": ["x", "y"]})
    assert len(play.state.tasks) == 2
    play.complete("ask")
    play.complete("ask")
    assert {s.correlation_key for s in play.state.subscriptions.values()} == {"x", "y"}
    play.tell("wait")
    play.tell("wait")
    assert play.state.run.state is RunStatus.COMPLETED


def test_sent_messages_repeat(pen: Pen) -> None:
    declared = (
        '<message id="m" name="go"><extensionElements><zeebe:subscription correlationKey="=item"/>'
        "</extensionElements></message>"
    )
    body = f'<sendTask id="out" messageRef="m">{many()}</sendTask>'
    play = Play(pen.draw(body, "start>out out>end", declared), {"items": ["x", "y"]})
    assert [n.correlation_key for n in play.notices if n.correlation_key] == ["x", "y"]
    assert play.state.run.state is RunStatus.COMPLETED


def rounds(pen: Pen, loop: str, **variables: object) -> Play:
    return Play(pen.draw(repeated(pen, loop), "start>a a>end"), variables)


def test_loop_goes_on_while_its_condition_holds(pen: Pen) -> None:
    play = rounds(pen, looped("=more = true"))
    for number in (1, 2):
        assert play.job("a").inputs["loopCounter"] == number
        play.complete("a", more=True)
    play.complete("a", more=False)
    assert play.state.run.state is RunStatus.COMPLETED
    assert play.variables == {"more": False}


def test_loop_that_tests_before_may_do_nothing(pen: Pen) -> None:
    play = rounds(pen, looped("=more = true", 'testBefore="true"'), more=False)
    assert play.passed == ["start", "a", "end"]


def test_loop_that_tests_after_does_it_once(pen: Pen) -> None:
    play = rounds(pen, looped("=more = true"), more=False)
    assert play.at("a") > 0
    play.complete("a")
    assert play.state.run.state is RunStatus.COMPLETED


def test_loop_ends_at_its_maximum(pen: Pen) -> None:
    play = rounds(pen, looped("=true", 'loopMaximum="2"'))
    play.complete("a")
    play.complete("a")
    assert play.state.run.state is RunStatus.COMPLETED


def test_loop_condition_that_is_not_true_or_false_is_an_incident(pen: Pen) -> None:
    play = rounds(pen, looped("=more"))
    play.complete("a")
    (incident,) = play.state.incidents.values()
    assert incident.code == "expression-failed"

    play.happen(IncidentRetried(incident_id=incident.id, actor="ann", variables={"more": False}))

    assert play.state.run.state is RunStatus.COMPLETED


def test_loop_that_never_waits_is_an_incident(pen: Pen) -> None:
    inner = '<startEvent id="in"/><manualTask id="walk"/>' + flow("in", "walk")
    play = Play(pen.draw(sub(inner, looped("=true")), "start>sub sub>end"))
    assert [i.code for i in play.state.incidents.values()] == ["livelock"]


@pytest.mark.parametrize(
    ("loop", "problem"),
    [
        (many(""), "not either an input collection or a loop cardinality"),
        (
            many(EACH, inner="<loopCardinality>3</loopCardinality>"),
            "not either an input collection or a loop cardinality",
        ),
        (many('inputCollection="items"'), "the input collection 'items' is not FEEL"),
        (many(f'{EACH} outputCollection="r"'), "and not the other"),
        (many(f'{EACH} outputElement="=r"'), "and not the other"),
        (many('inputCollection="=items" inputElement="a.b"'), "not a plain variable name"),
        (
            many(inner="<completionCondition>${done}</completionCondition>"),
            "the completion condition '${done}' is not FEEL",
        ),
        (many(inner="<loopDataInputRef>x</loopDataInputRef>"), "loopDataInputRef is not executed"),
        (many().replace("Characteristics>", 'Characteristics behavior="One">', 1), "throws events"),
        ("<standardLoopCharacteristics/>", "the loop has no condition"),
        (looped("=true", 'loopMaximum="0"'), "loopMaximum is '0'"),
        (many() + looped("=true"), "repeats in more than one way"),
    ],
)
def test_loop_that_is_not_clear_is_rejected(pen: Pen, loop: str, problem: str) -> None:
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.draw(repeated(pen, loop), "start>a a>end")
    assert any(problem in p.problem for p in caught.value.problems)


@pytest.mark.parametrize("quantity", ["startQuantity", "completionQuantity"])
def test_quantity_of_tokens_is_rejected(pen: Pen, quantity: str) -> None:
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.draw(pen.service("a").replace('id="a"', f'id="a" {quantity}="2"'), "start>a a>end")
    assert caught.value.problems[0].problem == f"its {quantity} is not 1"


def test_interrupted_instances_are_each_told_once(pen: Pen) -> None:
    inner = "<completionCondition>=true</completionCondition>"
    play = begun(pen, many(inner=inner))
    answer(play, "x")
    told = [e for e in play.history if e.event is HistoryEvent.CANCELLED]
    assert [e.element for e in told] == ["a", "a"]


def test_manual_task_cannot_repeat(pen: Pen) -> None:
    with pytest.raises(DefinitionRejectedError) as caught:
        pen.draw(f'<manualTask id="a">{many()}</manualTask>', "start>a a>end")
    assert "is not executed here" in caught.value.problems[0].problem
