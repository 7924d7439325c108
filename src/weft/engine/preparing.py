"""From a claimed batch to items ready to run: what the steps may know of each, and what was recorded before."""

from datetime import UTC, datetime
from typing import Any

from weft.engine.item import Ending, ItemWay
from weft.engine.plan import Plan
from weft.storage.batches import LoadedItem, RunFacts

ENTITY_DELETED = Ending("FAILED", {"code": "ENTITY_DELETED", "message": "The entity was deleted before its turn came."})


def prepare(plan: Plan, facts: RunFacts, items: list[LoadedItem]) -> list[ItemWay]:
    run = {
        "id": str(facts.run_id),
        "workflowId": str(facts.workflow_id),
        "createdAt": facts.created_at.isoformat().replace("+00:00", "Z"),
    }
    started_at = datetime.now(UTC)
    return [_way(plan, facts, run, item, started_at) for item in items]


def _way(plan: Plan, facts: RunFacts, run: dict[str, str], item: LoadedItem, started_at: datetime) -> ItemWay:
    has_entity = item.entity_id is not None
    values: dict[str, Any] = {
        "input": item.data if has_entity else facts.input,
        "entity": item.data,
        "steps": {},
        "params": facts.parameters,
        "run": run,
        "item": {
            "id": f"{run['id']}:{item.ordinal}",
            "ordinal": item.ordinal,
            "entityId": str(item.entity_id) if has_entity else None,
            "externalId": item.external_id,
        },
    }
    way = ItemWay(plan, item.ordinal, item.entity_id, item.entity_version, values, started_at)
    if has_entity and item.data is None:
        way.ended_early = ENTITY_DELETED
    elif item.checkpoint is not None:
        # Whatever became of the entity meanwhile: a step that was recorded in this run is not done again.
        way.restore(item.checkpoint)
    return way
