"""Prediction logs: services say what is kept of their predictions, and for how long."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

JSON = sa.Text().with_variant(sa.JSON(), "postgresql")
ALL_OF_IT = (
    r"""'{"retain_days"\:400,"sampling"\:1.0,"sensitive"\:"omit"}'"""  # a colon begins a parameter
)


def upgrade() -> None:
    """Keep all rows of every service that there is, without sensitive values, for 400 days."""
    op.add_column(
        "services", sa.Column("log", JSON, nullable=False, server_default=sa.text(ALL_OF_IT))
    )


def downgrade() -> None:
    """Forget what is to be kept."""
    op.drop_column("services", "log")
