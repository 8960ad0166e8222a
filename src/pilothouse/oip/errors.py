"""
How a message can break the protocol.

The protocol's package stands beside `pilothouse.domain` and imports none of it, so its errors have a root of
their own; they keep the same form: a stable ``code``, typed fields, and a message that names the cure.
"""

from __future__ import annotations

from typing import ClassVar


class ProtocolError(ValueError):
    """The root of every breach of the protocol."""

    code: ClassVar[str] = "protocol"

    @property
    def message(self) -> str:
        """The whole sentence that a person reads."""
        return str(self.args[0])


class MessageMalformedError(ProtocolError):
    """The message is not JSON, or not the protocol's JSON."""

    code = "message-malformed"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The request is not an Open Inference v2 message: {problem}. Send a JSON object with 'inputs', "
            "each with 'name', 'shape', 'datatype' and 'data'."
        )


class TensorRepeatedError(ProtocolError):
    """Two tensors have one name."""

    code = "tensor-repeated"

    def __init__(self, *, tensor: str) -> None:
        self.tensor = tensor
        super().__init__(f"Tensor {tensor!r} stands twice. Send each column once.")


class TensorShapeError(ProtocolError):
    """A tensor is not one column of rows."""

    code = "tensor-shape"

    def __init__(self, *, tensor: str, shape: tuple[int, ...]) -> None:
        self.tensor, self.shape = tensor, shape[:8]
        super().__init__(
            f"Tensor {tensor!r} has shape {list(shape[:8])}. Send one tensor per column, of shape [n] or [n, 1] "
            "with n of 1 or more."
        )


class TensorLengthError(ProtocolError):
    """A tensor's data has another number of elements than its shape says."""

    code = "tensor-length"

    def __init__(self, *, tensor: str, expected: int, found: int) -> None:
        self.tensor, self.expected, self.found = tensor, expected, found
        super().__init__(
            f"Tensor {tensor!r} holds {found} elements where its shape says {expected}. Correct the shape or the data."
        )


class TensorNestingError(ProtocolError):
    """A tensor's data is nested otherwise than its shape says."""

    code = "tensor-nesting"

    def __init__(self, *, tensor: str, index: int) -> None:
        self.tensor, self.index = tensor, index
        super().__init__(
            f"Tensor {tensor!r} is nested otherwise than its shape at element {index}. Send the data flat, or as "
            "rows of one element each."
        )


class DatatypeUnknownError(ProtocolError):
    """A datatype is none of the protocol's, or has no JSON form."""

    code = "datatype-unknown"

    def __init__(self, *, tensor: str, datatype: str, known: tuple[str, ...]) -> None:
        self.tensor, self.datatype, self.known = tensor, datatype[:40], known
        super().__init__(
            f"Tensor {tensor!r} has datatype {datatype[:40]!r}, which cannot be read from JSON. "
            f"Use one of {', '.join(known)}."
        )


class ElementInvalidError(ProtocolError):
    """An element is not of its tensor's datatype; its value is not repeated here, for it may be sensitive."""

    code = "element-invalid"

    def __init__(self, *, tensor: str, index: int, datatype: str, problem: str) -> None:
        self.tensor, self.index, self.datatype, self.problem = tensor, index, datatype, problem
        super().__init__(
            f"Element {index} of tensor {tensor!r} {problem}, which a {datatype} tensor cannot hold. "
            "Correct the value or the datatype."
        )
