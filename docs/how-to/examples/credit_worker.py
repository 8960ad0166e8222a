"""A worker that does one step of the group's life cycles: python credit_worker.py."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from pilothouse.sdk import BpmnError, Client, HeldJob, Pace, Worker

RECEIPTS = Path(os.environ.get("RECEIPTS", "receipts"))


def check_credit(job: HeldJob) -> dict[str, object]:
    """Check an applicant; called again for the same job, it checks once."""
    receipt = RECEIPTS / job.id  # the job's id stays the same over all tries
    if not receipt.exists():
        amount = job.variables["amount"]
        if not isinstance(amount, int | float):
            raise TypeError(f"the amount is {amount!r}")
        if amount > 10_000:
            raise BpmnError(error_code="too-much", message=f"{amount} is above the limit.")
        job.confirm()  # nobody else can have the job by now
        receipt.write_text(str(amount))
    return {"checked": True}


def main() -> None:
    """Work until the process is asked to stop."""
    logging.basicConfig(level=logging.INFO)
    RECEIPTS.mkdir(exist_ok=True)
    client = Client(url=os.environ["PILOTHOUSE_URL"], token=os.environ["PILOTHOUSE_TOKEN"])
    lock_s = float(os.environ.get("LOCK_S", "30"))
    worker = Worker(
        client,
        group="default",
        topics={"credit-check": check_credit},
        pace=Pace(threads=2, lock_s=lock_s),
    )
    with client:
        worker.run()


if __name__ == "__main__":
    main()
