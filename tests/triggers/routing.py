"""A router in the test's own process, and workflows that events start."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from weft.domain.access import Viewer
from weft.domain.events import Event
from weft.domain.ids import UUID
from weft.domain.workflow import Workflow
from weft.operations.events import EmitEvent, emit_event
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.triggers.events.router import EventRouter

ECHO = [{"id": "echo", "type": "echo", "config": {"message": "heard"}}]


@dataclass(frozen=True)
class Routing:
    services: Services
    viewer: Viewer

    def router(self) -> EventRouter:
        return EventRouter(self.services.database, self.services.plans, lambda: None)

    async def workflow(
        self,
        *triggers: dict[str, Any],
        name: str = "w",
        entity_type_id: UUID | None = None,
        steps: Sequence[dict[str, Any]] = ECHO,
        **definition: Any,
    ) -> Workflow:
        made = NewWorkflow(
            name,
            {"steps": list(steps), "triggers": list(triggers), **definition},
            entity_type_id=entity_type_id,
        )
        return await create_workflow(self.services, self.viewer, made)

    async def emit(self, name: str, **payload: Any) -> Event:
        return await emit_event(self.services, self.viewer, EmitEvent(name, payload))

    async def route(self) -> int:
        return await self.router().run_once()

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        async with self.services.database.reading() as connection:
            return [dict(row) for row in (await connection.execute(text(query), values)).mappings()]

    async def do(self, statement: str, **values: Any) -> None:
        async with self.services.database.transaction() as connection:
            await connection.execute(text(statement), values)

    async def runs(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM run ORDER BY id")

    async def firings(self) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM firing ORDER BY id")

    async def told(self, name: str) -> list[dict[str, Any]]:
        return await self.rows("SELECT * FROM event WHERE name = :name ORDER BY id", name=name)
