"""A plan: a definition that was checked and compiled, ready to carry items through its steps.

`weft.engine.compiling.compiler` makes it, once per workflow version and process. It is immutable and serves every item of every
run of that version at once.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from weft.domain.definition import OnFailure, RetryPolicy
from weft.domain.entity import JsonSchema
from weft.domain.step import Shape, StepType
from weft.kit.cel import CelExpression, CelMapping
from weft.kit.cel.references import Wanted
from weft.kit.json_schema import SchemaValidator


@dataclass(frozen=True, slots=True)
class Edge:
    """What a step waits for: the step at `index` in `Plan.steps`, or only one branch of it."""

    index: int
    branch: str | None


@dataclass(frozen=True, slots=True)
class CacheRule:
    """How the outputs of a step are remembered."""

    max_age: timedelta
    seed: bytes
    """Over what its output depends on but the item: kind, version of the type, config."""
    reads: Wanted
    """What its expressions and texts read of the names in scope beside `input`, which is always part of the key."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    index: int
    id: str
    kind: str
    type: StepType[Any]
    """The prepared instance: its config is checked, its expressions are compiled."""
    shape: Shape
    edges: tuple[Edge, ...]
    """In the order of `dependsOn`, which is the order in which outputs are merged. Empty for a root."""
    when: CelExpression | None
    retry: RetryPolicy
    timeout: timedelta | None
    """Of one attempt."""
    on_failure: OnFailure
    fingerprint: str
    """Over everything its result depends on but the item: where it is equal, a recorded result still holds."""
    cache: CacheRule | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    steps: tuple[PlannedStep, ...]
    """In topological order: a step stands after everything it depends on."""
    leaves: tuple[int, ...]
    """The steps that nobody depends on: their outputs are the item's output where `output` is None."""
    output: CelMapping | None
    """Reads the outputs of all steps; `input` is what the item's output would be without it."""
    input_schema: SchemaValidator | None
    """Of the run's own input."""
    parameters_schema: SchemaValidator | None
    entity_schema: JsonSchema | None
    computes_only: bool
    """Whether every step only computes, and looks nothing up, so that items can be run inline in slices."""
    names_read: frozenset[str]
    """Which of input, entity, steps, params, run and item any expression or text reads."""

    @property
    def in_bulk(self) -> bool:
        """Whether no item waits for an answer of its own: its steps compute inline, or are served with those of many others."""
        return all(step.shape in {Shape.COMPUTES, Shape.SERVES_MANY} and step.cache is None for step in self.steps)

    @property
    def caches(self) -> bool:
        return any(step.cache is not None for step in self.steps)

    @property
    def extracting(self) -> tuple[str, ...]:
        """The steps whose outputs are told of as `extraction.completed`."""
        return tuple(step.id for step in self.steps if step.type.extracts)
