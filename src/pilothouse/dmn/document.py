"""
DMN files as XML, read without trust.

No document type, no entity, no network, one megabyte at most; encodings in which a document type could hide
are refused. Problems are collected, so that one upload shows all of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn, cast

from lxml import etree

from pilothouse.dmn.errors import DmnRejectedError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

MAXIMUM_BYTES = 1_000_000
"""The largest file, in bytes."""

MAXIMUM_PROBLEMS = 100
"""How many problems are collected before reading stops."""

NAMESPACES = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_PLAIN_ENCODINGS = (b"utf-8", b"us-ascii", b"ascii", b"iso-8859-1", b"windows-1252")


class Document:
    """
    A DMN file and the problems found in it so far.

    Parameters
    ----------
    xml
        The bytes of the file.
    limit
        How many problems are collected before reading stops.

    Raises
    ------
    DmnRejectedError
        When it is too large, not well formed, or no DMN.
    """

    def __init__(self, xml: bytes, *, limit: int = MAXIMUM_PROBLEMS) -> None:
        self.problems: list[Problem] = []
        self._limit = limit
        self.root = _parsed(xml)
        self._namespace = etree.QName(self.root).namespace or ""
        self._prefix = f"{{{self._namespace}}}"
        if self._namespace not in NAMESPACES or self.name(self.root) != "definitions":
            _reject_file(
                f"its root is {self.root.tag}, which is no DMN",
                "Give a DMN file of version " + ", ".join(NAMESPACES.values()),
            )

    @property
    def namespace(self) -> str:
        """The namespace that the file gives its own elements."""
        return str(self.root.get("namespace", ""))

    @property
    def version(self) -> str:
        """The version of DMN that it is written in."""
        return NAMESPACES[self._namespace]

    def name(self, element: etree._Element) -> str:
        """Give the name of an element of DMN; empty for an element of another language."""
        tag = str(element.tag)
        return tag[len(self._prefix) :] if tag.startswith(self._prefix) else ""

    def children(self, element: etree._Element, *names: str) -> Iterator[etree._Element]:
        """Go through the children of these names."""
        return (child for child in element if self.name(child) in names)

    def child(self, element: etree._Element, name: str) -> etree._Element | None:
        """Give the first child of this name."""
        return next(self.children(element, name), None)

    def text(self, element: etree._Element | None) -> str:
        """Give what stands in the ``text`` of an element, without outer white space."""
        holder = None if element is None else self.child(element, "text")
        return whole_text(holder) if holder is not None else ""

    def refuse(
        self,
        element: etree._Element,
        problem: str,
        cure: str,
        *,
        by_design: bool = False,
        runs: bool = False,
    ) -> None:
        """
        Note a problem; see `pilothouse.dmn.errors.Problem`.

        Raises
        ------
        DmnRejectedError
            When there are too many by now.
        """
        line = cast("int | None", element.sourceline) or 0
        self.problems.append(
            Problem(
                element=_label(element),
                line=line,
                problem=problem,
                cure=cure,
                by_design=by_design,
                runs=runs,
            )
        )
        if len(self.problems) >= self._limit:
            self._stop()

    def _stop(self) -> NoReturn:
        stopped = Problem(
            element="file",
            line=0,
            problem=f"reading stopped after {self._limit} problems; there may be more",
            cure="Correct these first",
        )
        raise DmnRejectedError(problems=(*self.problems, stopped))

    def refuse_strangers(self, element: etree._Element, *known: str) -> None:
        """Note every child of DMN's own that is not among the known ones."""
        for child in element:
            name = self.name(child)
            if name and name not in known:
                self.refuse(
                    child,
                    f"{name} is not supported in {self.name(element)}",
                    "Write it as DMN says, or take it out",
                )

    def close(self) -> None:
        """
        End the reading.

        Raises
        ------
        DmnRejectedError
            When problems were noted.
        """
        if self.problems:
            raise DmnRejectedError(problems=tuple(self.problems))


def whole_text(element: etree._Element) -> str:
    """Give all text inside an element, without outer white space."""
    return "".join(str(part) for part in element.itertext()).strip()


def _label(element: etree._Element) -> str:
    name = etree.QName(element).localname
    known_as = element.get("id") or element.get("name")
    above = element.getparent()
    if known_as:
        return f"{name} {known_as}"
    return name if above is None else f"{name} in {_label(above)}"


def parser_without_trust() -> etree.XMLParser:
    """Make a parser of XML that opens nothing, expands nothing and leaves comments out."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def _parsed(xml: bytes) -> etree._Element:
    _check_bytes(xml)
    try:
        root = etree.fromstring(xml, parser_without_trust())
    except etree.XMLSyntaxError as error:
        line = error.lineno or 0
        _reject_file(f"it is not well-formed XML: {error.msg}", "Correct the XML", line=line)
    if root.getroottree().docinfo.doctype:  # type: ignore[union-attr]  # the stubs do not know it
        _reject_document_type()
    return root


def _check_bytes(xml: bytes) -> None:
    if len(xml) > MAXIMUM_BYTES:
        _reject_file(f"it has {len(xml)} bytes", f"Keep it below {MAXIMUM_BYTES} bytes")
    if b"<!DOCTYPE" in xml:
        _reject_document_type()
    declared = _ENCODING.match(xml.removeprefix(b"\xef\xbb\xbf"))
    encoding = declared[1].lower() if declared else b"utf-8"
    if encoding not in _PLAIN_ENCODINGS or xml[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in xml:
        _reject_file("its encoding is not supported", "Save it as UTF-8")


def _reject_document_type() -> NoReturn:
    _reject_file("it has a document type (DOCTYPE)", "Take the DOCTYPE out")


def _reject_file(problem: str, cure: str, *, line: int = 0) -> NoReturn:
    raise DmnRejectedError(
        problems=(Problem(element="file", line=line, problem=problem, cure=cure),)
    )
