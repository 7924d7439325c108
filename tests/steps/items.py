"""One step alone, prepared as the engine prepares it, and items to give it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from weft.domain.entity import JsonSchema
from weft.domain.errors import Problem
from weft.domain.outside import HttpSender, Outside
from weft.domain.run import LogLevel
from weft.domain.step import StepContext, StepType
from weft.engine.compiling.compiler import check, compile_plan
from weft.integrations.http import HttpClient
from weft.steps import discover

CATALOGUE = discover()


def step(
    kind: str,
    config: Mapping[str, Any] | None = None,
    *,
    entity_schema: JsonSchema | None = None,
    input_schema: JsonSchema | None = None,
) -> StepType[Any]:
    definition = _definition(kind, config, input_schema)
    return compile_plan(definition, CATALOGUE, entity_schema).steps[0].type


def problems(
    kind: str,
    config: Mapping[str, Any] | None = None,
    *,
    entity_schema: JsonSchema | None = None,
    input_schema: JsonSchema | None = None,
) -> tuple[Problem, ...]:
    return check(_definition(kind, config, input_schema), CATALOGUE, entity_schema)


def _definition(kind: str, config: Mapping[str, Any] | None, input_schema: JsonSchema | None) -> dict[str, Any]:
    definition: dict[str, Any] = {"steps": [{"id": "it", "type": kind, "config": dict(config or {})}]}
    return definition if input_schema is None else {**definition, "inputSchema": input_schema}


@dataclass(slots=True)
class ItemForTest(StepContext):
    """One item, without an engine around it."""

    values: Mapping[str, Any]
    attempt: int = 1
    client: HttpSender = field(default_factory=HttpClient)
    world: Outside | None = None
    logged: list[tuple[LogLevel, str]] = field(default_factory=list[tuple[LogLevel, str]])

    @property
    def idempotency_key(self) -> str:
        return "run:0:it"

    @property
    def http(self) -> HttpSender:
        return self.client

    @property
    def outside(self) -> Outside:
        assert self.world is not None, "this test gives its item no outside"
        return self.world

    def log(self, level: LogLevel, message: str, **fields: Any) -> None:
        self.logged.append((level, message + "".join(f" {name}={value}" for name, value in fields.items())))


def item(value: Any, *, entity: Any = None, client: HttpSender | None = None, **params: Any) -> ItemForTest:
    values = {
        "input": value,
        "entity": entity,
        "steps": {},
        "params": params,
        "run": {"id": "r", "workflowId": "w", "createdAt": "2026-01-01T00:00:00Z"},
        "item": {"id": "r:0", "ordinal": 0, "entityId": None, "externalId": None},
    }
    return ItemForTest(values) if client is None else ItemForTest(values, client=client)


def run(prepared: StepType[Any], value: Any, *, entity: Any = None) -> Any:
    """What a step that computes gives for an input."""
    return prepared.run(item(value, entity=entity), value)
