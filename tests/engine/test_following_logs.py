"""Who follows the log of a run is told each line once and in order, wherever they come in and however often they leave."""

import asyncio
import random
from contextlib import aclosing
from datetime import timedelta
from typing import Any

import pytest
from engine.conftest import Bench
from engine.speaking_steps import SPEAKING_TYPES
from engine.step_types import TEST_TYPES
from workers import counted

from weft.domain.access import Viewer
from weft.domain.catalogue import Catalogue
from weft.domain.errors import Invalid, NotFound
from weft.domain.ids import new_id
from weft.domain.page import PageRequest
from weft.domain.run import LogLevel, LogLine, Run
from weft.engine.recorder import RunRecorder
from weft.engine.run_log import line_of
from weft.operations.run_logs import LogFilter, LogList, follow_log, load_log_pages
from weft.steps import discover

pytestmark = pytest.mark.timeout(120)

ITEMS = 600
DROPS = 150
ALL = LogFilter()


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, *SPEAKING_TYPES])


async def told(
    bench: Bench, run: Run, after: str | None = None, most: int | None = None, wanted: LogFilter = ALL
) -> list[LogLine]:
    """The lines behind `after`: up to `most`, then the connection is lost; or all to the end of the run."""
    found: list[LogLine] = []
    async with aclosing(await follow_log(bench.services, bench.viewer, run.id, after, wanted)) as lines:
        async for line in lines:
            found.append(line)
            if len(found) == most:
                break
    return found


