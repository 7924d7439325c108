"""What workers say into the log of a run by themselves; and that they say nothing of a run without trouble."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from engine.conftest import Bench
from engine.speaking_steps import SPEAKING_TYPES
from engine.step_types import TEST_TYPES, Counting, Gate
from statemachine.broken_commits import breaking
from statemachine.counterpart import Fault

from weft.domain.catalogue import Catalogue
from weft.domain.outside import ModelReply, ModelRequest
from weft.domain.run import Run
from weft.engine import recorder
from weft.engine.outside.telling import TellingModels
from weft.steps import discover

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, *SPEAKING_TYPES])


async def words(bench: Bench, run: Run) -> list[Any]:
    return await bench.rows("SELECT * FROM run_log WHERE run_id = :id ORDER BY revision, number", id=run.id)


async def test_a_run_without_trouble_has_no_words(bench: Bench) -> None:
    steps = [{"id": kind, "type": kind} for kind in ("test_counting", "echo")]
    run = await bench.start(await bench.workflow(*steps, entity_type=await bench.movies(50)))
    await bench.finish(run, bench.new_worker("one"), bench.new_worker("two"))
    assert await words(bench, run) == []


async def test_an_attempt_that_is_made_again_says_why_and_when(bench: Bench) -> None:
    retry = {"maxAttempts": 3, "initialDelay": "PT0.05S", "jitter": 0}
    step = {"id": "busy", "type": "test_says_and_tries_again", "config": {"lines": 0}, "retry": retry}
    run = await bench.start(await bench.workflow(step, entity_type=await bench.movies(2)))
    await bench.finish(run)
    told = await words(bench, run)
    assert sorted((line["ordinal"], line["step_id"], line["level"]) for line in told) == [
        (0, "busy", "WARNING"),
        (1, "busy", "WARNING"),
    ]
    for line in told:
        assert line["message"] == (
            "Attempt 1 of 3 failed, the next one begins in 50 ms: the key sk-1 is not known here\N{REPLACEMENT CHARACTER}"
        )
        assert line["fields"] == {"attempt": 1, "code": "BUSY", "waitSeconds": 0.05}


async def test_a_run_that_a_failure_stops_says_so_with_its_end(bench: Bench) -> None:
    step = {"id": "some", "type": "test_sometimes", "config": {"fail_where": 1}, "onFailure": "STOP_RUN"}
    run = await bench.start(await bench.workflow(step, entity_type=await bench.movies(1)))
    progress = await bench.finish(run)
    (line,) = await words(bench, run)
    assert (line["revision"], line["level"], line["ordinal"]) == (progress.revision, "ERROR", None)
    assert line["message"] == "The run was stopped: Step 'some' failed: item 0 is broken"


async def test_a_worker_that_takes_over_says_of_what(bench: Bench) -> None:
    Gate.opened.clear()
    Gate.waiting.clear()
    run = await bench.start(
        await bench.workflow(
            {"id": "count", "type": "test_counting"},
            {"id": "gate", "type": "test_gate"},
            entity_type=await bench.movies(4),
        )
    )
    Counting.calls.clear()
    lost = asyncio.create_task(bench.new_worker("lost", lease=timedelta(seconds=0.5)).run())
    async with asyncio.timeout(20):
        while len(Gate.waiting) < 4:
            await asyncio.sleep(0.02)
    lost.cancel()
    await asyncio.gather(lost, return_exceptions=True)
    async with bench.services.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE run_batch SET ready_at = now()")
    Gate.opened.set()
    await bench.finish(run, bench.new_worker("another"))
    told = await words(bench, run)
    assert told, "somebody took over"
    assert {(line["level"], line["ordinal"], line["step_id"]) for line in told} == {("WARNING", None, None)}
    assert all("was lost" in line["message"] and "another" not in line["message"] for line in told)
    assert min(line["fields"]["firstOrdinal"] for line in told) == 0


async def test_a_database_that_was_away_is_told_afterwards(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "LONG_AWAY_SECONDS", 0.0)
    run = await bench.start(await bench.workflow({"id": "gate", "type": "test_gate"}))
    Gate.opened.clear()
    Gate.waiting.clear()
    working = asyncio.create_task(bench.new_worker().run())
    async with asyncio.timeout(20):
        while not Gate.waiting:
            await asyncio.sleep(0.02)
        with breaking(bench.services.database.engine, Fault.BEFORE_THE_COMMIT):
            Gate.opened.set()
            await bench.until(run, lambda progress: progress.status.is_terminal)
            while not (told := await words(bench, run)):
                await asyncio.sleep(0.02)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert [line["level"] for line in told] == ["WARNING"]
    assert told[0]["message"].startswith("The database could not be written for ")


class Slow:
    """A provider whose calls stand in line for as long as the prompt says."""

    async def providers(self) -> list[str]:
        return ["slow"]

    async def generate(self, request: ModelRequest) -> ModelReply:
        return ModelReply("", request.model, waited=timedelta(seconds=float(request.prompt)))


async def test_calls_that_stand_in_line_for_long_are_told_of_rarely() -> None:
    told: list[tuple[str, timedelta]] = []
    models = TellingModels(Slow(), lambda provider, wait: told.append((provider, wait)))
    for seconds in ("9.9", "42", "43", "44"):
        for provider in ("a", "b"):
            await models.generate(ModelRequest(provider, "m", seconds))
    assert told == [("a", timedelta(seconds=42)), ("b", timedelta(seconds=42))]
    assert await models.providers() == ["slow"]
