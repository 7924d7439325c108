"""The log of a run: what steps say is stored with their items, once, with its place; and within bounds."""

import asyncio
import math
import sys
import threading
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from engine.conftest import Bench
from engine.logged import left_out, log_of, places_are_whole, speaking
from engine.speaking_steps import SPEAKING_TYPES, SaysOdd
from engine.step_types import TEST_TYPES, Gate

from weft.domain.catalogue import Catalogue
from weft.domain.progress import RunStatus
from weft.domain.run import LogLevel
from weft.engine import run_log
from weft.engine.run_log import ITEM_CHARACTERS, ITEM_LINES, RunLog
from weft.kit.storable import is_storable_text
from weft.operations import runs
from weft.steps import discover
from weft.storage import log_lines

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, *SPEAKING_TYPES])


@pytest.mark.parametrize("kind", ["test_says", "test_says_and_waits", "test_says_together"])
async def test_each_line_is_stored_once_with_its_item_and_its_place(bench: Bench, kind: str) -> None:
    run = await speaking(bench, kind, 40, {"id": "end", "type": "echo"}, lines=3)
    progress = await bench.finish(run, bench.new_worker("one"), bench.new_worker("two"))
    assert progress.completed == 40
    lines = await log_of(bench, run)
    assert sorted((line["ordinal"], line["message"]) for line in lines) == [
        (ordinal, f"line {number}") for ordinal in range(40) for number in range(3)
    ]
    assert {(line["step_id"], line["level"]) for line in lines} == {("speak", "INFO")}
    assert all(line["fields"] == {"number": int(line["message"][-1])} for line in lines)
    await places_are_whole(bench, run)
    assert await left_out(bench, run) == 0


async def test_a_run_that_says_nothing_writes_nothing_of_it(bench: Bench) -> None:
    run = await speaking(bench, "test_says", 40, lines=0)
    await bench.finish(run)
    assert await log_of(bench, run) == []
    assert {row["logs"] for row in await bench.rows("SELECT logs FROM run_change WHERE run_id = :id", id=run.id)} == {0}


async def test_lines_are_stored_while_their_item_is_still_under_way(bench: Bench) -> None:
    Gate.opened.clear()
    run = await speaking(bench, "test_says", 3, {"id": "gate", "type": "test_gate"}, lines=2)
    working = asyncio.create_task(bench.new_worker().run())
    async with asyncio.timeout(20):
        while len(await log_of(bench, run)) < 6:
            await asyncio.sleep(0.02)
    found = await bench.until(run, lambda progress: progress.revision > 1)
    assert (found.status, found.finished) == (RunStatus.RUNNING, 0)
    Gate.opened.set()
    await bench.until(run, lambda progress: progress.status.is_terminal)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert len(await log_of(bench, run)) == 6
    await places_are_whole(bench, run)


async def test_an_item_that_says_too_much_has_a_line_at_its_end_that_says_how_much(bench: Bench) -> None:
    run = await speaking(bench, "test_says", 3, lines=ITEM_LINES + 23, only=1)
    await bench.finish(run)
    lines = await log_of(bench, run)
    assert [line["message"] for line in lines[:-1]] == [f"line {number}" for number in range(ITEM_LINES)]
    last = lines[-1]
    assert (last["ordinal"], last["step_id"], last["level"], last["fields"]) == (1, None, "WARNING", {"leftOut": 23})
    assert last["message"].startswith("23 lines left out: an item may say 100 lines")
    assert await left_out(bench, run) == 23


async def test_an_item_that_says_long_lines_says_fewer(bench: Bench) -> None:
    run = await speaking(bench, "test_says", 1, lines=12, characters=20_000)
    await bench.finish(run)
    *lines, last = await log_of(bench, run)
    assert len(lines) == ITEM_CHARACTERS // run_log.MESSAGE_LENGTH + 1
    for line in lines:
        assert line["message"].startswith("line ")
        assert line["message"].endswith("x… (10,006 characters left out)")
    assert last["fields"] == {"leftOut": 12 - len(lines)}


async def test_a_run_that_says_too_much_is_cut_off_exactly_however_many_workers_it_has(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_lines, "MOST_LINES", 200)
    monkeypatch.setattr(run_log, "MOST_LINES", 200)
    run = await speaking(bench, "test_says_and_waits", 120, lines=5)
    progress = await bench.finish(run, bench.new_worker("one"), bench.new_worker("two"))
    assert progress.completed == 120
    lines = await log_of(bench, run)
    assert sum(line["step_id"] == "speak" for line in lines) == 200
    (word,) = [line for line in lines if line["step_id"] is None]
    assert (word["level"], word["ordinal"]) == ("WARNING", None)
    assert word["message"].startswith("The log of this run has 200 lines")
    assert await left_out(bench, run) == 120 * 5 - 200


