"""A run over records that were made for it, through the API."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson

from weft.cli.demonstration.client import Api
from weft.domain.ids import new_id

CREATE_TYPE = """mutation ($input: CreateEntityTypeInput!) {
  createEntityType(input: $input) { entityType { id } errors { message path } } }"""
CREATE_IMPORT = """mutation ($input: CreateImportInput!) {
  createImport(input: $input) { uploadUrl errors { message path } } }"""
CREATE_WORKFLOW = """mutation ($input: CreateWorkflowInput!) {
  createWorkflow(input: $input) { workflow { id } errors { message path } } }"""
RUN = "mutation ($input: RunWorkflowInput!) { runWorkflow(input: $input) { run { id } errors { message path } } }"
WATCH = """subscription ($run: ID!) {
  runProgress(runId: $run) { revision status total pending finished completed failed skipped cancelled } }"""
ENDS = {"COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "CANCELLED"}
STEPS = [
    {"id": "double", "type": "transform", "config": {"fields": {"amount": "input.amount * 2.0"}}},
    {"id": "say", "type": "text", "config": {"operation": "template", "template": "{{ amount }} of {{ entity.name }}"}},
]


async def begin_run(api: Api, *, items: int, steps: Sequence[dict[str, Any]] = STEPS) -> str:
    """The id of a run of so many items that has just been started."""
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "amount": {"type": "number"}},
        "required": ["name", "amount"],
    }
    kind = (await api.change(CREATE_TYPE, name=f"accounts {new_id()}", schema=schema))["entityType"]["id"]
    url = (await api.change(CREATE_IMPORT, entityTypeId=kind, format="JSONL"))["uploadUrl"]
    await api.upload(url, _records(items))
    made = await api.change(
        CREATE_WORKFLOW, name=f"accounts {new_id()}", entityTypeId=kind, definition={"steps": list(steps)}
    )
    started = await api.change(RUN, workflowId=made["workflow"]["id"], entities={"all": True})
    return started["run"]["id"]


async def past(api: Api, run: str, *, finished: int) -> None:
    """Returns once so many items are finished."""
    async for state in api.watch(WATCH, run=run):
        if state["finished"] >= finished:
            return


async def end_of(api: Api, run: str) -> dict[str, Any]:
    """The last state of the run; every one on the way adds up."""
    last: dict[str, Any] = {}
    async for state in api.watch(WATCH, run=run):
        counted = sum(state[name] for name in ("pending", "completed", "failed", "skipped", "cancelled"))
        assert counted == state["total"]
        assert state["revision"] >= last.get("revision", 0)
        last = state
    assert last["status"] in ENDS
    assert last["pending"] == 0
    return last


async def _records(count: int) -> AsyncIterator[bytes]:
    for number in range(count):
        yield orjson.dumps({"name": f"account {number}", "amount": float(number)}) + b"\n"
