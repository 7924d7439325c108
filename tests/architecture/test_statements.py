"""What a list costs: every way through the schema from a list costs as many statements for six rows as for three."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from asking import ask
from graphql import GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument
from workers import counted, working

from weft.domain.access import Role, Viewer
from weft.domain.delivery import NewDelivery
from weft.domain.entity import EntityInput
from weft.domain.ids import UUID, new_id
from weft.domain.imports import ImportFormat
from weft.domain.providers import ProviderKind
from weft.domain.run import Selection
from weft.domain.webhooks import WebhookScheme
from weft.graphql.nodes import encode_id
from weft.graphql.schema import WeftSchema
from weft.operations import datastores, entity_creation, entity_types, imports, integrations, keys, providers
from weft.operations.datastores import FileAddress
from weft.operations.events import EmitEvent, emit_event, load_events
from weft.operations.imports import NewImport
from weft.operations.integration_configs import WebhookSettings
from weft.operations.integrations import NewIntegration
from weft.operations.run_retries import RetryRun, retry_run
from weft.operations.run_starts import StartRun, start_run
from weft.operations.run_webhooks import WebhookWanted
from weft.operations.schedule_checks import ScheduleSettings
from weft.operations.schedules import create_schedule
from weft.operations.services import Services
from weft.operations.templates import save_as_template
from weft.operations.webhook_checks import Settings
from weft.operations.webhook_triggers import create_webhook_trigger
from weft.operations.workflow_changes import WorkflowChanges, update_workflow
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.storage.deliveries import add_deliveries

ROWS = 6
FEW = 3
"""As many as there are kinds of runs, which come by turns: by hand, by an event, and retries."""
DEEPEST = 3
"""Lists and objects below each other. One more finds nothing new: a loader knows no depth."""

SCHEMA = WeftSchema()
QUERY = SCHEMA.roots[0]
NUMBERED = {"type": "object", "properties": {"number": {"type": "integer"}}}
DEFINITION = {
    "steps": [
        {
            "id": "check",
            "type": "validate",
            "config": {"rules": [{"name": "odd", "expression": "input.number % 2 == 1", "message": "is even"}]},
        },
        {"id": "say", "type": "text", "config": {"operation": "template", "template": "{{ number }}"}},
    ],
}


@pytest.fixture
async def entity_type_ids(services: Services, viewer: Viewer) -> list[str]:
    """Six of everything, each with six of what belongs to it. The ids are those of the entity types."""
    ids: list[str] = []
    async with working(services) as served:
        for number in range(ROWS):
            await keys.create_api_key(served, viewer, name=f"key {number}", role=Role.VIEWER)
            made = await entity_types.create_entity_type(
                served, viewer, name=f"type {number}", description="", schema=NUMBERED
            )
            await providers.create_provider(
                served, viewer, name=f"provider {number}", kind=ProviderKind.ANTHROPIC, given={}
            )
            await datastores.create_datastore(served, viewer, f"datastore {number}", FileAddress(f"number_{number}.db"))
            ids.append(encode_id("EntityType", made.id))
            rows = [EntityInput({"number": row}, f"e{row}") for row in range(ROWS)]
            stored = await entity_creation.create_entities(served, viewer, made.id, rows)
            await imports.create_import(served, viewer, NewImport(made.id, ImportFormat.CSV))
            workflow = await create_workflow(
                served, viewer, NewWorkflow(f"workflow {number}", DEFINITION, entity_type_id=made.id)
            )
            changed = {
                **DEFINITION,
                "output": {"said": "input.text"},
                "triggers": [{"event": f"number.drawn_{number}"}],
            }
            await update_workflow(served, viewer, workflow.id, WorkflowChanges(definition=changed))
            await save_as_template(served, viewer, workflow.id, name=None, description=None, category="tests")
            entities = [str(one.id) for one in stored.entities]
            drawn = await emit_event(served, viewer, EmitEvent(f"number.drawn_{number}", {"entityIds": entities}))
            await until_handled(served, viewer, drawn.id)
            wait = timedelta(seconds=20)
            hears = WebhookWanted("https://example.com/told")
            everything = Selection(all=True)
            wanted = StartRun(workflow.id, selection=everything, wait=wait, webhook=hears)
            run = await start_run(served, viewer, wanted)
            again = await retry_run(served, viewer, RetryRun(run.id, wait=wait))
            for minute in range(ROWS):
                await create_schedule(
                    served, viewer, workflow.id, ScheduleSettings(f"{minute} 9 * * *", selection=everything)
                )
            hook = NewIntegration(f"hook {number}", WebhookSettings(url="https://example.com"), workflow.id)
            await integrations.create_integration(served, viewer, hook)
            called = Settings(f"called {number}")
            await create_webhook_trigger(served, viewer, workflow.id, WebhookScheme.STANDARD, called)
            async with served.database.transaction() as connection:
                for one in (run, again):
                    messages = [NewDelivery(new_id(), hook.name, 0, "say", {"text": "Hello"}) for _ in range(ROWS)]
                    await add_deliveries(connection, viewer.workspace_id, one.id, messages)
    return ids


async def until_handled(served: Services, viewer: Viewer, event_id: UUID) -> None:
    """So that the newest run of each workflow is one that was started by hand: it has all that a run can have."""
    async with asyncio.timeout(30):
        while True:
            (found,) = await load_events(served, viewer, [event_id])
            if found is not None and found.handled_at is not None:
                return
            await asyncio.sleep(0.01)


async def test_no_list_costs_more_statements_for_more_rows(
    services: Services, viewer: Viewer, entity_type_ids: list[str]
) -> None:
    given = {"type": f'"{entity_type_ids[0]}"', "category": '"tests"'}
    ways = [way for name in connections(QUERY) for way in ways_from(QUERY, name, given, DEEPEST)]
    assert len(ways) > 50
    grown: dict[str, list[int]] = {}
    for way in ways:
        counts: list[int] = []
        for first in (FEW, ROWS):
            with counted(services.database) as statements:
                (found,) = (await ask(services, viewer, f"query ($first: Int!) {{ {way} }}", first=first)).values()
            assert len(found["nodes"]) == first, way
            counts.append(statements.count)
        if counts[1] > counts[0]:
            grown[way] = counts
    assert grown == {}


def connections(parent: GraphQLObjectType) -> list[str]:
    return [name for name, field in parent.fields.items() if get_named_type(field.type).name.endswith("Connection")]


def ways_from(parent: GraphQLObjectType, name: str, given: dict[str, str], left: int) -> Iterator[str]:
    """This field with all its plain fields, and then with each way that goes on from it."""
    field = parent.fields[name]
    arguments = {key: given[key] for key, argument in field.args.items() if is_required_argument(argument)}
    if name == "templates":
        arguments["category"] = given["category"]
    kind = object_of(field)
    is_list = kind.name.endswith("Connection")
    if "first" in field.args:
        arguments["first"] = "$first"
    head = name + (f"({', '.join(f'{key}: {value}' for key, value in arguments.items())})" if arguments else "")
    row = object_of(kind.fields["nodes"]) if is_list else kind
    plain = " ".join(key for key, one in row.fields.items() if is_leaf_type(get_named_type(one.type)))
    inner = [plain, *(way for key in objects(row) for way in ways_from(row, key, given, left - 1))] if left else [plain]
    for way in inner:
        yield f"{head} {{ totalCount nodes {{ {way} }} }}" if is_list else f"{head} {{ {way} }}"


def object_of(field: Any) -> GraphQLObjectType:
    kind = SCHEMA._schema.get_type(str(field.type).strip("[]!"))
    assert isinstance(kind, GraphQLObjectType)
    return kind


def objects(parent: GraphQLObjectType) -> list[str]:
    return [name for name, field in parent.fields.items() if not is_leaf_type(get_named_type(field.type))]
