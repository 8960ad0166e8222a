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
    """A tensor is neither a column nor a matrix of rows."""

    code = "tensor-shape"

    def __init__(self, *, tensor: str, shape: tuple[int, ...]) -> None:
        self.tensor, self.shape = tensor, shape[:8]
        super().__init__(
            f"Tensor {tensor!r} has shape {list(shape[:8])}. Send one tensor per column, of shape [n] or [n, 1], "
            "or a matrix [n, columns], with n of 1 or more."
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
            "one list a row."
        )


class DatatypeUnknownError(ProtocolError):
    """A datatype is none of the protocol's, or the form of the message has none for it."""

    code = "datatype-unknown"

    def __init__(self, *, tensor: str, datatype: str, known: tuple[str, ...]) -> None:
        self.tensor, self.datatype, self.known = tensor, datatype[:40], known
        super().__init__(
            f"Tensor {tensor!r} has datatype {datatype[:40]!r}, which cannot be read here. "
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


class BinaryHeaderError(ProtocolError):
    """The header that says where the JSON ends is wrong."""

    code = "binary-header"

    def __init__(self, *, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"The header 'Inference-Header-Content-Length' {problem}. Give the length in bytes of the JSON with "
            "which the body begins."
        )


class BinarySizeError(ProtocolError):
    """A tensor's binary data is not as long as its shape and datatype, or the body, say."""

    code = "binary-size"

    def __init__(self, *, tensor: str, problem: str) -> None:
        self.tensor, self.problem = tensor, problem
        super().__init__(
            f"Binary data of tensor {tensor!r}: {problem}. Send the tensors' bytes one after the other behind the "
            "JSON, each of 'binary_data_size' bytes: little-endian, BOOL a byte each, BYTES a 4-byte length and the text each."
        )


class ParameterInvalidError(ProtocolError):
    """A parameter of the protocol has a value that it cannot have, or asks for what is not done here."""

    code = "parameter-invalid"

    def __init__(self, *, parameter: str, problem: str) -> None:
        self.parameter, self.problem = parameter[:80], problem
        super().__init__(f"Parameter {parameter[:80]!r} {problem}. Correct it or leave it out.")


class NullUnsendableError(ProtocolError):
    """An answer has a null for which the form that was asked for has no sign."""

    code = "null-unsendable"

    def __init__(self, *, tensor: str, index: int, datatype: str) -> None:
        self.tensor, self.index, self.datatype = tensor, index, datatype
        super().__init__(
            f"Element {index} of output {tensor!r} is null, and {datatype} has no null outside JSON. "
            "Ask for this output in JSON."
        )
