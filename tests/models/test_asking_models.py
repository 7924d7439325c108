"""What is sent to models, what comes back, and what it costs."""

import asyncio
import time
from typing import Any

import pytest
from model_servers import KEY, Refuses, Says
from models.conftest import Shop

from weft.domain.providers import ProviderKind
from weft.domain.step import Fail, Retry
from weft.domain.usage import Usage

KINDS = [
    pytest.param(ProviderKind.OPENAI_COMPATIBLE, "gpt-4o-mini", id="openai"),
    pytest.param(ProviderKind.ANTHROPIC, "claude-haiku-4-5", id="anthropic"),
]
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "required": ["name", "age"],
}
ADA = '{"name": "Ada", "age": 36}'


@pytest.mark.parametrize(("kind", "model"), KINDS)
async def test_a_model_is_asked_with_all_that_the_request_says(shop: Shop, kind: ProviderKind, model: str) -> None:
    await shop.provider(kind)
    reply = await shop.generate("Hi", model=model, instructions="Be kind", max_output_tokens=50, temperature=0.5)
    assert (reply.value, reply.model, reply.complete) == ("Hello", model, True)
    (sent,), (headers,) = shop.server.asked, shop.server.headers
    assert sent["model"] == model
    assert sent["temperature"] == 0.5
    assert 50 in {sent.get("max_tokens"), sent.get("max_completion_tokens")}
    assert "Be kind" in str(sent.get("system", sent["messages"][0]))
    assert "Hi" in str(sent["messages"][-1]["content"])
    assert headers["authorization"] == f"Bearer {KEY}"


