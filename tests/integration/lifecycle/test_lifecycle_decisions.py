"""Decision files on the shelf: found by every decision in them, imports kept by version, read by their encoding."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.dmn import DmnConflictError, DmnRejectedError, DmnValueError
from pilothouse.domain.access import EVERY_GROUP, ActionDeniedError
from pilothouse.domain.errors import NotFoundError
from pilothouse.domain.lifecycles import EncodingUnsupportedError
from pilothouse.lifecycle.errors import DecisionAmbiguousError, DecisionTakenError
from pilothouse.wire.requests import StartRun
from pilothouse.wire.runs import FindingSeverity
from tests.integration.lifecycle.drawings import waits_for_signal
from tests.integration.lifecycle.house import MODEL, OPAL, RISK, person
from tests.integration.lifecycle.tables import DecisionFile, importing, rule_task, unique_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pilothouse.domain.lifecycles import Definition
    from tests.integration.lifecycle.house import House

EXAMPLES = Path(__file__).parents[3] / "docs" / "how-to" / "examples"
DOUBLE = DecisionFile(namespace="lib", id="lib", functions={"double": "x * 2"})
TREBLE = DecisionFile(namespace="lib", id="lib", functions={"double": "x * 3"})


def upload(house: House, xml: bytes, group: str = RISK) -> Definition:
    who = SYSTEM if group == EVERY_GROUP else OPAL
    return house.plane.definitions.upload(who, group=group, xml=xml)


def decided(house: House, key: str, context: Mapping[str, object] | None = None) -> object:
    taken = house.plane.facilities.decisions.decide(
        SYSTEM, group=RISK, key=key, context=context or {}
    )
    return taken.value


def two(first: str = "1", second: str = "2") -> bytes:
    return DecisionFile(namespace="two", decisions={"first": first, "second": second}).xml


def test_every_decision_of_a_file_can_be_taken(any_house: House) -> None:
    kept = upload(any_house, two())

    assert (kept.key, kept.decisions, kept.namespace) == ("first", ("first", "second"), "two")
    assert (decided(any_house, "first"), decided(any_house, "second")) == (1, 2)


def test_the_latest_version_is_taken(house: House) -> None:
    upload(house, two())
    upload(house, two(second="3"))

    assert decided(house, "second") == 3


def test_a_decision_that_another_file_gives_is_refused(any_house: House) -> None:
    upload(any_house, two())
    other = DecisionFile(namespace="other", decisions={"own": "1", "second": "2"}).xml

    with pytest.raises(DecisionTakenError) as taken:
        upload(any_house, other)

    assert (taken.value.decisions, taken.value.definitions) == (("second",), ("first@1",))
    assert [d.key for d in any_house.plane.definitions.page(OPAL).items].count("own") == 0


def test_a_groups_own_decision_goes_before_everybodys(house: House) -> None:
    upload(house, two(), group=EVERY_GROUP)
    upload(house, DecisionFile(namespace="own", decisions={"own": "0", "second": "9"}).xml)

    assert (decided(house, "first"), decided(house, "second")) == (1, 9)


def test_a_decision_of_a_retired_file_is_not_found(house: House) -> None:
    house.plane.definitions.retire(OPAL, name=upload(house, two()).full_name)

    with pytest.raises(NotFoundError) as missing:
        decided(house, "second")

    assert missing.value.name == "second"


def test_a_decision_that_a_newer_version_has_no_more_is_not_found(house: House) -> None:
    upload(house, two())
    upload(house, DecisionFile(namespace="two", decisions={"first": "1"}).xml)

    with pytest.raises(NotFoundError):
        decided(house, "second")


def test_a_retired_version_that_brings_an_older_decision_back_is_told(house: House) -> None:
    upload(house, two())
    newer = upload(house, DecisionFile(namespace="two", decisions={"first": "1"}).xml)
    upload(house, DecisionFile(namespace="other", decisions={"second": "5"}).xml)
    house.plane.definitions.retire(OPAL, name=newer.full_name)

    with pytest.raises(DecisionAmbiguousError) as ambiguous:
        decided(house, "second")

    assert ambiguous.value.definitions == ("first@1", "second@1")


def test_a_file_of_functions_alone_is_kept_by_its_id(house: House) -> None:
    kept = upload(house, DOUBLE.xml)

    assert (kept.full_name, kept.decisions, kept.namespace) == ("lib@1", (), "lib")


def test_an_import_is_found_among_the_groups_files(house: House) -> None:
    upload(house, DOUBLE.xml)

    kept = upload(house, importing("user", "lib.double(21)", namespace="lib"))

    assert kept.imports == {"lib": "lib@1"}
    assert decided(house, "user") == 42


def test_an_import_stays_at_the_version_that_was_found(house: House) -> None:
    upload(house, DOUBLE.xml)
    upload(house, importing("user", "lib.double(21)", namespace="lib"))
    upload(house, TREBLE.xml)
    house.plane.definitions.retire(OPAL, name="lib@1")

    assert decided(house, "user") == 42


def test_the_same_bytes_over_a_newer_import_are_the_next_version(any_house: House) -> None:
    xml = importing("user", "lib.double(21)", namespace="lib")
    upload(any_house, DOUBLE.xml)
    first, same = upload(any_house, xml), upload(any_house, xml)
    upload(any_house, TREBLE.xml)

    second = upload(any_house, xml)

    assert same == first
    assert (second.full_name, second.imports) == ("user@2", {"lib": "lib@2"})
    assert decided(any_house, "user") == 63


def test_an_import_that_nobody_uploaded_is_named(house: House) -> None:
    with pytest.raises(DmnRejectedError) as rejected:
        upload(house, importing("user", "lib.double(1)", namespace="lib"))

    [problem] = rejected.value.problems
    assert "'lib'" in problem.problem


def test_an_import_of_an_import_that_is_gone_is_named_with_its_importer(house: House) -> None:
    upload(house, DOUBLE.xml)
    middle = DecisionFile(namespace="mid", id="mid", functions={"f": "x"}, imports={"lib": "lib"})
    upload(house, middle.xml)
    house.plane.definitions.retire(OPAL, name="lib@1")

    with pytest.raises(DmnRejectedError) as rejected:
        upload(house, importing("user", "lib.f(1)", namespace="mid", function="f"))

    [problem] = rejected.value.problems
    assert "mid@1" in problem.problem
    assert "'lib'" in problem.problem


def test_an_import_that_could_mean_two_files_is_refused(house: House) -> None:
    upload(house, DOUBLE.xml)
    upload(house, DecisionFile(namespace="lib", id="other", functions={"double": "x"}).xml)

    with pytest.raises(DmnRejectedError) as rejected:
        upload(house, importing("user", "lib.double(1)", namespace="lib"))

    assert "lib@1, other@1" in rejected.value.problems[0].problem


def test_another_groups_files_are_not_imported(house: House) -> None:
    upload(house, DOUBLE.xml)

    with pytest.raises(DmnRejectedError):
        upload(house, importing("user", "lib.double(1)", namespace="lib"), group=EVERY_GROUP)


def test_a_file_is_read_by_the_encoding_that_it_declares(any_house: House) -> None:
    file = DecisionFile(namespace="n", decisions={"word": '"Müller"'}, encoding="ISO-8859-1")

    kept = upload(any_house, file.xml)

    assert decided(any_house, "word") == "Müller"
    assert any_house.plane.definitions.get(OPAL, name="word").source == file.xml
    assert upload(any_house, file.xml) == kept


def test_a_file_that_is_not_in_its_encoding_is_refused(house: House) -> None:
    xml = DecisionFile(namespace="n", decisions={"word": '"Müller"'}).xml

    with pytest.raises(DefinitionRejectedError):
        upload(house, xml.replace(b"UTF-8", b"US-ASCII"))


def test_a_file_in_an_encoding_that_is_not_read_is_refused(house: House) -> None:
    with pytest.raises(EncodingUnsupportedError) as refused:
        upload(house, waits_for_signal().decode().encode("utf-16"))

    assert refused.value.encoding == "utf-16"


def test_now_is_the_moment_of_the_decision(house: House) -> None:
    upload(house, DecisionFile(namespace="n", decisions={"year": "now().year"}).xml)

    assert decided(house, "year") == house.clock.now().year


def test_an_input_that_is_missing_is_an_error(house: House) -> None:
    upload(house, unique_table("size", ("&lt; 5", '"yes"')))

    with pytest.raises(DmnValueError) as missing:
        decided(house, "size")

    assert (missing.value.decision, "'n'" in missing.value.problem) == ("size", True)


def test_rules_that_contradict_are_an_error(house: House) -> None:
    upload(house, unique_table("size", ("&lt; 5", '"yes"'), ("&lt; 6", '"no"')))

    with pytest.raises(DmnConflictError):
        decided(house, "size", {"n": 1})


def test_a_task_without_an_input_that_its_decision_needs_is_an_incident(house: House) -> None:
    upload(house, unique_table("size", ("&lt; 5", '"yes"')))
    upload(house, rule_task("size"))
    house.plane.runs.start(OPAL, StartRun(definition="small", service="cc-fraud"))
    house.until(lambda: bool(house.plane.runs.incidents(SYSTEM)))

    [incident] = house.plane.runs.incidents(SYSTEM)

    assert (incident.code, "n" in incident.message) == ("dmn-value", True)


@pytest.mark.parametrize(
    ("challenger", "element"), [(0.81, None), (0.7, "approve")], ids=["nobody", "one validator"]
)
def test_the_life_cycle_of_the_guide_asks_whom_its_table_says(
    house: House, challenger: float, element: str | None
) -> None:
    for name in ("approval.dmn", "approval-by-table.bpmn"):
        upload(house, (EXAMPLES / name).read_bytes())
    figures = {"champion": {"roc_auc": 0.8}, "challenger": {"roc_auc": challenger}}
    wanted = StartRun(
        definition="approval-by-table",
        service="cc-fraud",
        snapshot=f"{MODEL}@1",
        variables={"tier": "low", **figures},
    )
    run_id = house.plane.runs.start(OPAL, wanted).heading.run_id
    house.plane.work()

    run = house.plane.runs.get(SYSTEM, run_id=run_id)

    assert [task.element for task in run.tasks] == ([element] if element else [])
    assert run.incidents == ()


def test_a_contradiction_is_a_finding_and_no_refusal(house: House) -> None:
    xml = unique_table("size", ("&lt; 5", '"yes"'), ("&gt; 3", '"no"'))

    [finding] = house.plane.definitions.lint(OPAL, xml=xml)

    assert (finding.severity, finding.rules) == (FindingSeverity.ERROR, (1, 2))
    assert upload(house, xml).full_name == "size@1"


def test_lint_looks_for_imports_among_the_groups_files(house: House) -> None:
    xml = importing("user", "lib.double(21)", namespace="lib")
    [before] = house.plane.definitions.lint(OPAL, xml=xml, group=RISK)
    upload(house, DOUBLE.xml)

    assert "'lib'" in before.problem
    assert house.plane.definitions.lint(OPAL, xml=xml, group=RISK) == ()


def test_lint_among_another_groups_files_is_denied(house: House) -> None:
    stranger = person("sam", group="cards")  # type: ignore[arg-type]

    with pytest.raises(ActionDeniedError):
        house.plane.definitions.lint(stranger, xml=DOUBLE.xml, group=RISK)
