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
from weft.storage.tables.retention import deleted_run, past_usage, retention_turn
from weft.storage.tables.run_webhooks import run_webhook
from weft.storage.tables.runs import run, run_batch, run_change, run_checkpoint, run_item, run_log, run_state
from weft.storage.tables.schedules import schedule
from weft.storage.tables.sharing import workflow_rating
from weft.storage.tables.triggers import firing, trigger
from weft.storage.tables.webhooks import webhook_endpoint
from weft.storage.tables.workflows import template, workflow, workflow_stats, workflow_version

__all__ = [
    "Id",
    "Time",
    "api_key",
    "audit_entry",
    "datastore",
    "deleted_run",
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
    "past_usage",
    "retention_turn",
    "run",
    "run_batch",
    "run_change",
    "run_checkpoint",
    "run_item",
    "run_log",
    "run_state",
    "run_webhook",
    "schedule",
    "step_cache",
    "template",
    "trigger",
    "upload",
    "webhook_endpoint",
    "workflow",
    "workflow_rating",
    "workflow_stats",
    "workflow_version",
    "workspace",
]
