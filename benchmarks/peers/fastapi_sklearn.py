"""
The peer for REST: FastAPI on uvicorn with the same model in process, as teams write it by hand.

Its pydantic record checks what the schema of the measured model checks: types, ranges, categories, no unknown
field. It has no tokens, no routes, no counters and no isolation.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import skops.io
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

Whole = Annotated[int, Field(strict=True)]


def texts(name: str, count: int) -> list[str]:
    """Give the values of a text column."""
    return [f"{name}-{number}" for number in range(count)]


class Record(BaseModel):
    """One row."""

    model_config = ConfigDict(extra="forbid")

    age: Whole = Field(ge=16, le=99)
    hours: Whole = Field(ge=0, le=99)
    children: Whole = Field(ge=0, le=10)
    household: Whole = Field(ge=1, le=15)
    income: float | None = Field(ge=0, le=1e6)
    rent: float = Field(ge=0, le=1e4)
    tenure: float = Field(ge=0, le=60)
    distance: float = Field(ge=0, le=500)
    sex: Literal[*texts("sex", 2)]  # type: ignore[valid-type]
    housing: Literal[*texts("housing", 3)]  # type: ignore[valid-type]
    citizenship: Literal[*texts("citizenship", 3)]  # type: ignore[valid-type]
    marital: Literal[*texts("marital", 5)]  # type: ignore[valid-type]
    state: Literal[*texts("state", 6)]  # type: ignore[valid-type]
    education: Literal[*texts("education", 8)]  # type: ignore[valid-type]
    industry: Literal[*texts("industry", 10)]  # type: ignore[valid-type]
    occupation: Literal[*texts("occupation", 12)]  # type: ignore[valid-type]


class Asked(BaseModel):
    """A request."""

    rows: list[Record]


class Answered(BaseModel):
    """An answer."""

    score: list[float]


def application(model_file: Path) -> FastAPI:
    """Give the application over a model in skops' format."""
    trusted = skops.io.get_untrusted_types(file=model_file)
    model: Any = skops.io.load(model_file, trusted=trusted)
    app = FastAPI()

    @app.post("/score")
    def score(asked: Asked) -> Answered:
        # As float64 also where a whole column is null, which pandas would take for objects.
        frame = pd.DataFrame([row.model_dump() for row in asked.rows]).astype({"income": float})
        return Answered(score=model.predict_proba(frame)[:, 1].tolist())

    return app


def main() -> None:
    """Serve until a signal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    app = application(given.model)
    uvicorn.run(app, host="127.0.0.1", port=given.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
