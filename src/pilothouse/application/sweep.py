"""The sweep: removes artefacts that nothing names any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pilothouse.ports.artifacts import ArtifactStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from pilothouse.domain.artifacts import StoredArtifact


class SweepableStore(ArtifactStore, Protocol):
    """A store that also knows what broken uploads left behind."""

    def discard_abandoned(self, *, older_than: datetime) -> int:
        """Remove what broken uploads left before `older_than`, and give how many there were."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What a sweep did: the artefacts removed, and how many were kept because they are named or young."""

    removed: tuple[StoredArtifact, ...]
    named: int
    young: int
    abandoned: int

    @property
    def bytes_removed(self) -> int:
        """The space that the removed artefacts took."""
        return sum(artifact.size for artifact in self.removed)


def sweep(
    store: SweepableStore, named: Callable[[], Iterable[str]], *, older_than: datetime
) -> Swept:
    """
    Remove every artefact that is older than `older_than` and that nothing names.

    An upload must be named (as a claim, where its snapshot is not taken yet) no later than the end of the
    grace period; what is young is never touched.

    Parameters
    ----------
    store
        Where the artefacts are.
    named
        Reads the SHA-256 of everything that is in use, afresh at each call; it is called again right before each
        removal, so what was named since the sweep began stays.
    older_than
        The end of the grace period: now less at least a day.

    Returns
    -------
    Swept
        What was removed and what was kept, and why.
    """
    kept = frozenset(named())
    removed: list[StoredArtifact] = []
    counted = {"named": 0, "young": 0}
    for artifact in list(store.stored()):
        if artifact.modified_at >= older_than:
            counted["young"] += 1
        elif artifact.sha256 in kept or artifact.sha256 in frozenset(named()):
            counted["named"] += 1
        else:
            store.remove(artifact.sha256)
            removed.append(artifact)
    abandoned = store.discard_abandoned(older_than=older_than)
    return Swept(removed=tuple(removed), abandoned=abandoned, **counted)
