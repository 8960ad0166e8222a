"""Records for tests, in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from pilothouse.domain.schemas import Column, ColumnRole, DataType, Scalar, Schema
from pilothouse.scoring.log.recorder import SpoolRecorder
from pilothouse.scoring.log.records import Role, Scored
from pilothouse.scoring.log.spool import Spool, SpoolLimits

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.ports.clock import Clock

STAGE = "PROD"
STREAM = "ab" * 16
DIGEST = "d" * 64
AT_US = 1_767_614_400_000_000  # 2026-01-05T12:00:00Z
INPUTS = Schema(
    columns=(
        Column(name="account", type=DataType.STRING, role=ColumnRole.IDENTIFIER),
        Column(name="amount", type=DataType.NUMBER, minimum=0, maximum=640),
        Column(name="income", type=DataType.NUMBER, sensitive=True),
        Column(name="sex", type=DataType.STRING, categories=("f", "m", "x"), protected=True),
        Column(name="age", type=DataType.INTEGER, nullable=True),
    )
)
SECRET_ACCOUNTS = Schema(
    columns=(
        Column(name="account", type=DataType.STRING, role=ColumnRole.IDENTIFIER, sensitive=True),
        *INPUTS.columns[1:],
    )
)
OUTPUTS = Schema(columns=(Column(name="score", type=DataType.NUMBER, role=ColumnRole.SCORE),))
ROW: dict[str, Scalar] = {
    "account": "4711",
    "amount": 25.0,
    "income": 51_000.0,
    "sex": "f",
    "age": None,
}


def scored(number: int = 1, *, rows: int = 1, **changes: Any) -> Scored:  # noqa: ANN401 any field
    plain = Scored(
        service="cc-fraud",
        snapshot="gbm@7",
        digest=DIGEST,
        deployment="dep_1",
        role=Role.ROUTED,
        route_generation=3,
        prediction_id=f"prd_{number}",
        key="customer-9",
        at_us=AT_US + number,
        latency_us=250,
        rows=rows,
        columns={name: [value] * rows for name, value in ROW.items()},
        outputs={"score": [number / 1000] * rows},
    )
    return msgspec.structs.replace(plain, **changes)


def recorder_in(
    folder: Path, clock: Clock, *, stream: str = STREAM, segment_bytes: int = 65536
) -> tuple[SpoolRecorder, Spool]:
    limits = SpoolLimits(segment_bytes=segment_bytes, total_bytes=64 * segment_bytes)
    spool = Spool(folder, stream=stream, limits=limits, clock=clock)
    return SpoolRecorder(spool, record_bytes=limits.record_bytes), spool
