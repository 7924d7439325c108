"""Integrations: where messages go."""

from datetime import datetime
from typing import Annotated, Any, Optional

import strawberry

from weft.domain import delivery as deliveries_domain
from weft.domain import integration as domain
from weft.domain.delivery import DeliveryStatus
from weft.domain.integration import IntegrationType
from weft.domain.page import Page
from weft.domain.workflow import Workflow
from weft.graphql.context import Info
from weft.graphql.deliveries import Delivery
from weft.graphql.integration_inputs import IntegrationChangesInput, IntegrationConfigInput, read_config
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, encode_id, lazy, read_id, read_key, read_optional_id
from weft.graphql.paging import Connection, read_page
from weft.operations import deliveries, integrations, workflows
from weft.operations.deliveries import DeliveryList
from weft.operations.integrations import IntegrationChanges, NewIntegration


@strawberry.type(description="An incoming webhook of Slack. Its URL is a secret.")
class SlackConfig:
    """A view over the half of a config that may be seen, like the two below."""

    @strawberry.field(description="Where the webhook is.")
    @staticmethod
    def host(parent: strawberry.Parent[dict[str, Any]]) -> str:
        return parent["host"]

    @strawberry.field(description="Null for the one the webhook was made for.")
    @staticmethod
    def channel(parent: strawberry.Parent[dict[str, Any]]) -> str | None:
        return parent["channel"]


@strawberry.type(description="Mail by the server's own SMTP.")
class EmailConfig:
    @strawberry.field(description="The addresses of all recipients.")
    @staticmethod
    def to(parent: strawberry.Parent[dict[str, Any]]) -> list[str]:
        return parent["to"]

    @strawberry.field(description="Liquid; null for the subject of the message.")
    @staticmethod
    def subject(parent: strawberry.Parent[dict[str, Any]]) -> str | None:
        return parent["subject"]

    @strawberry.field(description="Liquid; null for the text of the message.")
    @staticmethod
    def template(parent: strawberry.Parent[dict[str, Any]]) -> str | None:
        return parent["template"]


@strawberry.type(description="An HTTP receiver of signed messages (Standard Webhooks).")
class WebhookConfig:
    @strawberry.field(description="Without its query, which is a secret.")
    @staticmethod
    def url(parent: strawberry.Parent[dict[str, Any]]) -> str:
        return parent["url"]

    @strawberry.field(description="POST, PUT or PATCH.")
    @staticmethod
    def method(parent: strawberry.Parent[dict[str, Any]]) -> str:
        return parent["method"]

    @strawberry.field(description="The names of the headers; their values are secrets.")
    @staticmethod
    def headers(parent: strawberry.Parent[dict[str, Any]]) -> list[str]:
        return parent["headers"]


@strawberry.type(description="What an integration is configured with, without its secrets: one of these.")
class IntegrationConfig:
    @strawberry.field(
        graphql_type=SlackConfig | None, description="That of an integration of type SLACK; null for others."
    )
    @staticmethod
    def slack(parent: strawberry.Parent[domain.Integration]) -> Any:
        return parent.config if parent.type is IntegrationType.SLACK else None

    @strawberry.field(
        graphql_type=EmailConfig | None, description="That of an integration of type EMAIL; null for others."
    )
    @staticmethod
    def email(parent: strawberry.Parent[domain.Integration]) -> Any:
        return parent.config if parent.type is IntegrationType.EMAIL else None

    @strawberry.field(
        graphql_type=WebhookConfig | None, description="That of an integration of type WEBHOOK; null for others."
    )
    @staticmethod
    def webhook(parent: strawberry.Parent[domain.Integration]) -> Any:
        return parent.config if parent.type is IntegrationType.WEBHOOK else None


@strawberry.type(description="A configured outside system that messages go to. Secrets in it are never shown again.")
class Integration(Node):
    name: str = strawberry.field(description="What steps call it by: 1 to 200 characters, once in a workspace.")
    type: IntegrationType = strawberry.field(
        description="What kind of system it is, and which part of `config` is there."
    )
    enabled: bool = strawberry.field(description="Whether messages may be sent through it.")
    revision: int = strawberry.field(description="Rises with every change.")
    created_by: str = strawberry.field(description="The name of the API key that made it.")
    created_at: datetime
    updated_at: datetime

    @strawberry.field(graphql_type=IntegrationConfig, description="Where its messages go, without secrets.")
    @staticmethod
    def config(parent: strawberry.Parent[domain.Integration]) -> domain.Integration:
        return parent

    @strawberry.field(
        graphql_type=Optional[lazy("Workflow", "weft.graphql.workflows")],  # noqa: UP045 - a lazy type knows no |
        description="The workflow it was made for; others may send through it as well.",
    )
    @staticmethod
    async def workflow(parent: strawberry.Parent[domain.Integration], info: Info) -> Workflow | None:
        if parent.workflow_id is None:
            return None
        return await info.context.load(workflows.load_workflows, parent.workflow_id)

    @strawberry.field(graphql_type=Connection[Delivery], description="What was sent through it, newest first.")
    @staticmethod
    async def deliveries(
        parent: strawberry.Parent[domain.Integration],
        info: Info,
        first: int = 20,
        after: str | None = None,
        status: list[DeliveryStatus] | None = None,
    ) -> Page[deliveries_domain.Delivery]:
        statuses = None if status is None else tuple(status)
        wanted = DeliveryList("integration_id", parent.id, statuses, read_page(first, after))
        return await info.context.load(deliveries.load_delivery_pages, wanted)

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Integration | None:
        return await info.context.load(integrations.load_integrations, read_key(key))


