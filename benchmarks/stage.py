"""What both sides of the scoring benchmarks stand on: one model, one store that holds its snapshot, one folder."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measuring import pinned
from benchmarks.model import REQUIRED, same_versions, write_model
from pilothouse.artifacts.store import open_store
from pilothouse.scoring.environments import Environments
from tests.entries.documents import one
from tests.entries.running import EntryClient, entry_process, make_home, settings_of
from tests.models.packages import checked, store_snapshot

if TYPE_CHECKING:
    from pilothouse.domain.desired import Desired
    from pilothouse.scoring.state import EntrySettings


PEERS = Path(__file__).parent / "peers"
PEER_LIBRARIES = (*REQUIRED, "fastapi", "httptools", "pyarrow", "pydantic", "uvicorn", "uvloop")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """
    A model folder, its snapshot in a store, and an entry's home.

    Attributes
    ----------
    folder
        Where everything of this benchmark lies.
    digest
        The snapshot's.
    home
        The home of an entry that holds the snapshot as its desired state, and so serves it when it is started.
    checked_s
        How long the check of the model folder took, with locking and building its environment.
    isolation
        What stands between the model and the host.
    peer_python
        The interpreter of the peers' own environment, with the same versions and nothing else: skops and scikit-learn
        import whatever they find beside them, so a developer's environment would cost the peers seconds.
    """

    folder: Path
    digest: str
    home: Path
    settings: EntrySettings
    checked_s: float
    isolation: str
    peer_python: Path

    @property
    def model_file(self) -> Path:
        """The model, as the peers load it."""
        return self.folder / "model" / "model.skops"

    def peer(self, name: str, **options: object) -> list[str]:
        """Give the command line of one of the peers' programs."""
        pairs = (("--" + key, str(value)) for key, value in options.items())
        program = str(PEERS / f"{name}.py")
        return [str(self.peer_python), program, *(word for pair in pairs for word in pair)]


def set_up(folder: Path, *, core: int) -> Stage:
    """Write the model, check it as the platform does, store its snapshot, and make an entry hold it."""
    model = write_model(folder / "model")
    settings = settings_of(folder)
    begun = time.perf_counter()
    environments = Environments(Path(settings.environments))
    report = checked(model, environments=environments, scratch=folder / "check")
    checked_s = time.perf_counter() - begun
    digest = store_snapshot(model, report, open_store(settings.artifacts))
    home = make_home(folder, settings)
    with pinned(core), entry_process(home):
        EntryClient(home).take(_held(digest))
    return Stage(
        folder=folder,
        digest=digest,
        home=home,
        settings=settings,
        checked_s=checked_s,
        isolation=report.isolation,
        peer_python=environments.ensure(environments.lock(same_versions(*PEER_LIBRARIES))).python,
    )


def _held(digest: str) -> Desired:
    wanted = one(1)
    return replace(wanted, deployments=(replace(wanted.deployments[0], digest=digest),))
