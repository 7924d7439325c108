"""Every table. Migrations make them; a test holds that both say the same.

Wide or rarely read values are `json` (kept as written, cheap to store); what is filtered on is `jsonb`.
"""

from weft.storage.tables.access import api_key, audit_entry, idempotency_key, workspace
from weft.storage.tables.base import Id, Time, metadata
from weft.storage.tables.cache import step_cache
from weft.storage.tables.datastores import datastore
from weft.storage.tables.entities import entity, entity_import, entity_type, import_error
from weft.storage.tables.events import event
from weft.storage.tables.files import document, file, file_total, upload
from weft.storage.tables.integrations import delivery, delivery_attempt, integration
from weft.storage.tables.providers import model_provider
from weft.storage.tables.runs import run, run_batch, run_checkpoint, run_item, run_log, run_state
from weft.storage.tables.triggers import firing, trigger
from weft.storage.tables.workflows import template, workflow, workflow_stats, workflow_version

__all__ = [
    "Id",
    "Time",
    "api_key",
    "audit_entry",
    "datastore",
    "delivery",
    "delivery_attempt",
    "document",
    "entity",
    "entity_import",
    "entity_type",
    "event",
    "file",
    "file_total",
    "firing",
    "idempotency_key",
    "import_error",
    "integration",
    "metadata",
    "model_provider",
    "run",
    "run_batch",
    "run_checkpoint",
    "run_item",
    "run_log",
    "run_state",
    "step_cache",
    "template",
    "trigger",
    "upload",
    "workflow",
    "workflow_stats",
    "workflow_version",
    "workspace",
]
