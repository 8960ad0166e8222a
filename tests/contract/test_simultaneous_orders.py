"""Orders that come at the same moment, on both databases."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from pilothouse.wire.requests import OrderDeployment
from tests.unit.application.company import open_company

if TYPE_CHECKING:
    from pathlib import Path

    from pilothouse.domain.deployments import Deployment

CALLERS = 4


def test_orders_at_the_same_moment_make_one_deployment(database_url: str, tmp_path: Path) -> None:
    company = open_company(database_url, tmp_path)
    snapshot = company.snapshot(services=("cc-fraud",))
    gate = threading.Barrier(CALLERS)
    wanted = OrderDeployment(snapshot=snapshot.name, service="cc-fraud", stage="DEV")

    def order(_: int) -> tuple[Deployment, ...]:
        gate.wait()
        return company.deployments.order(company.admin, wanted)

    try:
        with ThreadPoolExecutor(CALLERS) as callers:
            answers = list(callers.map(order, range(CALLERS)))
        deployments = company.deployments.page(company.admin).items
    finally:
        company.database.dispose()

    assert len({deployment.id for answer in answers for deployment in answer}) == 1
    assert len(deployments) == 1
