"""Votes: tasks that several people decide keep how many are needed, and what each has said."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

JSON = sa.Text().with_variant(sa.JSON(), "postgresql")
TABLES = ("run_tasks", "tasks")


def upgrade() -> None:
    """Give tasks their quorum and votes; those of the database so far take one answer."""
    for table in TABLES:
        op.add_column(table, sa.Column("quorum", JSON, nullable=True))
        op.add_column(
            table, sa.Column("votes", JSON, nullable=False, server_default=sa.text("'[]'"))
        )


def downgrade() -> None:
    """
    Remove quorums and votes.

    Raises
    ------
    ValueError
        When a run waits for votes, or for what reminds its people: one answer would do for all, or a timer be lost.
    """
    query = sa.text(
        "SELECT run_id FROM run_tasks WHERE quorum IS NOT NULL UNION "
        "SELECT run_id FROM run_jobs WHERE kind = 'timer' AND topic IS NOT NULL UNION "
        "SELECT run_jobs.run_id FROM run_jobs JOIN run_tasks ON run_tasks.token_id = run_jobs.token_id "
        "AND run_tasks.element = run_jobs.element WHERE run_jobs.kind = 'service' ORDER BY run_id"
    )
    runs = [row.run_id for row in op.get_bind().execute(query)]
    if runs:
        raise ValueError(
            f"The runs {', '.join(runs[:10])} wait for votes or remind their people, which revision 0005 cannot keep. "
            "Let their tasks be done, or cancel the runs, and go down again."
        )
    for table in TABLES:
        op.drop_column(table, "votes")
        op.drop_column(table, "quorum")
