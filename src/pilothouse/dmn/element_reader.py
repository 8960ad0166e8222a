"""The elements of one file: what each requires, what is in its scope, what gives its value."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pilothouse.dmn.boxed import LOGIC_NAMES, read_function, read_logic
from pilothouse.dmn.circles import CircleSearch
from pilothouse.dmn.model import Decision, InputData, Knowledge, Need, Service
from pilothouse.dmn.reading import Compiled, Reading, hard_names
from pilothouse.feel.names import normal
from pilothouse.feel.types import ANY, FunctionType, bare

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lxml import etree

    from pilothouse.dmn.document import Document
    from pilothouse.dmn.imports import Import
    from pilothouse.dmn.model import Element
    from pilothouse.dmn.type_reader import TypeReader
    from pilothouse.feel.types import Type

_SILENT = (
    *("description", "extensionElements", "question", "allowedAnswers", "authorityRequirement"),
    *("supportedObjective", "impactedPerformanceIndicator", "decisionMaker", "decisionOwner"),
    *("usingProcess", "usingTask"),
)
_KINDS = ("inputData", "decision", "businessKnowledgeModel", "decisionService")


class ElementReader:
    """
    Reads the elements of a file.

    Parameters
    ----------
    document
        The file.
    types
        Its types.
    imports
        The files that it imports.
    root
        Whether it is the model's own file, not one that is imported.
    """

    def __init__(
        self,
        document: Document,
        types: TypeReader,
        imports: tuple[Import, ...],
        *,
        root: bool,
    ) -> None:
        self._document = document
        self._types = types
        self._imports = imports
        self._space = "" if root else document.namespace
        self._found: dict[str, etree._Element] = {}
        self._variables: dict[str, str] = {}
        self._members = frozenset[str]()
        self._compiled = Compiled()

    def elements(self) -> dict[str, Element]:
        """Read all elements, by the ids that the file gives them; note a problem for what cannot run."""
        self._index()
        self._check_names()
        self._members = hard_names(self._member_names())
        read = {known_as: self._element(known_as) for known_as in self._found}
        return self._without_circles(read)

    def _index(self) -> None:
        for element in self._document.children(self._document.root, *_KINDS):
            known_as = _attribute(element, "id") or _attribute(element, "name")
            if not known_as:
                self._document.refuse(element, "it has neither id nor name", "Give it both")
            elif known_as in self._found:
                self._document.refuse(element, "the id is used twice", "Make ids unique")
            else:
                self._found[known_as] = element
                self._variables[known_as] = self._variable(element)

    def _variable(self, element: etree._Element) -> str:
        variable = self._document.child(element, "variable")
        own = _attribute(element, "name") or _attribute(element, "id")
        return normal(own if variable is None else _attribute(variable, "name") or own)

    def _check_names(self) -> None:
        seen: dict[str, str] = {i.name: "import" for i in self._imports if i.name}
        for known_as, variable in self._variables.items():
            if seen.setdefault(variable, known_as) != known_as:
                problem = f"the name {variable!r} is used twice"
                self._document.refuse(self._found[known_as], problem, "Make names unique")

    def _member_names(self) -> Iterable[str]:
        yield from self._types.components
        for each in self._imports:
            yield from (element.name for element in each.file.elements.values())
        for element in self._document.root.iter():
            if self._document.name(element) in ("variable", "column"):
                yield normal(_attribute(element, "name"))

    def _element(self, known_as: str) -> Element:
        """Read an element, and give it the problems that it has."""
        element = self._found[known_as]
        before = len(self._document.problems)
        self._check_language(element)
        match self._document.name(element):
            case "inputData":
                read: Element = self._input(element, known_as)
            case "decision":
                read = self._decision(element, known_as)
            case "businessKnowledgeModel":
                read = self._knowledge(element, known_as)
            case _:
                read = self._service(element, known_as)
        found = self._document.problems[before:]
        return replace(read, problems=tuple(p for p in found if not p.runs))

    def _check_language(self, element: etree._Element) -> None:
        whole = _attribute(self._document.root, "expressionLanguage")
        for part in element.iter():
            said = _attribute(part, "expressionLanguage")
            if said and not self._document.name(part):
                continue
            language = said or (whole if part is element else "") or "FEEL"
            if "FEEL" not in language.upper():
                problem = f"the expression language {language!r} is not supported"
                self._document.refuse(part, problem, "Use FEEL")

    def _id(self, known_as: str) -> str:
        return f"{self._space}#{known_as}" if self._space else known_as

    def _type_of(self, element: etree._Element) -> Type:
        variable = self._document.child(element, "variable")
        return self._types.of(element if variable is None else variable)

    def _input(self, element: etree._Element, known_as: str) -> InputData:
        return InputData(
            id=self._id(known_as),
            name=self._variables[known_as],
            type=self._type_of(element),
            namespace=self._space,
        )

    def _decision(self, element: etree._Element, known_as: str) -> Decision:
        self._document.refuse_strangers(
            element,
            *("variable", "informationRequirement", "knowledgeRequirement"),
            *LOGIC_NAMES,
            *_SILENT,
        )
        inputs = self._needs(element, "informationRequirement", "requiredInput")
        requires = self._needs(element, "informationRequirement", "requiredDecision")
        knowledge = self._needs(element, "knowledgeRequirement", "requiredKnowledge")
        reading = self._reading(element, (*inputs, *requires, *knowledge))
        silent = next(self._document.children(element, *LOGIC_NAMES), None) is None
        logic = None if silent else read_logic(reading, element)
        return Decision(
            id=self._id(known_as),
            name=normal(_attribute(element, "name") or known_as),
            variable=self._variables[known_as],
            type=self._type_of(element),
            namespace=self._space,
            logic=logic,
            inputs=inputs,
            requires=requires,
            knowledge=knowledge,
            free=frozenset() if self._space or logic is None else self._free(reading),
        )

    def _free(self, reading: Reading) -> frozenset[str]:
        """Give the names that are read and that nothing in the file provides."""
        provided = reading.names.union(self._variables.values(), (i.name for i in self._imports))
        return frozenset(reading.heard) - provided

    def _reading(self, element: etree._Element, needs: Iterable[Need]) -> Reading:
        reading = Reading(
            document=self._document,
            types=self._types,
            names=frozenset(need.path[0] for need in needs),
            members=self._members,
            compiled=self._compiled,
        )
        reading.crowded(element)
        return reading

    def _knowledge(self, element: etree._Element, known_as: str) -> Knowledge:
        self._document.refuse_strangers(
            element, "variable", "encapsulatedLogic", "knowledgeRequirement", *_SILENT
        )
        knowledge = self._needs(element, "knowledgeRequirement", "requiredKnowledge")
        name = self._variables[known_as]
        logic = self._document.child(element, "encapsulatedLogic")
        reading = self._reading(element, knowledge)
        empty = logic is None or next(self._document.children(logic, *LOGIC_NAMES), None) is None
        definition = None if logic is None or empty else read_function(reading, logic, name=name)
        declared = self._type_of(element)
        return Knowledge(
            id=self._id(known_as),
            name=name,
            definition=definition if declared is ANY else definition and definition.held(declared),
            knowledge=tuple(need for need in knowledge if need.id != self._id(known_as)),
        )

    def _service(self, element: etree._Element, known_as: str) -> Service:
        self._document.refuse_strangers(
            element,
            *("variable", "outputDecision", "encapsulatedDecision", "inputDecision", "inputData"),
            *_SILENT,
        )
        outputs = self._references(element, "outputDecision")
        if not outputs:
            self._document.refuse(element, "it has no output decision", "Give it one")
        self._references(element, "encapsulatedDecision")
        parameters = (
            *self._references(element, "inputData"),
            *self._references(element, "inputDecision"),
        )
        declared = self._type_of(element)
        function = bare(declared)
        return Service(
            id=self._id(known_as),
            name=self._variables[known_as],
            type=function.result if isinstance(function, FunctionType) else declared,
            outputs=outputs,
            parameters=parameters,
        )

    def _needs(self, element: etree._Element, requirement: str, kind: str) -> tuple[Need, ...]:
        return tuple(
            need
            for each in self._document.children(element, requirement)
            for need in self._references(each, kind)
        )

    def _references(self, element: etree._Element, kind: str) -> tuple[Need, ...]:
        """Find the elements that the children of a kind refer to; note a problem for what is not there."""
        found = []
        for child in self._document.children(element, kind):
            need = self._need(_attribute(child, "href"), kind)
            if need is None:
                problem = f"it requires {_attribute(child, 'href')!r}, which is not in this file"
                cure = "Add it, or import its file; it must be of the kind that is required"
                self._document.refuse(child, problem, cure)
            else:
                found.append(need)
        return tuple(found)

    def _need(self, href: str, kind: str) -> Need | None:
        namespace, _, known_as = href.rpartition("#")
        if not namespace or namespace == self._document.namespace:
            element = self._found.get(known_as) if "#" in href else None
            if element is None or self._document.name(element) not in _WANTED[kind]:
                return None
            return Need(id=self._id(known_as), path=(self._variables[known_as],))
        path, elements = self._foreign(namespace)
        foreign = elements.get(known_as)
        if foreign is None or not isinstance(foreign, _KINDS_READ[kind]):
            return None
        name = foreign.variable if isinstance(foreign, Decision) else foreign.name
        return Need(id=foreign.id, path=(*path, name))

    def _foreign(self, namespace: str) -> tuple[tuple[str, ...], Mapping[str, Element]]:
        """Find the file of a namespace among the imports, and among theirs."""
        level = [(i.path, i.file) for i in self._imports]
        while level:
            for path, file in level:
                if file.namespace == namespace:
                    return path, file.elements
            level = [((*p, *i.path), i.file) for p, file in level for i in file.imports]
        return (), {}

    def _without_circles(self, read: dict[str, Element]) -> dict[str, Element]:
        """Note each circle of requirements at all of its members."""
        by_id = {element.id: known_as for known_as, element in read.items()}
        search = CircleSearch({element.id: element for element in read.values()})
        if search.too_much:
            problem = "its decision services take too many decisions together"
            self._document.refuse(self._document.root, problem, "Split the file")
        for circle in search.circles():
            names = [read[by_id[i]].name for i in circle]
            problem = f"it requires itself: {' → '.join([*names, names[0]])}"
            for known_as in dict.fromkeys(by_id[i] for i in circle):
                before = len(self._document.problems)
                cure = "Take one requirement of the circle out"
                self._document.refuse(self._found[known_as], problem, cure)
                added = self._document.problems[before:]
                element = read[known_as]
                read[known_as] = replace(element, problems=(*element.problems, *added))
        return read


def _attribute(element: etree._Element, name: str) -> str:
    return str(element.get(name, ""))


_WANTED: Mapping[str, tuple[str, ...]] = {
    "requiredInput": ("inputData",),
    "requiredDecision": ("decision",),
    "requiredKnowledge": ("businessKnowledgeModel", "decisionService"),
    "outputDecision": ("decision",),
    "encapsulatedDecision": ("decision",),
    "inputDecision": ("decision",),
    "inputData": ("inputData",),
}
_KINDS_READ: Mapping[str, tuple[type, ...]] = {
    kind: tuple(
        {
            "inputData": InputData,
            "decision": Decision,
            "businessKnowledgeModel": Knowledge,
            "decisionService": Service,
        }[name]
        for name in names
    )
    for kind, names in _WANTED.items()
}
