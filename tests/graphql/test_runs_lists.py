"""Lists of runs, and what a list costs: the same number of statements for one row and for fifty."""

from typing import Any

import pytest
from asking import ask, ask_anything
from sqlalchemy import insert, text
from storage.test_items import store_run
from workers import counted

from weft.domain.access import Viewer
from weft.domain.entity import EntityInput
from weft.domain.ids import UUID, new_id
from weft.domain.page import PageRequest
from weft.domain.run import LogLevel, Selection
from weft.domain.workflow import Workflow
from weft.graphql.nodes import encode_id
from weft.operations import entity_creation, entity_types, runs
from weft.operations.run_lists import RunList, load_run_pages
from weft.operations.run_starts import StartRun, start_run
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.storage import tables
from weft.storage.run_lists import RunFilter

DEFINITION = {"steps": [{"id": "a", "type": "echo"}]}
LIST = """
query ($first: Int = 20, $after: String, $filter: RunFilterInput) {
  runs(first: $first, after: $after, filter: $filter) { nodes { id } pageInfo { endCursor hasNextPage } }
}
"""
EVERYTHING = """
{
  runs(first: 50) {
    nodes {
      id result workflow { name entityType { name } } version { number } entityType { name } retryOf { id }
      failures(first: 3) { count exampleItem { id } }
      logs(first: 3) { nodes { message item { id } } }
      items(first: 3) { totalCount nodes { id output run { id } entity { externalId } steps { stepId input output } } }
      failed: items(first: 3, status: [FAILED, PENDING]) { nodes { id entity { id } } }
    }
  }
}
"""
ITEMS = """
query ($id: ID!, $first: Int!) {
  run(id: $id) {
    items(first: $first) { nodes { id output run { status } entity { externalId entityType { name } } steps { input } } }
  }
}
"""
LOGS = """
query ($id: ID!, $first: Int = 20, $after: String, $level: LogLevel = DEBUG, $stepId: String) {
  run(id: $id) {
    logs(first: $first, after: $after, level: $level, stepId: $stepId) {
      nodes { message } pageInfo { endCursor hasNextPage }
    }
  }
}
"""


@pytest.fixture
async def films(services: Services, viewer: Viewer) -> Workflow:
    schema = {"type": "object", "properties": {"title": {"type": "string"}}}
    made = await entity_types.create_entity_type(services, viewer, name="film", description="", schema=schema)
    rows = [EntityInput({"title": f"Film {number}"}, f"f{number}") for number in range(60)]
    await entity_creation.create_entities(services, viewer, made.id, rows)
    return await create_workflow(services, viewer, NewWorkflow("films", DEFINITION, entity_type_id=made.id))


async def start_films(services: Services, viewer: Viewer, films: Workflow, count: int) -> list[UUID]:
    wanted = StartRun(films.id, selection=Selection(all=True))
    return [(await start_run(services, viewer, wanted)).id for _ in range(count)]


async def test_runs_are_listed_newest_first_page_by_page(
    services: Services, viewer: Viewer, stranger: Viewer, films: Workflow
) -> None:
    started = await start_films(services, viewer, films, 5)
    found: list[str] = []
    after: str | None = None
    for size in (2, 2, 1):
        page = (await ask(services, viewer, LIST, first=2, after=after))["runs"]
        assert len(page["nodes"]) == size
        found += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert not page["pageInfo"]["hasNextPage"]
    assert found == [encode_id("Run", run_id) for run_id in reversed(started)]
    assert (await ask(services, stranger, LIST))["runs"]["nodes"] == []
    _, errors = await ask_anything(services, viewer, LIST, after="bm9uc2Vuc2U")
    assert [error["extensions"]["code"] for error in errors] == ["INVALID"]


async def test_every_filter_of_runs_holds(services: Services, viewer: Viewer, films: Workflow) -> None:
    other = await create_workflow(services, viewer, NewWorkflow("other", DEFINITION))
    (first,) = await start_films(services, viewer, films, 1)
    second = (await start_run(services, viewer, StartRun(other.id, input={}))).id
    await runs.cancel_run(services, viewer, second)
    both = {first, second}
    cases: list[tuple[dict[str, Any], set[UUID]]] = [
        ({}, both),
        ({"workflowId": encode_id("Workflow", films.id)}, {first}),
        ({"status": ["CANCELLED", "FAILED"]}, {second}),
        ({"status": []}, set()),
        ({"triggerType": "MANUAL"}, both),
        ({"triggerType": "RETRY"}, set()),
        ({"createdAfter": "2020-01-01T00:00:00Z", "status": ["PENDING"]}, {first}),
        ({"createdBefore": "2020-01-01T00:00:00Z"}, set()),
    ]
    for wanted, expected in cases:
        nodes = (await ask(services, viewer, LIST, filter=wanted))["runs"]["nodes"]
        assert {node["id"] for node in nodes} == {encode_id("Run", run_id) for run_id in expected}


