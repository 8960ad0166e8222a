"""External jobs: those that are offered to workers outside the platform are found by their topic."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OFFERED = sa.text("state = 'offered'")


def upgrade() -> None:
    """Make offered jobs quick to find."""
    op.create_index(
        "ix_run_jobs_offered",
        "run_jobs",
        ["topic", "due_at"],
        sqlite_where=OFFERED,
        postgresql_where=OFFERED,
    )


def downgrade() -> None:
    """Give offered jobs back to the platform, which will hold them by incidents."""
    op.drop_index("ix_run_jobs_offered", "run_jobs")
    op.execute(
        "UPDATE run_jobs SET state = 'ready', attempt = attempt + 1, lease_owner = NULL, lease_until = NULL "
        "WHERE state = 'offered'"
    )
