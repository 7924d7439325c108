"""Model providers."""

from datetime import datetime, timedelta
from typing import Any

import strawberry

from weft.domain import providers as domain
from weft.domain.page import Page
from weft.domain.providers import ProviderKind
from weft.graphql.context import Info
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, read_id, read_key
from weft.graphql.paging import Connection, read_page
from weft.operations import providers


@strawberry.type(
    description="A service that runs models. Steps refer to it by name. Its key is kept sealed and never shown."
)
class ModelProvider(Node):
    name: str = strawberry.field(description="What steps call it; unique in the workspace.")
    kind: ProviderKind = strawberry.field(description="Which API it speaks. It never changes.")
    base_url: str = strawberry.field(description="Where its API is, up to the part that all its addresses begin with.")
    has_key: bool = strawberry.field(description="Whether calls carry a key.")
    created_at: datetime
    updated_at: datetime

    @strawberry.field(description="Most requests in a minute, by all workers together; null for no limit.")
    @staticmethod
    def requests_per_minute(parent: strawberry.Parent[domain.ModelProvider]) -> int | None:
        return parent.limits.requests_per_minute

    @strawberry.field(
        description="Most tokens in a minute, read and written, by all workers together; null for no limit."
    )
    @staticmethod
    def tokens_per_minute(parent: strawberry.Parent[domain.ModelProvider]) -> int | None:
        return parent.limits.tokens_per_minute

    @strawberry.field(description="Most calls at once, by all workers together; null for no limit.")
    @staticmethod
    def concurrency(parent: strawberry.Parent[domain.ModelProvider]) -> int | None:
        return parent.limits.concurrency

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.ModelProvider | None:
        return await providers.find_provider(info.context.services, info.context.viewer, read_key(key))


@strawberry.type
class ProviderQuery:
    @strawberry.field(
        graphql_type=Connection[ModelProvider], description="Model providers of the workspace, oldest first."
    )
    async def model_providers(
        self, info: Info, first: int = 20, after: str | None = None
    ) -> Page[domain.ModelProvider]:
        return await providers.list_providers(info.context.services, info.context.viewer, read_page(first, after))


@strawberry.input
class CreateModelProviderInput:
    name: str
    kind: ProviderKind
    base_url: str | None = strawberry.field(
        default=strawberry.UNSET, description="Left out: that of OpenAI or Anthropic, by the kind."
    )
    api_key: str | None = strawberry.field(
        default=strawberry.UNSET, description="Left out, calls carry no key, as servers of one's own like it."
    )
    requests_per_minute: int | None = strawberry.UNSET
    tokens_per_minute: int | None = strawberry.UNSET
    concurrency: int | None = strawberry.field(default=strawberry.UNSET, description="Most calls at once.")


@strawberry.type
class CreateModelProviderPayload:
    model_provider: ModelProvider | None
    errors: list[UserError]


@strawberry.input(description="What is left out stays as it is. A key or limit that is null is taken away.")
class UpdateModelProviderInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    base_url: str | None = strawberry.UNSET
    api_key: str | None = strawberry.field(
        default=strawberry.UNSET, description="Another key in place of the old; null: calls carry none."
    )
    requests_per_minute: int | None = strawberry.UNSET
    tokens_per_minute: int | None = strawberry.UNSET
    concurrency: int | None = strawberry.UNSET


@strawberry.type
class UpdateModelProviderPayload:
    model_provider: ModelProvider | None
    errors: list[UserError]


@strawberry.input
class DeleteModelProviderInput:
    id: strawberry.ID


@strawberry.type
class DeleteModelProviderPayload:
    model_provider: ModelProvider | None = strawberry.field(description="What was deleted.")
    errors: list[UserError]


@strawberry.input
class TestModelProviderInput:
    id: strawberry.ID
    model: str = strawberry.field(description="One of the models that the provider has.")


@strawberry.type(description="What a small real call came to.")
class ModelProviderTest:
    ok: bool = strawberry.field(description="Whether the model answered.")
    message: str = strawberry.field(description="What it answered, or why it did not.")
    priced: bool = strawberry.field(
        description="Whether the price of the model is known; otherwise its cost counts as 0."
    )

    @strawberry.field(description="From the request to the answer.")
    @staticmethod
    def latency(parent: strawberry.Parent[providers.ProviderTest]) -> timedelta:
        return timedelta(seconds=parent.seconds)


@strawberry.type
class TestModelProviderPayload:
    test: ModelProviderTest | None = strawberry.field(
        description="What the model answered; null where there are `errors`."
    )
    errors: list[UserError]


@strawberry.type
class ProviderMutation:
    @mutation(CreateModelProviderPayload, description="Configure a service that runs models. For admins.")
    async def create_model_provider(self, info: Info, input: CreateModelProviderInput) -> Answer:
        made = await providers.create_provider(
            info.context.services, info.context.viewer, name=input.name, kind=input.kind, given=_given(input, "name")
        )
        return Answer(model_provider=made)

    @mutation(UpdateModelProviderPayload, description="Change a model provider, or its key. For admins.")
    async def update_model_provider(self, info: Info, input: UpdateModelProviderInput) -> Answer:
        provider_id = read_id(input.id, "ModelProvider", "id")
        changed = await providers.update_provider(
            info.context.services, info.context.viewer, provider_id, _given(input)
        )
        return Answer(model_provider=changed)

    @mutation(DeleteModelProviderPayload, description="Delete a model provider: steps that name it fail. For admins.")
    async def delete_model_provider(self, info: Info, input: DeleteModelProviderInput) -> Answer:
        deleted = await providers.delete_provider(
            info.context.services, info.context.viewer, read_id(input.id, "ModelProvider", "id")
        )
        return Answer(model_provider=deleted)

    @mutation(TestModelProviderPayload, description="Make a small real call, which may cost a little. For admins.")
    async def test_model_provider(self, info: Info, input: TestModelProviderInput) -> Answer:
        test = await providers.test_provider(
            info.context.services, info.context.viewer, read_id(input.id, "ModelProvider", "id"), input.model
        )
        return Answer(test=test)


def _given(input: CreateModelProviderInput | UpdateModelProviderInput, *without: str) -> dict[str, Any]:
    values = {name: value for name, value in vars(input).items() if name not in {"id", "kind", *without}}
    return {name: value for name, value in values.items() if value is not strawberry.UNSET}
