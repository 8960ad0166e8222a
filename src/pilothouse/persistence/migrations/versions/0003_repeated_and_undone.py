"""Runs that repeat activities and undo them: what scopes count, and the rows of what can be undone."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.String(collation="C"), "postgresql")
JSON = sa.Text().with_variant(sa.JSON(), "postgresql")
COUNTS = ("started", "ended")
"""Columns that every scope has; those of the database so far have counted nothing."""
OPTIONAL: dict[str, sa.types.TypeEngine[Any]] = {
    "size": sa.BigInteger(),
    "number": sa.BigInteger(),
    "items": JSON,
    "outputs": JSON,
}
NEW_KINDS = (
    "event-subprocess",
    "multi-instance",
    "instance",
    "loop",
    "round",
    "compensation",
)


def upgrade() -> None:
    """Give scopes their counts, and make the table of what can be undone."""
    for name in COUNTS:
        op.add_column(
            "scopes", sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        )
    for name, kind in OPTIONAL.items():
        op.add_column("scopes", sa.Column(name, kind, nullable=True))
    op.create_table(
        "compensations",
        *(sa.Column(name, TEXT, nullable=False) for name in ("id", "run_id", "scope_id")),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        *(sa.Column(name, TEXT, nullable=False) for name in ("element", "handler")),
        sa.Column("variables", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compensations")),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_compensations_run_id"), ondelete="CASCADE"
        ),
    )
    op.create_index(op.f("ix_compensations_run_id"), "compensations", ["run_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE compensations SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)"
        )


def downgrade() -> None:
    """
    Remove the counts and the table.

    Raises
    ------
    ValueError
        When a run keeps rows that the code before knows nothing of: it would lose its place.
    """
    kinds = ", ".join(f"'{kind}'" for kind in NEW_KINDS)
    query = sa.text(
        f"SELECT run_id FROM scopes WHERE kind IN ({kinds}) UNION "  # noqa: S608 names of ours
        "SELECT run_id FROM run_tokens WHERE state = 'listening' UNION "
        "SELECT run_id FROM compensations ORDER BY run_id"
    )
    runs = [row.run_id for row in op.get_bind().execute(query)]
    if runs:
        raise ValueError(
            f"The runs {', '.join(runs[:10])} repeat activities, listen, or can undo what they did, which revision 0002 cannot keep. "
            "Let them end, or cancel them, and go down again."
        )
    op.drop_table("compensations")
    for name in (*OPTIONAL, *COUNTS):
        op.drop_column("scopes", name)
