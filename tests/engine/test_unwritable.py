"""What Postgres refuses to store ends the item it came from, with a reason; never the flush, the batch or the worker."""

from typing import Any, ClassVar

import pytest
from engine.conftest import Bench
from engine.step_types import TEST_TYPES, NoConfig

from weft.domain.catalogue import Catalogue
from weft.domain.progress import RunStatus
from weft.domain.run import LogLevel
from weft.domain.step import Fail, Output, PublishEntity, StepCategory, StepContext, StepType
from weft.operations import run_retries
from weft.operations.run_retries import RetryRun
from weft.steps import discover

pytestmark = pytest.mark.timeout(30)

GUILTY = 3
"""The ordinal of the item that gives what cannot be written."""
HALF_OF_A_PAIR = "half of a pair: \ud800"
NUL = "a NUL: \x00"
LARGE = "x" * (9 * 1024 * 1024)


class Given(StepType[NoConfig]):
    """For one item, does what `deed` says; the others pass."""

    kind = "test_given"
    title = "Given"
    description = "Gives one item something that cannot be written."
    category = StepCategory.PROCESSING
    Config = NoConfig
    deed: ClassVar[str] = ""
    text: ClassVar[str] = ""

    def run(self, ctx: StepContext, input: Any) -> Any:  # noqa: ARG002 - the words of the contract
        if ctx.values["item"]["ordinal"] != GUILTY:
            return {}
        match Given.deed:
            case "publish":
                return Output({}, effects=(PublishEntity({"title": Given.text}),))
            case "publish and give":
                return Output({"title": Given.text}, effects=(PublishEntity({"title": Given.text}),))
            case "publish by name":
                return Output({}, effects=(PublishEntity({Given.text: 1}),))
            case "log":
                ctx.log(LogLevel.INFO, Given.text)
                return {}
            case "log fields":
                ctx.log(LogLevel.INFO, "fields", field=Given.text)
                return {}
            case "give":
                return {"title": Given.text}
            case "skip":
                ctx.log(LogLevel.INFO, "failing")
                raise Fail(Given.text, code=Given.text, details={Given.text: Given.text})
            case _:
                raise Fail(Given.text)


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue([*discover(), *TEST_TYPES, Given])


async def _run(bench: Bench, deed: str, text: str, **step: Any) -> tuple[RunStatus, dict[int, Any]]:
    Given.deed, Given.text = deed, text
    entity_type = await bench.movies(10)
    workflow = await bench.workflow({"id": "given", "type": "test_given", **step}, entity_type=entity_type)
    run = await bench.start(workflow)
    progress = await bench.finish(run, within=8)
    items = {item["ordinal"]: item for item in await bench.items(run)}
    assert progress.completed + progress.failed + progress.cancelled == 10
    assert (progress.completed, progress.failed) == (
        sum(item["status"] == "COMPLETED" for item in items.values()),
        sum(item["status"] == "FAILED" for item in items.values()),
    )
    return progress.status, items


def _only_the_guilty_failed(status: RunStatus, items: dict[int, Any]) -> None:
    assert status is RunStatus.COMPLETED_WITH_FAILURES
    assert {ordinal for ordinal, item in items.items() if item["status"] == "FAILED"} == {GUILTY}
    assert items[GUILTY]["error"]["step"] == "given"
    assert items[GUILTY]["error"]["code"]
    assert items[GUILTY]["error"]["message"]


@pytest.mark.parametrize("text", [NUL, HALF_OF_A_PAIR])
@pytest.mark.parametrize("deed", ["publish", "publish and give", "publish by name"])
async def test_a_published_field_that_cannot_be_stored_fails_its_item_and_nothing_else(
    bench: Bench, deed: str, text: str
) -> None:
    _only_the_guilty_failed(*await _run(bench, deed, text))
    versions = await bench.rows("SELECT version, count(*) AS n FROM entity GROUP BY version")
    assert [(row["version"], row["n"]) for row in versions] == [(1, 10)]


async def test_what_is_too_large_to_be_recorded_is_not_published_either(bench: Bench) -> None:
    _only_the_guilty_failed(*await _run(bench, "publish and give", LARGE))
    assert [row["version"] for row in await bench.rows("SELECT DISTINCT version FROM entity")] == [1]


@pytest.mark.parametrize("deed", ["fail", "skip"])
@pytest.mark.parametrize("text", [NUL, HALF_OF_A_PAIR])
async def test_a_failure_whose_reason_cannot_be_stored_still_fails_its_item(bench: Bench, deed: str, text: str) -> None:
    _only_the_guilty_failed(*await _run(bench, deed, text))


@pytest.mark.parametrize("text", [NUL, HALF_OF_A_PAIR])
async def test_a_failure_whose_reason_cannot_be_stored_still_stops_the_run(bench: Bench, text: str) -> None:
    status, items = await _run(bench, "fail", text, onFailure="STOP_RUN")
    assert status is RunStatus.FAILED
    assert items[GUILTY]["status"] == "FAILED"
    (state,) = await bench.rows("SELECT error FROM run_state")
    assert state["error"].startswith("Step 'given' failed: ")


@pytest.mark.parametrize("deed", ["log", "log fields"])
@pytest.mark.parametrize("text", [NUL, HALF_OF_A_PAIR])
async def test_a_log_line_that_cannot_be_stored_harms_nothing_but_itself(bench: Bench, deed: str, text: str) -> None:
    status, items = await _run(bench, deed, text)
    assert len(items) == 10
    # A field that is no JSON is the step's own mistake, and fails its item; a message is put right.
    if deed == "log" or text == NUL:
        assert status is RunStatus.COMPLETED
        assert len(await bench.rows("SELECT * FROM run_log")) == 1


@pytest.mark.parametrize("text", [NUL, HALF_OF_A_PAIR])
async def test_an_output_that_cannot_be_stored_fails_its_item_and_the_run_can_be_retried(
    bench: Bench, text: str
) -> None:
    _only_the_guilty_failed(*await _run(bench, "give", text))
    (old,) = await bench.rows("SELECT id FROM run")
    again = await run_retries.retry_run(bench.services, bench.viewer, RetryRun(old["id"]))
    assert (await bench.finish(again, within=8)).completed == 1  # in its new place it is not the guilty one
