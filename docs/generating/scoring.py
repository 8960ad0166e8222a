"""What a scoring entry answers: statuses, limits, metrics; and what jobs measure."""

from __future__ import annotations

import ast
from dataclasses import fields
from typing import TYPE_CHECKING

from docs.generating.markdown import code, prose, table
from docs.generating.source import attributes, calls, member_comments, words
from pilothouse.domain.desired import Limits, LogState
from pilothouse.scoring.columns import DATATYPES, SUITABLE
from pilothouse.scoring.counters import (
    Counters,
    GaugeCollector,
    Outcome,
    ShadowOutcome,
)
from pilothouse.scoring.deployments import HostingLimits
from pilothouse.scoring.http import connection
from pilothouse.scoring.http.messages import HttpLimits
from pilothouse.scoring.log.hosted import metrics as metrics_of_log
from pilothouse.scoring.log.recorder import Recorded
from pilothouse.scoring.log.rows import SCHEMAS
from pilothouse.scoring.log.spool import DropReason, SpoolLimits
from pilothouse.scoring.log.status import WriterStatus
from pilothouse.scoring.sandbox import IsolationLevel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client.core import Metric

    from pilothouse.domain.ids import ServiceTag

LIMIT_MEANINGS = {
    "body_bytes": "The largest body.",
    "header_bytes": "The largest head: request line and headers together.",
    "header_timeout_s": "How long the head may take to come in.",
    "body_timeout_s": "How long the body may take to come in.",
    "retry_first_s": "The pause before a failed deployment is tried again for the first time; it doubles.",
    "retry_most_s": "The longest such pause.",
    "memory_bytes": "Memory of a model's own process.",
    "open_files": "Files that it may have open.",
    "load_timeout_s": "How long it may take to load.",
    "score_timeout_s": "How long one call of the model may take.",
}
OUTCOMES = {
    Outcome.SUCCESS: "answered",
    Outcome.FAILED: "the model failed, or the entry did",
    Outcome.DENIED: "no token, a wrong one, or one for other services",
    Outcome.OVERLOADED: "the queue was full",
    Outcome.UNAVAILABLE: "nobody ready to answer",
    Outcome.LATE: "the deadline passed",
    Outcome.CANCELLED: "the caller went away",
}


class Silent:
    """An entry at which nothing happens."""

    def queues(self) -> Iterable[tuple[str, str, int]]:
        """Give no queue."""
        return ()

    def states(self) -> Iterable[tuple[str, str, str]]:
        """Give no deployment."""
        return ()

    def routes(self) -> Mapping[ServiceTag, int]:
        """Give no route."""
        return {}

    def restarts(self) -> int:
        """Give no restart."""
        return 0

    def connections(self) -> int:
        """Give no connection."""
        return 0

    def refusals(self) -> Mapping[str, int]:
        """Give no refusal."""
        return {}


def families() -> tuple[Metric, ...]:
    """Give every family of metrics that an entry shows."""
    written = WriterStatus(pid=0, at_us=0)
    log = metrics_of_log(LogState.ON, Recorded(), starts=0, written=written)
    return (*Counters().collect(), *GaugeCollector(Silent()).collect(), *log)


def metrics() -> str:
    """Write the metrics."""
    rows = (
        (
            code(f"{m.name}_total" if m.type == "counter" else m.name),
            m.type,
            ", ".join(code(label) for label in getattr(m, "_labelnames", ())),
            m.documentation,
        )
        for m in families()
    )
    shown = table(("metric", "type", "labels", "meaning"), rows)
    return f"{shown}\n\n{_outcomes()}"


def spool_limits() -> str:
    """Write how much of the disk the log may take."""
    said = attributes(SpoolLimits)
    rows = [
        (code(f.name), f"{getattr(SpoolLimits(), f.name):,}", prose(said[f.name]))
        for f in fields(SpoolLimits)
    ]
    return table(("limit", "value", "meaning"), rows)


def log_tables() -> str:
    """Write the columns of the log's tables."""
    rows = [
        (code(name.value), ", ".join(f"{code(f.name)} {f.type}" for f in schema))
        for name, schema in SCHEMAS.items()
    ]
    return table(("table", "columns"), rows)


def log_states() -> str:
    """Write the states of a log."""
    said = {**member_comments(LogState), "on": "it is kept"}
    return table(("state", "means"), ((code(s.value), said[s.value]) for s in LogState))


def drop_reasons() -> str:
    """Write why a row may be dropped."""
    said = member_comments(DropReason)
    return table(("reason", "means"), ((code(r.value), said[r.value]) for r in DropReason))


def _outcomes() -> str:
    said = {**member_comments(Outcome), **{o.value: m for o, m in OUTCOMES.items()}}
    rows = ((code(o.value), said[o.value]) for o in Outcome)
    shadows = ", ".join(code(o.value) for o in ShadowOutcome)
    shown = table(("outcome of a request", "means"), rows)
    return f"{shown}\n\nA shadow's copy ends in {shadows}; `dropped` is a full queue or a model that does not run."


def limits() -> str:
    """Write what clients and models may use."""
    said = {**attributes(HttpLimits), **attributes(HostingLimits), **LIMIT_MEANINGS}
    rows = [
        (code(f.name), f"{getattr(kind(), f.name):,}", prose(said[f.name]))
        for kind in (HttpLimits, HostingLimits, Limits)
        for f in fields(kind)
    ]
    return table(("limit", "value", "meaning"), rows)


def refusals() -> str:
    """Write the answers of the HTTP floor, which no error class stands for."""
    rows = sorted(set(_refused()))
    return table(("code", "status", "says"), ((code(c), s, w) for c, s, w in rows))


def _refused() -> Iterator[tuple[str, int, str]]:
    for call, _ in calls(connection, "_refuse"):
        match call.args:
            case [ast.Constant(value=int(status)), ast.Constant(value=str(name)), said]:
                yield name, status, words(said)


def datatypes() -> str:
    """Write which datatype a column's type has, and which it takes."""
    rows = (
        (code(kind.value), code(given.value), ", ".join(sorted(d.value for d in SUITABLE[kind])))
        for kind, given in DATATYPES.items()
    )
    return table(("column", "datatype", "takes"), rows)


def isolation() -> str:
    """Write the levels of isolation."""
    means = {
        IsolationLevel.SANDBOX: "an own process with limits, in a bubblewrap sandbox: no network, no other process, "
        "no capability, only its own files, read-only",
        IsolationLevel.PROCESS: "an own process with limits, and no sandbox, because this host cannot run one",
    }
    return table(("isolation", "means"), ((code(i.value), means[i]) for i in IsolationLevel))
