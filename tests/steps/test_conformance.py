"""What every step type in the catalogue keeps, whoever wrote it."""

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from inspect import isawaitable
from pathlib import Path
from typing import Any

import orjson
import pytest
from steps.items import CATALOGUE, item, step
from steps.standing_in import standing_in

from weft.domain.outside import HttpReply
from weft.domain.step import (
    AnyStepType,
    Call,
    Output,
    Shape,
    StepCategory,
    StepSignal,
    StepType,
)
from weft.kit.json_schema import compile_schema

TYPES = list(CATALOGUE)
SNAPSHOT = Path(__file__).with_name("catalogue.json")
UPDATE = "WEFT_UPDATE_SNAPSHOTS"


def _nested(levels: int, wrap: Callable[[Any], Any]) -> Any:
    value: Any = "core"
    for _ in range(levels):
        value = wrap(value)
    return value


HOSTILE: dict[str, Callable[[], Any]] = {
    "null": lambda: None,
    "true": lambda: True,
    "zero": lambda: 0,
    "the largest number": lambda: 2**64 - 1,
    "the smallest number": lambda: -(2**63),
    "a huge fraction": lambda: 1e308,
    "empty text": lambda: "",
    "long text": lambda: "ab é\n" * 50_000,
    "text of control characters": lambda: "\x00\x1b\u202e\ufeff\U0010ffff",
    "markup": lambda: "{{ 7 | times: 7 }}{% raw %}<script>'\"; DROP TABLE x --",
    "an empty list": list,
    "a list of everything": lambda: [None, True, 1, 1.5, "a", [], {}],
    "a long list": lambda: list(range(20_000)),
    "a deep list": lambda: _nested(150, lambda value: [value]),
    "an empty object": dict,
    "a deep object": lambda: _nested(150, lambda value: {"title": "t", "text": value}),
    "a wide object": lambda: {f"field {number}": number for number in range(5_000)},
    "odd names": lambda: {"": 1, "__proto__": 2, "input": 3, "a.b": 4, "é": 5, "steps": 6, "x" * 5_000: 7},
    "wrong types": lambda: {"text": 5, "title": None, "first": [], "last": {}, "genres": 1, "n": "x"},
    "plain fields": lambda: {"text": "a|b", "title": "Ada", "first": "A", "last": 1, "genres": "x|y", "quantity": 2},
}  # fmt: skip


