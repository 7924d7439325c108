from engine.conftest import Bench

from weft.domain.progress import RunStatus

TRANSFORM = {"id": "shape", "type": "transform", "config": {"fields": {"label": "input.title + '!'"}}}


async def test_a_run_over_entities_completes_with_one_result_per_item(bench: Bench) -> None:
    workflow = await bench.workflow(TRANSFORM, entity_type=await bench.movies(120))
    run = await bench.start(workflow)
    progress = await bench.finish(run)
    assert progress.status is RunStatus.COMPLETED
    assert (progress.total, progress.completed) == (120, 120)
    items = await bench.items(run)
    assert [item["ordinal"] for item in items] == list(range(120))
    assert items[7]["steps"][0]["o"] == {"label": "Movie 7!"}