async def test_each_workflow_lists_its_own_runs(services: Services, viewer: Viewer, films: Workflow) -> None:
    document = "{ workflows { nodes { name runs(first: 2) { nodes { id } pageInfo { hasNextPage } } } } }"
    of_films = await start_films(services, viewer, films, 3)
    with counted(services.database) as of_one:
        await ask(services, viewer, document)
    for number in range(3):
        other = await create_workflow(services, viewer, NewWorkflow(f"other {number}", DEFINITION))
        await start_run(services, viewer, StartRun(other.id, input={}))
    with counted(services.database) as of_four:
        listed = (await ask(services, viewer, document))["workflows"]["nodes"]
    assert of_four.count == of_one.count
    assert [len(workflow["runs"]["nodes"]) for workflow in listed] == [1, 1, 1, 2]
    assert [workflow["runs"]["pageInfo"]["hasNextPage"] for workflow in listed] == [False, False, False, True]
    assert [run["id"] for run in listed[-1]["runs"]["nodes"]] == [encode_id("Run", one) for one in of_films[:0:-1]]


async def test_a_stranger_lists_no_runs_of_a_workflow(
    services: Services, viewer: Viewer, stranger: Viewer, films: Workflow
) -> None:
    await start_films(services, viewer, films, 1)
    asked = [RunList(films.id, RunFilter(), PageRequest(2))]
    assert [len(page.rows) for page in await load_run_pages(services, viewer, asked)] == [1]
    assert [len(page.rows) for page in await load_run_pages(services, stranger, asked)] == [0]


async def test_fifty_runs_cost_as_many_statements_as_one(services: Services, viewer: Viewer, films: Workflow) -> None:
    await start_films(services, viewer, films, 1)
    await ask(services, viewer, EVERYTHING)  # from here on the graph of the version is known
    with counted(services.database) as of_one:
        await ask(services, viewer, EVERYTHING)
    await start_films(services, viewer, films, 49)
    with counted(services.database) as of_fifty:
        nodes = (await ask(services, viewer, EVERYTHING))["runs"]["nodes"]
    assert len(nodes) == 50
    assert len(nodes[0]["items"]["nodes"]) == 3
    assert of_fifty.count == of_one.count


async def test_fifty_items_cost_as_many_statements_as_one(services: Services, viewer: Viewer, films: Workflow) -> None:
    (run_id,) = await start_films(services, viewer, films, 1)
    await ask(services, viewer, ITEMS, id=encode_id("Run", run_id), first=1)  # as above
    statements: list[int] = []
    for first in (1, 50):
        with counted(services.database) as counting:
            data = await ask(services, viewer, ITEMS, id=encode_id("Run", run_id), first=first)
        assert len(data["run"]["items"]["nodes"]) == first
        statements.append(counting.count)
    assert statements[0] == statements[1]


async def test_logs_are_read_on_from_a_cursor_by_level_and_step(services: Services, viewer: Viewer) -> None:
    run_id = new_id()
    await store_run(services.database, viewer, run_id, status="RUNNING", total=0)
    async with services.database.transaction() as connection:
        for number, level in enumerate([*LogLevel] * 2):
            line: dict[str, Any] = {
                "level": level,
                "message": f"{level} {number}",
                "fields": {},
                "step_id": "a" if number < 4 else "b",
            }
            await connection.execute(
                insert(tables.run_log).values(id=new_id(), run_id=run_id, ordinal=0, at=text("now()"), **line)
            )

    async def logs(**wanted: Any) -> Any:
        return (await ask(services, viewer, LOGS, id=encode_id("Run", run_id), **wanted))["run"]["logs"]

    first = await logs(first=3, level="WARNING")
    second = await logs(first=3, level="WARNING", after=first["pageInfo"]["endCursor"])
    assert [line["message"] for line in first["nodes"]] == ["WARNING 2", "ERROR 3", "WARNING 6"]
    assert [line["message"] for line in second["nodes"]] == ["ERROR 7"]
    assert not second["pageInfo"]["hasNextPage"]
    assert len((await logs())["nodes"]) == 8
    assert [line["message"] for line in (await logs(stepId="b", level="ERROR"))["nodes"]] == ["ERROR 7"]
