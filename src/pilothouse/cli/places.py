"""Places on the command line, ``LOCATION:PATH``."""

from __future__ import annotations

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.locations import Place


class PlaceInvalidError(InvalidError):
    """A text does not name a place."""

    code = "place-invalid"

    def __init__(self, *, text: str) -> None:
        self.text = text
        super().__init__(f"{text!r} is not a place. Write LOCATION:PATH, as in inbox:2016.parquet.")


def place(text: str) -> Place:
    """
    Read a place.

    Examples
    --------
    >>> place("inbox:2016/part.parquet").path
    '2016/part.parquet'
    """
    location, colon, path = text.partition(":")
    if not colon or not location or not path:
        raise PlaceInvalidError(text=text)
    return Place(location=location, path=path)
