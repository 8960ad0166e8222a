"""A load test as a job: from the order and the snapshot's golden records to the report."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from pilothouse.domain.errors import InvalidError
from pilothouse.domain.jobs import JobReport, JobResult, JobState
from pilothouse.scoring.columns import DATATYPES
from pilothouse.scoring.load.connection import Target
from pilothouse.scoring.load.pacing import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pilothouse.domain.jobs import JobOrder, JobProgress
    from pilothouse.domain.schemas import Scalar, Schema
    from pilothouse.scoring.packages import Package


class LoadTestInvalidError(InvalidError):
    """A load test has nothing to send, or nothing to show at the endpoint."""

    code = "load-test-invalid"

    def __init__(self, *, snapshot: str, problem: str) -> None:
        self.snapshot, self.problem = snapshot, problem
        super().__init__(
            f"No load test of {snapshot} can run: {problem}. Put that right, then order it again."
        )


def load_test(
    order: JobOrder,
    *,
    package: Package,
    token: str,
    progress: Callable[[JobProgress], None],
) -> JobReport:
    """
    Ask an endpoint for the golden records at a steady rate.

    Raises
    ------
    LoadTestInvalidError
        When the snapshot has no golden records, or there is no token.
    """
    plan = order.load
    if plan is None or not token:
        raise LoadTestInvalidError(snapshot=order.snapshot, problem="it has no plan or no token")
    schema = package.content.manifest.inputs
    lines = package.golden.read_text("utf-8").splitlines()
    bodies = [request_body(json.loads(line)["input"], schema) for line in lines if line.strip()]
    if not bodies:
        raise LoadTestInvalidError(snapshot=order.snapshot, problem="it has no golden records")
    target = Target.of(f"{plan.url}/versions/{plan.number}/infer", token=token)
    pace = Pace(plan, target=target, bodies=bodies, progress=progress)
    figures = asyncio.run(pace.run())
    return JobReport(
        job_id=order.job_id,
        state=JobState.COMPLETE,
        progress=pace.told,
        result=JobResult.PARTIAL if figures["error_share"] else JobResult.SUCCESS,
        metrics=figures,
    )


def request_body(record: Mapping[str, Scalar], schema: Schema) -> bytes:
    """
    Write a record as an Open Inference v2 request of one row: what must be sent, and what may where it is there.

    References
    ----------
    .. [1] Open Inference Protocol v2, "Inference Request JSON Object".
    """
    inputs = [
        {
            "name": column.name,
            "shape": [1],
            "datatype": DATATYPES[column.type].value,
            "data": [record.get(column.name)],
        }
        for column in schema.columns
        if column.asked or (column.accepted and column.name in record)
    ]
    return json.dumps({"inputs": inputs}, separators=(",", ":")).encode()
