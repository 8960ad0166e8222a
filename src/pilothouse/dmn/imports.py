"""The imports of a file: which namespaces it wants, and what the files of those namespaces give. Source: DMN 1.5, 6.3.3."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pilothouse.dmn.document import NAMESPACES, Document
from pilothouse.dmn.errors import DmnRejectedError
from pilothouse.dmn.type_reader import ImportedTypes
from pilothouse.feel.names import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lxml import etree

    from pilothouse.dmn.errors import Problem
    from pilothouse.dmn.model import Element
    from pilothouse.dmn.type_reader import TypeReader

MAXIMUM_CHAIN = 20
"""How many files may import one another in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """
    A file that was read.

    Parameters
    ----------
    name, namespace
        As the file says.
    elements
        Its elements, by the ids that the file gives them.
    types
        Its types.
    imports
        The files that it imports, in order.
    problems
        What is wrong with it, and with the files that it imports.
    """

    name: str
    namespace: str
    elements: Mapping[str, Element]
    types: TypeReader
    imports: tuple[Import, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """
    One import.

    Parameters
    ----------
    name
        What the file that imports calls the other; empty where it uses the names of the other as they are.
    file
        The other.
    """

    name: str
    file: File

    @property
    def path(self) -> tuple[str, ...]:
        """What stands before the names of the other file's elements."""
        return (self.name,) if self.name else ()

    @property
    def types(self) -> ImportedTypes:
        """The types of the other file."""
        types = self.file.types
        return ImportedTypes(
            name=self.name,
            namespace=self.file.namespace,
            types=types.named,
            depths=types.depths,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """
    The files that may be imported, each read when it is first wanted.

    Parameters
    ----------
    files
        The files by their namespaces.
    read
        What reads one: it takes the bytes, the library, and whether the file itself is imported.
    """

    files: Mapping[str, bytes]
    read: Callable[[bytes, Library], File]
    _known: dict[str, File] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)

    def imported(self, document: Document) -> tuple[Import, ...]:
        """Read the imports of a file; note a problem for each that cannot be used."""
        found = []
        self._open.append(document.namespace)
        for element in document.children(document.root, "import"):
            file = self._file(document, element)
            if file is not None:
                found.append(Import(name=normal(element.get("name", "")), file=file))
        self._open.pop()
        names = [i.name for i in found if i.name]
        if len(set(names)) < len(names):
            document.refuse(document.root, "its imports need different names", "Rename them")
        return tuple(found)

    def problems(self) -> tuple[Problem, ...]:
        """Give the problems of all files that were read."""
        return tuple(problem for file in self._known.values() for problem in file.problems)

    def elements(self) -> dict[str, Element]:
        """Give the elements of all files that were read, by the ids under which the whole model knows them."""
        return {e.id: e for file in self._known.values() for e in file.elements.values()}

    def _file(self, document: Document, element: etree._Element) -> File | None:
        namespace = str(element.get("namespace", ""))
        if not _is_decision_file(document, element):
            return None
        trouble = self._trouble(namespace)
        if trouble:
            document.refuse(element, *trouble)
            return None
        if namespace not in self._known:
            try:
                self._known[namespace] = _labelled(self.read(self.files[namespace], self))
            except DmnRejectedError as error:
                problem = f"the file of {namespace!r} cannot be read: {error.problems[0].problem}"
                document.refuse(element, problem, "Correct that file")
                return None
        return self._known[namespace]

    def _trouble(self, namespace: str) -> tuple[str, str] | None:
        if namespace in self._open:
            circle = " → ".join([*self._open[self._open.index(namespace) :], namespace])
            return f"the file imports itself: {circle}", "Take one import of the circle out"
        if namespace not in self.files:
            return (
                f"it imports {namespace!r}, and no file of that namespace is given",
                "Give that file too",
            )
        if len(self._open) > MAXIMUM_CHAIN:
            return f"more than {MAXIMUM_CHAIN} files import one another in a row", "Merge some"
        return None


def _is_decision_file(document: Document, element: etree._Element) -> bool:
    kind = str(element.get("importType", ""))
    if kind in NAMESPACES or "/DMN/" in kind.upper():
        return True
    pmml = "PMML" in kind.upper()
    problem = f"imports of type {kind!r} are not supported"
    document.refuse(element, problem, "Import decision files only", by_design=pmml)
    return False


def _labelled(file: File) -> File:
    """Say in each problem of an imported file which file it is."""
    of = f"imported file {file.name or file.namespace}"
    return replace(
        file, problems=tuple(replace(p, element=f"{of}: {p.element}") for p in file.problems)
    )


def imports_of(xml: bytes) -> tuple[str, ...]:
    """
    List the namespaces of the decision files that a file imports.

    Parameters
    ----------
    xml
        The bytes of the file.

    Raises
    ------
    DmnRejectedError
        When the file is no DMN.
    """
    document = Document(xml)
    return tuple(
        dict.fromkeys(
            str(element.get("namespace", ""))
            for element in document.children(document.root, "import")
            if _is_decision_file(document, element)
        )
    )


def namespace_of(xml: bytes) -> str:
    """
    Give the namespace of what a file defines, by which other files import it.

    Raises
    ------
    DmnRejectedError
        When the file is no DMN.
    """
    return Document(xml).namespace
