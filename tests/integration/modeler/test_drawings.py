"""Every drawing that comes with Pilothouse, opened in Camunda Modeler's own editor and saved again."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from lxml import etree

from pilothouse.bpmn.xml import Namespace, parse
from pilothouse.lifecycle.offline import differences, lint

if TYPE_CHECKING:
    from tests.integration.modeler.page import Modeler

CHECKOUT = Path(__file__).parents[3]
DRAWINGS = sorted(
    (*(CHECKOUT / "src").rglob("*.bpmn"), *(CHECKOUT / "docs").rglob("*.bpmn")),
    key=lambda path: path.name,
)
FLOWS = ("sequenceFlow", "association")
NOT_DRAWN = ("process", "documentation", "extensionElements", "laneSet", "dataObject")
OWN_TOPICS = ("credit-check",)
"""The topic of the example whose steps are done by a company's own workers."""


def named(path: Path) -> str:
    return path.stem


def drawable(xml: bytes) -> set[str]:
    """Give the ids of a file's flow nodes and flows."""
    [process] = parse(xml).iterchildren(f"{{{Namespace.BPMN}}}process")
    kinds = {f"{{{Namespace.BPMN}}}{kind}" for kind in NOT_DRAWN}
    holders = (process, *process.iter(f"{{{Namespace.BPMN}}}subProcess"))
    inside = (e for holder in holders for e in holder.iterchildren(etree.Element))
    return {str(e.get("id")) for e in inside if e.tag not in kinds}


@pytest.mark.parametrize("path", DRAWINGS, ids=named)
def test_a_drawing_opens_whole_and_without_a_warning(modeler: Modeler, path: Path) -> None:
    xml = path.read_bytes()

    warnings, drawn = modeler.open(xml)

    assert warnings == []
    assert sorted(drawn) == sorted(drawable(xml))
    if pictures := os.environ.get("PILOTHOUSE_PICTURES"):
        modeler.picture(Path(pictures) / f"{path.stem}.png")


@pytest.mark.parametrize("path", DRAWINGS, ids=named)
def test_a_drawing_saved_again_is_the_same_life_cycle_and_lints_clean(
    modeler: Modeler, path: Path
) -> None:
    xml = path.read_bytes()
    modeler.open(xml)

    saved = modeler.save()

    assert differences(xml, saved) == ()
    assert lint(saved, external_topics=OWN_TOPICS) == ()