async def told_in_pieces(bench: Bench, run: Run, chance: random.Random) -> tuple[list[LogLine], int]:
    """All lines, over a connection that is lost again and again; and how often it was."""
    found, drops = list[LogLine](), 0
    while piece := await told(bench, run, found[-1].place if found else None, chance.randint(1, 2 * ITEMS // DROPS)):
        found += piece
        drops += 1
    return found, drops


async def stored(bench: Bench, run: Run) -> list[Any]:
    query = "SELECT id FROM run_log WHERE run_id = :id ORDER BY revision, number, id"
    return [row["id"] for row in await bench.rows(query, id=run.id)]


def ids(lines: list[LogLine]) -> list[Any]:
    return [line.id for line in lines]


async def spoken(bench: Bench, items: int, kind: str = "test_says_and_waits", **config: Any) -> Run:
    step = {"id": "speak", "type": kind, "config": config}
    return await bench.start(await bench.workflow(step, entity_type=await bench.movies(items)))


async def test_every_line_is_told_once_however_often_the_connection_is_lost(bench: Bench) -> None:
    run = await spoken(bench, ITEMS, lines=2)
    dies, lives = [
        asyncio.create_task(bench.new_worker(name, lease=timedelta(seconds=1)).run()) for name in ("dies", "lives")
    ]
    whole = asyncio.create_task(told(bench, run))
    pieces = asyncio.create_task(told_in_pieces(bench, run, random.Random(7)))
    await bench.until(run, lambda progress: progress.finished > ITEMS // 10)
    dies.cancel()
    async with asyncio.timeout(60):
        (found, drops), unbroken = await pieces, await whole
    lives.cancel()
    await asyncio.gather(dies, lives, return_exceptions=True)
    there = await stored(bench, run)
    assert ids(found) == ids(unbroken) == there
    assert drops >= DROPS
    assert len(set(there)) == len(there) >= 2 * ITEMS
    # An item that was done again spoke again; nothing that was recorded with its item is there twice.
    assert {line.ordinal for line in found if line.step_id} == set(range(ITEMS))


async def test_it_goes_on_behind_any_line_of_a_run_that_is_over(bench: Bench) -> None:
    run = await spoken(bench, 70, lines=2)
    await bench.finish(run)
    whole = await told(bench, run)
    assert len(whole) == 140, "more than a page"
    for index in range(0, 140, 7):
        assert await told(bench, run, whole[index].place) == whole[index + 1 :]
    with counted(bench.services.database) as statements:
        await told(bench, run)
    assert statements.count < 8


async def test_the_cursor_of_a_list_is_that_of_who_follows(bench: Bench) -> None:
    run, other = await spoken(bench, 5, lines=3), await spoken(bench, 1, lines=0)
    await bench.finish(run)
    pages = [LogList(run.id, ALL, PageRequest(4)), LogList(other.id, ALL, PageRequest(4))]
    page, of_other = await load_log_pages(bench.services, bench.viewer, pages)
    assert (page.has_next, of_other.rows) == (True, ())
    rest = await told(bench, run, page.keys[-1])
    (again,) = await load_log_pages(
        bench.services, bench.viewer, [LogList(run.id, ALL, PageRequest(99, page.keys[-1]))]
    )
    assert list(again.rows) == rest
    assert ids([*page.rows, *rest]) == await stored(bench, run)


async def test_only_the_lines_that_are_wanted_are_told(bench: Bench) -> None:
    steps = [{"id": name, "type": "test_says_and_tries_again", "config": {"lines": 2}} for name in ("a", "b")]
    retry = {"retry": {"maxAttempts": 2, "initialDelay": "PT0.01S"}}
    workflow = await bench.workflow(*(step | retry for step in steps), entity_type=await bench.movies(10))
    run = await bench.start(workflow)
    following = asyncio.create_task(told(bench, run, wanted=LogFilter(LogLevel.WARNING, "b")))
    await bench.finish(run)
    async with asyncio.timeout(20):
        lines = await following
    assert len(lines) == 10
    assert {(line.step_id, line.level) for line in lines} == {("b", "WARNING")}
    assert await told(bench, run, wanted=LogFilter(LogLevel.WARNING, "b")) == lines
    assert await told(bench, run, lines[3].place, wanted=LogFilter(LogLevel.WARNING, "b")) == lines[4:]
    whole = await told(bench, run)
    assert len(whole) == 10 * 2 * (2 * 2 + 1)
    # A cursor leads on whatever was wanted before.
    behind = await told(bench, run, lines[3].place)
    assert behind == whole[whole.index(lines[3]) + 1 :]


async def test_where_lines_are_not_kept_any_more_it_is_said_once(bench: Bench) -> None:
    run = await spoken(bench, 120, lines=1)
    await bench.finish(run, bench.new_worker("one"), bench.new_worker("two"))
    whole = await told(bench, run)
    gone = 50
    async with bench.services.database.transaction() as connection:
        for line in whole[:gone]:
            await connection.exec_driver_sql(f"DELETE FROM run_log WHERE id = '{line.id}'")
    for after in (None, whole[0].place, whole[gone - 2].place):
        notice, *rest = await told(bench, run, after)
        assert rest == whole[gone:]
        assert (notice.level, notice.ordinal, notice.step_id) == (LogLevel.WARNING, None, None)
        assert "are missing here" in notice.message
        assert await told(bench, run, notice.place) == rest
    assert await told(bench, run, whole[gone - 1].place) == whole[gone:], (
        "nothing is missing behind the last that is gone"
    )
    async with bench.services.database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM run_log")
    (notice,) = await told(bench, run)
    assert await told(bench, run, notice.place) == []
    assert await told(bench, run, whole[-1].place) == []


async def test_a_line_that_comes_behind_the_end_is_found_with_the_last_cursor(bench: Bench) -> None:
    run = await spoken(bench, 3, lines=1)
    await bench.finish(run)
    whole = await told(bench, run)
    recorder = RunRecorder(
        bench.services.database, run.id, bench.viewer.workspace_id, 1, timedelta(seconds=10), bench.published.publish
    )
    for number in range(2):
        recorder.log.add(line_of(0, "speak", LogLevel.INFO, f"late {number}", {}))
        await recorder.flush()
    for after in whole[-2:]:
        behind = await told(bench, run, after.place)
        assert [line.message for line in behind][-2:] == ["late 0", "late 1"]
        assert len(behind) == whole[::-1].index(after) + 2
    late = await told(bench, run, whole[-1].place)
    assert await told(bench, run, late[0].place) == late[1:]


async def test_lines_that_are_older_than_places_are_told_in_their_order(bench: Bench) -> None:
    run = await spoken(bench, 1, lines=2)
    async with bench.services.database.transaction() as connection:
        for _ in range(250):
            await connection.exec_driver_sql(
                "INSERT INTO run_log (id, run_id, level, message, fields, at) "
                f"VALUES ('{new_id()}', '{run.id}', 'INFO', 'old', '{{}}', now())"
            )
    await bench.finish(run)
    found, _ = await told_in_pieces(bench, run, random.Random(1))
    assert len(found) == 252
    assert ids(found) == await stored(bench, run)
    assert ids(found)[:250] == sorted(ids(found)[:250])


async def test_a_run_that_says_nothing_ends_without_a_line(bench: Bench) -> None:
    run = await spoken(bench, 20, lines=0)
    following = asyncio.create_task(told(bench, run))
    await bench.finish(run)
    async with asyncio.timeout(20):
        assert await following == []
    assert await told(bench, await spoken(bench, 0)) == []


async def test_what_is_no_cursor_of_the_run_is_refused(bench: Bench, stranger: Viewer) -> None:
    run, other = await spoken(bench, 1), await spoken(bench, 1)
    for after, why in {
        "nonsense": "not a cursor",
        f"{run.id}": "not a cursor",
        f"{run.id}:1": "not a cursor",
        f"{run.id}:-1:0": "not a cursor",
        f"{run.id}:1:-2": "not a cursor",
        f"{run.id}:1:٣": "not a cursor",
        f"{run.id}:01:0": "not a cursor",
        f"{run.id}:1:0:{new_id().hex}": "not a cursor",
        f"{run.id}:{2**62}:0": "not a cursor",
        f"{run.id}:{'9' * 5000}:0": "not a cursor",
        f"{other.id}:0:0": "of another run",
        f"{run.id}:9:0": "ahead of the run",
    }.items():
        with pytest.raises(Invalid, match=why):
            await follow_log(bench.services, bench.viewer, run.id, after, ALL)
    with pytest.raises(NotFound):
        await follow_log(bench.services, stranger, run.id, None, ALL)
    (page,) = await load_log_pages(bench.services, stranger, [LogList(run.id, ALL, PageRequest(5))])
    assert page.rows == ()