@strawberry.type
class IntegrationQuery:
    @strawberry.field(
        graphql_type=Connection[Integration], description="Integrations of the workspace, in the order they were made."
    )
    async def integrations(
        self,
        info: Info,
        workflow_id: strawberry.ID | None = None,
        type: Annotated[IntegrationType | None, strawberry.argument(description="Only those of this type.")] = None,
        first: int = 20,
        after: str | None = None,
    ) -> Page[domain.Integration]:
        return await integrations.list_integrations(
            info.context.services,
            info.context.viewer,
            read_page(first, after),
            workflow_id=read_optional_id(workflow_id, "Workflow", "workflowId"),
            kind=type,
        )


@strawberry.input
class CreateIntegrationInput:
    name: str = strawberry.field(description="What steps call it by; once in a workspace.")
    config: IntegrationConfigInput = strawberry.field(description="Where its messages go; it decides the type.")
    workflow_id: strawberry.ID | None = strawberry.field(
        default=None, description="The workflow that it is made for; others may send through it as well."
    )
    enabled: bool = True


@strawberry.type
class CreateIntegrationPayload:
    integration: Integration | None
    secret: str | None = strawberry.field(
        description="What messages to a webhook are signed with, where none was given: shown only here."
    )
    errors: list[UserError]


@strawberry.input(description="What is left out stays as it is.")
class UpdateIntegrationInput:
    id: strawberry.ID
    name: str | None = None
    enabled: bool | None = strawberry.field(default=None, description="To disable it gives up what waits to be sent.")
    config: IntegrationChangesInput | None = strawberry.field(
        default=None, description="Changes of where its messages go. The type stays."
    )
    expected_revision: int | None = strawberry.field(
        default=None, description="Refuse the change when the integration is at another revision by now."
    )


@strawberry.type
class UpdateIntegrationPayload:
    integration: Integration | None
    secret: str | None = strawberry.field(description="The new secret where one was asked for: shown only here.")
    errors: list[UserError]


@strawberry.input
class DeleteIntegrationInput:
    id: strawberry.ID


@strawberry.type
class DeleteIntegrationPayload:
    deleted_id: strawberry.ID | None
    errors: list[UserError]


@strawberry.input
class TestIntegrationInput:
    id: strawberry.ID


@strawberry.type
class TestIntegrationPayload:
    delivery: Delivery | None = strawberry.field(description="How it came out: DELIVERED, or FAILED and why.")
    errors: list[UserError]


@strawberry.type
class IntegrationMutation:
    @mutation(CreateIntegrationPayload, description="Configure an outside system to send messages to. For editors.")
    async def create_integration(self, info: Info, input: CreateIntegrationInput) -> Answer:
        workflow_id = read_optional_id(input.workflow_id, "Workflow", "workflowId")
        wanted = NewIntegration(input.name, read_config(input.config), workflow_id, input.enabled)
        saved = await integrations.create_integration(info.context.services, info.context.viewer, wanted)
        return Answer(integration=saved.integration, secret=saved.secret)

    @mutation(UpdateIntegrationPayload, description="Change an integration. For editors.")
    async def update_integration(self, info: Info, input: UpdateIntegrationInput) -> Answer:
        settings = None if input.config is None else read_config(input.config)
        saved = await integrations.update_integration(
            info.context.services,
            info.context.viewer,
            read_id(input.id, "Integration", "id"),
            IntegrationChanges(input.name, settings, input.enabled),
            expected_revision=input.expected_revision,
        )
        return Answer(integration=saved.integration, secret=saved.secret)

    @mutation(
        DeleteIntegrationPayload,
        description="Delete an integration. What waits to be sent through it fails; what was sent stays on record. For editors.",
    )
    async def delete_integration(self, info: Info, input: DeleteIntegrationInput) -> Answer:
        removed = await integrations.delete_integration(
            info.context.services, info.context.viewer, read_id(input.id, "Integration", "id")
        )
        return Answer(deleted_id=encode_id("Integration", removed.id))

    @mutation(
        TestIntegrationPayload,
        description="Send a test message now, once, and answer how it came out. For editors.",
    )
    async def test_integration(self, info: Info, input: TestIntegrationInput) -> Answer:
        sent = await deliveries.send_test(
            info.context.services, info.context.viewer, read_id(input.id, "Integration", "id")
        )
        return Answer(delivery=sent)
