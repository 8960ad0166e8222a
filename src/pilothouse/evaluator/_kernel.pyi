import numpy as np
from numpy.typing import NDArray

class Program:
    def __new__(
        cls,
        inputs: list[tuple[int, dict[str, float] | None]],
        operations: list[
            tuple[
                int,
                int,
                int,
                int,
                NDArray[np.generic],
                tuple[NDArray[np.generic], ...],
                tuple[NDArray[np.generic], ...],
            ]
        ],
        outputs: list[tuple[int, tuple[object, ...] | None]],
    ) -> Program: ...
    def row(self, values: list[object] | tuple[object, ...]) -> tuple[object, ...] | int: ...
    def block(
        self, rows: int, inputs: list[NDArray[np.float64]], outputs: list[NDArray[np.float64]]
    ) -> tuple[int, int]: ...
    def coded(self, input: int, values: list[object], into: NDArray[np.float64]) -> int: ...