class Endless:
    """A value that holds itself."""

    def __repr__(self) -> str:
        raise RuntimeError("not to be shown")


async def test_whatever_a_step_says_is_stored_and_harms_nothing(bench: Bench) -> None:
    circle: dict[str, Any] = {}
    circle["self"] = circle
    deep: Any = "end"
    for _ in range(5_000):
        deep = [deep]
    values: dict[str, Any] = {
        "NUL": "a\0b",
        "NUL in a name": {"a\0b": 1},
        "half of a pair": "a\ud800b",
        "half of a pair in a name": {"a\ud800b": 1},
        "a huge number": 10**30,
        "an enormous number": 7 ** (sys.maxsize.bit_length() * 10_000),
        "not a number": math.nan,
        "infinity": math.inf,
        "an object": object(),
        "one that cannot be shown": Endless(),
        "a circle": circle,
        "deep": deep,
        "a set": {1},
        "bytes": b"\xff",
        "a decimal": Decimal("1.50"),
        "an error": ValueError("wrong"),
        "numbers as names": {1: 2, None: 3},
        "large": "x" * 1_000_000,
        "a message with \0 and \ud800": 1,
    }
    SaysOdd.values = values
    run = await speaking(bench, "test_says_odd", 2)
    progress = await bench.finish(run)
    assert progress.completed == 2
    lines = await log_of(bench, run)
    assert len(lines) == 2 * len(values)
    told = {line["message"]: line["fields"] for line in lines}
    for line in lines:
        assert is_storable_text(line["message"])
        assert {"message", "level", "self"} <= line["fields"].keys()
    shown = {name: fields.get("value") for name, fields in told.items()}
    assert shown["NUL"] == "a\N{REPLACEMENT CHARACTER}b"
    assert shown["a huge number"] == str(10**30)
    assert "bits" in shown["an enormous number"]
    assert shown["not a number"] is None
    assert shown["a decimal"] == "1.50"
    assert shown["an error"] == "ValueError('wrong')"
    assert shown["numbers as names"] == {"1": 2, "null": 3}
    assert "cannot be shown: RuntimeError" in shown["one that cannot be shown"]
    assert told["large"] == {"message": "m", "level": 1, "self": 2, "leftOut": ["value"]}
    # Postgres itself can read every one of them.
    read = await bench.rows("SELECT fields ->> 'message' AS m FROM run_log WHERE run_id = :id", id=run.id)
    assert {row["m"] for row in read} == {"m"}


async def test_a_step_may_speak_from_threads_of_its_own(bench: Bench) -> None:
    run = await speaking(bench, "test_says_from_threads")
    await bench.finish(run)
    lines = await log_of(bench, run)
    assert sorted(line["message"] for line in lines) == sorted(
        f"{name} {number} in False" for name in "abcd" for number in range(20)
    )
    for name in "abcd":
        own = [line["message"] for line in lines if line["message"][0] == name]
        assert own == [f"{name} {number} in False" for number in range(20)]


async def test_lines_of_a_run_that_was_cancelled_come_behind_its_end_and_change_nothing_of_it(bench: Bench) -> None:
    run = await speaking(bench, "test_says_for_ever", 2)
    worker = bench.new_worker(lease=timedelta(seconds=1))
    working = asyncio.create_task(worker.run())
    async with asyncio.timeout(20):
        while not await log_of(bench, run):
            await asyncio.sleep(0.02)
        await runs.cancel_run(bench.services, bench.viewer, run.id)
        ended = await runs.get_run(bench.services, bench.viewer, run.id)
        assert ended is not None
        while sum(line["message"] == "cancelled" for line in await log_of(bench, run)) < 2:
            await asyncio.sleep(0.02)
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)
    assert await runs.get_run(bench.services, bench.viewer, run.id) == ended
    lines = await log_of(bench, run)
    late = [line for line in lines if line["revision"] == ended.progress.revision]
    assert [line["number"] for line in late] == list(range(len(late)))
    assert [line["message"] for line in late[-2:]] == ["cancelled"] * 2
    (change,) = await bench.rows(
        "SELECT logs FROM run_change WHERE run_id = :id AND revision = :last", id=run.id, last=ended.progress.revision
    )
    assert change["logs"] == 0, "they did not come with the end"


async def test_what_gathers_while_the_database_is_slow_is_bounded_and_counted() -> None:
    log = RunLog(lambda: None)

    def speak() -> None:
        for _ in range(3_000):
            log.add(run_log.line_of(0, "speak", LogLevel.INFO, "x" * 9_000, {}))

    threads = [threading.Thread(target=speak) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    said = log.take()
    assert len(said.lines) + said.left_out == 6_000
    characters = sum(len(line.message) for line in said.lines)
    assert 15_000_000 < characters < 16_100_000
    assert not log.take()
