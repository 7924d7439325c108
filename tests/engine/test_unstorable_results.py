"""Results that Postgres refuses for good: the guilty item fails by name, its neighbours are recorded, the run ends."""

from engine.conftest import Bench
from sqlalchemy import text

from weft.domain.progress import RunStatus

REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.status = 'COMPLETED' AND NEW.ordinal % 7 = 0 THEN
    RAISE EXCEPTION 'this row is not liked' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$
"""


async def test_an_item_that_cannot_be_stored_fails_alone(bench: Bench) -> None:
    async with bench.services.database.transaction() as connection:
        await connection.execute(text(REFUSE))
        await connection.execute(
            text("CREATE TRIGGER refuse BEFORE INSERT ON run_item FOR EACH ROW EXECUTE FUNCTION refuse()")
        )
    publish = {"id": "publish", "type": "publish", "config": {"fields": {"gross": "1.5"}}}
    workflow = await bench.workflow(publish, entity_type=await bench.movies(40))
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
