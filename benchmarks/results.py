"""What a benchmark found: measurements with their spread, ratios with their targets, as JSON and as a table."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import Console

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One figure, taken several times; the median counts, the extremes show the noise."""

    name: str
    unit: str
    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle sample."""
        return median(self.samples)

    def plain(self) -> dict[str, object]:
        """Give the measurement as JSON values."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": _rounded(self.median),
            "min": _rounded(min(self.samples)),
            "max": _rounded(max(self.samples)),
            "samples": [_rounded(s) for s in self.samples],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """
    Ours divided by the peer's, pair by pair.

    Attributes
    ----------
    target
        What the ratio must reach; None where nobody has set one.
    at_most
        Whether the target is a ceiling (costs) rather than a floor (speeds).
    """

    name: str
    pairs: tuple[float, ...]
    target: float | None = None
    at_most: bool = False

    @property
    def ratio(self) -> float:
        """The middle pair's ratio."""
        return median(self.pairs)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.target is None:
            return None
        return self.ratio <= self.target if self.at_most else self.ratio >= self.target

    def plain(self) -> dict[str, object]:
        """Give the ratio as JSON values."""
        return {
            "name": self.name,
            "ratio": _rounded(self.ratio),
            "spread": [_rounded(min(self.pairs)), _rounded(max(self.pairs))],
            "target": self.target,
            "met": self.met,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What one part of a benchmark found."""

    measurements: tuple[Measurement, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    notes: tuple[str, ...] = ()

    def __add__(self, other: Findings) -> Findings:
        """Put two parts together."""
        return Findings(
            measurements=self.measurements + other.measurements,
            ratios=self.ratios + other.ratios,
            notes=self.notes + other.notes,
        )


def paired(name: str, ours: Sequence[float], peers: Sequence[float]) -> Ratio:
    """Give the ratio of samples that were taken in turns."""
    return Ratio(name=name, pairs=tuple(a / b for a, b in zip(ours, peers, strict=True)))


def document(findings: Findings, *, facts: Mapping[str, object]) -> dict[str, object]:
    """Give everything as one JSON document; `facts` say where, when and on what it was measured."""
    return {
        "schema": SCHEMA,
        **facts,
        "notes": list(findings.notes),
        "measurements": [m.plain() for m in findings.measurements],
        "ratios": [r.plain() for r in findings.ratios],
    }


def show(findings: Findings, console: Console) -> None:
    """Print the measurements, the ratios and the notes."""
    table = Table("measurement", "unit", title="Measured (median of the samples)")
    for name in ("median", "min", "max"):
        table.add_column(name, justify="right")
    for m in findings.measurements:
        shown = (m.median, min(m.samples), max(m.samples))
        table.add_row(m.name, m.unit, *(f"{_rounded(s):g}" for s in shown))
    console.print(table)
    ratios = Table("ratio: Pilothouse / peer", title="Against the peer, pair by pair")
    for name in ("ratio", "min", "max", "target", "met"):
        ratios.add_column(name, justify="right")
    for r in findings.ratios:
        shown = (r.ratio, min(r.pairs), max(r.pairs))
        target, met = ("none set", "-") if r.target is None else (f"{r.target:g}", str(r.met))
        ratios.add_row(r.name, *(f"{_rounded(s):g}" for s in shown), target, met)
    console.print(ratios)
    for note in findings.notes:
        console.print(f"- {note}")


def _rounded(figure: float) -> float:
    return float(f"{figure:.4g}")
