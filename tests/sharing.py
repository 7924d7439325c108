"""Two workspaces and what they ask of each other's workflows."""

from typing import Any

from asking import ask

from weft.domain.access import Viewer
from weft.operations.services import Services

INVOICE: dict[str, Any] = {"type": "object", "properties": {"total": {"type": "number"}}, "required": ["total"]}
CHECK: dict[str, Any] = {
    "steps": [{"id": "large", "type": "condition", "config": {"branches": {"large": "input.total > 100.0"}}}]
}
NOTIFY: dict[str, Any] = {
    "steps": [{"id": "tell", "type": "notify", "config": {"integration": "The team", "message": "Done"}}]
}
COPY = """
mutation ($input: CopyWorkflowInput!) {
  copyWorkflow(input: $input) {
    workflow {
      id name description category status enabled public own definition entityType { id name schema } copiedFrom { id }
    }
    warnings { code message path }
    errors { code message path hint }
  }
}
"""
RATE = """
mutation ($input: RateWorkflowInput!) {
  rateWorkflow(input: $input) { workflow { rating ratingCount myRating } errors { code path } }
}
"""
LIST = """
query ($first: Int! = 50, $after: String, $filter: WorkflowFilterInput, $orderBy: WorkflowOrderInput) {
  workflows(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
    totalCount nodes { name own } pageInfo { endCursor hasNextPage }
  }
}
"""
ONE = "query ($id: ID!) { workflow(id: $id) { id } node(id: $id) { id } }"
UPDATE = "mutation ($input: UpdateWorkflowInput!) { updateWorkflow(input: $input) { errors { code message path } } }"


async def make(services: Services, viewer: Viewer, name: str = "A workflow", **fields: Any) -> str:
    """The id of a new workflow that is public."""
    create = "mutation ($input: CreateWorkflowInput!) { createWorkflow(input: $input) { workflow { id } errors { message } } }"
    wanted = {"name": name, "definition": {"steps": [{"type": "echo"}]}, "public": True, **fields}
    answer = (await ask(services, viewer, create, input=wanted))["createWorkflow"]
    assert answer["errors"] == []
    return answer["workflow"]["id"]


async def change(services: Services, viewer: Viewer, workflow_id: str, **fields: Any) -> None:
    answer = await ask(services, viewer, UPDATE, input={"id": workflow_id, **fields})
    assert answer["updateWorkflow"]["errors"] == []


async def copy(services: Services, viewer: Viewer, workflow_id: str, **fields: Any) -> dict[str, Any]:
    return (await ask(services, viewer, COPY, input={"id": workflow_id, **fields}))["copyWorkflow"]


async def rate(services: Services, viewer: Viewer, workflow_id: str, rating: int | None) -> dict[str, Any]:
    return (await ask(services, viewer, RATE, input={"id": workflow_id, "rating": rating}))["rateWorkflow"]


async def names(services: Services, viewer: Viewer, **variables: Any) -> list[str]:
    answer = await ask(services, viewer, LIST, **variables)
    return [node["name"] for node in answer["workflows"]["nodes"]]


async def seen(services: Services, viewer: Viewer, workflow_id: str) -> bool:
    """Whether it can be read, by each of the ways at once."""
    answer = await ask(services, viewer, ONE, id=workflow_id)
    listed = await ask(services, viewer, "query { workflows(first: 100, filter: {public: true}) { nodes { id } } }")
    ways = {
        answer["workflow"] is not None,
        answer["node"] is not None,
        workflow_id in [node["id"] for node in listed["workflows"]["nodes"]],
    }
    assert len(ways) == 1
    return ways.pop()


async def entity_type(services: Services, viewer: Viewer, name: str, schema: dict[str, Any]) -> str:
    from_input = "mutation ($input: CreateEntityTypeInput!) { createEntityType(input: $input) { entityType { id } } }"
    made = await ask(services, viewer, from_input, input={"name": name, "schema": schema})
    return made["createEntityType"]["entityType"]["id"]
