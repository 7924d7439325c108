"""Every table. Migrations make them; a test holds that both say the same.

Wide or rarely read values are `json` (kept as written, cheap to store); what is filtered on is `jsonb`.
"""

from weft.storage.tables.access import api_key, audit_entry, idempotency_key, workspace
from weft.storage.tables.base import Id, Time, metadata
from weft.storage.tables.entities import entity, entity_import, entity_type, import_error
from weft.storage.tables.runs import run, run_batch, run_checkpoint, run_item, run_log, run_state
from weft.storage.tables.workflows import template, workflow, workflow_version

__all__ = [
    "Id",
    "Time",
    "api_key",
    "audit_entry",
    "entity",
    "entity_import",
    "entity_type",
    "idempotency_key",
    "import_error",
    "metadata",
    "run",
    "run_batch",
    "run_checkpoint",
    "run_item",
    "run_log",
    "run_state",
    "template",
    "workflow",
    "workflow_version",
    "workspace",
]
