"""`document.processed`: one for each document whose item a run completed, written with the item's result, where it is listened for."""

from datetime import timedelta
from typing import Any

from documents.conftest import Documents
from documents.test_documents import PDF, create, events, sent
from workers import counted, working

from weft.domain.entity import EntityInput
from weft.domain.event_types import EVENT_TYPES
from weft.domain.events import LARGEST_PART_BYTES
from weft.domain.ids import UUID
from weft.domain.run import Run, Selection
from weft.kit.json_schema import compile_schema
from weft.operations import entity_creation, entity_types
from weft.operations.run_starts import StartRun, start_run
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow

STEPS = [
    {
        "id": "check",
        "type": "validate",
        "config": {"rules": [{"name": "pdf", "expression": "input.name != 'bad.pdf'", "message": "is bad"}]},
    },
    {"id": "forge", "type": "publish", "config": {"fields": {"sha256": "'forged'"}}},
]


async def listen(files: Documents) -> None:
    triggers = [{"event": "document.processed", "filter": {"sha256": "of none"}}]
    steps = [{"id": "e", "type": "echo", "config": {"message": "x"}}]
    definition = {"steps": steps, "triggers": triggers, "inputSchema": {"type": "object"}}
    await create_workflow(files.services, files.viewer, NewWorkflow("listens", definition))


async def run_over(files: Documents, served: Services, type_id: UUID, steps: list[dict[str, Any]]) -> Run:
    wanted = NewWorkflow("w", {"steps": steps}, entity_type_id=type_id)
    workflow = await create_workflow(served, files.viewer, wanted)
    selection, wait = Selection(all=True), timedelta(seconds=20)
    run = await start_run(served, files.viewer, StartRun(workflow.id, selection=selection, wait=wait))
    assert run.progress.status.is_terminal
    return run


async def processed(files: Documents) -> list[tuple[dict[str, Any], int]]:
    return [(payload, depth) for name, payload, depth in await events(files) if name == "document.processed"]


async def test_each_document_that_was_completed_is_told_of_once(files: Documents) -> None:
    made = [await create(files, await sent(files, name=name)) for name in ("a.pdf", "bad.pdf", "b.pdf")]
    await listen(files)
    async with working(files.services) as served:
        run = await run_over(files, served, made[0].entity_type_id, STEPS)
    assert (run.progress.completed, run.progress.failed) == (2, 1)
    told = await processed(files)
    assert [(payload["entityId"], depth) for payload, depth in told] == [(str(made[0].id), 1), (str(made[2].id), 1)]
    assert told[0][0] == {
        "entityId": str(made[0].id), "entityTypeId": str(made[0].entity_type_id), "sha256": made[0].data["sha256"],
        "mimeType": "application/pdf", "runId": str(run.id), "workflowId": str(run.workflow_id),
    }  # fmt: skip
    # What a step wrote into its data changed nothing about the file.
    async with files.services.world.of(files.viewer.workspace_id).files.local(made[0].data["sha256"]) as path:
        assert path.read_bytes() == PDF


async def test_of_a_mixed_type_only_documents_are_told_of_and_of_others_nothing_is_asked(files: Documents) -> None:
    schema = {"type": "object"}
    plain, mixed = [
        await entity_types.create_entity_type(files.services, files.viewer, name=name, description="", schema=schema)
        for name in ("plain", "mixed")
    ]
    for one in (plain, mixed):
        await entity_creation.create_entities(files.services, files.viewer, one.id, [EntityInput({"n": 1})])
    document = await create(files, await sent(files), entity_type_id=mixed.id)
    await listen(files)
    async with working(files.services) as served:
        await run_over(files, served, mixed.id, [{"id": "e", "type": "echo", "config": {"message": "x"}}])
        with counted(files.services.database) as statements:
            await run_over(files, served, plain.id, [{"id": "e", "type": "echo", "config": {"message": "x"}}])
    assert [payload["entityId"] for payload, _ in await processed(files)] == [str(document.id)]
    assert [statement for statement in statements.all if "document.processed" in statement] == []


async def test_where_nobody_listens_it_is_not_told(files: Documents) -> None:
    made = await create(files, await sent(files))
    async with working(files.services) as served:
        run = await run_over(files, served, made.entity_type_id, STEPS)
    assert run.progress.completed == 1
    assert [name for name, _, _ in await events(files)] == ["document.uploaded"]


async def test_what_is_told_of_documents_fits_what_is_said_of_it_and_large_fields_are_left_out(
    files: Documents,
) -> None:
    await listen(files)
    await create(files, await sent(files), fields={"vendor": "A"})
    made = await create(files, await sent(files, name="b.pdf"), fields={"notes": "x" * LARGEST_PART_BYTES})
    async with working(files.services) as served:
        await run_over(files, served, made.entity_type_id, STEPS)
    told = [(name, payload) for name, payload, _ in await events(files)]
    assert [name for name, _ in told] == [*["document.uploaded"] * 2, *["document.processed"] * 2]
    for name, payload in told:
        schema = EVENT_TYPES[name].payload_schema
        assert schema is not None
        assert list(compile_schema(schema).check(payload)) == []
    assert ["fields" in payload for _, payload in told] == [True, False, False, False]
