"""Workers that are killed in the middle of a round: no event is lost, and none starts anything twice."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from triggers.routing import Routing

from weft.kit.process import ChildProcess, Command, spawn

EVENTS, THIRDS, WORKFLOWS = 300, 3, 6
KILLS = 2
IN_A_ROUND = """SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'
  AND pid <> pg_backend_pid() AND query ~ 'INTO (firing|run|run_batch|run_state) '"""


@dataclass
class Workers:
    environment: dict[str, str]
    log: Path
    running: list[ChildProcess] = field(default_factory=list[ChildProcess])

    def start(self, count: int) -> None:
        with self.log.open("ab") as log:
            for _ in range(count):
                command = Command((sys.executable, "-m", "weft.cli", "worker"), env=self.environment)
                self.running.append(spawn(command, log))

    async def kill(self) -> None:
        """All of them, as a crash does."""
        for process in self.running:
            os.kill(process.pid, signal.SIGKILL)
        for process in self.running:
            await process.wait()
        self.running.clear()


@pytest.fixture
async def workers(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Workers]:
    environment = os.environ | {
        "WEFT_DATABASE_URL": database_url,
        "WEFT_REDIS_URL": redis_url,
        "WEFT_SECRET_KEY": "a secret only for tests, of 32 characters or more",
        "WEFT_LOG_LEVEL": "warning",
    }
    workers = Workers(environment, tmp_path / "log")
    yield workers
    await workers.kill()


async def test_each_match_starts_one_run_though_workers_are_killed_in_the_middle_of_it(
    routing: Routing, workers: Workers
) -> None:
    of_third: dict[int, set[str]] = {third: set() for third in range(THIRDS)}
    for number in range(WORKFLOWS):
        third = number % THIRDS
        made = await routing.workflow({"event": "order.paid", "filter": {"third": third}}, name=f"w{number}")
        every = await routing.workflow({"event": "order.paid", "condition": f"payload.third >= {third}"})
        of_third[third].add(str(made.id))
        for later in range(third, THIRDS):
            of_third[later].add(str(every.id))
    await routing.do(
        "INSERT INTO event (workspace_id, name, payload) SELECT :workspace_id, 'order.paid', "
        "json_build_object('third', n % :thirds) FROM generate_series(1, :events) AS n",
        workspace_id=routing.viewer.workspace_id,
        thirds=THIRDS,
        events=EVENTS,
    )
    async with asyncio.timeout(120):
        for _ in range(KILLS):
            workers.start(2)
            while not await routing.rows(IN_A_ROUND):
                await asyncio.sleep(0.001)
            await workers.kill()
            assert await open_events(routing) > 0, workers.log.read_text()
        workers.start(2)
        while await open_events(routing):
            await asyncio.sleep(0.05)
    wanted = {
        (str(event["id"]), workflow)
        for event in await routing.rows("SELECT id, payload FROM event WHERE name = 'order.paid'")
        for workflow in of_third[event["payload"]["third"]]
    }
    started = [(str(run["event_id"]), str(run["workflow_id"])) for run in await routing.runs()]
    assert (len(started), set(started)) == (len(wanted), wanted)
    told = {(str(one["event_id"]), str(one["workflow_id"])): one for one in await routing.firings()}
    assert told.keys() == wanted
    by_run = {run["id"]: run["event_id"] for run in await routing.runs()}
    assert all(by_run[one["run_id"]] == one["event_id"] for one in told.values())


async def open_events(routing: Routing) -> int:
    (row,) = await routing.rows("SELECT count(*) FROM event WHERE handled_at IS NULL AND name = 'order.paid'")
    return row["count"]
