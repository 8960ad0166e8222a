"""
XML that a stranger sent: parsed without entities, network, or room to grow.

A document type declaration is refused before anything in it is read, so there is nothing to expand.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, cast
from xml.parsers import expat

from lxml import etree

from pilothouse.bpmn.errors import DefinitionRejectedError, Problem

Element = etree._Element  # noqa: SLF001 - lxml has no public name for it
MAXIMUM_BYTES = 2 * 1024 * 1024
MAXIMUM_DEPTH = 64
FILE = "(file)"
"""Stands in a problem for the element, where the whole file is meant."""


class Namespace(StrEnum):
    """The namespaces that the reader knows."""

    BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
    ZEEBE = "http://camunda.org/schema/zeebe/1.0"
    PILOTHOUSE = "https://pilothouse.dev/bpmn/1"


OTHER_ENGINES = {
    "http://camunda.org/schema/1.0/bpmn": "Camunda 7",
    "http://activiti.org/bpmn": "Activiti",
    "http://flowable.org/bpmn": "Flowable",
    "http://spiffworkflow.org/bpmn/schema/1.0/core": "SpiffWorkflow",
    "http://www.jboss.org/drools": "jBPM",
    "http://www.omg.org/spec/BPMN/20100524/MODEL/extensions": "another engine",
}
"""Namespaces whose extensions say how another engine runs an element: they are never just metadata."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """An element's name: its namespace and local part."""

    space: str
    local: str


def name_of(element: Element) -> Name:
    """Split an element's tag."""
    parts = etree.QName(element)
    return Name(space=parts.namespace or "", local=parts.localname)


def children(element: Element, local: str, space: str = Namespace.BPMN) -> list[Element]:
    """Give the direct children of one name."""
    return list(element.iterchildren(f"{{{space}}}{local}"))


def line_of(element: Element) -> int:
    """Give the line of an element's tag, 0 where it is not known."""
    line = cast("object", element.sourceline)  # the stubs have no type for it
    return line if isinstance(line, int) else 0


def parse(data: bytes) -> Element:
    """
    Parse a hostile file.

    Raises
    ------
    DefinitionRejectedError
        When it is too big, nested too deep, has a document type declaration, or is not well-formed.
    """
    if len(data) > MAXIMUM_BYTES:
        _refuse(
            0, f"the file has {len(data):,} bytes, more than {MAXIMUM_BYTES:,}", "Split the process"
        )
    _inspect(data)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        _refuse(
            error.lineno or 0, f"the file is not well-formed XML: {error.msg}", "Export it again"
        )
    except ValueError as error:
        _refuse(0, f"the file cannot be read as XML: {error}", "Save it as UTF-8")


def _inspect(data: bytes) -> None:
    """Walk the file once without building anything, and stop at the first thing that is not allowed."""
    reader = expat.ParserCreate()
    depth = 0

    def doctype(*_: object) -> None:
        _refuse(
            reader.CurrentLineNumber,
            "the file has a document type declaration",
            "Remove the DOCTYPE; entities are never expanded",
        )

    def opened(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAXIMUM_DEPTH:
            _refuse(
                reader.CurrentLineNumber,
                f"elements are nested deeper than {MAXIMUM_DEPTH} levels",
                "Flatten the process",
            )

    def closed(*_: object) -> None:
        nonlocal depth
        depth -= 1

    reader.StartDoctypeDeclHandler, reader.StartElementHandler = doctype, opened
    reader.EndElementHandler = closed
    try:
        reader.Parse(data, True)
    except expat.ExpatError as error:
        _refuse(error.lineno, f"the file is not well-formed XML: {error}", "Export it again")
    except (ValueError, LookupError) as error:
        _refuse(0, f"the file cannot be read as XML: {error}", "Save it as UTF-8")


def _refuse(line: int, problem: str, cure: str) -> NoReturn:
    raise DefinitionRejectedError(
        problems=(Problem(element=FILE, line=line, problem=problem, cure=f"{cure}."),)
    )
