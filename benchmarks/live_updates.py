"""New states of runs, committed and published as a worker's recorder does it, without the work that would lead to them.

What is noted of a revision is when its transaction was sent to the database, so that waiting for the disk counts as well.
"""

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import asyncpg

from benchmarks.system import System
from weft.domain.ids import UUID
from weft.domain.progress import Progress
from weft.engine.publisher import LatestPublisher
from weft.progress.channel import ProgressChannel
from weft.storage.progress import progress_of

ADVANCE = """
    UPDATE run_state SET status = 'RUNNING', revision = revision + 1, completed = least(completed + 1, total - 1),
      started_at = coalesce(started_at, now()), updated_at = now()
    WHERE run_id = ANY($1::uuid[]) RETURNING *
"""


@dataclass(slots=True)
class Updates:
    connection: asyncpg.Connection
    publisher: LatestPublisher
    commits: dict[UUID, dict[int, float]] = field(default_factory=dict[UUID, dict[int, float]])
    """When each revision of a run was committed, in the order of the revisions."""

    @property
    def newest(self) -> dict[UUID, int]:
        """The revision of each run."""
        return {run: next(reversed(commits)) for run, commits in self.commits.items()}

    async def commit(self, runs: Sequence[UUID]) -> list[Progress]:
        """One more state of each of these, in one transaction."""
        at = time.perf_counter()
        rows = cast("list[asyncpg.Record]", await self.connection.fetch(ADVANCE, runs))
        states = [progress_of(dict(row)) for row in rows]
        for state in states:
            self.commits.setdefault(state.run_id, {})[state.revision] = at
        return states

    def publish(self, states: Sequence[Progress]) -> None:
        for state in states:
            self.publisher.publish(state)


@asynccontextmanager
async def updating(system: System) -> AsyncGenerator[Updates]:
    channel = ProgressChannel(system.services.redis_url)
    publisher = LatestPublisher(channel.publish)
    try:
        yield Updates(system.connection, publisher)
        await publisher.close()
    finally:
        await channel.close()
