"""Suspended runs: they keep their business key, and the runs of a definition that are under way are quick to find."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ACTIVE = sa.text("state = 'active'")
UNDER_WAY = sa.text("state IN ('active', 'suspended')")


def upgrade() -> None:
    """Count suspended runs among those that are under way."""
    _unique(UNDER_WAY)
    op.create_index(
        "ix_runs_under_way",
        "runs",
        ["definition_id"],
        sqlite_where=UNDER_WAY,
        postgresql_where=UNDER_WAY,
    )


def downgrade() -> None:
    """
    Forget suspension.

    Raises
    ------
    ValueError
        When a run is suspended: the code before would take it for one that has ended.
    """
    query = sa.text("SELECT id FROM runs WHERE state = 'suspended' ORDER BY id")
    runs = [row.id for row in op.get_bind().execute(query)]
    if runs:
        raise ValueError(
            f"The runs {', '.join(runs[:10])} are suspended, which revision 0006 does not know. Resume or cancel them, "
            "and go down again."
        )
    op.drop_index("ix_runs_under_way", "runs")
    _unique(ACTIVE)


def _unique(where: sa.TextClause) -> None:
    op.drop_index("uq_runs_active", "runs")
    op.create_index(
        "uq_runs_active",
        "runs",
        ["definition_key", "business_key"],
        unique=True,
        sqlite_where=where,
        postgresql_where=where,
    )
