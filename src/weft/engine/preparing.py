"""From a loaded item to one that is ready to run: what the steps may know of it, and what was recorded before."""

from typing import Any

from weft.engine.item import Ending, ItemWay
from weft.engine.plan import Plan
from weft.storage.loading import LoadedItem, RunFacts

ENTITY_DELETED = Ending("FAILED", {"code": "ENTITY_DELETED", "message": "The entity was deleted before its turn came."})


class Preparation:
    """Of the items of one run."""

    def __init__(self, plan: Plan, facts: RunFacts) -> None:
        self.facts = facts
        self._plan = plan
        self._input = facts.input
        self._parameters = facts.parameters
        self._run_key = str(facts.run_id)
        self._run = {
            "id": self._run_key,
            "workflowId": str(facts.workflow_id),
            "createdAt": facts.created_at.isoformat().replace("+00:00", "Z"),
        }

    def values(self, item: LoadedItem) -> dict[str, Any]:
        """The names in scope of expressions. `input` is that of the first steps: the entity's data, or the run's input."""
        ordinal, entity_id, external_id, _, data, _ = item
        return {
            "input": self._input if entity_id is None else data,
            "entity": data,
            "steps": {},
            "params": self._parameters,
            "run": self._run,
            "item": {
                "id": f"{self._run_key}:{ordinal}",
                "ordinal": ordinal,
                "entityId": None if entity_id is None else str(entity_id),
                "externalId": external_id,
            },
        }

    def way(self, item: LoadedItem, values: dict[str, Any], started_us: int) -> ItemWay:
        """The item with its names in scope."""
        way = ItemWay(self._plan, item.ordinal, item.entity_id, item.entity_version, values, started_us)
        if item.lost_its_entity:
            way.ended_early = ENTITY_DELETED
        elif item.checkpoint is not None:
            # Whatever became of the entity meanwhile: a step that was recorded in this run is not done again.
            way.restore(item.checkpoint)
        return way
