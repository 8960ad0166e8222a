"""Boxed expressions of a file, of every kind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pilothouse.dmn.boxed.contexts import Context, ListOf, Relation
from pilothouse.dmn.boxed.functions import FunctionDefinition, Invocation, Parameter
from pilothouse.dmn.boxed.literals import Conditional, Literal, Typed
from pilothouse.dmn.boxed.loops import (
    EVERY,
    FOR,
    FOR_WITH_PARTIAL,
    ITEM,
    PARTIAL,
    SOME,
    Filter,
    Iterator,
)
from pilothouse.dmn.reading import MAXIMUM_NESTING, NOTHING, SILENT
from pilothouse.dmn.table_reader import read_table
from pilothouse.dmn.tables import DecisionTable
from pilothouse.feel.names import normal
from pilothouse.feel.types import ANY, ListType, RangeType, bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lxml import etree

    from pilothouse.dmn.reading import Reading
    from pilothouse.dmn.taking import Logic
    from pilothouse.feel.types import Type

    Reads = Callable[[Reading, etree._Element], Logic]  # noqa: SLF001 lxml exports no other name for it

_FUNCTION = re.compile(r"function\s*\(")
_NULL = Literal(expression=NOTHING)


def read_logic(reading: Reading, parent: etree._Element, *, name: str = "") -> Logic:
    """
    Read the boxed expression inside an element; note a problem where there is none, or more than one.

    Parameters
    ----------
    reading
        What is in scope there.
    parent
        The element around it.
    name
        What its value is called: a function may call itself by it.
    """
    found = list(reading.document.children(parent, *LOGIC_NAMES))
    if len(found) != 1:
        cure = "Give it exactly one: a decision table, a literal expression, a context …"
        reading.document.refuse(parent, f"it has {len(found) or 'no'} expressions", cure)
        return _NULL
    if reading.depth >= MAXIMUM_NESTING:
        problem = f"more than {MAXIMUM_NESTING} expressions stand inside one another"
        reading.document.refuse(found[0], problem, "Split the decision")
        return _NULL
    return _read(reading.inside(), found[0], name)


def _read(reading: Reading, element: etree._Element, name: str) -> Logic:
    kind = reading.document.name(element)
    if kind == "functionDefinition":
        return read_function(reading, element, name=name) or _NULL
    return typed(reading, element, _READERS[kind](reading, element))


def typed(reading: Reading, element: etree._Element, logic: Logic) -> Logic:
    """
    Hold logic to the type that an element declares, where it declares any.

    Parameters
    ----------
    reading
        What knows the types.
    element
        What declares the type: the expression itself, or the variable that its value goes to.
    logic
        The logic. A function is held to a function type at its parameters and result; any other type that is
        declared for a function is, as in older files, the type of its result.
    """
    declared = reading.types.of(element)
    if declared is ANY:
        return logic
    if isinstance(logic, FunctionDefinition):
        return logic.held(declared)
    return Typed(logic=logic, type=declared)


def read_function(
    reading: Reading, element: etree._Element, *, name: str
) -> FunctionDefinition | None:
    """
    Read a function definition, or the encapsulated logic of a business knowledge model.

    Parameters
    ----------
    reading
        What is in scope there.
    element
        The definition.
    name
        What the function is called; it may call itself by it.

    Returns
    -------
    FunctionDefinition or None
        None, with a problem noted, where it is no function written in FEEL.
    """
    document = reading.document
    document.refuse_strangers(element, "formalParameter", *LOGIC_NAMES, *SILENT)
    if not _is_feel(reading, element):
        return None
    parameters = tuple(
        Parameter(name=_name(reading, p), type=_declared(reading, p))
        for p in document.children(element, "formalParameter")
    )
    inner = [p.name for p in parameters]
    _check_different(reading, element, inner, "parameters")
    own = {name} - {""}
    body = read_logic(reading.with_names(own.union(inner)), element)
    parameters = parameters or _implicit(body)
    function = FunctionDefinition(
        name=name,
        parameters=parameters,
        body=body.logic if isinstance(body, Typed) else body,
        result=body.type if isinstance(body, Typed) else None,
        names=body.names - own.union(p.name for p in parameters),
    )
    declared = reading.types.of(element)
    return function if declared is ANY else function.held(declared)


def _implicit(body: Logic) -> tuple[Parameter, ...]:
    """Give the parameters of a function that is a table and names none: the variables of its inputs."""
    if not isinstance(body, DecisionTable):
        return ()
    texts = dict.fromkeys(normal(clause.expression.text) for clause in body.inputs)
    return tuple(Parameter(name=text, type=None) for text in texts if text in body.names)


def _is_feel(reading: Reading, element: etree._Element) -> bool:
    kind = element.get("kind", "FEEL")
    match kind.upper():
        case "FEEL":
            return True
        case "JAVA" | "PMML":
            problem = f"a function of kind {kind} runs code outside of the decision file"
            cure = "Write the function in FEEL; Pilothouse never runs other code from a file"
            reading.document.refuse(element, problem, cure, by_design=True)
        case _:
            reading.document.refuse(element, f"there is no kind of function {kind!r}", "Use FEEL")
    return False


def _declared(reading: Reading, element: etree._Element) -> Type | None:
    declared = reading.types.of(element)
    return None if declared is ANY else declared


def _name(reading: Reading, element: etree._Element) -> str:
    name = normal(element.get("name", ""))
    if not name:
        reading.document.refuse(element, "it has no name", "Give it one")
    return name


def _check_different(
    reading: Reading, element: etree._Element, names: list[str], what: str
) -> None:
    if len(set(names)) < len(names):
        reading.document.refuse(element, f"its {what} need different names", "Rename them")


def _literal(reading: Reading, element: etree._Element) -> Logic:
    return Literal(expression=reading.expression(element))


def _context(reading: Reading, element: etree._Element) -> Logic:
    document = reading.document
    document.refuse_strangers(element, "contextEntry", *SILENT)
    if reading.crowded(element, more=len(element)):
        return _NULL
    entries: list[tuple[str, Logic]] = []
    result: Logic | None = None
    read: set[str] = set()
    for entry in document.children(element, "contextEntry"):
        document.refuse_strangers(entry, "variable", *LOGIC_NAMES, *SILENT)
        if result is not None:
            document.refuse(entry, "it stands after the result of its context", "Move it up")
        known = frozenset(name for name, _ in entries)
        name, logic, names = _entry(reading.with_names(known), entry)
        read |= names - known
        if name is None:
            result = logic
        else:
            entries.append((name, logic))
    if len({name for name, _ in entries}) < len(entries):
        problem = "its entries need different names"
        document.refuse(element, problem, "Rename them", runs=True)
        return _NULL
    return Context(entries=tuple(entries), result=result, names=frozenset(read))


def _entry(reading: Reading, element: etree._Element) -> tuple[str | None, Logic, frozenset[str]]:
    """Read an entry: its name, where it is not the result, its logic, and the variables that this reads."""
    variable = reading.document.child(element, "variable")
    if variable is None:
        result = read_logic(reading, element)
        return None, result, result.names
    name = _name(reading, variable)
    if not _is_function(reading, element):
        logic = typed(reading, variable, read_logic(reading, element, name=name))
        return name, logic, logic.names
    function = read_logic(reading.with_names([name]), element)
    return name, typed(reading, variable, function), function.names - {name}


def _is_function(reading: Reading, element: etree._Element) -> bool:
    """Say whether an entry is a function in FEEL text, which may call itself by the name of the entry."""
    literal = reading.document.child(element, "literalExpression")
    return _FUNCTION.match(reading.document.text(literal)) is not None


def _list(reading: Reading, element: etree._Element) -> Logic:
    reading.document.refuse_strangers(element, *LOGIC_NAMES, *SILENT)
    items = tuple(_read(reading.inside(), e, "") for e in _expressions(reading, element))
    return ListOf(items=items, names=_all_names(items))


def _expressions(reading: Reading, element: etree._Element) -> Iterable[etree._Element]:
    if reading.depth < MAXIMUM_NESTING:
        return reading.document.children(element, *LOGIC_NAMES)
    problem = f"more than {MAXIMUM_NESTING} expressions stand inside one another"
    reading.document.refuse(element, problem, "Split the decision")
    return ()


def _all_names(parts: Iterable[Logic]) -> frozenset[str]:
    return frozenset[str]().union(*(part.names for part in parts))


def _relation(reading: Reading, element: etree._Element) -> Logic:
    document = reading.document
    document.refuse_strangers(element, "column", "row", *SILENT)
    columns = list(document.children(element, "column"))
    names = [_name(reading, column) for column in columns]
    _check_different(reading, element, names, "columns")
    rows = tuple(_row(reading, row, columns) for row in document.children(element, "row"))
    cells = [cell for row in rows for cell in row]
    return Relation(columns=tuple(names), rows=rows, names=_all_names(cells))


def _row(
    reading: Reading, element: etree._Element, columns: list[etree._Element]
) -> tuple[Logic, ...]:
    reading.document.refuse_strangers(element, *LOGIC_NAMES, *SILENT)
    cells = [_read(reading.inside(), e, "") for e in _expressions(reading, element)]
    if len(cells) != len(columns):
        problem = f"it has {len(cells)} cells, and the relation {len(columns)} columns"
        reading.document.refuse(element, problem, "Give it one cell for each column")
        return tuple(_NULL for _ in columns)
    return tuple(typed(reading, c, cell) for c, cell in zip(columns, cells, strict=True))


def _invocation(reading: Reading, element: etree._Element) -> Logic:
    document = reading.document
    document.refuse_strangers(element, "binding", *LOGIC_NAMES, *SILENT)
    called = read_logic(reading, element)
    bindings = tuple(_binding(reading, b) for b in document.children(element, "binding"))
    _check_different(reading, element, [name for name, _ in bindings], "bindings")
    label = called.expression.text if isinstance(called, Literal) else "its expression"
    names = _all_names((called, *(logic for _, logic in bindings)))
    return Invocation(called=called, bindings=bindings, label=label, names=names)


def _binding(reading: Reading, element: etree._Element) -> tuple[str, Logic]:
    document = reading.document
    document.refuse_strangers(element, "parameter", *LOGIC_NAMES, *SILENT)
    parameter = document.child(element, "parameter")
    if parameter is None:
        document.refuse(element, "it has no parameter", "Name the parameter that it is for")
        return "", _NULL
    # By the schema the expression may be left out: the parameter is then null.
    empty = next(document.children(element, *LOGIC_NAMES), None) is None
    logic = _NULL if empty else read_logic(reading, element)
    return _name(reading, parameter), typed(reading, parameter, logic)


def _conditional(reading: Reading, element: etree._Element) -> Logic:
    reading.document.refuse_strangers(element, "if", "then", "else", *SILENT)
    condition, first, second = (_part(reading, element, n) for n in ("if", "then", "else"))
    names = _all_names((condition, first, second))
    return Conditional(condition=condition, first=first, second=second, names=names)


def _part(reading: Reading, element: etree._Element, name: str) -> Logic:
    """Read the expression inside the child of this name."""
    part = reading.document.child(element, name)
    if part is None:
        reading.document.refuse(element, f"it has no {name!r}", "Give it one")
        return _NULL
    reading.document.refuse_strangers(part, *LOGIC_NAMES, *SILENT)
    return typed(reading, part, read_logic(reading, part))


def _filter(reading: Reading, element: etree._Element) -> Logic:
    reading.document.refuse_strangers(element, "in", "match", *SILENT)
    source = _part(reading, element, "in")
    condition = _part(reading.with_names([ITEM, *reading.members]), element, "match")
    label = condition.expression.text if isinstance(condition, Literal) else "filter"
    return Filter(source=source, condition=condition, label=label, names=source.names)


def _for(reading: Reading, element: etree._Element) -> Logic:
    return _iterator(reading, element, "return")


def _quantifier(reading: Reading, element: etree._Element) -> Logic:
    return _iterator(reading, element, "satisfies")


def _iterator(reading: Reading, element: etree._Element, inside: str) -> Logic:
    reading.document.refuse_strangers(element, "in", inside, *SILENT)
    variable = normal(element.get("iteratorVariable", ""))
    if not variable:
        reading.document.refuse(element, "it has no iterator variable", "Name it")
    source, item = _source(reading, element)
    kind = reading.document.name(element)
    known = frozenset({variable, PARTIAL} if kind == "for" else {variable})
    body = _part(reading.with_names(known), element, inside)
    partial = kind == "for" and PARTIAL in body.names
    loop = {"for": FOR_WITH_PARTIAL if partial else FOR, "some": SOME, "every": EVERY}[kind]
    return Iterator(
        loop=loop,
        variables=(variable, PARTIAL) if partial else (variable,),
        item=item,
        source=source,
        body=body,
        names=source.names | (body.names - known),
    )


def _source(reading: Reading, element: etree._Element) -> tuple[Logic, Type | None]:
    """Read what a loop goes over, and the type of its items where that is what is declared."""
    part = reading.document.child(element, "in")
    declared = ANY if part is None else reading.types.of(part)
    if part is None or declared is ANY or isinstance(bare(declared), (ListType, RangeType)):
        return _part(reading, element, "in"), None
    reading.document.refuse_strangers(part, *LOGIC_NAMES, *SILENT)
    return read_logic(reading, part), declared


_READERS: dict[str, Reads] = {
    "literalExpression": _literal,
    "decisionTable": read_table,
    "context": _context,
    "list": _list,
    "relation": _relation,
    "invocation": _invocation,
    "conditional": _conditional,
    "filter": _filter,
    "for": _for,
    "some": _quantifier,
    "every": _quantifier,
}
LOGIC_NAMES = (*_READERS, "functionDefinition")
"""The names of the elements that are boxed expressions."""
