"""Public workflows: what other workspaces see of them, and what they make of them."""

import asyncio
from datetime import timedelta
from typing import Any, cast

from asking import ask
from graphql import GraphQLNamedType, GraphQLObjectType, get_named_type, is_leaf_type, is_required_argument
from pytest_httpserver import HTTPServer
from sharing import CHECK, INVOICE, NOTIFY, change, copy, entity_type, make, names, rate, seen
from workers import counted, working

from weft.domain.access import Viewer
from weft.domain.entity import EntityInput
from weft.domain.ids import UUID
from weft.domain.run import Selection
from weft.domain.webhooks import WebhookScheme
from weft.graphql.nodes import decode_id
from weft.graphql.schema import WeftSchema
from weft.operations.entity_creation import create_entities
from weft.operations.events import EmitEvent, emit_event
from weft.operations.integration_configs import WebhookSettings
from weft.operations.integrations import NewIntegration, create_integration
from weft.operations.run_starts import StartRun, start_run
from weft.operations.schedule_checks import ScheduleSettings
from weft.operations.schedules import create_schedule
from weft.operations.services import Services
from weft.operations.webhook_checks import Settings as HookSettings
from weft.operations.webhook_triggers import create_webhook_trigger

NEVER = "of nobody else's concern"
"""Stands in whatever the owner of a public workflow does with it."""

SHOWN = {
    "id",
    "name",
    "description",
    "category",
    "status",
    "public",
    "definition",
    "steps",
    "stepsCount",
    "version",
    "createdBy",
    "createdAt",
    "updatedAt",
    "entitySchema",
    "stats",
    "usageCount",
    "rating",
    "ratingCount",
}
"""Fields of `Workflow` that say something about one of another workspace."""


