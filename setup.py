"""The one thing that pyproject.toml cannot say for good: the kernel in C, left out where no compiler is."""

from __future__ import annotations

from pathlib import Path

from setuptools import Extension, setup

NATIVE = Path("src/pilothouse/evaluator/native")

setup(
    ext_modules=[
        Extension(
            "pilothouse.evaluator._kernel",
            sources=[str(p) for p in sorted(NATIVE.glob("*.c"))],
            depends=[str(p) for p in sorted(NATIVE.glob("*.h"))],
            # Fused or reordered sums would differ from the original's, and a row's from a block's.
            extra_compile_args=[
                "-std=c11",
                "-O3",
                "-ffp-contract=off",
                "-fno-math-errno",
                "-fno-trapping-math",
            ],
            py_limited_api=True,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