class Answering:
    """Stands where the network would be: it answers each request alike."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: timedelta,  # noqa: ASYNC109 - the parameter of the port
        max_bytes: int,
        follow_redirects: bool,
    ) -> HttpReply:
        sent = f"{method} {len(headers)} {len(body or b'')} {timeout} {max_bytes} {follow_redirects}"
        return HttpReply(200, {"content-type": "application/json"}, orjson.dumps({"sent": sent}), url)


def _examples(step_type: AnyStepType) -> list[dict[str, Any]]:
    return step_type.Config.model_json_schema().get("examples", [])


PREPARED = [
    pytest.param(step_type, example, id=f"{step_type.kind}-{number}")
    for step_type in TYPES
    for number, example in enumerate(_examples(step_type))
]


async def _outcome(prepared: StepType[Any], value: Any) -> Any:
    """What came out, comparable; anything but an output or a signal fails the test."""
    ctx = item(value, client=Answering(), entity={"title": "old"}, token="t")
    ctx.world = standing_in(Answering())
    try:
        if prepared.shape() is Shape.SERVES_MANY:
            (answer,) = await prepared.run_many([Call(ctx, value)])
        else:
            answer = prepared.run(ctx, value)
            answer = await answer if isawaitable(answer) else answer
    except StepSignal as signal:
        answer = signal
    if isinstance(answer, StepSignal):
        assert str(answer).strip(), "a signal needs a reason"
        code = getattr(answer, "code", "SKIP")
        assert re.fullmatch(r"[A-Z][A-Z0-9_]*", code)
        orjson.dumps(getattr(answer, "details", None))
        return type(answer), code, str(answer)
    return answer if isinstance(answer, Output) else Output(answer)


@pytest.mark.parametrize("step_type", TYPES, ids=lambda step_type: step_type.kind)
def test_a_type_explains_itself(step_type: AnyStepType) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,63}", step_type.kind)
    assert step_type.title[0].isupper()
    assert step_type.description.endswith(".")
    assert isinstance(step_type.category, StepCategory)
    assert _examples(step_type), "a config needs examples"


@pytest.mark.parametrize("step_type", TYPES, ids=lambda step_type: step_type.kind)
def test_every_field_of_a_config_is_described_and_its_examples_fit(step_type: AnyStepType) -> None:
    schema = step_type.Config.model_json_schema()
    orjson.dumps(schema)
    models = [schema, *(part for part in schema.get("$defs", {}).values() if part.get("type") == "object")]
    for model in models:
        assert model["additionalProperties"] is False
        for name, field in model.get("properties", {}).items():
            assert re.fullmatch(r"[a-z][A-Za-z0-9]*", name), "the fields of a config are camelCase"
            assert field.get("description", "").endswith("."), name
            assert field.get("examples"), name
            fits = compile_schema({**field, "$defs": schema.get("$defs", {})})
            assert [fits.check(example) for example in field["examples"]] == [[]] * len(field["examples"]), name


@pytest.mark.parametrize(("step_type", "example"), PREPARED)
def test_an_example_of_a_config_is_valid_by_its_schema_and_prepares(
    step_type: AnyStepType, example: dict[str, Any]
) -> None:
    assert compile_schema(step_type.Config.model_json_schema()).check(example) == []
    prepared = step(step_type.kind, example)
    for schema in (prepared.input_schema, prepared.output_schema):
        assert schema is None or compile_schema(schema)


@pytest.mark.parametrize(("step_type", "example"), PREPARED)
@pytest.mark.parametrize("hostile", list(HOSTILE.values()), ids=list(HOSTILE))
async def test_any_input_gives_an_output_or_a_signal_and_stays_as_it_was(
    step_type: AnyStepType, example: dict[str, Any], hostile: Callable[[], Any]
) -> None:
    prepared = step(step_type.kind, example)
    given = hostile()
    async with asyncio.timeout(10):
        outcome = await _outcome(prepared, given)

    assert given == hostile()
    if isinstance(outcome, Output):
        orjson.dumps(outcome.value)
        assert prepared.output_schema is None or compile_schema(prepared.output_schema).check(outcome.value) == []
        assert set(outcome.branches or ()) <= set(prepared.branches or ())
        assert (outcome.branches is None) == (prepared.branches is None)


@pytest.mark.parametrize(("step_type", "example"), PREPARED)
async def test_an_instance_remembers_nothing_of_an_item(step_type: AnyStepType, example: dict[str, Any]) -> None:
    used = step(step_type.kind, example)
    for hostile in HOSTILE.values():
        await _outcome(used, hostile())

    for name in ("plain fields", "an empty object", "null"):
        fresh = await _outcome(step(step_type.kind, example), HOSTILE[name]())
        assert await _outcome(used, HOSTILE[name]()) == fresh


@pytest.mark.parametrize("step_type", TYPES, ids=lambda step_type: step_type.kind)
def test_an_alias_leads_to_its_type_with_a_config_that_may_be_completed(step_type: AnyStepType) -> None:
    known = {name for field in step_type.Config.model_fields.values() if (name := field.alias)}
    for alias, defaults in step_type.aliases.items():
        assert CATALOGUE.find(alias) == (step_type, defaults)
        assert set(defaults) <= known
        orjson.dumps(defaults)


def _entry(step_type: AnyStepType) -> dict[str, Any]:
    return {
        "kind": step_type.kind,
        "title": step_type.title,
        "description": step_type.description,
        "category": step_type.category,
        "version": step_type.version,
        "shape": step_type.shape(),
        "aliases": dict(step_type.aliases),
        "spellings": dict(step_type.spellings),
        "inputSchema": step_type.InputSchema,
        "outputSchema": step_type.OutputSchema,
        "configSchema": step_type.Config.model_json_schema(),
    }


def test_the_catalogue_is_what_clients_know() -> None:
    """The catalogue is part of the API: stored definitions and editors rely on it. A wanted change is written with
    WEFT_UPDATE_SNAPSHOTS=1, and shows what it changes for others.
    """
    entries = [_entry(step_type) for step_type in TYPES if step_type.__module__.startswith("weft.steps.")]
    now = orjson.dumps(entries, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    if os.environ.get(UPDATE):
        SNAPSHOT.write_bytes(now)

    assert now == SNAPSHOT.read_bytes(), f"the catalogue changed: run with {UPDATE}=1 if that is wanted"
