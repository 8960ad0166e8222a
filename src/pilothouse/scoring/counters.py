"""Everything counted, and shown in Prometheus' text form from a registry of the entry's own."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, TypeVar

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    UnknownMetricFamily,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector

    from pilothouse.domain.ids import ServiceTag

LATENCY_EDGES_S = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
Labels = TypeVar("Labels", bound=tuple[str, ...])
EXPOSITION = b"text/plain; version=0.0.4; charset=utf-8"


class Outcome(StrEnum):
    """How a request to score ended."""

    SUCCESS = "success"
    REJECTED = "rejected"  # the rows break the contract
    INVALID = "invalid"  # the message breaks the protocol
    DENIED = "denied"
    UNKNOWN = "unknown"  # no such service or version
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    LATE = "late"
    FAILED = "failed"
    CANCELLED = "cancelled"


FAILURES = frozenset({Outcome.UNAVAILABLE, Outcome.LATE, Outcome.FAILED})


class ShadowOutcome(StrEnum):
    """How a shadow's copy of a request ended."""

    SUCCESS = "success"
    REJECTED = "rejected"
    FAILED = "failed"
    DROPPED = "dropped"  # its queue was full, or it does not run


class Latencies:
    """Counts of durations by fixed edges; `+Inf` last."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENCY_EDGES_S) + 1)
        self.total_s = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(LATENCY_EDGES_S, seconds)] += 1
        self.total_s += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Give the cumulative counts, as Prometheus wants them."""
        cumulative, rows = 0, []
        edges = [*(repr(e) for e in LATENCY_EDGES_S), "+Inf"]
        for edge, count in zip(edges, self.counts, strict=True):
            cumulative += count
            rows.append((edge, float(cumulative)))
        return rows


class Gauges(Protocol):
    """What is read at the moment somebody looks."""

    def queues(self) -> Iterable[tuple[str, str, int]]:
        """Give (service, snapshot, calls waiting or running)."""
        ...

    def states(self) -> Iterable[tuple[str, str, str]]:
        """Give (service, snapshot, state)."""
        ...

    def routes(self) -> Mapping[ServiceTag, int]:
        """Give the route generation in effect by service."""
        ...

    def restarts(self) -> int:
        """Give how often models were started again."""
        ...

    def connections(self) -> int:
        """Give how many connections are open."""
        ...

    def refusals(self) -> Mapping[str, int]:
        """Give how many requests the HTTP floor itself refused, by code."""
        ...


