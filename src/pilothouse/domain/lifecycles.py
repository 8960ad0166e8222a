"""Life cycles: uploaded definitions and decision tables, and the heading of each run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.ids import DefinitionId, GroupName, PersonId, ServiceTag, SnapshotId

ENCODINGS = ("utf-8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "windows-1252")
"""What an uploaded file may be written in: encodings in which every letter of the markup is one byte."""
_DECLARED = re.compile(r"""\A\ufeff?<\?xml[^>]*?\sencoding\s*=\s*["']([^"'>]*)["']""")


class EncodingUnsupportedError(InvalidError):
    """An uploaded file is not in an encoding that is read, or not in the one that it declares."""

    code = "encoding-unsupported"

    def __init__(self, *, encoding: str, problem: str) -> None:
        self.encoding, self.problem = encoding, problem
        super().__init__(
            f"The file says that its encoding is {encoding!r}, and {problem}. Save it as UTF-8."
        )


class DefinitionKind(StrEnum):
    """What a definition holds."""

    BPMN = "bpmn"
    DMN = "dmn"


class DefinitionState(StrEnum):
    """Whether new runs may start from a definition's version."""

    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """
    One version of a life cycle (BPMN) or of a decision file (DMN), as it was uploaded.

    Attributes
    ----------
    key
        The process id; for a decision file the id of its first decision that no other requires, or of the file
        itself where it has none.
    xml
        The text of the file; `source` gives its bytes.
    sha256
        Of the bytes; where the file imports others, of its bytes and theirs. The same one is the same version.
    namespace
        The namespace by which other decision files import it.
    decisions
        The ids of its decisions, each of which can be taken.
    imports
        The version, ``key@version``, that was found for each namespace that it needs, and is used ever after.
    """

    id: DefinitionId
    group: GroupName
    kind: DefinitionKind
    key: str
    definition_version: int
    name: str
    xml: str
    sha256: str
    start_signals: tuple[str, ...]
    state: DefinitionState
    uploaded_by: PersonId
    uploaded_at: datetime
    namespace: str | None = None
    decisions: tuple[str, ...] = ()
    imports: Mapping[str, str] = field(default_factory=dict)
    version: int = 1

    @property
    def full_name(self) -> str:
        """The name that people use, ``key@version``."""
        return f"{self.key}@{self.definition_version}"

    @property
    def source(self) -> bytes:
        """The bytes of the file, as they were uploaded."""
        return self.xml.encode(declared_encoding(self.xml))


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenDecision:
    """That a definition has a decision of this id: what decisions are found by."""

    id: str
    definition_id: DefinitionId
    group: GroupName
    decision: str


class StartKind(StrEnum):
    """What starts a run of a definition."""

    TIMER = "timer"
    MESSAGE = "message"
    SIGNAL = "signal"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartEvent:
    """
    A start event that is armed: one of the version that its group uses of a life cycle.

    Attributes
    ----------
    element
        The id of the start event.
    name
        Of the message or signal; empty for the other kinds.
    due_at, period, repeats_left
        When a timer fires next, and how it goes on, as the timers of runs do.
    attempt
        A fence: each claim of a timer adds one.
    """

    id: str
    definition_id: DefinitionId
    group: GroupName
    key: str
    kind: StartKind
    element: str
    name: str = ""
    due_at: datetime | None = None
    period: str | None = None
    repeats_left: int | None = None
    attempt: int = 0
    lease_owner: str | None = None
    lease_until: datetime | None = None


def declared_encoding(text: str) -> str:
    """
    Give the encoding that the text of an XML file declares, in small letters; UTF-8 where it declares none.

    Examples
    --------
    >>> declared_encoding('<?xml version="1.0" encoding="ISO-8859-1"?><a/>'), declared_encoding("<a/>")
    ('iso-8859-1', 'utf-8')
    """
    found = _DECLARED.match(text)
    return found[1].lower() if found else "utf-8"


def xml_text(source: bytes) -> str:
    r"""
    Read the bytes of an XML file by the encoding that it declares.

    Raises
    ------
    EncodingUnsupportedError
        When that encoding is none of `ENCODINGS`, or the bytes are not in it.

    References
    ----------
    .. [1] W3C, "Extensible Markup Language (XML) 1.0", fifth edition, section 4.3.3.

    Examples
    --------
    >>> xml_text(b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>')[-6:]
    '>é</a>'
    """
    head = source[:1000].removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    encoding = "utf-16" if source[:2] in (b"\xff\xfe", b"\xfe\xff") else declared_encoding(head)
    if encoding not in ENCODINGS or b"\0" in source:
        raise EncodingUnsupportedError(encoding=encoding, problem="that is not read here")
    try:
        return source.decode(encoding)
    except UnicodeDecodeError as error:
        problem = f"its byte {error.start + 1} is not"
        raise EncodingUnsupportedError(encoding=encoding, problem=problem) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeading:
    """What people look for in a run: whose it is, of which definition, for which snapshot and service."""

    run_id: str
    group: GroupName
    definition_id: DefinitionId
    definition: str  # key@version
    definition_key: str
    snapshot_id: SnapshotId | None
    snapshot: str | None
    digest: str | None
    service: ServiceTag | None
    author: PersonId | None
    started_at: datetime

    @property
    def id(self) -> str:
        """The run's id, which is the heading's key."""
        return self.run_id
