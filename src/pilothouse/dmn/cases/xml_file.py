"""Test cases as the XML of the DMN Technology Compatibility Kit."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn, cast

from lxml import etree

from pilothouse.dmn.cases.case import Case, Expected, Kind
from pilothouse.dmn.cases.errors import CaseFileError
from pilothouse.dmn.cases.values import CaseValueError, schema_value
from pilothouse.dmn.document import parser_without_trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pilothouse.feel import Value

TOLERANCE = Decimal("1E-8")
"""How far numbers may be apart: the kit gives many of them rounded, and its published runners allow as much."""

_SCHEMA_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_NIL = f"{{{_SCHEMA_INSTANCE}}}nil"
_TYPE = f"{{{_SCHEMA_INSTANCE}}}type"
_TRUE = ("true", "1")
_KINDS = {
    "decision": Kind.DECISION,
    "decisionService": Kind.SERVICE,
    "bkm": Kind.FUNCTION,
}
_SILENT = ("extensionElements",)


@dataclass(frozen=True, slots=True, kw_only=True)
class KitCase:
    """
    One result that a test of the kit asks for.

    Parameters
    ----------
    test
        The id of the test case.
    result
        The name of its result node.
    case
        What to run, or the error for which it cannot be.
    """

    test: str
    result: str
    case: Case | CaseFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class KitFile:
    """
    A file of the kit.

    Parameters
    ----------
    model
        The name of the DMN file that it tests, in the same folder.
    cases
        One for each result of each test, in the order of the file.
    """

    model: str
    cases: tuple[KitCase, ...]


def is_kit(xml: bytes, *, file: str) -> bool:
    """
    Say whether an XML file holds test cases of the kit.

    Raises
    ------
    CaseFileError
        When it is not well formed or not safe to read.
    """
    return _name(_root(xml, file)) == "testCases"


def read_kit(xml: bytes, *, file: str) -> KitFile:
    """
    Read a file of the kit; a case that cannot be read stands beside the others with its error.

    Parameters
    ----------
    xml
        Its bytes: an element ``testCases`` of any namespace.
    file
        Its name, for messages.

    Raises
    ------
    CaseFileError
        When it is no such file.
    """
    root = _root(xml, file)
    if _name(root) != "testCases":
        _refuse(file, root, f"its root is {_name(root)!r}", "Give a file with 'testCases'")
    reader = _Reader(file)
    model = _child(root, "modelName")
    cases = tuple(case for test in _children(root, "testCase") for case in reader.cases(test))
    return KitFile(model="" if model is None else (model.text or "").strip(), cases=cases)


def read_xml(xml: bytes, *, file: str) -> tuple[Case, ...]:
    """
    Read the cases of a file of the kit, all or none.

    Raises
    ------
    CaseFileError
        When one of them cannot be read.
    """
    cases = []
    for found in read_kit(xml, file=file).cases:
        if isinstance(found.case, CaseFileError):
            raise found.case
        cases.append(found.case)
    return tuple(cases)


def _root(xml: bytes, file: str) -> etree._Element:
    try:
        root = etree.fromstring(xml, parser_without_trust())
    except (etree.XMLSyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, etree.XMLSyntaxError) else 0
        raise CaseFileError(
            file=file,
            line=line or 0,
            problem=f"it is not well-formed XML: {error}",
            cure="Correct the XML",
        ) from error
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # the stubs do not know it
        _refuse(file, root, "it has a document type (DOCTYPE)", "Take the DOCTYPE out")
    return root


def _refuse(file: str, element: etree._Element, problem: str, cure: str) -> NoReturn:
    line = cast("int | None", element.sourceline) or 0
    raise CaseFileError(file=file, line=line, problem=problem, cure=cure)


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname


def _children(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    return (child for child in element if _name(child) in names)


def _child(element: etree._Element, *names: str) -> etree._Element | None:
    return next(_children(element, *names), None)


def _text(element: etree._Element) -> str:
    return "".join(str(part) for part in element.itertext())


@dataclass(frozen=True, slots=True)
class _Reader:
    """The reading of the tests of one file."""

    file: str

    def cases(self, test: etree._Element) -> Iterator[KitCase]:
        results = list(_children(test, "resultNode"))
        name = str(test.get("id", ""))
        if not results:
            error = CaseFileError(
                file=self.file,
                line=cast("int | None", test.sourceline) or 0,
                problem="the test asks for no result",
                cure="Give it a resultNode",
            )
            yield KitCase(test=name, result="", case=error)
        for result in results:
            yield KitCase(
                test=name, result=str(result.get("name", "")), case=self._read(test, result)
            )

    def _read(self, test: etree._Element, result: etree._Element) -> Case | CaseFileError:
        try:
            return self._case(test, result)
        except CaseFileError as error:
            return error

    def _case(self, test: etree._Element, result: etree._Element) -> Case:
        output = str(result.get("name", ""))
        kind = self._kind(test)
        own, imported = self._inputs(test)
        if imported and kind is Kind.FUNCTION:
            _refuse(self.file, test, "a function has no imported inputs", "Take the namespaces out")
        test_name = str(test.get("id", ""))
        return Case(
            name=f"{test_name} {output}".strip(),
            kind=kind,
            target=output if kind is Kind.DECISION else str(test.get("invocableName", "")),
            inputs=own,
            imported=imported,
            expected=self._expected(result),
            output=output if kind is Kind.SERVICE else "",
            line=cast("int | None", test.sourceline) or 0,
        )

    def _kind(self, test: etree._Element) -> Kind:
        given = str(test.get("type", "decision"))
        kind = _KINDS.get(given)
        if kind is None:
            _refuse(self.file, test, f"there is no type {given!r}", f"Use {', '.join(_KINDS)}")
        return kind

    def _inputs(self, test: etree._Element) -> tuple[dict[str, Value], dict[str, dict[str, Value]]]:
        own: dict[str, Value] = {}
        imported: dict[str, dict[str, Value]] = {}
        for node in _children(test, "inputNode"):
            namespace = str(node.get("namespace", ""))
            place = imported.setdefault(namespace, {}) if namespace else own
            place[self._unique(node, place)] = self._value(node)
        return own, imported

    def _unique(self, node: etree._Element, place: dict[str, Value]) -> str:
        """Give a name, which may be the empty text: FEEL's contexts may have such a key."""
        name = node.get("name")
        if name is None:
            _refuse(self.file, node, "it has no name", "Give it the attribute 'name'")
        if str(name) in place:
            _refuse(self.file, node, f"the name {name!r} is used twice", "Name it apart")
        return str(name)

    def _expected(self, result: etree._Element) -> Expected:
        rejection = result.get("errorResult", "false") in _TRUE
        holder = _child(result, "expected")
        if holder is None and not rejection:
            _refuse(self.file, result, "it expects nothing", "Give it 'expected'")
        value = None if holder is None else self._value(holder)
        return Expected(value=value, tolerance=TOLERANCE, rejection=rejection)

    def _value(self, holder: etree._Element) -> Value:
        """Read what stands in an input, a component, an item or what is expected; nothing in it is null."""
        if holder.get(_NIL) in _TRUE:
            return None
        parts = [part for part in holder if _name(part) not in _SILENT]
        if not parts:
            return None
        match _name(parts[0]):
            case "value" if len(parts) == 1:
                return self._simple(parts[0])
            case "list" if len(parts) == 1:
                return self._list(parts[0])
            case "component":
                return self._context(parts)
            case name:
                _refuse(self.file, parts[0], f"{name} is no value", "Use value, list or component")

    def _list(self, element: etree._Element) -> Value:
        if element.get(_NIL) in _TRUE:
            return None
        return tuple(self._value(item) for item in _children(element, "item"))

    def _context(self, parts: list[etree._Element]) -> Value:
        found: dict[str, Value] = {}
        for part in parts:
            if _name(part) != "component":
                _refuse(self.file, part, "it stands beside components", "Use components alone")
            found[self._unique(part, found)] = self._value(part)
        return found

    def _simple(self, element: etree._Element) -> Value:
        if element.get(_NIL) in _TRUE:
            return None
        type_name = str(element.get(_TYPE, "")).rpartition(":")[2]
        try:
            return schema_value(_text(element), type_name)
        except CaseValueError as error:
            _refuse(self.file, element, error.problem, "Give another value or type")
