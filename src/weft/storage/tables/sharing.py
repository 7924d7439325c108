"""What the users of a workflow think of it."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, SmallInteger, Table, func

from weft.storage.tables.base import Id, Time, metadata

workflow_rating = Table(
    "workflow_rating",
    metadata,
    Column("workflow_id", Id, ForeignKey("workflow.id", ondelete="CASCADE"), primary_key=True),
    # Not a foreign key: what somebody thought stays when the key is revoked, and when it is deleted.
    Column("key_id", Id, primary_key=True),
    # Of the key, which may be another one than that of the workflow.
    Column("workspace_id", Id, ForeignKey("workspace.id"), nullable=False),
    Column("rating", SmallInteger, nullable=False),
    Column("rated_at", Time, nullable=False, server_default=func.now()),
    CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
)
