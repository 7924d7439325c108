"""Results that Postgres refuses: the guilty item fails by name, its neighbours are recorded, the run ends."""

from engine.conftest import Bench

from weft.domain.progress import RunStatus


async def test_an_item_that_cannot_be_stored_fails_alone(bench: Bench) -> None:
    type_id = await bench.movies(40)
    workflow = await bench.workflow(
        {"id": "poison", "type": "test_poison", "config": {"where": 7}}, entity_type=type_id
    )
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.status is RunStatus.COMPLETED_WITH_FAILURES
    assert (progress.completed, progress.failed) == (34, 6)
    items = await bench.items(run)
    assert len(items) == 40
    assert items[7]["error"]["code"] == "RESULT_NOT_STORED"
    assert items[8]["status"] == "COMPLETED"
    versions = await bench.rows("SELECT version, count(*) AS n FROM entity GROUP BY version ORDER BY version")
    assert [(row["version"], row["n"]) for row in versions] == [(1, 6), (2, 34)]
