"""The step that asks a model: alone, when its definition is saved, and in runs."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from asking import ask
from model_servers import Hangs, Refuses, Says
from models.conftest import Shop
from steps.items import item, problems, step
from workers import working

from weft.domain.errors import Invalid
from weft.domain.step import Fail, Output
from weft.graphql.nodes import encode_id
from weft.integrations.models import loading
from weft.operations import runs
from weft.operations.run_starts import StartRun, start_run
from weft.operations.workflows import NewWorkflow, create_workflow

CONFIG = {"provider": "local", "model": "gpt-4o-mini", "prompt": "Greet {{ name }}"}
PERSON = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}


async def run_step(shop: Shop, config: dict[str, Any], value: Any) -> Output:
    prepared = step("ai_generate", {**CONFIG, **config})
    given = replace(item(value), world=shop.services.world.of(shop.viewer.workspace_id))
    return await prepared.run(given, value)


async def test_the_prompt_is_made_of_the_item_and_the_answer_is_its_text(shop: Shop) -> None:
    await shop.provider()
    output = await run_step(shop, {"instructions": "You greet {{ name }}."}, {"name": "Ada"})
    assert output.value == {"text": "Hello"}
    assert (output.usage.calls, output.usage.input_tokens) == (1, 100)
    assert [message["content"] for message in shop.server.asked[0]["messages"]] == ["You greet Ada.", "Greet Ada"]


async def test_json_by_a_schema_is_the_output_or_stands_in_a_field_of_it(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Says('{"age": 36}')
    assert (await run_step(shop, {"schema": PERSON}, {"name": "Ada"})).value == {"age": 36}
    kept = await run_step(shop, {"schema": PERSON, "target": "found", "keep": True}, {"name": "Ada"})
    assert kept.value == {"name": "Ada", "found": {"age": 36}}
    assert step("ai_generate", {**CONFIG, "schema": PERSON}).output_schema == PERSON


async def test_a_prompt_that_no_model_reads_fails_before_it_is_sent(shop: Shop) -> None:
    await shop.provider()
    with pytest.raises(Fail) as failed:
        await run_step(shop, {}, {"name": "x" * 600_000})
    assert failed.value.code == "PROMPT_TOO_LONG"
    assert shop.server.asked == []


def test_what_is_wrong_with_a_config_is_said_when_it_is_saved() -> None:
    assert problems("ai_generate", CONFIG) == ()
    for wrong in ({"prompt": "{{ "}, {"schema": {"type": "nothing"}}, {"temperature": 3}, {"model": " "}):
        assert problems("ai_generate", {**CONFIG, **wrong}), wrong
    (problem,) = problems("ai_generate", {**CONFIG, "schema": PERSON, "keep": True})
    assert "target" in problem.message


@pytest.mark.parametrize(
    ("made", "message", "hint"),
    [
        (None, "No model provider is configured", "createModelProvider"),
        ("locals", "There is no model provider 'local'", 'did you mean "locals"?'),
    ],
)
async def test_a_workflow_that_names_no_provider_is_not_saved(
    shop: Shop, made: str | None, message: str, hint: str
) -> None:
    if made is not None:
        await shop.provider(name=made)
    with pytest.raises(Invalid) as refused:
        await workflow(shop)
    (problem,) = refused.value.problems
    assert problem.path[-2:] == ("config", "provider")
    assert message in problem.message
    assert problem.hint is not None
    assert hint in problem.hint


async def test_without_the_extra_it_is_said_what_to_install(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    await shop.provider()
    monkeypatch.setattr(loading, "_NEEDED", ("a_library_that_nobody_has",))
    loading.are_installed.cache_clear()
    try:
        with pytest.raises(Fail, match="extra `models`") as failed:
            await shop.generate()
        assert failed.value.code == "MODELS_NOT_INSTALLED"
        with pytest.raises(Invalid, match="extra `models`"):
            await workflow(shop)
    finally:
        loading.are_installed.cache_clear()


async def workflow(shop: Shop, **step_fields: Any) -> Any:
    ask_model = {"id": "ask", "type": "ai_generate", "config": CONFIG, **step_fields}
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    definition = {"steps": [ask_model], "inputSchema": schema}
    return await create_workflow(shop.services, shop.viewer, NewWorkflow("greeting", definition))


async def test_a_run_asks_again_after_a_fault_and_keeps_the_answer(shop: Shop) -> None:
    await shop.provider()
    shop.server.script = [Refuses(500)]
    retry = {"maxAttempts": 3, "initialDelay": "PT0.05S"}
    made = await workflow(shop, retry=retry)
    document = """mutation ($input: RunWorkflowInput!) { runWorkflow(input: $input) {
        errors { message } run { status items { nodes { status output } } } } }"""
    async with working(shop.services) as served:
        wanted = {"workflowId": encode_id("Workflow", made.id), "input": {"name": "Ada"}, "wait": "PT20S"}
        answer = (await ask(served, shop.viewer, document, input=wanted))["runWorkflow"]
    assert answer == {
        "errors": [],
        "run": {"status": "COMPLETED", "items": {"nodes": [{"status": "COMPLETED", "output": {"text": "Hello"}}]}},
    }
    assert len(shop.server.asked) == 2


async def test_a_run_that_is_cancelled_closes_the_call(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Hangs()
    made = await workflow(shop)
    async with working(shop.services) as served, asyncio.timeout(20):
        run = await start_run(served, shop.viewer, StartRun(made.id, input={"name": "Ada"}))
        while not shop.server.under_way:
            await asyncio.sleep(0.01)
        await runs.cancel_run(served, shop.viewer, run.id)
        while shop.server.under_way:
            await asyncio.sleep(0.01)
    assert shop.server.broken_off == 1


async def test_a_step_whose_time_is_up_closes_the_call(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Hangs()
    made = await workflow(shop, timeout="PT0.3S", retry={"maxAttempts": 1})
    async with working(shop.services) as served, asyncio.timeout(20):
        run = await start_run(served, shop.viewer, StartRun(made.id, input={"name": "Ada"}))
        while not shop.server.broken_off:
            await asyncio.sleep(0.01)
        while not (found := await runs.get_run(served, shop.viewer, run.id)) or not found.progress.status.is_terminal:
            await asyncio.sleep(0.01)
    assert found.progress.failed == 1
