"""Limits of API keys, and filters of the audit log."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


INDEXES = {
    "audit_entry_actor_idx": "actor",
    "audit_entry_key_idx": "key_id",
    "audit_entry_action_idx": "action",
    "audit_entry_subject_idx": "subject_id",
    "audit_entry_address_idx": "address",
}


def upgrade() -> None:
    op.add_column("api_key", sa.Column("rate_limit", sa.Integer()))
    op.add_column("audit_entry", sa.Column("key_id", sa.Uuid()))
    for name, column in INDEXES.items():
        ops = {"action": "text_pattern_ops"} if column == "action" else {}
        op.create_index(name, "audit_entry", ["workspace_id", column, "id"], postgresql_ops=ops)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "audit_entry")
    op.drop_column("audit_entry", "key_id")
    op.drop_column("api_key", "rate_limit")
