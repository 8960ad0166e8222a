"""Trained snapshots: what a snapshot was trained from, where a training job made it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

JSON = sa.Text().with_variant(sa.JSON(), "postgresql")


def upgrade() -> None:
    """Give snapshots the place where a training is noted; nobody trained those of the database so far."""
    op.add_column("snapshots", sa.Column("trained", JSON, nullable=True))


def downgrade() -> None:
    """
    Remove what snapshots were trained from.

    Raises
    ------
    ValueError
        When a job trains or takes a snapshot, which revision 0007 cannot finish as it was ordered.
    """
    query = sa.text(
        "SELECT id FROM jobs WHERE kind IN ('train', 'snapshot') AND state NOT IN ('complete', 'failed', 'cancelled') "
        "ORDER BY id"
    )
    jobs = [row.id for row in op.get_bind().execute(query)]
    if jobs:
        raise ValueError(
            f"The jobs {', '.join(jobs[:10])} train or take snapshots, which revision 0007 cannot finish. Wait for their "
            "end or cancel them, and go down again."
        )
    # Of the kinds that revision 0007 knows, this one too reads a dataset and gives figures.
    op.execute("UPDATE jobs SET kind = 'metrics' WHERE kind = 'train'")
    op.drop_column("snapshots", "trained")
