"""Step types, and the steps of a definition."""

from datetime import timedelta
from functools import cache
from typing import Any

import strawberry
from pydantic import BaseModel
from strawberry.scalars import JSON

from weft.domain import definition
from weft.domain.definition import Backoff, OnFailure
from weft.domain.step import AnyStepType, Shape, StepCategory
from weft.graphql.context import Info


@strawberry.type(description="How often and when a step that failed is tried again.")
class RetryPolicy:
    max_attempts: int = strawberry.field(description="All attempts, the first one included.")
    backoff: Backoff = strawberry.field(description="How the wait grows from attempt to attempt.")
    initial_delay: timedelta = strawberry.field(description="The wait before the second attempt.")
    max_delay: timedelta = strawberry.field(description="The longest wait between two attempts.")
    jitter: float = strawberry.field(description="Share by which a delay is varied at random, 0 to 1.")


@strawberry.type(description="Outputs are remembered, and given again to an item with the same content.")
class CachePolicy:
    max_age: timedelta = strawberry.field(description="An output that is older is computed again.")


@strawberry.type(
    description="A node of the graph: what is done with each item, after which others, and what a failure means."
)
class StepDefinition:
    """A view over `domain.definition.StepDefinition`."""

    id: str = strawberry.field(
        name="stepId", description="Its `id` in the definition, unique there: what `dependsOn` and expressions name."
    )
    type: str = strawberry.field(description="The step type as it was written: a kind or one of its aliases.")
    name: str | None = strawberry.field(description="What people call it; null where it was given none.")
    config: JSON = strawberry.field(description="An object in the form of the type's `configSchema`.")
    when: str | None = strawberry.field(
        description="CEL condition; the step is skipped where it is false. Null where it always runs."
    )
    retry: RetryPolicy | None = strawberry.field(
        description="How it is tried again; null where the policy of the workflow or the type holds."
    )
    timeout: timedelta | None = strawberry.field(
        description="The longest that one attempt may take; null where that of the type holds."
    )
    on_failure: OnFailure | None = strawberry.field(
        description="What its failure means; null where that of the workflow holds."
    )
    cache: CachePolicy | None = strawberry.field(
        description="How long its outputs are remembered; null where every item is computed anew."
    )

    @strawberry.field(description="Ids of the steps it waits for, or `id:branch`. Empty for a root.")
    @staticmethod
    def depends_on(parent: strawberry.Parent[definition.StepDefinition]) -> list[str]:
        return [str(dependency) for dependency in parent.depends_on]


@strawberry.type(description="What a step can be: an entry of the catalogue.")
class StepType:
    """A view over a class derived from `domain.step.StepType`."""

    kind: str = strawberry.field(description="What `type` of a step names. Never changes.")
    title: str = strawberry.field(description="What people call it, such as in a palette of steps.")
    description: str = strawberry.field(description="What it does, in a sentence or two.")
    category: StepCategory = strawberry.field(description="What it is for.")
    version: int = strawberry.field(description="Rises when the same config and input give another output.")
    default_retry: RetryPolicy = strawberry.field(
        description="How a step is tried again where neither it nor the workflow says so."
    )
    default_timeout: timedelta | None = strawberry.field(
        description="The longest that one attempt may take where the step does not say so; null for no limit."
    )
    cacheable: bool = strawberry.field(description="Whether `cache` may be set on a step of this type.")

    @strawberry.field(description="Other names that `type` may have.")
    @staticmethod
    def aliases(parent: strawberry.Parent[Any]) -> list[str]:
        return list(parent.aliases)

    @strawberry.field(description="How the engine runs it.")
    @staticmethod
    def shape(parent: strawberry.Parent[Any]) -> Shape:
        return parent.shape()

    @strawberry.field(description="JSON Schema of `config`.")
    @staticmethod
    def config_schema(parent: strawberry.Parent[Any]) -> JSON:
        return _config_schema(parent.Config)

    @strawberry.field(description="JSON Schema of every input; null for any, or where the config decides.")
    @staticmethod
    def input_schema(parent: strawberry.Parent[Any]) -> JSON | None:
        return parent.InputSchema

    @strawberry.field(description="JSON Schema of every output; null where the config decides.")
    @staticmethod
    def output_schema(parent: strawberry.Parent[Any]) -> JSON | None:
        return parent.OutputSchema


@strawberry.type
class StepQuery:
    @strawberry.field(graphql_type=list[StepType], description="Every type that a step can have, by kind.")
    def step_types(self, info: Info, category: StepCategory | None = None) -> list[AnyStepType]:
        return [step_type for step_type in info.context.services.catalogue if category in {None, step_type.category}]


@cache
def _config_schema(config: type[BaseModel]) -> JSON:
    return JSON(config.model_json_schema())
