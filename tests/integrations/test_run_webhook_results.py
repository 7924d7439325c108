"""What the message about the end of a run says of what came of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from integrations.receivers import receiving
from integrations.told_runs import REVERSE, SECRET, Desk, heard
from workers import working

from weft.domain.access import Viewer
from weft.engine.deliveries.run_message import MOST_RESULT_BYTES
from weft.operations.run_retries import RetryRun, retry_run
from weft.operations.run_starts import StartRun, start_run
from weft.operations.run_webhooks import WebhookWanted
from weft.operations.services import Services

WAIT = timedelta(seconds=30)
LONG = {"text": "x" * MOST_RESULT_BYTES}
MEASURE = {"id": "measure", "type": "transform", "config": {"keep": False, "fields": {"length": "size(input.text)"}}}
REFUSE = {
    "steps": [
        {
            "id": "check",
            "type": "validate",
            "config": {"rules": [{"name": "never", "expression": "false", "code": "NO"}]},
        }
    ]
}


async def told_of(
    services: Services, viewer: Viewer, definition: dict[str, Any], given: dict[str, Any]
) -> list[dict[str, Any]]:
    """The messages about a run of this definition, and about the retry of it where it failed."""
    desk = Desk.of(services, viewer)
    async with receiving() as receiver, working(services) as served:
        webhook = WebhookWanted(receiver.url(), SECRET)
        workflow = await replace(desk, services=served).workflow(definition)
        run = await start_run(served, viewer, StartRun(workflow.id, input=given, webhook=webhook, wait=WAIT))
        if run.progress.failed:
            await retry_run(served, viewer, RetryRun(run.id, webhook=webhook, wait=WAIT))
        for _ in range(2):
            await desk.round()
    return heard(receiver)


async def test_a_run_of_one_item_tells_what_came_of_it(services: Services, viewer: Viewer) -> None:
    began, ended = await told_of(services, viewer, REVERSE, {"text": "abc"})
    assert (began["data"]["result"], ended["data"]["result"]) == (None, {"text": "cba"})
    assert ended["data"]["error"] is None
    assert "resultNote" not in ended["data"]


async def test_a_result_that_is_too_deep_for_a_message_is_left_out_and_holds_up_nobody(
    services: Services, viewer: Viewer
) -> None:
    deep: Any = "x"
    for _ in range(250):
        deep = {"a": deep}
    wrapping = {"steps": [{"id": "wrap", "type": "transform", "config": {"keep": False, "fields": {"v": "input"}}}]}
    _, ended = await told_of(services, viewer, wrapping, deep)
    assert (ended["type"], ended["data"]["result"]) == ("run.completed", None)
    assert "levels deep" in ended["data"]["resultNote"]


async def test_the_mapping_of_a_definition_makes_the_result(services: Services, viewer: Viewer) -> None:
    mapped = {**REVERSE, "output": {"said": "steps.reverse.text"}}
    _, ended = await told_of(services, viewer, mapped, {"text": "abc"})
    assert ended["data"]["result"] == {"said": "cba"}


async def test_a_result_that_is_too_large_is_left_out_and_says_so(services: Services, viewer: Viewer) -> None:
    _, ended = await told_of(services, viewer, REVERSE, LONG)
    assert ended["type"] == "run.completed"
    assert ended["data"]["result"] is None
    assert "256 KiB" in ended["data"]["resultNote"]
    mapped = {**REVERSE, "output": {"said": "steps.reverse.text"}}
    _, ended = await told_of(services, viewer, mapped, LONG)
    assert (ended["data"]["result"], "resultNote" in ended["data"]) == (None, True)


async def test_a_small_result_is_told_however_large_the_steps_before_it_were(
    services: Services, viewer: Viewer
) -> None:
    _, ended = await told_of(services, viewer, {"steps": [*REVERSE["steps"], MEASURE]}, LONG)
    assert ended["data"]["result"] == {"length": MOST_RESULT_BYTES}
    mapped = {**REVERSE, "output": {"length": "size(steps.reverse.text)"}}
    _, ended = await told_of(services, viewer, mapped, LONG)
    assert ended["data"]["result"] == {"length": MOST_RESULT_BYTES}


async def test_why_the_only_item_failed_is_told_and_a_retry_can_be_told_of_as_well(
    services: Services, viewer: Viewer
) -> None:
    messages = await told_of(services, viewer, REFUSE, {"text": "abc"})
    assert [message["type"] for message in messages] == ["run.started", "run.started", "run.failed", "run.failed"]
    first, again = messages[2:]
    assert first["data"]["error"] == {"code": "NO", "message": "The rule 'never' does not hold.", "stepId": "check"}
    assert {first["data"]["trigger"]["type"], again["data"]["trigger"]["type"]} == {"MANUAL", "RETRY"}


async def test_why_a_run_was_stopped_is_told(services: Services, viewer: Viewer) -> None:
    desk = Desk.of(services, viewer)
    async with receiving() as receiver:
        run = await desk.begun(receiver.url())
        await desk.state(run, status="'FAILED'", error="'Too many items failed.'", finished_at="now()")
        for _ in range(2):
            await desk.round()
    ended = heard(receiver)[-1]
    assert (ended["type"], ended["data"]["result"]) == ("run.failed", None)
    assert ended["data"]["error"] == {"code": "RUN_STOPPED", "message": "Too many items failed.", "stepId": None}
