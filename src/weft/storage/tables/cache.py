"""What steps remember: outputs by the content of what they were computed from."""

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Table, func
from sqlalchemy.dialects.postgresql import JSON

from weft.storage.tables.base import Id, Time, metadata

step_cache = Table(
    "step_cache",
    metadata,
    Column("workspace_id", Id, ForeignKey("workspace.id"), primary_key=True),
    # SHA-256 of everything that the output depends on.
    Column("key", LargeBinary, primary_key=True),
    # Output, branches and usage under the keys of a step result.
    Column("result", JSON, nullable=False),
    Column("created_at", Time, nullable=False, server_default=func.now()),
    Column("expires_at", Time, nullable=False),
    Index("step_cache_expiry_idx", "expires_at"),
)
