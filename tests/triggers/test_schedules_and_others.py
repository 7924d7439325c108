"""What the scheduler and others do at the same time, and by which clock."""

import asyncio
from datetime import timedelta

from sqlalchemy.engine import make_url
from triggers.scheduling import MINUTE, NINE, Scheduling, carried_out

from weft.domain.schedule import CatchUp, Overlap
from weft.operations.workflows import delete_workflow
from weft.storage import schedules
from weft.storage.database import Database
from weft.triggers.schedules.scheduler import Scheduler


async def test_deleting_a_schedule_and_its_workflow_at_once_is_no_deadlock(scheduling: Scheduling) -> None:
    services, viewer = scheduling.services, scheduling.viewer
    workflow = await scheduling.workflow()
    schedule = await scheduling.schedule(workflow, "* * * * *", overlap=Overlap.QUEUE, catch_up=CatchUp.ALL)
    await scheduling.look(NINE + 3 * MINUTE)
    await scheduling.end(*await scheduling.runs(schedule))
    async with services.database.transaction() as connection:
        held = await schedules.lock(connection, viewer.workspace_id, schedule.id)
        deleting = asyncio.create_task(delete_workflow(services, viewer, workflow.id))
        async with asyncio.timeout(20):
            while not await scheduling.rows("SELECT 1 FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
        await connection.exec_driver_sql("UPDATE firing SET outcome = 'SKIPPED' WHERE outcome = 'QUEUED'")
    await deleting
    assert held is not None
    assert await scheduling.outcomes(schedule) == ["STARTED", "SKIPPED", "SKIPPED", "SKIPPED"]


async def test_slots_are_due_by_the_clock_of_the_database(scheduling: Scheduling, database_url: str) -> None:
    """That of a worker may be an hour ahead: it would take what others are about to do for missed."""
    schedule = await scheduling.schedule(await scheduling.workflow(), "* * * * *")
    shown = NINE + timedelta(seconds=10)
    await scheduling.do("CREATE SCHEMA shown")
    await scheduling.do(
        "CREATE FUNCTION shown.clock_timestamp() RETURNS timestamptz LANGUAGE sql "
        f"AS $$ SELECT timestamptz '{shown.isoformat()}' $$"
    )
    name = make_url(database_url).database
    await scheduling.do(f'ALTER DATABASE "{name}" SET search_path = shown, pg_catalog, public')
    database = Database.connect(database_url)
    try:
        services = scheduling.services
        assert await carried_out(Scheduler(database, services.plans, services.wakeups)) == 1
    finally:
        await database.close()
    (firing,) = await scheduling.firings(schedule)
    assert (firing["outcome"], firing["slot_at"]) == ("STARTED", NINE)
    assert (await scheduling.state(schedule))["next_at"] == NINE + MINUTE
