"""How much processor time attacks on expressions and decision files take until they are stopped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.results import Findings, Measurement, Ratio
from pilothouse.domain.errors import PilothouseError
from tests.fuzz.hostile import LIMIT_S, expressions, files

if TYPE_CHECKING:
    from tests.fuzz.hostile import Hostile

ROUNDS = 3


def measure() -> Findings:
    """Let each attack run a few times; the worst of all counts."""
    found = {hostile.name: _spent(hostile) for hostile in (*expressions(), *files())}
    worst = max(found, key=lambda name: max(found[name]))
    ceiling = Ratio(
        name=f"the worst of {len(found)} attacks ({worst}): CPU s / {LIMIT_S:g} s",
        pairs=tuple(s / LIMIT_S for s in found[worst]),
        target=1.0,
        at_most=True,
    )
    return Findings(
        measurements=tuple(
            Measurement(name=f"attack, processor time: {name}", unit="s", samples=samples)
            for name, samples in found.items()
        ),
        ratios=(ceiling,),
    )


def _spent(hostile: Hostile) -> tuple[float, ...]:
    samples = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        try:
            hostile.attack()
        except PilothouseError as error:
            if error.code != hostile.error:
                raise
        samples.append(time.process_time() - begun)
    return tuple(samples)
