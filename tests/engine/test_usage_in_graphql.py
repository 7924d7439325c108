"""What runs cost, and what came from the cache, as callers see it."""

from typing import Any

from asking import ask
from engine.conftest import Bench
from engine.model_steps import Ask

from weft.domain.access import Viewer
from weft.graphql.nodes import encode_id

USAGE = "usage { calls inputTokens outputTokens cachedTokens cost }"
READ = f"""
query ($id: ID!) {{
  run(id: $id) {{
    {USAGE}
    progress {{ {USAGE} steps {{ {USAGE} }} }}
    items {{ nodes {{ {USAGE} steps {{
      fromCache attempt durationMs savedUsage {{ calls cost }} attemptUsages {{ calls cost }} {USAGE} }} }} }}
    workflow {{ {USAGE} steps {{ stepId cache {{ maxAge }} }} }}
  }}
}}
"""
CACHED = {"id": "ask", "type": "test_ask", "cache": {"maxAge": "PT24H"}, "config": {"fail_first": 1}}


def usage(times: int) -> dict[str, Any]:
    """Of a failed attempt and a successful one."""
    cost = {0: "0", 1: "0.0000025", 3: "0.0000075"}[times]
    return {
        "calls": 2 * times,
        "inputTokens": 200 * times,
        "outputTokens": 10 * times,
        "cachedTokens": 40 * times,
        "cost": cost,
    }


async def test_usage_shows_on_step_item_run_and_workflow(bench: Bench) -> None:
    Ask.calls.clear()
    workflow = await bench.workflow(CACHED, entity_type=await bench.movies(3))
    run = await bench.start(workflow)
    await bench.finish(run)
    found = (await ask(bench.services, bench.viewer, READ, id=encode_id("Run", run.id)))["run"]
    assert found["usage"] == found["progress"]["usage"] == found["workflow"]["usage"] == usage(3)
    assert found["progress"]["steps"] == [{"usage": usage(3)}]
    item = found["items"]["nodes"][0]
    assert item["usage"] == usage(1)
    (step,) = item["steps"]
    assert step.pop("durationMs") > 0
    assert step == {
        "fromCache": False,
        "attempt": 2,
        "savedUsage": None,
        "attemptUsages": [{"calls": 1, "cost": "0.000001"}, {"calls": 1, "cost": "0.0000015"}],
        "usage": usage(1),
    }
    assert found["workflow"]["steps"] == [{"stepId": "ask", "cache": {"maxAge": "P1D"}}]


async def test_a_hit_shows_what_it_saved(bench: Bench) -> None:
    Ask.calls.clear()
    workflow = await bench.workflow(CACHED, entity_type=await bench.movies(3))
    await bench.finish(await bench.start(workflow))
    run = await bench.start(workflow)
    await bench.finish(run)
    found = (await ask(bench.services, bench.viewer, READ, id=encode_id("Run", run.id)))["run"]
    assert found["usage"] == usage(0)
    assert found["workflow"]["usage"] == usage(3)
    assert found["items"]["nodes"][2]["steps"] == [
        {
            "fromCache": True,
            "attempt": 1,
            "durationMs": 0,
            "savedUsage": {"calls": 1, "cost": "0.0000015"},
            "attemptUsages": [],
            "usage": usage(0),
        }
    ]


async def test_nobody_sees_what_workflows_of_others_cost(bench: Bench, stranger: Viewer) -> None:
    workflow = await bench.workflow(CACHED, entity_type=await bench.movies(1))
    await bench.finish(await bench.start(workflow))
    asked = f"query ($id: ID!) {{ workflow(id: $id) {{ {USAGE} }} }}"
    assert await ask(bench.services, stranger, asked, id=encode_id("Workflow", workflow.id)) == {"workflow": None}
