"""Which variant answers: a pure choice by a stable hash of a key."""

from __future__ import annotations

import math
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pilothouse.domain.desired import DesiredRoute, DesiredVariant
    from pilothouse.domain.ids import DeploymentId


def choose(route: DesiredRoute, key: str) -> DeploymentId:
    """
    Choose the deployment that answers a key.

    By weighted rendezvous: every variant draws a number from the key and its own id, and the one with the
    largest ``-weight / ln(draw)`` wins. The same key always meets the same variant, on every host; when one variant's
    weight grows against another's, keys move to it and none moves back.

    Parameters
    ----------
    route
        A route with at least one variant of positive weight.
    key
        The sticky key, or the prediction id where there is none.

    References
    ----------
    .. [1] Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005.

    Examples
    --------
    >>> from pilothouse.domain.desired import DesiredRoute, DesiredVariant
    >>> only = DesiredVariant(deployment_id="dep_a", weight=1)
    >>> choose(DesiredRoute(service="cc-fraud", generation=1, variants=(only,)), "anyone")
    'dep_a'
    """
    variants = [v for v in route.variants if v.weight > 0]
    if len(variants) == 1:
        return variants[0].deployment_id
    encoded = key.encode("utf-8", "surrogatepass")
    return min(variants, key=lambda v: _distance(route.service, v, encoded)).deployment_id


def shadows(route: DesiredRoute, key: str) -> tuple[DeploymentId, ...]:
    """
    Give the shadows that see a key; a key that one sees at 10% it still sees at 20%.

    Examples
    --------
    >>> from pilothouse.domain.desired import DesiredRoute, DesiredVariant
    >>> every = DesiredVariant(deployment_id="dep_b", weight=1.0)
    >>> shadows(DesiredRoute(service="cc-fraud", generation=1, variants=(), shadows=(every,)), "anyone")
    ('dep_b',)
    """
    if not route.shadows:
        return ()
    encoded = key.encode("utf-8", "surrogatepass")
    return tuple(
        v.deployment_id
        for v in route.shadows
        if _draw("shadow:" + route.service, v.deployment_id, encoded) <= v.weight
    )


def _distance(service: str, variant: DesiredVariant, key: bytes) -> float:
    return -math.log(_draw(service, variant.deployment_id, key)) / variant.weight


@lru_cache(maxsize=4096)
def _seed(service: str, deployment: str) -> blake2b:
    return blake2b(f"{service}\0{deployment}\0".encode(), digest_size=8)


def _draw(service: str, deployment: str, key: bytes) -> float:
    """Draw a number in (0, 1]."""
    state = _seed(service, deployment).copy()
    state.update(key)
    return (int.from_bytes(state.digest()) + 1) / 2**64
