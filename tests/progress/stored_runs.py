"""Runs in the database, moved on by hand as the recorder would."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import delete, insert, update

from weft.domain.access import Viewer
from weft.domain.ids import UUID, new_id
from weft.domain.progress import Progress
from weft.storage import tables
from weft.storage.database import Database

_MICROSECOND = timedelta(microseconds=1)


async def store(database: Database, viewer: Viewer, *states: Progress) -> None:
    """A run of the viewer's workspace for each state, all of one workflow."""
    workflow_id, version_id = new_id(), new_id()
    async with database.transaction() as connection:
        await connection.execute(
            insert(tables.workflow).values(
                id=workflow_id,
                workspace_id=viewer.workspace_id,
                name="watched",
                status="ACTIVE",
                version_id=version_id,
                version_number=1,
                steps_count=1,
                created_by=viewer.key_name,
            )
        )
        await connection.execute(
            insert(tables.workflow_version).values(
                id=version_id,
                workspace_id=viewer.workspace_id,
                workflow_id=workflow_id,
                number=1,
                definition={"steps": []},
                created_by=viewer.key_name,
            )
        )
        for state in states:
            await connection.execute(
                insert(tables.run).values(
                    id=state.run_id,
                    workspace_id=viewer.workspace_id,
                    workflow_id=workflow_id,
                    version_id=version_id,
                    parameters={},
                    trigger_type="MANUAL",
                    triggered_by=viewer.key_name,
                )
            )
            await connection.execute(insert(tables.run_state).values(run_id=state.run_id, **_columns(state)))


async def commit(database: Database, state: Progress) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            update(tables.run_state).where(tables.run_state.c.run_id == state.run_id).values(**_columns(state))
        )


async def remove(database: Database, run_id: UUID) -> None:
    async with database.transaction() as connection:
        await connection.execute(delete(tables.run).where(tables.run.c.id == run_id))


def _columns(state: Progress) -> dict[str, object]:
    counters = ("total", "completed", "failed", "skipped", "cancelled", "revision")
    times = ("started_at", "finished_at", "updated_at")
    return {
        "status": state.status,
        **{name: getattr(state, name) for name in counters + times},
        "step_ids": [step.step_id for step in state.steps],
        "step_completed": [step.completed for step in state.steps],
        "step_failed": [step.failed for step in state.steps],
        "step_skipped": [step.skipped for step in state.steps],
        "step_retried": [step.retried for step in state.steps],
        "step_busy_us": [step.busy // _MICROSECOND for step in state.steps],
        "step_usage": [figure for step in state.steps for figure in step.usage.figures] if state.usage else [],
    }


def another(state: Progress) -> Progress:
    """The same state of another run."""
    return replace(state, run_id=new_id())
