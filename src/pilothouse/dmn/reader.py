"""DMN XML to decisions. Whatever would not run exactly as written is refused here, all of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.dmn.decisions import Decisions
from pilothouse.dmn.document import MAXIMUM_PROBLEMS, Document
from pilothouse.dmn.element_reader import ElementReader
from pilothouse.dmn.errors import DmnRejectedError
from pilothouse.dmn.graph import Graph
from pilothouse.dmn.imports import File, Library
from pilothouse.dmn.model import Decision, InputData, Knowledge, Service
from pilothouse.dmn.type_reader import TypeReader

if TYPE_CHECKING:
    from collections.abc import Mapping


MAXIMUM_LENIENT_PROBLEMS = 10_000
NO_FILES: Mapping[str, bytes] = {}

# These say something to people and nothing to an engine.
_SILENT = (
    *("description", "extensionElements", "textAnnotation", "association", "group", "artifact"),
    *("knowledgeSource", "performanceIndicator", "organizationUnit", "elementCollection"),
    *("businessContextElement",),
)
_KNOWN = (
    *("decision", "inputData", "itemDefinition", "businessKnowledgeModel", "decisionService"),
    *("import", *_SILENT),
)


def read_decisions(xml: bytes, *, imports: Mapping[str, bytes] = NO_FILES) -> Decisions:
    """
    Read a DMN file.

    Parameters
    ----------
    xml
        The bytes of the file: DMN 1.1 to 1.5, at most 1,000,000.
    imports
        The files that it imports, and those that they import, by their namespaces.

    Returns
    -------
    Decisions
        Its decisions, compiled.

    Raises
    ------
    DmnRejectedError
        When the file is not DMN or holds anything that would not run exactly as written; it lists every problem
        with element, line and cure.
    """
    decisions = _read(xml, imports, MAXIMUM_PROBLEMS)
    if decisions.problems:
        raise DmnRejectedError(problems=decisions.problems)
    return decisions


def read_leniently(xml: bytes, *, imports: Mapping[str, bytes] = NO_FILES) -> Decisions:
    """
    Read a DMN file, and keep what has problems beside what has none.

    Evaluating a decision that has problems, or that needs something that has, raises DmnRejectedError. For
    measuring and for tools; to use a file, read it with `read_decisions`.

    Parameters
    ----------
    xml
        The bytes of the file: DMN 1.1 to 1.5, at most 1,000,000.
    imports
        The files that it imports, and those that they import, by their namespaces.

    Raises
    ------
    DmnRejectedError
        When the file is no DMN at all.
    """
    return _read(xml, imports, MAXIMUM_LENIENT_PROBLEMS)


def _read(xml: bytes, imports: Mapping[str, bytes], limit: int) -> Decisions:
    def imported(other: bytes, library: Library) -> File:
        return _file(Document(other, limit=limit), library, root=False)

    library = Library(files=imports, read=imported)
    file = _file(Document(xml, limit=limit), library, root=True)
    elements = file.elements
    own = {e.id: e for e in elements.values()}
    return Decisions(
        name=file.name,
        namespace=file.namespace,
        decisions={i: e for i, e in elements.items() if isinstance(e, Decision)},
        functions={i: e for i, e in elements.items() if isinstance(e, Knowledge)},
        services={i: e for i, e in elements.items() if isinstance(e, Service)},
        inputs={i: e for i, e in elements.items() if isinstance(e, InputData)},
        imports={i.file.namespace: i.name for i in file.imports},
        problems=(*file.problems, *library.problems()),
        _graph=Graph({**library.elements(), **own}),
    )


def _file(document: Document, library: Library, *, root: bool) -> File:
    document.refuse_strangers(document.root, *_KNOWN)
    imports = library.imported(document)
    types = TypeReader(document, imports=tuple(i.types for i in imports))
    elements = ElementReader(document, types, imports, root=root).elements()
    if root and not elements and document.child(document.root, "itemDefinition") is None:
        document.refuse(document.root, "the file has no decision", "Add one")
    return File(
        name=str(document.root.get("name", "")),
        namespace=document.namespace,
        elements=elements,
        types=types,
        imports=imports,
        problems=tuple(document.problems),
    )
