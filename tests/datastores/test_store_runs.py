"""Workflows with a `store` step: checked when they are saved, run by a worker."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from datastores.conftest import Target
from workers import working

from weft.domain.access import Viewer
from weft.domain.datastore import Datastore
from weft.domain.entity import EntityInput
from weft.domain.errors import Invalid
from weft.domain.ids import UUID
from weft.domain.run import Selection
from weft.operations import entity_creation, entity_types
from weft.operations.datastores import update_datastore
from weft.operations.run_starts import StartRun, start_run
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow

SCHEMA = {
    "type": "object",
    "properties": {
        "number": {"type": "string"},
        "customer": {"type": "string"},
        "total": {"type": "number"},
    },
    "required": ["number", "customer", "total"],
    "additionalProperties": True,
}
MAPPING = {"number": "input.number", "customer": "input.customer", "total": "input.total"}


pytestmark = pytest.mark.usefixtures("warehouse")


@pytest.fixture
async def invoice_type(services: Services, viewer: Viewer) -> UUID:
    made = await entity_types.create_entity_type(services, viewer, name="invoice", description="", schema=SCHEMA)
    return made.id


async def problems(services: Services, viewer: Viewer, invoice_type: UUID, **config: Any) -> list[tuple[str, str, str]]:
    definition = {"steps": [{"id": "keep", "type": "store", "config": {"datastore": "warehouse", "table": "invoice"} | config}]}  # fmt: skip
    try:
        await create_workflow(services, viewer, NewWorkflow("w", definition, entity_type_id=invoice_type))
    except Invalid as error:
        return [(".".join(p.path).removeprefix("definition.steps.0.config."), p.message, p.hint or "") for p in error.problems]  # fmt: skip
    return []


async def run_all(services: Services, viewer: Viewer, invoice_type: UUID, rows: list[Any], **config: Any) -> list[Any]:
    entities = [EntityInput(row, None) for row in rows]
    await entity_creation.create_entities(services, viewer, invoice_type, entities)
    definition = {"steps": [{"id": "keep", "type": "store", "config": {"datastore": "warehouse", "table": "invoice"} | config}]}  # fmt: skip
    async with working(services) as served:
        workflow = await create_workflow(served, viewer, NewWorkflow("w", definition, entity_type_id=invoice_type))
        wanted = StartRun(workflow.id, selection=Selection(all=True), wait=timedelta(seconds=30))
        run = await start_run(served, viewer, wanted)
    return [run.progress.completed, run.progress.failed, run.id]


def invoice(number: int, **changes: Any) -> dict[str, Any]:
    return {"number": f"I-{number}", "customer": "Ada", "total": number + 0.5} | changes


async def test_every_item_becomes_one_row(
    services: Services, viewer: Viewer, target: Target, invoice_type: UUID
) -> None:
    rows = [invoice(number) for number in range(100)]
    completed, failed, _ = await run_all(services, viewer, invoice_type, rows, mapping=MAPPING)
    assert (completed, failed) == (100, 0)
    assert await target.run("SELECT count(*), count(DISTINCT number), sum(total) FROM invoice") == [(100, 100, 5000)]


async def test_without_a_mapping_the_fields_of_the_input_are_the_columns(
    services: Services, viewer: Viewer, target: Target, invoice_type: UUID
) -> None:
    rows = [invoice(1), invoice(2), invoice(3, lines=[])]
    completed, failed, _ = await run_all(services, viewer, invoice_type, rows)
    assert (completed, failed) == (2, 1)
    assert await target.run("SELECT number FROM invoice ORDER BY 1") == [("I-1",), ("I-2",)]


async def test_a_bad_row_fails_its_item_with_the_reason(
    services: Services, viewer: Viewer, target: Target, invoice_type: UUID
) -> None:
    rows = [invoice(1), invoice(2, total=-5), invoice(3)]
    completed, failed, run_id = await run_all(
        services, viewer, invoice_type, rows, mapping=MAPPING, mode="UPSERT", key=["number"]
    )
    assert (completed, failed) == (2, 1)
    assert await target.run("SELECT number FROM invoice ORDER BY 1") == [("I-1",), ("I-3",)]
    async with services.database.reading() as connection:
        found = await connection.exec_driver_sql(
            "SELECT error->>'code' AS code, error->>'message' AS message FROM run_item WHERE status = 'FAILED' AND run_id = $1",
            (run_id,),
        )
        (error,) = found.mappings()
    assert error["code"] == "ROW_REFUSED"
    assert "invoice_total_check" in error["message"]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"datastore": "warehose"}, [("datastore", "There is no datastore 'warehose' in this workspace (did you mean \"warehouse\"?).")]),
        ({"table": "invoces"}, [("table", "There is no table 'invoces' in the datastore 'warehouse' (did you mean \"invoice\"?).")]),
        (
            {"mapping": MAPPING | {"custmer": "'x'"}},
            [("mapping.custmer", "The table 'invoice' has no column 'custmer' (did you mean \"customer\"?).")],
        ),
        ({"mapping": {"number": "input.number", "total": "input.total"}}, [("mapping", "The column 'customer' is never null and has no default, and nothing is written into it.")]),
        ({"mapping": MAPPING | {"quantity": "input.customer"}}, [("mapping.quantity", "The column 'quantity' (integer) does not take what this gives: string.")]),
        ({"mapping": MAPPING | {"number": "input.total"}}, [("mapping.number", "The column 'number' (text) does not take what this gives: number.")]),
        ({"mapping": MAPPING, "mode": "UPSERT", "key": ["customer"]}, [("key", "The columns customer are no unique key of the table 'invoice'.")]),
    ],
)  # fmt: skip
async def test_what_does_not_fit_the_table_is_found_when_the_workflow_is_saved(
    services: Services,
    viewer: Viewer,
    invoice_type: UUID,
    config: dict[str, Any],
    expected: list[tuple[str, str]],
) -> None:
    found = await problems(services, viewer, invoice_type, **{"mapping": MAPPING} | config)
    assert [(path, message) for path, message, _ in found] == expected


async def test_a_datastore_that_cannot_be_reached_is_a_problem_that_says_so(
    services: Services, viewer: Viewer, target: Target, invoice_type: UUID
) -> None:
    target.relay.accepting = False
    ((path, message, _),) = await problems(services, viewer, invoice_type, mapping=MAPPING)
    assert path == "datastore"
    assert message.startswith("The datastore 'warehouse' cannot be asked now:")


async def test_inserts_are_refused_where_they_cannot_be_noted(
    services: Services, viewer: Viewer, target: Target, invoice_type: UUID, warehouse: Datastore
) -> None:
    role = f"writer_{invoice_type.hex}"
    await target.run(f"CREATE ROLE {role} LOGIN")
    try:
        await target.run(f"GRANT ALL ON invoice TO {role}")
        limited = replace(target.address, user=role)
        await update_datastore(services, viewer, warehouse.id, name=None, address=limited)
        ((path, message, hint),) = await problems(services, viewer, invoice_type, mapping=MAPPING)
        assert path == "mode"
        assert "weft_stored" in message
        assert "UPSERT" in hint
        assert await problems(services, viewer, invoice_type, mapping=MAPPING, mode="UPSERT", key=["number"]) == []
    finally:
        await target.run(f"DROP OWNED BY {role}")
        await target.run(f"DROP ROLE {role}")
