"""What one flush writes into the log of a run, when its commit is not answered, and when it fills the log."""

from datetime import timedelta

import pytest
from engine.conftest import Bench
from engine.logged import left_out, log_of, places_are_whole, speaking
from engine.speaking_steps import SPEAKING_TYPES
from statemachine.broken_commits import breaking
from statemachine.counterpart import Fault

from weft.domain.catalogue import Catalogue
from weft.domain.run import LogLevel, Run
from weft.engine import run_log
from weft.engine.recorder import RunRecorder
from weft.operations import runs
from weft.storage import log_lines

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue(SPEAKING_TYPES)


async def recorder_of(bench: Bench, run: Run) -> RunRecorder:
    """Of a run that is under way, unless it is over."""
    async with bench.services.database.transaction() as connection:
        await connection.exec_driver_sql("UPDATE run_state SET status = 'RUNNING' WHERE status = 'PENDING'")
    return RunRecorder(
        bench.services.database, run.id, bench.viewer.workspace_id, 1, timedelta(seconds=10), bench.published.publish
    )


@pytest.mark.parametrize("fault", [Fault.BEHIND_THE_COMMIT, Fault.BEFORE_THE_COMMIT])
@pytest.mark.parametrize("is_over", [False, True])
async def test_a_flush_whose_commit_was_not_answered_stores_its_lines_once(
    bench: Bench, fault: Fault, is_over: bool
) -> None:
    run = await speaking(bench, "test_says")
    if is_over:
        await runs.cancel_run(bench.services, bench.viewer, run.id)
    recorder = await recorder_of(bench, run)
    with breaking(bench.services.database.engine, fault):
        for number in range(3):
            recorder.log.add(run_log.line_of(number, "speak", LogLevel.INFO, f"line {number}", {}))
        await recorder.flush()
    assert [line["message"] for line in await log_of(bench, run)] == [f"line {number}" for number in range(3)]
    (state,) = await bench.rows("SELECT log_lines FROM run_state WHERE run_id = :id", id=run.id)
    assert state["log_lines"] == 3


@pytest.mark.parametrize("fault", [Fault.BEHIND_THE_COMMIT, Fault.BEFORE_THE_COMMIT])
async def test_the_flush_that_fills_the_log_says_so_itself(
    bench: Bench, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever made it may never hear that it went through, or be gone by then."""
    monkeypatch.setattr(log_lines, "MOST_LINES", 2)
    run = await speaking(bench, "test_says")
    recorder = await recorder_of(bench, run)
    with breaking(bench.services.database.engine, fault):
        for number in range(3):
            recorder.log.add(run_log.line_of(number, "speak", LogLevel.INFO, f"line {number}", {}))
        await recorder.flush()
    lines = await log_of(bench, run)
    assert [line["message"] for line in lines[:-1]] == ["line 0", "line 1"]
    assert lines[-1]["message"].startswith("The log of this run has")
    await places_are_whole(bench, run)
    assert await left_out(bench, run) == 1
    other = await recorder_of(bench, run)
    other.log.add(run_log.line_of(3, "speak", LogLevel.INFO, "one more", {}))
    await other.flush()
    assert await log_of(bench, run) == lines
    assert await left_out(bench, run) == 2
