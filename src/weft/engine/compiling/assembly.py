"""A plan put together from steps that were found to be right."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson

from weft.domain.definition import Definition, RetryPolicy, StepDefinition
from weft.domain.entity import JsonSchema
from weft.domain.step import Shape, StepType
from weft.engine.compiling.preparation import Prepared
from weft.engine.compiling.wiring import Wiring
from weft.engine.plan import CacheRule, Edge, Plan, PlannedStep
from weft.kit.cel import CelExpression, CelMapping
from weft.kit.cel.references import Path, wanted
from weft.kit.json_schema import SchemaValidator


@dataclass(frozen=True, slots=True)
class Draft:
    """A step as far as it could be compiled."""

    step: StepDefinition
    made: Prepared | None
    """None where its type is unknown or its config is wrong."""
    when: CelExpression | None
    reads: frozenset[Path]
    """What its config reads, as paths from the names in scope."""

    @property
    def gives(self) -> JsonSchema | None:
        """The schema of its output; None where nothing is known."""
        return None if self.made is None else self.made.gives


def assemble(
    definition: Definition,
    wiring: Wiring,
    drafts: Mapping[int, Draft],
    *,
    output: CelMapping | None,
    input_schema: SchemaValidator | None,
    parameters_schema: SchemaValidator | None,
    entity_schema: JsonSchema | None,
    names_read: frozenset[str],
) -> Plan:
    index_of = {number: index for index, number in enumerate(wiring.order)}
    steps: list[PlannedStep] = []
    for number in wiring.order:
        edges = tuple(Edge(index_of[edge.source], edge.branch) for edge in wiring.wires[number])
        steps.append(_planned(len(steps), drafts[number], edges, definition, steps))
    return Plan(
        steps=tuple(steps),
        leaves=tuple(index_of[number] for number in wiring.leaves()),
        output=output,
        input_schema=input_schema,
        parameters_schema=parameters_schema,
        entity_schema=entity_schema,
        computes_only=all(step.shape is Shape.COMPUTES and step.cache is None for step in steps),
        names_read=names_read,
    )


def _planned(
    index: int, draft: Draft, edges: tuple[Edge, ...], definition: Definition, before: list[PlannedStep]
) -> PlannedStep:
    step, made = draft.step, draft.made
    if made is None:
        raise ValueError(f"The step {step.id!r} was not compiled.")
    instance = made.instance
    return PlannedStep(
        index=index,
        id=step.id,
        kind=instance.kind,
        type=instance,
        shape=instance.shape(),
        edges=edges,
        when=draft.when,
        retry=_retry(step, definition, instance),
        timeout=instance.default_timeout if step.timeout is None else step.timeout,
        on_failure=step.on_failure or definition.error_handling.on_failure,
        fingerprint=_fingerprint(step, made, edges, before),
        cache=_cache(draft, made),
    )


def _cache(draft: Draft, made: Prepared) -> CacheRule | None:
    policy, instance = draft.step.cache, made.instance
    if policy is None:
        return None
    # As it is understood, defaults and all: then it does not matter how it was spelt. In its own order, which may mean
    # something, as that of branches does.
    config = instance.config.model_dump_json(by_alias=True)
    seed = sha256(orjson.dumps([instance.kind, instance.version, config])).digest()
    reads = {path for path in draft.reads if path[0] != "input"} | {(name,) for name in instance.reads}
    return CacheRule(policy.max_age, seed, wanted(reads))


def _retry(step: StepDefinition, definition: Definition, instance: StepType[Any]) -> RetryPolicy:
    """The step's own, else that of all steps, else what suits its type."""
    return step.retry or definition.error_handling.retry or instance.default_retry


def _fingerprint(step: StepDefinition, made: Prepared, edges: tuple[Edge, ...], before: list[PlannedStep]) -> str:
    """Retry, timeout, failure policy and names are not in it: they change no result. The dependencies' fingerprints hold
    everything upstream, so what an expression reads of earlier steps is in it, too.
    """
    parts = {
        "kind": made.instance.kind,
        "version": made.instance.version,
        "config": made.config,
        "when": step.when,
        "after": [[before[edge.index].id, before[edge.index].fingerprint, edge.branch] for edge in edges],
    }
    return sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
