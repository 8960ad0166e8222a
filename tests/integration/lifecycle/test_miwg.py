"""The reference models of the BPMN Model Interchange Working Group: each is read, or refused for what is in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from pilothouse.application.founding import SYSTEM
from pilothouse.bpmn.errors import DefinitionRejectedError
from pilothouse.bpmn.play import Play
from pilothouse.bpmn.state import RunStatus
from pilothouse.lifecycle.offline import lint
from pilothouse.lifecycle.paths import all_paths
from pilothouse.lifecycle.simulation import life_cycle
from tests.integration.lifecycle.house import OPAL, RISK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pilothouse.wire.runs import Finding
    from tests.integration.lifecycle.house import House
    from tests.kits import Kit

FOLDER = "bpmn-miwg"
MODELS = ("A.1.0", "A.2.0", "A.2.1", "A.3.0", "A.4.0", "A.4.1", "B.1.0", "B.2.0")
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
NEVER = {
    *("task", "scriptTask", "complexGateway", "transaction", "adHocSubProcess"),
    "cancelEventDefinition",
    *("ioSpecification", "dataInputAssociation", "dataOutputAssociation"),
}
"""What is not executed wherever it stands."""
KINDS = {"startEvent", "endEvent", "manualTask", "exclusiveGateway"}
FLOWED = {"A.1.0": 5, "A.2.0": 8, "A.2.1": 8}
"""Models that run once what they leave open is filled in, and their elements."""


@pytest.fixture(scope="session")
def models(kit_folder: Kit) -> Path:
    """Give the folder of the models."""
    return kit_folder(FOLDER)


@pytest.fixture(params=MODELS)
def xml(models: Path, request: pytest.FixtureRequest) -> bytes:
    """Give one model."""
    return (models / f"{request.param}.bpmn").read_bytes()


def elements(xml: bytes) -> Iterator[etree._Element]:
    """Give all elements of BPMN inside the processes of a file."""
    root = etree.fromstring(xml)
    for process in root.iterchildren(f"{BPMN}process"):
        yield from process.iterdescendants(f"{BPMN}*")


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


def owner(element: etree._Element) -> str:
    """Give the id of an element, or of the node that it stands in."""
    around = element.getparent()
    if around is None or local(around) in ("process", "subProcess"):
        return str(element.get("id"))
    return owner(around)


def about(found: tuple[Finding, ...], kind: str) -> set[str]:
    told = (f for f in found if re.match(rf"an? {kind} is not executed", f.problem))
    return {str(f.element) for f in told}


# as they are


def test_all_models_are_looked_at(models: Path) -> None:
    assert sorted(path.stem for path in models.glob("*.bpmn")) == sorted(MODELS)


def test_a_model_without_an_executable_process_is_refused_and_says_so(xml: bytes) -> None:
    file, *others = lint(xml)
    assert file.problem == "the file has 0 executable processes, not one"
    assert others


def test_every_reason_names_an_element_of_the_file_at_its_line_with_a_cure(xml: bytes) -> None:
    found, lines = lint(xml), len(xml.splitlines())
    ids = {str(e.get("id")) for e in etree.fromstring(xml).iter(etree.Element) if e.get("id")}
    assert {f.element for f in found} <= ids
    assert all(0 < (f.line or 0) <= lines and f.cure for f in found)


def test_nothing_that_is_not_executed_is_passed_over(xml: bytes) -> None:
    found = lint(xml)
    for kind in NEVER:
        drawn = {owner(e) for e in elements(xml) if local(e) == kind}
        assert about(found, kind) >= drawn, kind


def test_nothing_is_refused_as_not_executed_that_is_not_in_the_file(xml: bytes) -> None:
    inside = {(local(e), owner(e)) for e in elements(xml)}
    for reason in lint(xml):
        kind = re.match(r"an? (\w+) is not executed", reason.problem)
        assert kind is None or (kind[1], reason.element) in inside


def test_a_model_is_not_uploaded_and_the_refusal_has_all_the_reasons(
    xml: bytes, house: House
) -> None:
    with pytest.raises(DefinitionRejectedError) as refused:
        house.plane.definitions.upload(OPAL, group=RISK, xml=xml)
    problems = [(p.element, p.line, p.problem) for p in refused.value.problems]
    assert problems == [(f.element, f.line, f.problem) for f in lint(xml)]


# with what they leave open filled in


def filled_in(xml: bytes) -> bytes:
    """Mark the first process executable, make its tasks manual, and give its decisions conditions that hold."""
    root = etree.fromstring(xml)
    next(root.iterchildren(f"{BPMN}process")).set("isExecutable", "true")
    for task in list(root.iter(f"{BPMN}task")):
        task.tag = f"{BPMN}manualTask"
    for text in list(root.iter(f"{BPMN}conditionExpression", f"{BPMN}ioSpecification")):
        parent = text.getparent()
        assert parent is not None
        parent.remove(text)
    gateways = {str(g.get("id")) for g in root.iter(f"{BPMN}exclusiveGateway")}
    for flow in root.iter(f"{BPMN}sequenceFlow"):
        if flow.get("sourceRef") in gateways:
            etree.SubElement(flow, f"{BPMN}conditionExpression").text = "=true"
    return etree.tostring(root)


@pytest.mark.parametrize("name", FLOWED)
def test_a_model_that_is_filled_in_runs_to_its_end_and_loses_no_element(
    models: Path, name: str
) -> None:
    xml = filled_in((models / f"{name}.bpmn").read_bytes())
    definition = life_cycle(xml)
    drawn = {str(e.get("id")) for e in elements(xml) if e.get("id") and local(e) in KINDS}
    assert set(definition.nodes) == drawn
    assert len(drawn) == FLOWED[name]
    assert Play(definition).state.run.state is RunStatus.COMPLETED
    reached = {e for path in all_paths(definition).paths for e in path.elements}
    assert reached == drawn


@pytest.mark.parametrize("name", FLOWED)
def test_the_drawing_and_unknown_extensions_are_kept(models: Path, name: str, house: House) -> None:
    xml = filled_in((models / f"{name}.bpmn").read_bytes())
    uploaded = house.plane.definitions.upload(OPAL, group=RISK, xml=xml)
    kept = house.plane.definitions.get(SYSTEM, name=uploaded.full_name).source
    assert kept == xml
    assert kept.count(b"BPMNShape") >= FLOWED[name]
