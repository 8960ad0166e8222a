"""Definitions: uploaded, versioned, retired, refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.domain.access import Action, ActionDeniedError, Role
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.lifecycles import DefinitionKind, DefinitionState
from pilothouse.lifecycle.definitions import shipped
from pilothouse.lifecycle.errors import NotALifecycleError, RunStartError
from pilothouse.wire.requests import StartRun
from tests.integration.lifecycle.drawings import (
    asks,
    one_task,
    waits_for_message,
    waits_for_signal,
)
from tests.integration.lifecycle.house import OPAL, RISK, VERA, person

if TYPE_CHECKING:
    from tests.integration.lifecycle.house import House

STRANGER = person("sam", Role.OPERATOR, group="cards")  # type: ignore[arg-type]
SHIPPED = {
    *("approvals", "comparison", "thresholds"),
    *("batch-only", "challenger-comparison", "promote-online"),
    *("retire", "scheduled-monitoring", "vendor-intake"),
}


def test_the_same_bytes_are_the_same_version(house: House) -> None:
    first = house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())

    again = house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())

    assert again == first
    assert (first.full_name, first.kind, first.state) == (
        "small@1",
        DefinitionKind.BPMN,
        DefinitionState.ACTIVE,
    )


def test_new_bytes_are_the_next_version(house: House) -> None:
    house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())

    second = house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_message())

    assert second.full_name == "small@2"
    assert house.plane.definitions.get(OPAL, name="small") == second
    assert house.plane.definitions.get(OPAL, name="small@1").definition_version == 1


def test_installing_what_is_shipped_again_changes_nothing(house: House) -> None:
    first = house.plane.definitions.install_shipped(SYSTEM)

    again = house.plane.definitions.install_shipped(SYSTEM)

    assert again == first
    assert {d.full_name for d in again} == {f"{key}@1" for key in SHIPPED}
    assert len(list(shipped())) == len(SHIPPED)


def test_the_signals_that_start_a_run_are_recorded(house: House) -> None:
    found = house.plane.definitions.get(VERA, name="promote-online")

    assert found.start_signals == ("snapshot-created",)


def test_an_unknown_topic_is_refused_with_those_that_there_are(house: House) -> None:
    with pytest.raises(DefinitionRejectedError) as rejected:
        house.plane.definitions.upload(OPAL, group=RISK, xml=one_task("teleport"))

    [problem] = rejected.value.problems
    assert problem.element == "task"
    assert "smoke-test" in problem.cure


def test_a_required_parameter_that_is_not_mapped_is_refused(house: House) -> None:
    xml = one_task("withdraw", stage="DEV", service="=service")

    with pytest.raises(DefinitionRejectedError) as rejected:
        house.plane.definitions.upload(OPAL, group=RISK, xml=xml)

    assert rejected.value.problems[0].problem == "the topic 'withdraw' is not given snapshot"


def test_a_parameter_that_the_topic_does_not_know_is_refused(house: House) -> None:
    xml = one_task("notify", subject="hello", colour="red")

    with pytest.raises(DefinitionRejectedError) as rejected:
        house.plane.definitions.upload(OPAL, group=RISK, xml=xml)

    assert "'colour'" in rejected.value.problems[0].problem


def test_candidate_groups_that_are_no_roles_are_refused(house: House) -> None:
    with pytest.raises(DefinitionRejectedError) as rejected:
        house.plane.definitions.upload(
            OPAL, group=RISK, xml=asks('candidateGroups="validator, board"')
        )

    assert rejected.value.problems[0].problem == "the candidate groups board are no roles"


def test_a_file_of_another_kind_is_refused(house: House) -> None:
    with pytest.raises(NotALifecycleError) as refused:
        house.plane.definitions.upload(OPAL, group=RISK, xml=b"<svg xmlns='svg'/>")

    assert refused.value.root == "svg"


def test_entities_are_refused(house: House) -> None:
    bomb = b'<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><definitions>&b;</definitions>'

    with pytest.raises(DefinitionRejectedError):
        house.plane.definitions.upload(OPAL, group=RISK, xml=bomb)


def test_lint_says_what_an_upload_would_refuse(house: House) -> None:
    assert house.plane.definitions.lint(OPAL, xml=waits_for_signal()) == ()

    [finding] = house.plane.definitions.lint(OPAL, xml=one_task("teleport"))

    assert finding.element == "task"


def test_lint_is_for_those_who_may_read_somewhere(house: House) -> None:
    with pytest.raises(ActionDeniedError) as denied:
        house.plane.definitions.lint(person("bot", Role.WORKER), xml=waits_for_signal())

    assert denied.value.action is Action.READ


def test_only_who_may_upload_does(house: House) -> None:
    with pytest.raises(ActionDeniedError) as denied:
        house.plane.definitions.upload(VERA, group=RISK, xml=waits_for_signal())

    assert denied.value.action == "upload-lifecycle"


def test_a_retired_version_starts_no_run_until_it_is_uploaded_again(house: House) -> None:
    house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())
    house.plane.definitions.retire(OPAL, name="small@1")
    wanted = StartRun(definition="small@1", service="cc-fraud")

    with pytest.raises(RunStartError) as refused:
        house.plane.runs.start(OPAL, wanted)
    house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())

    assert refused.value.definition == "small@1"
    assert house.plane.runs.start(OPAL, wanted).tokens[0].element == "wait"


def test_another_groups_definition_is_not_seen(house: House) -> None:
    house.plane.definitions.upload(OPAL, group=RISK, xml=waits_for_signal())

    with pytest.raises(NotFoundError):
        house.plane.definitions.get(STRANGER, name="small")

    keys = [d.key for d in house.plane.definitions.page(STRANGER).items]
    assert set(keys) == SHIPPED


def test_a_groups_own_version_goes_before_everybodys(house: House) -> None:
    xml = one_task("notify", key="promote-online", subject="hello")
    house.plane.definitions.upload(OPAL, group=RISK, xml=_by_signal(xml))

    house.tag()
    house.until(lambda: bool(house.plane.runs.page(SYSTEM).items))

    assert house.run().heading.definition == "promote-online@2"


def _by_signal(xml: bytes) -> bytes:
    start = b'<startEvent id="start"><signalEventDefinition signalRef="taken"/></startEvent>'
    signal = b'<signal id="taken" name="snapshot-created"/><process'
    return xml.replace(b'<startEvent id="start"/>', start).replace(b"<process", signal)


def test_an_older_version_that_is_activated_is_the_one_that_starts(house: House) -> None:
    definitions = house.plane.definitions
    definitions.upload(OPAL, group=RISK, xml=waits_for_signal())
    definitions.upload(OPAL, group=RISK, xml=waits_for_message())
    definitions.retire(OPAL, name="small@1")

    active = definitions.activate(OPAL, name="small@1")

    assert (active.full_name, active.state) == ("small@1", DefinitionState.ACTIVE)
    assert definitions.get(OPAL, name="small@2").state is DefinitionState.RETIRED
    assert definitions.get(OPAL, name="small").full_name == "small@1"
    started = house.plane.runs.start(OPAL, StartRun(definition="small"))
    assert started.heading.definition == "small@1"
    assert [a["name"] for a in house.audited("activate", "lifecycle")] == ["small@1"]
    assert [a["name"] for a in house.audited("retire", "lifecycle")] == ["small@2", "small@1"]


def test_activating_what_starts_already_changes_nothing_and_needs_the_right_to_upload(
    house: House,
) -> None:
    definitions = house.plane.definitions
    definitions.upload(OPAL, group=RISK, xml=waits_for_signal())
    with pytest.raises(ActionDeniedError):
        definitions.activate(VERA, name="small@1")
    definitions.activate(OPAL, name="small@1")
    assert house.audited("activate", "lifecycle") == []
    with pytest.raises(NotFoundError):
        definitions.activate(OPAL, name="small@9")
