"""Where secrets come from."""

from __future__ import annotations

from typing import Protocol


class SecretSource(Protocol):
    """
    Gives the secret that a reference names.

    A plug-in registers a function without parameters that gives a source, as an entry point of the group
    ``pilothouse.secret_sources`` whose name is the scheme it answers for.
    """

    def resolve(self, reference: str) -> str:
        """
        Read a secret now; it is never kept.

        Parameters
        ----------
        reference
            The whole reference with its scheme, such as ``env:SMTP_PASSWORD``.

        Raises
        ------
        SecretReferenceError
            When the text is not a reference that this source understands.
        SecretMissingError
            When there is no such secret, or it is empty.
        SecretExposedError
            When others could read it where it is kept.
        """
        ...
