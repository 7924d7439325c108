"""Webhook triggers: where other services call to start runs."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import strawberry
from strawberry.scalars import JSON

from weft.domain import run as runs
from weft.domain import webhooks as domain
from weft.domain.page import Page
from weft.domain.run import TriggerType
from weft.domain.webhooks import WebhookScheme
from weft.domain.workflow import Workflow
from weft.graphql.context import Info
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, encode_id, lazy, read_id, read_key, read_optional_id
from weft.graphql.paging import Connection, read_page
from weft.operations import webhook_triggers, workflows
from weft.operations.webhook_checks import NAMES, Settings
from weft.operations.webhook_triggers import OVERLAP


@strawberry.type(
    description="A URL that another service calls: each call that it signed becomes a run. Its secret is never shown again."
)
class WebhookTrigger(Node):
    name: str = strawberry.field(description="1 to 200 characters, for people.")
    scheme: WebhookScheme = strawberry.field(description="How its calls prove where they come from. It never changes.")
    enabled: bool = strawberry.field(description="Whether calls are taken: they are refused while this is false.")
    filter: JSON = strawberry.field(description="Fields of the body that have to have certain values; all of them.")
    condition: str | None = strawberry.field(
        description="CEL over `payload` (the body), `headers`, `query` and `event`, true for calls that start a run."
    )
    input: JSON | None = strawberry.field(
        description="CEL by name, over the same, that makes the run's input; null: it is the body."
    )
    parameters: JSON | None = strawberry.field(description="CEL by name that makes the run's parameters.")
    tolerance_seconds: int = strawberry.field(
        description="How far the time that a call is signed with may be from the server's: 10 to 3,600 seconds. GitHub signs none."
    )
    max_bytes: int = strawberry.field(description="How large the body of a call may be: 1 to 10,000,000 bytes.")
    rate_per_minute: int = strawberry.field(
        description="Calls a minute that each process of the API takes: 1 to 1,000,000."
    )
    previous_until: datetime | None = strawberry.field(
        name="previousSecretUntil",
        description="Until then calls that are signed with the secret before the current one are taken as well.",
    )
    revision: int = strawberry.field(description="Rises with every change.")
    created_by: str = strawberry.field(description="The name of the API key that made it.")
    created_at: datetime
    updated_at: datetime

    @strawberry.field(description="Where calls go, by POST. Null for those who may not change it.")
    @staticmethod
    def url(parent: strawberry.Parent[domain.WebhookTrigger], info: Info) -> str | None:
        return webhook_triggers.url_of(info.context.services, info.context.viewer, parent)

    @strawberry.field(graphql_type=lazy("Workflow", "weft.graphql.workflows"), description="What its calls start.")
    @staticmethod
    async def workflow(parent: strawberry.Parent[domain.WebhookTrigger], info: Info) -> Workflow | None:
        return await info.context.load(workflows.load_workflows, parent.workflow_id)

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.WebhookTrigger | None:
        return await info.context.load(webhook_triggers.load_webhook_triggers, read_key(key))


async def webhook_triggers_of_workflow(
    parent: strawberry.Parent[Workflow], info: Info
) -> Sequence[domain.WebhookTrigger]:
    """The field `Workflow.webhookTriggers`."""
    return await info.context.load(webhook_triggers.load_of_workflows, parent.id)


async def webhook_trigger_of_run(parent: strawberry.Parent[runs.Run], info: Info) -> domain.WebhookTrigger | None:
    """The field `RunTrigger.webhookTrigger`."""
    if parent.trigger_type is not TriggerType.WEBHOOK or parent.trigger_id is None:
        return None
    return await info.context.load(webhook_triggers.load_webhook_triggers, parent.trigger_id)


@strawberry.input(description="All that are given must hold.")
class WebhookTriggerFilterInput:
    workflow_id: strawberry.ID | None = None


@strawberry.type
class WebhookTriggerQuery:
    @strawberry.field(
        graphql_type=WebhookTrigger | None, description="A webhook trigger; null when there is none with this id."
    )
    async def webhook_trigger(self, info: Info, id: strawberry.ID) -> domain.WebhookTrigger | None:
        return await info.context.load(webhook_triggers.load_webhook_triggers, read_id(id, "WebhookTrigger", "id"))

    @strawberry.field(
        graphql_type=Connection[WebhookTrigger],
        description="Webhook triggers of the workspace, in the order they were made.",
    )
    async def webhook_triggers(
        self, info: Info, first: int = 20, after: str | None = None, filter: WebhookTriggerFilterInput | None = None
    ) -> Page[domain.WebhookTrigger]:
        given = None if filter is None else filter.workflow_id
        return await webhook_triggers.list_webhook_triggers(
            info.context.services,
            info.context.viewer,
            read_page(first, after),
            workflow_id=read_optional_id(given, "Workflow", "filter", "workflowId"),
        )


@strawberry.input
class CreateWebhookTriggerInput:
    workflow_id: strawberry.ID
    name: str
    scheme: WebhookScheme = strawberry.field(
        default=WebhookScheme.STANDARD, description="How the service signs its calls."
    )
    secret: str | None = strawberry.field(
        default=None,
        description="What calls are signed with. Left out for STANDARD and GITHUB, one is made; SLACK and STRIPE show you theirs.",
    )
    condition: str | None = strawberry.field(
        default=None,
        description="CEL over `payload` (the body), `headers` (names in lower case), `query` and `event`: whether a call starts a run.",
    )
    filter: JSON | None = strawberry.field(
        default=None, description="By field of the body: the value it has to have, or a list of those it may have."
    )
    input: JSON | None = strawberry.field(
        default=None,
        description="CEL by name that makes the run's input. Left out, it is the body. For a workflow over entities it has to "
        "have `entityId` or `entityIds`.",
    )
    parameters: JSON | None = strawberry.field(default=None, description="CEL by name that makes the run's parameters.")
    tolerance_seconds: int = strawberry.field(
        default=300,
        description="How far the time that a call is signed with may be from the server's: 10 to 3,600 seconds.",
    )
    max_bytes: int = strawberry.field(
        default=1_000_000,
        description="How large the body of a call may be: 1 to 10,000,000 bytes. The server's own WEFT_MAX_BODY_BYTES holds as well.",
    )
    rate_per_minute: int = strawberry.field(
        default=6_000,
        description="Calls a minute that each process of the API takes: 1 to 1,000,000; a tenth of them may come at once.",
    )
    enabled: bool = True


@strawberry.input(description="What is left out stays as it is; null takes a condition or a mapping away.")
class UpdateWebhookTriggerInput:
    id: strawberry.ID
    name: str | None = strawberry.UNSET
    condition: str | None = strawberry.UNSET
    filter: JSON | None = strawberry.UNSET
    input: JSON | None = strawberry.UNSET
    parameters: JSON | None = strawberry.UNSET
    tolerance_seconds: int | None = strawberry.UNSET
    max_bytes: int | None = strawberry.UNSET
    rate_per_minute: int | None = strawberry.UNSET
    enabled: bool | None = strawberry.UNSET
    expected_revision: int | None = strawberry.field(
        default=None, description="Refuse the change when the trigger is at another revision by now."
    )


_NULLABLE = frozenset({"condition", "filter", "input", "parameters"})


def _changes(given: UpdateWebhookTriggerInput) -> dict[str, Any]:
    values = {name: getattr(given, name) for name in NAMES}
    return {
        name: value
        for name, value in values.items()
        if value is not strawberry.UNSET and (value is not None or name in _NULLABLE)
    }


@strawberry.input
class RotateWebhookTriggerSecretInput:
    id: strawberry.ID
    secret: str | None = strawberry.field(
        default=None, description="The new one. Left out for STANDARD and GITHUB, one is made."
    )
    overlap: timedelta = strawberry.field(
        default=OVERLAP, description="For how long the secret before it still counts, up to 30 days; PT0S: not at all."
    )


@strawberry.input
class DeleteWebhookTriggerInput:
    id: strawberry.ID


@strawberry.type
class CreateWebhookTriggerPayload:
    webhook_trigger: WebhookTrigger | None
    url: str | None = strawberry.field(
        description="Where the service has to call, by POST: with a body of JSON and `Content-Type: application/json`, since without it a body is read as text or as a form."
    )
    secret: str | None = strawberry.field(description="What calls are signed with: shown only here.")
    errors: list[UserError]


@strawberry.type
class UpdateWebhookTriggerPayload:
    webhook_trigger: WebhookTrigger | None
    errors: list[UserError]


@strawberry.type
class RotateWebhookTriggerSecretPayload:
    webhook_trigger: WebhookTrigger | None
    secret: str | None = strawberry.field(description="What calls are signed with from now on: shown only here.")
    errors: list[UserError]


@strawberry.type
class DeleteWebhookTriggerPayload:
    deleted_id: strawberry.ID | None
    errors: list[UserError]


@strawberry.type
class WebhookTriggerMutation:
    @mutation(
        CreateWebhookTriggerPayload,
        description="Make a URL that another service calls, each of its signed calls a run. For editors.",
    )
    async def create_webhook_trigger(self, info: Info, input: CreateWebhookTriggerInput) -> Answer:
        services, viewer = info.context.services, info.context.viewer
        saved = await webhook_triggers.create_webhook_trigger(
            services,
            viewer,
            read_id(input.workflow_id, "Workflow", "workflowId"),
            input.scheme,
            Settings(**{name: getattr(input, name) for name in NAMES}),
            secret=input.secret,
        )
        url = webhook_triggers.url_of(services, viewer, saved.webhook_trigger)
        return Answer(webhook_trigger=saved.webhook_trigger, url=url, secret=saved.secret)

    @mutation(UpdateWebhookTriggerPayload, description="Change a webhook trigger. For editors.")
    async def update_webhook_trigger(self, info: Info, input: UpdateWebhookTriggerInput) -> Answer:
        changed = await webhook_triggers.update_webhook_trigger(
            info.context.services,
            info.context.viewer,
            read_id(input.id, "WebhookTrigger", "id"),
            _changes(input),
            expected_revision=input.expected_revision,
        )
        return Answer(webhook_trigger=changed)

    @mutation(
        RotateWebhookTriggerSecretPayload,
        description="Give a webhook trigger a new secret; the one before it counts for a while longer. For editors.",
    )
    async def rotate_webhook_trigger_secret(self, info: Info, input: RotateWebhookTriggerSecretInput) -> Answer:
        saved = await webhook_triggers.rotate_webhook_trigger_secret(
            info.context.services,
            info.context.viewer,
            read_id(input.id, "WebhookTrigger", "id"),
            secret=input.secret,
            overlap=input.overlap,
        )
        return Answer(webhook_trigger=saved.webhook_trigger, secret=saved.secret)

    @mutation(
        DeleteWebhookTriggerPayload,
        description="Delete a webhook trigger: its URL takes no more calls. Runs that it started stay. For editors.",
    )
    async def delete_webhook_trigger(self, info: Info, input: DeleteWebhookTriggerInput) -> Answer:
        removed = await webhook_triggers.delete_webhook_trigger(
            info.context.services, info.context.viewer, read_id(input.id, "WebhookTrigger", "id")
        )
        return Answer(deleted_id=encode_id("WebhookTrigger", removed.id))
