"""Scoring entries, asked as a consuming application asks them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pilothouse.domain.schemas import Scalar, Schema


class Entries(Protocol):
    """Sends records to a service's endpoint over the network."""

    def infer(
        self,
        url: str,
        *,
        number: int,
        schema: Schema,
        columns: Mapping[str, Sequence[Scalar]],
    ) -> Mapping[str, Sequence[Scalar]]:
        """
        Score records by one pinned snapshot, with the platform's own scoring token.

        Parameters
        ----------
        url
            The service's endpoint, ``http://host:port/v2/models/{service}``.
        number
            The snapshot's number.
        schema
            The model's input schema, which says each column's datatype.
        columns
            The records, column by column, all of one length.

        Raises
        ------
        UnavailableError
            When the endpoint does not answer or is not ready.
        InvalidError
            When it refuses the records.
        """
        ...
