"""What the runs that a timer starts are about, from XML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilothouse.bpmn.definition import About, SnapshotChoice

if TYPE_CHECKING:
    from pilothouse.bpmn.reading import Reading
    from pilothouse.bpmn.xml import Element

EVERY_SERVICE = "*"


def read_about(reading: Reading, element: Element | None) -> About | None:
    """Read a pilothouse:about: its services, and which snapshot of each."""
    if element is None:
        return None
    names = reading.literal(element, "services", what="services that its runs are about")
    services = tuple(name.strip() for name in names.split(",") if name.strip())
    chosen = (element.get("snapshot") or SnapshotChoice.NONE).strip()
    stage = (element.get("stage") or "").strip()
    if chosen not in set(SnapshotChoice):
        reading.reject(
            element,
            f"the snapshot {chosen!r} is not known",
            f"Choose one of {', '.join(SnapshotChoice)}.",
        )
        chosen = SnapshotChoice.NONE
    if (chosen == SnapshotChoice.CHAMPION) != bool(stage):
        reading.reject(
            element,
            "a champion is that of a stage, and only a champion is",
            'Write snapshot="champion" and the stage, such as stage="PROD", or neither.',
        )
    return About(
        services=None if services == (EVERY_SERVICE,) else services,
        snapshot=SnapshotChoice(chosen),
        stage=stage,
    )
