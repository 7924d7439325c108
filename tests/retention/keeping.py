"""A sweeper on a clock that can be put forward, and rows for it to find."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from weft.domain.access import Viewer
from weft.domain.ids import UUID, new_id
from weft.domain.retention import Ages
from weft.engine.retention import RetentionSweeper
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow

NO_PAUSE = timedelta(milliseconds=1)


@dataclass
class Keeping:
    services: Services
    viewer: Viewer
    ages: Ages = field(default_factory=Ages)
    ahead: timedelta = timedelta()
    """Of the real time, by the sweeper's clock."""

    def sweeper(self) -> RetentionSweeper:
        return RetentionSweeper(
            self.services.database,
            self.services.world.files,
            self.ages,
            lambda: datetime.now(UTC) + self.ahead,
            NO_PAUSE,
        )

    async def sweep(self, ahead: timedelta | None = None) -> dict[str, int]:
        """Whoever had the turn before; to the end of what there is."""
        self.ahead = self.ahead if ahead is None else ahead
        await self.do("UPDATE retention_turn SET due_at = now()")
        async with asyncio.timeout(60):
            return await self.sweeper().run_once()

    async def do(self, statement: str, **values: Any) -> None:
        """With what it names of the values, and the workspace."""
        known = {"workspace_id": self.viewer.workspace_id, **values}
        used = {name: value for name, value in known.items() if f":{name}" in statement}
        async with self.services.database.transaction() as connection:
            await connection.execute(text(statement), used)

    async def count(self, table: str, where: str = "true", **values: Any) -> int:
        async with self.services.database.reading() as connection:
            found = await connection.execute(text(f"SELECT count(*) FROM {table} WHERE {where}"), values)
            return found.scalar_one()

    async def run(self, items: int = 1, status: str = "COMPLETED", logs: int = 1, retry_of: UUID | None = None) -> UUID:
        """A run with all that a run may have, in one batch for each item."""
        run_id, workflow = new_id(), await self.workflow()
        over = status in {"COMPLETED", "FAILED", "CANCELLED"}
        given = {"run_id": run_id, "items": items, "logs": logs}
        await self.do(
            """
            INSERT INTO run (id, workspace_id, workflow_id, version_id, parameters, trigger_type, triggered_by, retry_of)
            VALUES (:run_id, :workspace_id, :workflow_id, :version_id, '{}', 'MANUAL', 'tests', :retry_of)
            """,
            run_id=run_id,
            workflow_id=workflow.id,
            version_id=workflow.version_id,
            retry_of=retry_of,
        )
        await self.do(
            f"""
            INSERT INTO run_state (run_id, status, total, completed, step_ids, step_completed, step_failed, step_skipped,
              step_retried, step_busy_us, step_usage, started_at, finished_at)
            VALUES (:run_id, '{status}', :items, 0, '{{a}}', '{{0}}', '{{0}}', '{{0}}', '{{0}}', '{{0}}', '{{1,2,3,4,5}}', now(),
              {"now()" if over else "NULL"})
            """,
            run_id=run_id,
            items=items,
        )
        for statement in (
            """INSERT INTO run_item (run_id, ordinal, status, steps, started_at, finished_at)
              SELECT :run_id, n, 'COMPLETED', '[]', now(), now() FROM generate_series(0, :items - 1) n""",
            """INSERT INTO run_checkpoint (run_id, ordinal, steps)
              SELECT :run_id, n, '[]' FROM generate_series(0, :items - 1) n""",
            """INSERT INTO run_batch (run_id, number, first_ordinal, size)
              SELECT :run_id, n, n, 1 FROM generate_series(0, :items - 1) n""",
            """INSERT INTO run_change (run_id, revision, at, finished)
              SELECT :run_id, n, now(), '{}' FROM generate_series(1, 2 * :items) n""",
            """INSERT INTO run_log (id, run_id, level, message, fields, at)
              SELECT uuidv7(), :run_id, 'INFO', 'x', '{}', now() FROM generate_series(1, :logs)""",
            """INSERT INTO run_webhook (run_id, workspace_id, sealed, host, lane)
              VALUES (:run_id, :workspace_id, 'x', 'example.com', :run_id)""",
        ):
            await self.do(statement, **given)
        return run_id

    async def workflow(self) -> Any:
        definition = {"steps": [{"id": "a", "type": "echo"}]}
        return await create_workflow(self.services, self.viewer, NewWorkflow(f"w {new_id().hex}", definition))
