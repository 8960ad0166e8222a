"""Decision files: what each of them gives and imports, and the encoding of every stored file."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import sqlalchemy as sa
from alembic import op
from lxml import etree

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.String(collation="C"), "postgresql")
JSON = sa.Text().with_variant(sa.JSON(), "postgresql")
DECLARED = re.compile(r"""(\A\ufeff?<\?xml[^>]*?\sencoding\s*=\s*["'])([^"'>]*)""")
ROWS = sa.text('SELECT id, "group", kind, xml, sha256 FROM definitions ORDER BY id')


def upgrade() -> None:
    """Say of each decision file which decisions it gives, and read every file by its own encoding."""
    op.add_column("definitions", sa.Column("namespace", TEXT, nullable=True))
    # SQLite adds no column without a default to a table with rows; the code always writes these.
    for name, default in (("decisions", "'[]'"), ("imports", "'{}'")):
        op.add_column(
            "definitions", sa.Column(name, JSON, nullable=False, server_default=sa.text(default))
        )
    op.create_index(op.f("ix_definitions_namespace"), "definitions", ["namespace"])
    op.create_table(
        "given_decisions",
        *(sa.Column(name, TEXT, nullable=False) for name in ("id", "definition_id", "group")),
        sa.Column("decision", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_given_decisions")),
        sa.ForeignKeyConstraint(
            ["definition_id"], ["definitions.id"], name=op.f("fk_given_decisions_definition_id")
        ),
        sa.UniqueConstraint(
            "definition_id", "decision", name=op.f("uq_given_decisions_definition_id_decision")
        ),
    )
    op.create_index(op.f("ix_given_decisions_decision"), "given_decisions", ["decision"])
    for row in op.get_bind().execute(ROWS).mappings().all():
        _decode(row)
        if row["kind"] == "dmn":
            _list_decisions(row)


def downgrade() -> None:
    """Forget what files give and import; the files stay, in the one encoding that the code before reads."""
    op.drop_table("given_decisions")
    op.drop_index(op.f("ix_definitions_namespace"), "definitions")
    for name in ("imports", "decisions", "namespace"):
        op.drop_column("definitions", name)
    for row in op.get_bind().execute(ROWS).mappings().all():
        declared = DECLARED.match(row["xml"])
        if declared and declared[2].lower() != "utf-8":
            _write(row["id"], xml=DECLARED.sub(r"\g<1>utf-8", row["xml"], count=1))


def _decode(row: Any) -> None:  # noqa: ANN401 a row has no better type
    """Read a file by its declared encoding; revision 0001 took the bytes of every file for UTF-8."""
    declared = DECLARED.match(row["xml"])
    source = row["xml"].encode()
    if not declared or declared[2].lower() == "utf-8":
        return
    if hashlib.sha256(source).hexdigest() == row["sha256"]:
        _write(row["id"], xml=source.decode(declared[2]))


def _list_decisions(row: Any) -> None:  # noqa: ANN401 a row has no better type
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(row["xml"].encode(), parser)
    space = etree.QName(root).namespace
    found = [e.get("id") or e.get("name") for e in root.findall(f"{{{space}}}decision")]
    _write(row["id"], namespace=root.get("namespace", ""), decisions=json.dumps(found))
    for number, decision in enumerate(found, 1):
        op.get_bind().execute(
            sa.text("INSERT INTO given_decisions VALUES (:id, :definition, :group, :decision)"),
            {
                "id": f"gvn_{row['id'].removeprefix('def_')}{number:04}",
                "definition": row["id"],
                "group": row["group"],
                "decision": decision,
            },
        )


def _write(definition: str, **cells: str) -> None:
    to_json = op.get_bind().dialect.name == "postgresql"
    sets = ", ".join(
        f"{name} = CAST(:{name} AS json)"
        if to_json and name == "decisions"
        else f"{name} = :{name}"
        for name in cells
    )
    op.get_bind().execute(
        sa.text(f"UPDATE definitions SET {sets} WHERE id = :definition"),  # noqa: S608 names of ours
        {**cells, "definition": definition},
    )
