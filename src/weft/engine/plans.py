"""Compiled plans, kept: a version never changes, so its plan is made once per process."""

from collections import OrderedDict
from typing import Any

from weft.domain.catalogue import Catalogue
from weft.domain.entity import JsonSchema
from weft.domain.ids import UUID
from weft.engine.compiling.compiler import compile_plan
from weft.engine.plan import Plan

PLANS_KEPT = 256


class PlanCache:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._plans: OrderedDict[UUID, Plan] = OrderedDict()

    def known(self, version_id: UUID) -> Plan | None:
        """The plan, where it was made before."""
        return self._plans.get(version_id)

    def get(self, version_id: UUID, definition: dict[str, Any], entity_schema: JsonSchema | None) -> Plan:
        """The plan of a version. Raises `Invalid` when its definition no longer compiles."""
        plan = self._plans.get(version_id)
        if plan is None:
            plan = compile_plan(definition, self._catalogue, entity_schema)
            self._plans[version_id] = plan
            if len(self._plans) > PLANS_KEPT:
                self._plans.popitem(last=False)
        else:
            self._plans.move_to_end(version_id)
        return plan