class Counters:
    """
    Counts of the entry; every method is called in the event loop.

    Services and snapshots are labels only once they are known here, so nobody can grow the registry by
    asking for names at random.
    """

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str, Outcome]] = Counter()
        self._rows: Counter[tuple[str, str]] = Counter()
        self._violations: Counter[tuple[str, str, str]] = Counter()
        self._coerced: Counter[tuple[str, str]] = Counter()
        self._shadows: Counter[tuple[str, str, ShadowOutcome]] = Counter()
        self._latencies: dict[tuple[str, str], Latencies] = {}

    def request(self, service: str, snapshot: str, outcome: Outcome, seconds: float) -> None:
        """Count a request to score and how long it took."""
        self._requests[service, snapshot, outcome] += 1
        latencies = self._latencies.get((service, snapshot))
        if latencies is None:
            latencies = self._latencies[service, snapshot] = Latencies()
        latencies.add(seconds)

    def rows(self, service: str, snapshot: str, rows: int) -> None:
        """Count rows that were answered."""
        self._rows[service, snapshot] += rows

    def violation(self, service: str, column: str, code: str) -> None:
        """Count a value that broke its column's contract; only the schema's own columns come here."""
        self._violations[service, column, code] += 1

    def coerced(self, service: str, snapshot: str, values: int) -> None:
        """Count values that were converted."""
        self._coerced[service, snapshot] += values

    def shadow(self, service: str, snapshot: str, outcome: ShadowOutcome) -> None:
        """Count a shadow's copy of a request."""
        self._shadows[service, snapshot, outcome] += 1

    def total(self, *outcomes: Outcome) -> int:
        """Give how many requests ended so; all of them where none is named."""
        return sum(n for (_, _, o), n in self._requests.items() if not outcomes or o in outcomes)

    def shadows(self, *outcomes: ShadowOutcome) -> int:
        """Give how many shadow copies ended so."""
        return sum(n for (_, _, o), n in self._shadows.items() if o in outcomes)

    def collect(self) -> Iterable[Metric]:
        """Give the counts as Prometheus metrics."""
        yield counter(
            "pilothouse_requests",
            "Requests to score, by how they ended.",
            ("service", "snapshot", "outcome"),
            self._requests,
        )
        yield from self._as_others_name_them()
        yield counter("pilothouse_rows", "Rows answered.", ("service", "snapshot"), self._rows)
        yield counter(
            "pilothouse_violations",
            "Values that broke their column's contract.",
            ("service", "column", "kind"),
            self._violations,
        )
        yield counter(
            "pilothouse_coerced_values", "Values converted.", ("service", "snapshot"), self._coerced
        )
        yield counter(
            "pilothouse_shadow_requests",
            "Copies of requests that shadows saw.",
            ("service", "snapshot", "outcome"),
            self._shadows,
        )
        durations = HistogramMetricFamily(
            "pilothouse_request_duration_seconds",
            "From the last byte of a request to its answer.",
            labels=("service", "snapshot"),
        )
        for labels, latencies in self._latencies.items():
            durations.add_metric(labels, latencies.buckets(), latencies.total_s)
        yield durations

    def _as_others_name_them(self) -> Iterable[Metric]:
        """Give success and failure under the names that dashboards of other inference servers read."""
        counted: dict[bool, Counter[tuple[str, ...]]] = {True: Counter(), False: Counter()}
        for (service, snapshot, outcome), number in self._requests.items():
            counted[outcome is Outcome.SUCCESS][service, snapshot.partition("@")[2]] += number
        for success, name in ((True, "success"), (False, "failure")):
            yield counter(
                f"model_infer_request_{name}",
                f"Requests to score that ended in {name}.",
                ("model_name", "model_version"),
                counted[success],
            )
            yield _plain(
                f"nv_inference_request_{name}",
                f"Requests to score that ended in {name}, as Triton names it.",
                counted[success],
            )
        rows = {(s, n.partition("@")[2]): float(rows) for (s, n), rows in self._rows.items()}
        yield _plain("nv_inference_count", "Rows answered, as Triton names it.", rows)
        took = {
            (s, n.partition("@")[2]): latencies.total_s * 1e6
            for (s, n), latencies in self._latencies.items()
        }
        yield _plain(
            "nv_inference_request_duration_us",
            "Time of all requests together, as Triton names it.",
            took,
        )


class GaugeCollector:
    """Shows what is read at the moment somebody looks."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        """Give the gauges as Prometheus metrics."""
        waiting = GaugeMetricFamily(
            "pilothouse_queue_depth", "Calls waiting or running.", labels=("service", "snapshot")
        )
        for service, snapshot, depth in self._gauges.queues():
            waiting.add_metric((service, snapshot), depth)
        states = GaugeMetricFamily(
            "pilothouse_deployments", "Deployments held.", labels=("service", "snapshot", "state")
        )
        for labels, number in Counter(self._gauges.states()).items():
            states.add_metric(labels, number)
        routes = GaugeMetricFamily(
            "pilothouse_route_generation", "Generation of the route in effect.", labels=("service",)
        )
        for service, generation in self._gauges.routes().items():
            routes.add_metric((service,), generation)
        yield from (waiting, states, routes)
        yield GaugeMetricFamily(
            "pilothouse_connections", "Open connections.", value=self._gauges.connections()
        )
        yield CounterMetricFamily(
            "pilothouse_model_restarts",
            "Models started again because their process had ended.",
            value=self._gauges.restarts(),
        )
        refused = {(code,): number for code, number in self._gauges.refusals().items()}
        yield counter(
            "pilothouse_http_refusals",
            "Requests refused before they reached a service.",
            ("code",),
            refused,
        )


def exposition(*collectors: Collector) -> Callable[[], bytes]:
    """
    Give a function that writes the metrics as text.

    Parameters
    ----------
    collectors
        Whatever has a `collect`.
    """
    registry = CollectorRegistry(auto_describe=False)
    for collector in collectors:
        registry.register(collector)
    return lambda: generate_latest(registry)


def _plain(name: str, words: str, counts: Mapping[Labels, float]) -> Metric:
    """Give counts under a name without ``_total``, which a counter would get."""
    family = UnknownMetricFamily(name, words, labels=("model", "version"))
    for values, number in counts.items():
        family.add_metric(values, number)
    return family


def counter(
    name: str,
    words: str,
    labels: tuple[str, ...],
    counts: Mapping[Labels, int],
) -> Metric:
    """Give counts by labels as a Prometheus counter."""
    family = CounterMetricFamily(name, words, labels=labels)
    for values, number in counts.items():
        family.add_metric(tuple(map(str, values)), number)
    return family
