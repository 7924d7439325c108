"""The outbox: what the platform tells of itself, in the transaction of what happened, and only where somebody listens."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from triggers.routing import Routing
from workers import counted, working

from weft.domain.entity import EntityInput
from weft.domain.errors import Invalid
from weft.domain.event_types import EVENT_TYPES
from weft.domain.events import LARGEST_PART_BYTES, PlatformEvent
from weft.domain.ids import UUID
from weft.domain.imports import ImportFormat, OnConflict
from weft.domain.run import Run, Selection
from weft.kit.json_schema import compile_schema
from weft.operations import entities, entity_creation, entity_types, imports
from weft.operations.imports import NewImport
from weft.operations.run_retries import RetryRun, retry_run
from weft.operations.run_starts import StartRun, start_run
from weft.operations.workflows import NewWorkflow, create_workflow

CREATED, UPDATED, PUBLISHED = PlatformEvent.ENTITY_CREATED, PlatformEvent.ENTITY_UPDATED, PlatformEvent.ENTITY_PUBLISHED
LARGE = "x" * LARGEST_PART_BYTES
WAIT = timedelta(seconds=20)


@dataclass(frozen=True)
class Outbox(Routing):
    """Whatever is told in it, somebody listens."""

    async def listen(self, *names: str) -> None:
        for name in names:
            await self.workflow({"event": name}, name=f"listens for {name}")

    async def payloads(self, name: str) -> list[dict[str, Any]]:
        """Of the events of this name, each of which has to fit its schema."""
        events = await self.told(name)
        schema = EVENT_TYPES[name].payload_schema
        assert schema is not None
        check = compile_schema(schema)
        for event in events:
            assert list(check.check(event["payload"])) == []
            assert event["handled_at"] is None
        return [event["payload"] for event in events]

    async def type(self) -> UUID:
        made = await entity_types.create_entity_type(
            self.services, self.viewer, name="thing", description="", schema={"type": "object"}
        )
        return made.id

    async def create(self, type_id: UUID, *given: EntityInput, **options: Any) -> list[UUID]:
        made = await entity_creation.create_entities(self.services, self.viewer, type_id, given, **options)
        return [one.id for one in made.entities]

    async def bring_in(self, type_id: UUID, lines: str, on_conflict: OnConflict = OnConflict.UPDATE) -> None:
        new = NewImport(type_id, ImportFormat.JSONL, on_conflict, "id")
        made = await imports.create_import(self.services, self.viewer, new)
        token = made.upload_url.rpartition("/")[2]

        async def stream() -> AsyncGenerator[bytes]:
            yield lines.encode()

        ended = await imports.receive_file(self.services, made.made.id, token, stream())
        assert (ended.status, ended.failed) == ("COMPLETED", 0)

    async def run(self, steps: Sequence[dict[str, Any]], type_id: UUID | None, **options: Any) -> Run:
        """Ended, with a worker that does nothing but carry it out."""
        workflow = await create_workflow(
            self.services, self.viewer, NewWorkflow("w", {"steps": list(steps)}, entity_type_id=type_id)
        )
        selection = Selection(all=True) if type_id else Selection()
        wanted = StartRun(workflow.id, selection=selection, wait=WAIT, **options)
        async with working(self.services, routes=False) as served:
            run = await start_run(served, self.viewer, wanted)
        assert run.progress.status.is_terminal
        return run


@pytest.fixture
def outbox(routing: Routing) -> Outbox:
    return Outbox(routing.services, routing.viewer)


async def test_entities_are_told_of_when_they_are_created_and_when_they_change(outbox: Outbox) -> None:
    type_id = await outbox.type()
    await outbox.create(type_id, EntityInput({"n": 0}, "before"))
    await outbox.listen(CREATED, UPDATED)
    first, second = await outbox.create(type_id, EntityInput({"n": 1}, "e1"), EntityInput({"n": 2}))
    change = EntityInput({"n": 3}, "e1")
    await outbox.create(type_id, change, EntityInput({"n": 4}, "e4"), on_conflict=OnConflict.UPDATE)
    await outbox.create(type_id, change, on_conflict=OnConflict.UPDATE)
    await entities.update_entity(outbox.services, outbox.viewer, second, {"n": 5})
    await entities.update_entity(outbox.services, outbox.viewer, second, {"n": 5})
    created, updated = await outbox.payloads(CREATED), await outbox.payloads(UPDATED)
    assert [(one["externalId"], one["version"], one["data"]["n"]) for one in created] == [
        ("e1", 1, 1), (None, 1, 2), ("e4", 1, 4),
    ]  # fmt: skip
    assert [(one["entityId"], one["version"], one["data"]["n"]) for one in updated] == [
        (str(first), 2, 3), (str(second), 2, 5),
    ]  # fmt: skip
    assert {one["entityTypeId"] for one in created + updated} == {str(type_id)}
    assert {event["depth"] for event in await outbox.told(CREATED)} == {0}


async def test_data_that_is_large_is_left_out_of_the_event(outbox: Outbox) -> None:
    await outbox.listen(CREATED)
    await outbox.create(await outbox.type(), EntityInput({"text": LARGE}), EntityInput({"text": "small"}))
    large, small = await outbox.payloads(CREATED)
    assert ("data" in large, small["data"]) == (False, {"text": "small"})


async def test_where_nobody_listens_nothing_is_told(outbox: Outbox) -> None:
    type_id = await outbox.type()
    await outbox.listen(UPDATED)
    await outbox.create(type_id, EntityInput({"n": 1}, "e1"))
    await outbox.bring_in(type_id, '{"id": "e2"}\n{"id": "e3"}')
    await outbox.run([{"id": "p", "type": "publish", "config": {"fields": {"n": "1"}}}], type_id)
    names = {row["name"] for row in await outbox.rows("SELECT DISTINCT name FROM event")}
    assert names == {UPDATED}


async def test_what_is_rolled_back_is_not_told_of(outbox: Outbox) -> None:
    await outbox.listen(CREATED)
    type_id = await outbox.type()
    await outbox.create(type_id, EntityInput({}, "e1"))
    with pytest.raises(Invalid):
        await outbox.create(type_id, EntityInput({}, "e2"), EntityInput({}, "e1"), atomic=True)
    assert [one["externalId"] for one in await outbox.payloads(CREATED)] == ["e1"]


async def test_an_import_tells_of_each_row_by_few_statements(outbox: Outbox) -> None:
    await outbox.listen(CREATED, UPDATED)
    type_id = await outbox.type()
    with counted(outbox.services.database) as statements:
        await outbox.bring_in(type_id, "\n".join(f'{{"id": "e{n}", "n": {n}}}' for n in range(1_000)))
    assert sum("INTO event" in statement for statement in statements.all) == 1
    await outbox.bring_in(type_id, "\n".join(f'{{"id": "e{n}", "n": 7}}' for n in range(998, 1_002)))
    created, updated = await outbox.payloads(CREATED), await outbox.payloads(UPDATED)
    assert sorted(one["externalId"] for one in created) == sorted(f"e{n}" for n in range(1_002))
    assert [(one["externalId"], one["version"]) for one in updated] == [("e998", 2), ("e999", 2)]


async def test_an_import_for_nobody_writes_no_event(outbox: Outbox) -> None:
    type_id = await outbox.type()
    with counted(outbox.services.database) as statements:
        await outbox.bring_in(type_id, '{"id": "e1"}\n{"id": "e2"}')
    assert [statement for statement in statements.all if "INTO event" in statement] == []


async def test_publishing_tells_of_the_change_and_of_the_publication(outbox: Outbox) -> None:
    type_id = await outbox.type()
    (entity,) = await outbox.create(type_id, EntityInput({"n": 1}, "e1"))
    await outbox.listen(UPDATED, PUBLISHED)
    step: dict[str, Any] = {"id": "p", "type": "publish", "config": {"fields": {"n": "2"}}}
    await outbox.run([step], type_id)
    quiet = {**step, "config": {"fields": {"n": "3"}, "publish": False}}
    await outbox.run([quiet], type_id)
    published, updated = await outbox.payloads(PUBLISHED), await outbox.payloads(UPDATED)
    assert [(one["entityId"], one["version"], one["data"]) for one in published] == [(str(entity), 2, {"n": 2})]
    assert [(one["version"], one["data"]) for one in updated] == [(2, {"n": 2}), (3, {"n": 3})]
    assert [event["depth"] for event in await outbox.told(PUBLISHED)] == [1]


RULES = {"use": "invoice", "onMissing": "LEAVE"}
EXTRACT: dict[str, Any] = {"id": "read", "type": "extract", "config": RULES}


async def test_each_extraction_is_told_of_with_its_output(outbox: Outbox) -> None:
    await outbox.listen(PlatformEvent.EXTRACTION_COMPLETED)
    type_id = await outbox.type()
    ids = await outbox.create(type_id, *(EntityInput({"text": f"Total: {n}.00 EUR"}, f"e{n}") for n in (11, 12)))
    again: dict[str, Any] = {**EXTRACT, "id": "again", "dependsOn": []}
    run = await outbox.run([EXTRACT, again], type_id)
    assert run.progress.completed == 2
    told = await outbox.payloads(PlatformEvent.EXTRACTION_COMPLETED)
    assert [(one["entityId"], one["externalId"], one["stepId"]) for one in told] == [
        (str(entity), name, step)
        for entity, name in zip(ids, ("e11", "e12"), strict=True)
        for step in ("read", "again")
    ]
    assert {(one["runId"], one["workflowId"], one["entityTypeId"]) for one in told} == {
        (str(run.id), str(run.workflow_id), str(type_id))
    }
    (stored, *_) = await outbox.rows("SELECT steps -> 0 -> 'o' AS output FROM run_item ORDER BY ordinal")
    assert told[0]["output"] == stored["output"]
    assert {event["depth"] for event in await outbox.told(PlatformEvent.EXTRACTION_COMPLETED)} == {1}


async def test_an_extraction_without_an_entity_is_told_of_too(outbox: Outbox) -> None:
    await outbox.listen(PlatformEvent.EXTRACTION_COMPLETED)
    await outbox.run([EXTRACT], None, input={"text": "Total: 11.00 EUR"})
    (told,) = await outbox.payloads(PlatformEvent.EXTRACTION_COMPLETED)
    assert (told["entityId"], told["entityTypeId"], told["externalId"]) == (None, None, None)


async def test_an_extraction_that_a_retry_takes_over_is_not_told_of_again(outbox: Outbox) -> None:
    await outbox.listen(PlatformEvent.EXTRACTION_COMPLETED)
    type_id = await outbox.type()
    await outbox.create(type_id, EntityInput({"text": "Total: 11.00 EUR"}))
    fails = {
        "id": "no",
        "type": "validate",
        "config": {"rules": [{"name": "n", "expression": "false", "message": "no"}]},
    }
    run = await outbox.run([EXTRACT, fails], type_id)
    assert run.progress.failed == 1
    async with working(outbox.services, routes=False) as served:
        again = await retry_run(served, outbox.viewer, RetryRun(run.id, wait=WAIT))
    assert again.progress.failed == 1
    told = await outbox.payloads(PlatformEvent.EXTRACTION_COMPLETED)
    assert [one["runId"] for one in told] == [str(run.id)]


async def test_what_no_step_extracts_is_not_asked_for(outbox: Outbox) -> None:
    await outbox.listen(PlatformEvent.EXTRACTION_COMPLETED)
    with counted(outbox.services.database) as statements:
        await outbox.run([{"id": "e", "type": "echo", "config": {"message": "x"}}], None, input={})
    assert [one for one in statements.all if PlatformEvent.EXTRACTION_COMPLETED in one] == []


async def test_runs_are_told_of_when_they_begin_and_how_they_end(outbox: Outbox) -> None:
    await outbox.listen(PlatformEvent.RUN_STARTED, PlatformEvent.RUN_COMPLETED, PlatformEvent.RUN_FAILED)
    done = await outbox.run([{"id": "e", "type": "echo", "config": {"message": "x"}}], None, input={})
    (started,) = await outbox.payloads(PlatformEvent.RUN_STARTED)
    (completed,) = await outbox.payloads(PlatformEvent.RUN_COMPLETED)
    assert (started["runId"], started["status"], started["total"]) == (str(done.id), "PENDING", 1)
    assert (completed["status"], completed["completed"], completed["triggerType"]) == ("COMPLETED", 1, "MANUAL")
    rules = [{"name": "n", "expression": "false", "message": "no"}]
    await outbox.run([{"id": "v", "type": "validate", "config": {"rules": rules}}], None, input={})
    (failed,) = await outbox.payloads(PlatformEvent.RUN_FAILED)
    assert (failed["status"], failed["failed"]) == ("FAILED", 1)
    assert {event["depth"] for event in await outbox.told(PlatformEvent.RUN_FAILED)} == {1}


async def test_one_that_listens_in_another_workspace_hears_nothing(outbox: Outbox, stranger: Any) -> None:
    await replace(outbox, viewer=stranger).listen(CREATED)
    await outbox.create(await outbox.type(), EntityInput({}))
    assert await outbox.told(CREATED) == []
