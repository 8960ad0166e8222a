"""Group grants: which hosts, notification targets and outside workers the life cycles of a group may use."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

JSON = sa.Text().with_variant(sa.JSON(), "postgresql")
COLUMNS = ("outgoing_hosts", "notification_targets", "external_topics")


def upgrade() -> None:
    """Grant nothing to every group that there is."""
    for name in COLUMNS:
        # SQLite adds no column without a default to a table with rows; the code always writes these.
        op.add_column(
            "groups", sa.Column(name, JSON, nullable=False, server_default=sa.text("'[]'"))
        )


def downgrade() -> None:
    """Forget what is granted."""
    for name in reversed(COLUMNS):
        op.drop_column("groups", name)
