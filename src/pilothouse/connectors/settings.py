"""What every connector is built from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from pilothouse.ports.connectors import Connector

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.domain.ids import GroupName
    from pilothouse.domain.policies import ModelPolicy
    from pilothouse.ports.clock import Clock, Ids
    from pilothouse.ports.secrets import SecretSource


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionLog:
    """
    Where entries write their prediction logs.

    Attributes
    ----------
    tables
        An absolute folder or a URL.
    hash_key
        Reference to the key that sensitive values are hashed with, resolved by the entry; empty for none.
    """

    tables: str
    hash_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSettings:
    """
    What the control plane tells a connector, whatever its kind.

    Attributes
    ----------
    home
        The folder of the control plane on this host, absolute.
    artifacts
        The URL of the artefact store, as a runtime opens it.
    clock, ids
        Where time and randomness come from.
    secrets
        Resolves the references that a runtime's options may hold.
    policy_of
        Says what the models of a group are granted.
    environment
        The control plane's own environment; a connector passes on what its allow-list names and nothing else.
    scoring_token
        The platform's own scoring token, which load tests ask endpoints with.
    prediction_log
        Where entries write their prediction logs; None for nowhere.
    granted
        Variables that an operator grants to runtimes on purpose, such as read-only credentials of the store.
    """

    home: Path
    artifacts: str
    clock: Clock
    ids: Ids
    secrets: SecretSource
    policy_of: Callable[[GroupName], ModelPolicy]
    environment: Mapping[str, str] = field(repr=False)
    scoring_token: str = field(default="", repr=False)
    prediction_log: PredictionLog | None = None
    granted: Mapping[str, str] = field(default_factory=dict, repr=False)


BuildConnector: TypeAlias = Callable[[ConnectorSettings], Connector]
