"""What the outside says against a step when its definition is saved."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from weft.domain.access import Viewer
from weft.domain.catalogue import Catalogue
from weft.domain.errors import ErrorCode, Invalid, Problem
from weft.domain.outside import Outside
from weft.domain.step import Retry, StepCategory, StepContext, StepType
from weft.engine.compiling import compiler
from weft.engine.plans import PlanCache
from weft.operations.services import Services
from weft.operations.workflow_changes import WorkflowChanges, update_workflow
from weft.operations.workflows import NewWorkflow, create_workflow, validate_workflow
from weft.steps import discover


class AskingConfig(BaseModel):
    says: str


class Asking(StepType[AskingConfig]):
    kind = "asking"
    title = "Asking"
    description = "Asks the outside when it is saved."
    category = StepCategory.PROCESSING
    Config = AskingConfig

    async def examine(self, outside: Outside) -> Sequence[Problem]:
        match self.config.says:
            case "missing":
                known = ", ".join(await outside.models.providers()) or "none"
                return [Problem(ErrorCode.UNKNOWN_REFERENCE, f"There is no such thing, only {known}.", ("says",))]
            case "away":
                raise Retry("The warehouse does not answer.")
            case "slow":
                await asyncio.sleep(30)
            case _:
                pass
        return ()

    def run(self, ctx: StepContext, input: Any) -> Any:
        del ctx
        return input


@pytest.fixture
def asking(services: Services) -> Services:
    catalogue = Catalogue([*discover(), Asking])
    return replace(services, catalogue=catalogue, plans=PlanCache(catalogue))


def steps(*says: str) -> dict[str, Any]:
    return {
        "steps": [{"id": f"s{index}", "type": "asking", "config": {"says": said}} for index, said in enumerate(says)]
    }


async def problems(services: Services, viewer: Viewer, definition: Any) -> list[tuple[str, tuple[str, ...]]]:
    checked = await validate_workflow(services, viewer, definition, None)
    return [(problem.code, problem.path) for problem in checked.problems]


async def test_it_stands_beside_all_other_problems_with_its_path(asking: Services, viewer: Viewer) -> None:
    definition = steps("fine", "missing", "away")
    definition["steps"].append({"id": "odd", "type": "nonsense"})

    assert await problems(asking, viewer, definition) == [
        ("UNKNOWN_STEP_TYPE", ("definition", "steps", "3", "type")),
        ("UNKNOWN_REFERENCE", ("definition", "steps", "1", "config", "says")),
        ("UNREACHABLE", ("definition", "steps", "2", "config")),
    ]


async def test_nodes_and_connections_get_the_path_in_their_own_spelling(asking: Services, viewer: Viewer) -> None:
    nodes = {"nodes": [{"id": "a", "type": "asking", "config": {"says": "missing"}}], "connections": []}

    assert [path for _, path in await problems(asking, viewer, nodes)] == [
        ("definition", "nodes", "0", "config", "says")
    ]


async def test_nobody_waits_long_for_what_does_not_answer(
    asking: Services, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiler, "LONGEST_EXAMINATION", timedelta(milliseconds=50))

    async with asyncio.timeout(5):
        found = await problems(asking, viewer, steps("slow", "missing"))

    assert [code for code, _ in found] == ["UNREACHABLE", "UNKNOWN_REFERENCE"]


async def test_nothing_is_saved_that_the_outside_speaks_against(asking: Services, viewer: Viewer) -> None:
    with pytest.raises(Invalid, match="no such thing"):
        await create_workflow(asking, viewer, NewWorkflow("one", steps("missing")))
    made = await create_workflow(asking, viewer, NewWorkflow("one", steps("fine")))
    with pytest.raises(Invalid, match="does not answer"):
        await update_workflow(asking, viewer, made.id, WorkflowChanges(definition=steps("away")))

    renamed = await update_workflow(asking, viewer, made.id, WorkflowChanges(name="two"))
    assert (renamed.name, renamed.version_number) == ("two", 1)


async def test_two_changes_at_once_become_two_versions(asking: Services, viewer: Viewer) -> None:
    made = await create_workflow(asking, viewer, NewWorkflow("one", steps("fine")))

    changes = [WorkflowChanges(definition=steps("fine", f"v{number}")) for number in range(3)]
    changed = await asyncio.gather(*(update_workflow(asking, viewer, made.id, change) for change in changes))

    assert sorted(workflow.version_number for workflow in changed) == [2, 3, 4]
