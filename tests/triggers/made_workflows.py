"""Workflows with triggers, made over GraphQL."""

from typing import Any

from asking import ask
from sqlalchemy import select

from weft.domain.access import Viewer
from weft.operations.services import Services
from weft.storage import tables

WORKFLOW = """
  id definition entityType { name } version { number }
  triggers { id name event filter condition input parameters enabled createdAt updatedAt workflow { id } }
"""
CREATE = f"""
mutation ($input: CreateWorkflowInput!) {{
  createWorkflow(input: $input) {{ workflow {{ {WORKFLOW} }} errors {{ code message path hint line }} }}
}}
"""
STEPS: dict[str, Any] = {"steps": [{"id": "a", "type": "echo"}]}
PDF = {"type": "document_upload", "filter": {"mime_types": ["application/pdf"]}}
ORDER = {"event": "order.placed", "name": "Orders", "input": {"order": "payload.id"}}


async def create(services: Services, viewer: Viewer, **fields: Any) -> dict[str, Any]:
    wanted = {"name": "A workflow", "definition": STEPS, **fields}
    return (await ask(services, viewer, CREATE, input=wanted))["createWorkflow"]


async def made(services: Services, viewer: Viewer, **fields: Any) -> dict[str, Any]:
    answer = await create(services, viewer, **fields)
    assert answer["errors"] == []
    return answer["workflow"]


async def revisions(services: Services) -> dict[str, int]:
    async with services.database.reading() as connection:
        rows = await connection.execute(select(tables.trigger.c.name, tables.trigger.c.revision))
        return {row.name: row.revision for row in rows}