async def test_nothing_of_the_operator_is_sent_to_the_address_of_a_workspace(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        monkeypatch.setenv(name, "of-the-operator")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    for kind in ProviderKind:
        await shop.provider(kind, name=kind.value, api_key=None)
        await shop.generate(provider=kind.value, model="some-model")
    assert len(shop.server.headers) == 2
    assert "of-the-operator" not in str(shop.server.headers)
    assert all("authorization" not in headers for headers in shop.server.headers)


@pytest.mark.parametrize(("kind", "model"), KINDS)
async def test_tokens_and_cost_are_told_exactly(shop: Shop, kind: ProviderKind, model: str) -> None:
    await shop.provider(kind)
    shop.server.usual = Says(input_tokens=1_000, output_tokens=200, cached_tokens=400)
    reply = await shop.generate(model=model)
    prices = {
        "gpt-4o-mini": (600 * 150 + 400 * 75 + 200 * 600),
        "claude-haiku-4-5": 600 * 1_000 + 400 * 100 + 200 * 5_000,
    }
    assert reply.usage == Usage(1, 1_000, 200, 400, prices[model])
    assert reply.priced


async def test_a_model_without_a_known_price_costs_nothing_and_that_is_said(shop: Shop) -> None:
    await shop.provider()
    reply = await shop.generate(model="our-own-llama")
    assert (reply.usage.cost_nanos, reply.usage.input_tokens, reply.priced) == (0, 100, False)


@pytest.mark.parametrize(("kind", "model"), KINDS)
async def test_json_is_asked_for_by_the_schema_and_comes_back_as_a_value(
    shop: Shop, kind: ProviderKind, model: str
) -> None:
    await shop.provider(kind)
    shop.server.usual = Says(ADA)
    reply = await shop.generate(model=model, schema=PERSON)
    assert reply.value == {"name": "Ada", "age": 36}
    sent = shop.server.asked[0]
    wanted = sent.get("response_format", sent.get("output_config", {}).get("format"))
    assert wanted["type"] == "json_schema"


async def test_a_model_that_has_no_schemas_gives_json_as_a_call_of_a_tool(shop: Shop) -> None:
    await shop.provider(ProviderKind.ANTHROPIC)
    shop.server.usual = Says(ADA)
    assert (await shop.generate(model="claude-3-haiku-20240307", schema=PERSON)).value["name"] == "Ada"
    assert shop.server.asked[0]["tools"][0]["input_schema"]["properties"].keys() == {"name", "age"}


@pytest.mark.parametrize(("kind", "model"), KINDS)
async def test_an_answer_that_does_not_fit_goes_back_with_what_is_wrong(
    shop: Shop, kind: ProviderKind, model: str
) -> None:
    await shop.provider(kind)
    shop.server.script = [Says('{"name": "Ada", "age": -1}'), Says(f"Of course!\n```json\n{ADA}\n```\nAnything else?")]
    reply = await shop.generate(model=model, schema=PERSON)
    assert reply.value == {"name": "Ada", "age": 36}
    assert (reply.usage.calls, reply.usage.input_tokens, reply.usage.output_tokens) == (2, 200, 40)
    told = shop.server.asked[1]["messages"]
    assert [message["role"] for message in told] == ["user", "assistant", "user"]
    assert "age: -1 is less than the minimum of 0" in str(told[-1])


@pytest.mark.parametrize(
    ("useless", "told"),
    [
        ('{"name": "A\\u0000da", "age": 36}', "name: it holds the character NUL"),
        ('{"name": "Ada", "age": 36, "more": ' + "[" * 300 + "]" * 300 + "}", "nested more than 200 levels deep"),
    ],
    ids=["NUL", "deep"],
)
async def test_json_that_fits_and_cannot_be_stored_goes_back_as_well(shop: Shop, useless: str, told: str) -> None:
    await shop.provider()
    shop.server.script = [Says(useless), Says(ADA)]
    reply = await shop.generate(schema=PERSON)
    assert (reply.value, reply.usage.calls) == ({"name": "Ada", "age": 36}, 2)
    assert told in str(shop.server.asked[1]["messages"][-1])


async def test_a_model_that_never_fits_fails_with_the_violations_and_what_was_paid(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Says("I do not know.")
    with pytest.raises(Fail) as failed:
        await shop.generate(schema=PERSON, attempts=2)
    assert failed.value.code == "ANSWER_UNFIT"
    assert failed.value.details == {"violations": ["the answer is not valid JSON"], "answer": "I do not know."}
    assert (failed.value.usage.calls, failed.value.usage.output_tokens) == (2, 40)
    assert len(shop.server.asked) == 2


async def test_what_a_first_answer_cost_is_told_where_the_second_fails(shop: Shop) -> None:
    await shop.provider()
    shop.server.script = [Says("{}"), Refuses(500)]
    with pytest.raises(Retry) as failed:
        await shop.generate(schema=PERSON)
    assert failed.value.usage.calls == 1
    assert failed.value.usage.cost_nanos > 0


async def test_a_server_without_schemas_is_asked_in_simpler_ways_and_that_is_remembered(shop: Shop) -> None:
    await shop.provider()

    def simple(body: dict[str, Any]) -> Says | Refuses:
        return Refuses(400, "'response_format' is not supported here") if "response_format" in body else Says(ADA)

    shop.server.usual = simple
    for _ in range(2):
        assert (await shop.generate(model="local-llama", schema=PERSON)).value["age"] == 36
    kinds = [body.get("response_format", {}).get("type") for body in shop.server.asked]
    assert kinds == ["json_schema", "json_object", None, None]
    assert '"minimum":0' in str(shop.server.asked[-1]["messages"][0]["content"])


async def test_json_that_is_no_object_is_asked_for_in_words(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Says("The list: [1, 2, 3]")
    reply = await shop.generate(schema={"type": "array", "items": {"type": "integer"}})
    assert reply.value == [1, 2, 3]
    assert "response_format" not in shop.server.asked[0]


async def test_a_text_that_was_cut_off_is_marked_and_json_that_was_fails(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Says('{"name": "A', finish="length")
    assert not (await shop.generate()).complete
    with pytest.raises(Fail, match="maxOutputTokens") as failed:
        await shop.generate(schema=PERSON)
    assert (failed.value.code, failed.value.usage.calls) == ("ANSWER_CUT_OFF", 1)


async def test_an_empty_answer_is_tried_again(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Says(" ")
    with pytest.raises(Retry) as failed:
        await shop.generate()
    assert (failed.value.code, failed.value.usage.calls) == ("ANSWER_EMPTY", 1)


async def test_a_filtered_answer_fails(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Says("…", finish="content_filter")
    with pytest.raises(Fail) as failed:
        await shop.generate()
    assert failed.value.code == "ANSWER_REFUSED"


async def test_characters_that_no_database_takes_are_replaced_in_a_text(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Says("a\x00b")
    assert (await shop.generate()).value == "a\N{REPLACEMENT CHARACTER}b"


async def test_a_long_answer_of_json_is_read_while_everything_else_goes_on(shop: Shop) -> None:
    await shop.provider()
    wild = "```\n{}\n```\n" * 250_000
    shop.server.usual = Says(wild)
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)

    watching = asyncio.create_task(watch())
    with pytest.raises(Fail) as failed:
        await shop.generate(schema=PERSON, attempts=1)
    await asyncio.sleep(0.02)
    watching.cancel()
    assert failed.value.code == "ANSWER_UNFIT"
    assert longest < 2
