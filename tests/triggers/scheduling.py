"""Schedulers in the test's own process, on clocks that tests set."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Viewer
from weft.domain.ids import UUID
from weft.domain.run import Selection
from weft.domain.schedule import CatchUp, Overlap, Schedule
from weft.domain.workflow import Workflow
from weft.operations.runs import cancel_run
from weft.operations.schedule_checks import ScheduleSettings
from weft.operations.schedules import create_schedule
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.storage.database import Database
from weft.triggers.schedules.scheduler import Scheduler

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ECHO = {"steps": [{"id": "say", "type": "echo"}]}


@dataclass
class SetClock:
    """Shows what it was set to."""

    now: datetime = NINE - timedelta(seconds=30)

    def __call__(self) -> datetime:
        return self.now


class CrashError(BaseException):
    """The process dies before its commit."""


class CrashingDatabase(Database):
    """Where `crashes` is set, the next transaction ends as it does when its process is killed: rolled back."""

    crashes = False

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        async with super().transaction() as connection:
            yield connection
            if self.crashes:
                self.crashes = False
                raise CrashError


async def carried_out(scheduler: Scheduler) -> int:
    """All that is due; how many slots."""
    handled = 0
    while await scheduler.run_once():
        done = await scheduler.settled()
        handled += done
        if not done:
            break
    return handled


@dataclass(frozen=True)
class Scheduling:
    services: Services
    viewer: Viewer
    clock: SetClock

    def scheduler(self, *, ahead: timedelta = timedelta(), database: Database | None = None) -> Scheduler:
        """A worker's, whose clock is ahead of the others."""
        services = self.services
        return Scheduler(database or services.database, services.plans, services.wakeups, lambda: self.clock() + ahead)

    async def workflow(self, definition: dict[str, Any] | None = None, **settings: Any) -> Workflow:
        return await create_workflow(self.services, self.viewer, NewWorkflow("w", definition or ECHO, **settings))

    async def schedule(
        self,
        workflow: Workflow,
        cron_expression: str = "*/10 * * * *",
        *,
        overlap: Overlap = Overlap.ALLOW,
        catch_up: CatchUp = CatchUp.LAST,
        selection: Selection | None = None,
        **settings: Any,
    ) -> Schedule:
        given = ScheduleSettings(
            cron_expression, overlap=overlap, catch_up=catch_up, selection=selection or Selection(), **settings
        )
        services = replace(self.services, clock=self.clock)
        return await create_schedule(services, self.viewer, workflow.id, given)

    async def look(self, at: datetime) -> int:
        """One worker, at this time."""
        self.clock.now = at
        return await carried_out(self.scheduler())

    async def rows(self, query: str, **values: Any) -> list[dict[str, Any]]:
        async with self.services.database.reading() as connection:
            return [dict(row) for row in (await connection.execute(text(query), values)).mappings()]

    async def do(self, statement: str, **values: Any) -> None:
        async with self.services.database.transaction() as connection:
            await connection.execute(text(statement), values)

    async def firings(self, schedule: Schedule) -> list[dict[str, Any]]:
        """Oldest slot first."""
        return await self.rows("SELECT * FROM firing WHERE trigger_id = :id ORDER BY slot_at", id=schedule.id)

    async def outcomes(self, schedule: Schedule) -> list[str]:
        return [one["outcome"] for one in await self.firings(schedule)]

    async def runs(self, schedule: Schedule) -> list[UUID]:
        rows = await self.rows("SELECT id FROM run WHERE trigger_id = :id ORDER BY id", id=schedule.id)
        return [row["id"] for row in rows]

    async def end(self, *run_ids: UUID) -> None:
        for run_id in run_ids:
            await cancel_run(self.services, self.viewer, run_id)

    async def state(self, schedule: Schedule) -> dict[str, Any]:
        (row,) = await self.rows("SELECT * FROM schedule WHERE id = :id", id=schedule.id)
        return row


def started(firings: Sequence[dict[str, Any]]) -> list[datetime]:
    """The slots for which runs were started."""
    return [one["slot_at"] for one in firings if one["outcome"] == "STARTED"]
