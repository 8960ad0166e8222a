"""Trained snapshots: what a snapshot was trained from, where a training job made it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
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
        When a training job is under way, which revision 0006 cannot finish.
    """
    query = sa.text(
        "SELECT id FROM jobs WHERE kind = 'train' AND state NOT IN ('complete', 'failed', 'cancelled') ORDER BY id"
    )
    jobs = [row.id for row in op.get_bind().execute(query)]
    if jobs:
        raise ValueError(
            f"The training jobs {', '.join(jobs[:10])} have not ended, and revision 0006 knows none. Wait for their "
            "end or cancel them, and go down again."
        )
    op.drop_column("snapshots", "trained")