async def test_what_is_public_and_active_is_seen_by_every_workspace_and_nothing_else(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    workflow_id = await make(services, viewer, "Shared")
    await make(services, viewer, "A draft", status="DRAFT")
    await make(services, viewer, "Private", public=False)
    await make(services, stranger, "Of the stranger")
    assert await names(services, stranger, filter={"public": True}) == ["Of the stranger", "Shared"]
    assert await names(services, viewer, filter={"public": True}) == ["Of the stranger", "A draft", "Shared"]
    assert await names(services, viewer) == ["Private", "A draft", "Shared"]
    assert await names(services, viewer, filter={"public": False}) == ["Private"]
    assert await seen(services, stranger, workflow_id)


async def test_a_workflow_that_is_no_longer_public_disappears_at_once(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    workflow_id = await make(services, viewer)
    for away, back in [({"public": False}, {"public": True}), ({"status": "ARCHIVED"}, {"status": "ACTIVE"})]:
        assert await seen(services, stranger, workflow_id)
        await change(services, viewer, workflow_id, **away)
        assert not await seen(services, stranger, workflow_id)
        refused = await copy(services, stranger, workflow_id)
        assert [error["code"] for error in refused["errors"]] == ["NOT_FOUND"]
        await change(services, viewer, workflow_id, **back)


async def test_the_filters_of_the_list_hold_for_public_ones_too(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    type_id = await entity_type(services, viewer, "Invoice", INVOICE)
    await make(services, viewer, "Invoices", category="billing", entityTypeId=type_id)
    await make(services, viewer, "Letters", description="Reads what was billed")

    async def found(**wanted: Any) -> list[str]:
        return await names(services, stranger, filter={"public": True, **wanted})

    assert await found(category="billing") == ["Invoices"]
    assert await found(search="BILL") == ["Letters"]
    assert await found(status="DRAFT") == []
    assert await found(entityTypeId=type_id) == ["Invoices"]


async def test_of_a_workflow_of_another_workspace_nothing_shows_but_what_is_listed(
    services: Services, viewer: Viewer, stranger: Viewer, httpserver: HTTPServer
) -> None:
    workflow_id = await used_workflow(services, viewer, httpserver.url_for("/"))
    read = await everything_of(services, stranger, workflow_id)
    assert NEVER not in str(read)
    shown = {name: value for name, value in read.items() if not says_nothing(value)}
    assert shown.keys() == SHOWN
    assert shown["version"].keys() - {"__typename"} == {"id", "number", "definition", "createdBy", "createdAt", "steps"}
    assert shown["entitySchema"] == {**INVOICE, "title": "Invoice"}
    assert (shown["stats"]["runsTotal"], shown["usageCount"]) == (2, 2)
    # To its owner all of it says something, so there was something to hide.
    owned = await everything_of(services, viewer, workflow_id)
    assert NEVER in str(owned["runs"])
    assert {name for name, value in owned.items() if says_nothing(value)} == {"copiedFrom", "usage"}


async def everything_of(services: Services, caller: Viewer, workflow_id: str) -> dict[str, Any]:
    """Each field with all below it, asked for by itself: together they would cost more than one query may."""
    read: dict[str, Any] = {}
    for selected in fields_below("Workflow", levels=4).values():
        document = f"query ($id: ID!) {{ workflow(id: $id) {{ {selected} }} }}"
        read |= (await ask(services, caller, document, id=workflow_id))["workflow"]
    return read


async def used_workflow(services: Services, viewer: Viewer, url: str) -> str:
    """Public, with all that a workflow can have: runs over entities, deliveries, triggers, schedules, ratings."""
    type_id = await entity_type(services, viewer, "Invoice", INVOICE)
    await create_integration(services, viewer, NewIntegration("The team", WebhookSettings(url=url)))
    workflow_id = await make(
        services,
        viewer,
        "Invoices",
        description="Finds the large ones",
        category="billing",
        entityTypeId=type_id,
        definition={
            "steps": [*CHECK["steps"], {**NOTIFY["steps"][0], "dependsOn": []}],
            "triggers": [{"event": "order.placed"}],
        },
    )
    uuid = UUID(decode_id(workflow_id)[1])
    await create_integration(services, viewer, NewIntegration(NEVER, WebhookSettings(url=url), uuid))
    entity = EntityInput({"total": 5.0, "note": NEVER}, NEVER)
    stored = await create_entities(services, viewer, UUID(decode_id(type_id)[1]), [entity])
    hook = HookSettings(NEVER)
    await create_webhook_trigger(services, viewer, uuid, WebhookScheme.STANDARD, hook)
    all_of_them = Selection(all=True)
    await create_schedule(services, viewer, uuid, ScheduleSettings("0 9 * * *", name=NEVER, selection=all_of_them))
    async with working(services) as served:
        wanted = StartRun(uuid, selection=all_of_them, parameters={"secret": NEVER}, wait=timedelta(seconds=20))
        run = await start_run(served, viewer, wanted)
        assert run.progress.completed == 1
        order = {"entityId": str(stored.entities[0].id), "note": NEVER}
        await emit_event(served, viewer, EmitEvent("order.placed", order))
        async with asyncio.timeout(20):
            while len(await runs_of(services, viewer, workflow_id)) < 2:
                await asyncio.sleep(0.01)
    assert (await rate(services, viewer, workflow_id, 4))["errors"] == []
    return workflow_id


async def runs_of(services: Services, viewer: Viewer, workflow_id: str) -> list[Any]:
    document = "query ($id: ID!) { workflow(id: $id) { runs { nodes { id } } } }"
    return (await ask(services, viewer, document, id=workflow_id))["workflow"]["runs"]["nodes"]


CORE = WeftSchema()._schema


def everything(type_name: str, levels: int) -> str:
    return " ".join(fields_below(type_name, levels).values())


def fields_below(type_name: str, levels: int) -> dict[str, str]:
    """Every field that needs no argument, with all below it so many levels down."""
    kind = CORE.get_type(type_name)
    selections: dict[str, str] = {}
    for name, field in getattr(kind, "fields", {}).items():
        if any(is_required_argument(argument) for argument in field.args.values()):
            continue
        inner = cast("GraphQLNamedType", get_named_type(field.type))
        head = f"{name}(first: 2)" if "first" in field.args else name
        if is_leaf_type(inner):
            selections[name] = head
        elif isinstance(inner, GraphQLObjectType) and levels > 1 and name != "edges":
            selections[name] = f"{head} {{ __typename {everything(inner.name, levels - 1)} }}"
    return selections


def says_nothing(value: Any) -> bool:
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return all(says_nothing(one) for name, one in fields.items() if name != "__typename")
    return value in ([], None, 0, "0")


async def test_what_is_of_another_workspace_cannot_be_changed_or_run(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    workflow_id = await make(services, viewer, "Shared")
    attempts = {
        "updateWorkflow": f'id: "{workflow_id}", name: "Taken"',
        "archiveWorkflow": f'id: "{workflow_id}"',
        "deleteWorkflow": f'id: "{workflow_id}"',
        "runWorkflow": f'workflowId: "{workflow_id}"',
        "saveAsTemplate": f'workflowId: "{workflow_id}"',
    }
    for verb, given in attempts.items():
        answer = await ask(
            services, stranger, f"mutation {{ {verb}(input: {{{given}}}) {{ errors {{ code hint }} }} }}"
        )
        (error,) = answer[verb]["errors"]
        assert error["code"] == "NOT_FOUND", verb
        assert "copyWorkflow" in (error["hint"] or "") or verb == "saveAsTemplate"
    assert await names(services, viewer) == ["Shared"]
    assert await names(services, stranger) == []


async def test_a_list_of_public_workflows_costs_as_many_statements_for_many_as_for_one(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    type_id = await entity_type(services, viewer, "Invoice", INVOICE)
    for number in range(6):
        source_id = await make(services, viewer, f"{number}", entityTypeId=type_id, definition=CHECK)
        await copy(services, stranger, source_id)
    plain = everything("Workflow", 2)
    document = f"""query ($first: Int!, $public: Boolean) {{
        workflows(first: $first, filter: {{public: $public}}) {{ nodes {{ {plain} }} }} }}"""
    for public in (True, None):
        counts: list[int] = []
        for first in (1, 6):
            with counted(services.database) as statements:
                answer = await ask(services, stranger, document, first=first, public=public)
            assert len(answer["workflows"]["nodes"]) == first
            counts.append(statements.count)
        assert counts[0] == counts[1]


async def test_the_audit_log_tells_who_published_copied_and_rated(
    services: Services, viewer: Viewer, stranger: Viewer
) -> None:
    workflow_id = await make(services, viewer, public=False)
    await change(services, viewer, workflow_id, public=True)
    copied = (await copy(services, stranger, workflow_id))["workflow"]
    await ask(
        services,
        stranger,
        "mutation ($id: ID!) { rateWorkflow(input: {id: $id, rating: 4}) { errors { code } } }",
        id=workflow_id,
    )
    log = "{ auditLog(first: 5) { nodes { action subject details } } }"
    entries = (await ask(services, viewer, log))["auditLog"]["nodes"]
    assert entries[0]["details"] == {"changed": ["public"], "public": True, "version": 1}
    assert entries[1]["details"]["public"] is False
    uuid = decode_id(workflow_id)[1]
    entries = (await ask(services, stranger, log))["auditLog"]["nodes"]
    assert [entry["action"] for entry in entries] == ["workflow.rated", "workflow.copied", "workflow.created"]
    assert (entries[0]["subject"], entries[0]["details"]) == (uuid, {"rating": 4})
    assert entries[1]["subject"] == decode_id(copied["id"])[1]
    assert entries[1]["details"] == {"name": "A workflow", "from": uuid, "status": "ACTIVE"}
