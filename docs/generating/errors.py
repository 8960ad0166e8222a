"""Every deliberate error by its code: when it is raised, with which HTTP status, and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.generating.markdown import code, prose, table
from docs.generating.source import import_everything, message_of, summary
from pilothouse.api.errors import FRAMEWORK_PROBLEMS, status_of_kind
from pilothouse.domain.contracts import ViolationCode
from pilothouse.domain.errors import PilothouseError
from pilothouse.evaluator.errors import EvaluatorError
from pilothouse.oip.errors import ProtocolError
from pilothouse.scoring.http.problems import status_of
from pilothouse.scoring.tables.blocks import RecordProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = type[PilothouseError] | type[ProtocolError] | type[EvaluatorError]
SHARED = ("pilothouse.domain", "pilothouse.artifacts")
SCORING = ("pilothouse.scoring", "pilothouse.oip")
COMPILED = ("pilothouse.evaluator",)
CLIENTS = ("pilothouse.cli", "pilothouse.sdk")


def kinds() -> tuple[Kind, ...]:
    """Give every error of the package that has a code of its own."""
    import_everything()
    found = {*_below(PilothouseError), *_below(ProtocolError), *_below(EvaluatorError)}
    own = (k for k in found if k.__module__.startswith("pilothouse.") and "code" in vars(k))
    return tuple(sorted(own, key=lambda k: (k.code, k.__module__)))


def _below(kind: Kind) -> Iterator[Kind]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _below(narrower)


def where(kind: Kind) -> str:
    """Say who raises an error: the control plane, a scoring process or job, both, a compiled model, or a client."""
    if kind.__module__.startswith(CLIENTS):
        return "client"
    if kind.__module__.startswith(COMPILED):
        return "compiled model"
    if kind.__module__.startswith(SHARED):
        return "both"
    return "scoring" if kind.__module__.startswith(SCORING) else "control plane"


def status(kind: Kind) -> int | None:
    """Give the HTTP status that an error is answered with; None for one of a client or of a compiled model."""
    if issubclass(kind, EvaluatorError):
        return None  # no entry raises one yet
    match where(kind):
        case "client":
            return None
        case "scoring":
            return int(status_of(kind.__new__(kind)))  # by its class alone
        case _ if issubclass(kind, PilothouseError):
            return status_of_kind(kind)
        case _:
            return None


def errors() -> str:
    """Write a table to find a code by, then each code with its words."""
    known = kinds()
    index = table(
        ("code", "status", "by", "when"),
        (
            (
                f"[`{k.code}`](#{k.code})",
                status(k) or "",
                where(k),
                prose(summary(k)),
            )
            for k in known
        ),
    )
    codes = dict.fromkeys(k.code for k in known)
    sections = [_section(c, [k for k in known if k.code == c]) for c in codes]
    return "\n\n".join((index, "## What each says", *sections))


def _section(name: str, found: list[Kind]) -> str:
    return "\n\n".join((f"### {name}", *(_words(kind) for kind in found)))


def _words(kind: Kind) -> str:
    number = status(kind)
    by = {"both": "control plane and scoring"}.get(where(kind), where(kind))
    label = f"`{kind.__name__}`, {by}" + (f", HTTP {number}" if number else "")
    message = " ".join(message_of(kind).split())
    return f"{prose(summary(kind))} ({label})" + (f"\n\n> {_quoted(message)}" if message else "")


def _quoted(message: str) -> str:
    return message.replace("<", "&lt;").replace("*", "\\*")


def framework_problems() -> str:
    """Write the codes that no error class stands for."""
    rows = ((code(name), status, means) for name, status, means in FRAMEWORK_PROBLEMS)
    return table(("code", "status", "when"), rows)


def violations() -> str:
    """Write the codes of single values that break a schema."""
    means = {
        ViolationCode.NULL: "the value is null and the column is not nullable",
        ViolationCode.TYPE: "the value is not of the column's type, or the type cannot hold it exactly",
        ViolationCode.NOT_FINITE: "the number is NaN or infinite",
        ViolationCode.RANGE: "the number is below `minimum` or above `maximum`",
        ViolationCode.CATEGORY: "the value is none of `categories`",
    }
    return table(("code", "when"), ((code(c.value), means[c]) for c in ViolationCode))


def record_problems() -> str:
    """Write the codes of whole records of a file."""
    means = {
        RecordProblem.MALFORMED: "the line or row is not of the file's format",
        RecordProblem.TOO_LONG: "the record is longer than any may be",
        RecordProblem.MISSING: "a column that the model asks for is not in the record",
        RecordProblem.NOT_TEXT: "the bytes are not UTF-8",
        RecordProblem.MODEL: "the model failed on this record alone; written `model:CODE` with the error's code",
    }
    return table(("code", "when"), ((code(p.value), means[p]) for p in RecordProblem))
