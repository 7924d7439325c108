"""Runs whose steps speak, and what their logs have."""

from typing import Any

from engine.conftest import Bench

from weft.domain.run import Run
from weft.operations import runs


async def speaking(bench: Bench, kind: str, items: int = 1, *more: dict[str, Any], **config: Any) -> Run:
    step = {"id": "speak", "type": kind, "config": config}
    return await bench.start(await bench.workflow(step, *more, entity_type=await bench.movies(items)))


async def log_of(bench: Bench, run: Run) -> list[Any]:
    """In the order of their places."""
    return await bench.rows("SELECT * FROM run_log WHERE run_id = :id ORDER BY revision, number, id", id=run.id)


async def left_out(bench: Bench, run: Run) -> int:
    found = await runs.get_run(bench.services, bench.viewer, run.id)
    assert found is not None
    return found.log_lines_left_out


async def places_are_whole(bench: Bench, run: Run) -> None:
    """Each change says how many lines came with it, and they have the numbers from 0 on."""
    counted = await bench.rows(
        """SELECT c.revision, c.logs, array_agg(l.number ORDER BY l.number) FILTER (WHERE l.number IS NOT NULL) AS numbers
        FROM run_change c LEFT JOIN run_log l ON l.run_id = c.run_id AND l.revision = c.revision
        WHERE c.run_id = :id GROUP BY c.revision, c.logs ORDER BY c.revision""",
        id=run.id,
    )
    assert [row["revision"] for row in counted] == list(range(1, len(counted) + 1))
    for row in counted:
        assert (row["numbers"] or []) == list(range(row["logs"]))
    (state,) = await bench.rows("SELECT log_lines FROM run_state WHERE run_id = :id", id=run.id)
    assert state["log_lines"] == sum(row["logs"] for row in counted)
