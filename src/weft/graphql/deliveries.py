"""Deliveries: the log of what was sent, with every attempt."""

from collections.abc import Sequence
from datetime import datetime
from typing import Optional

import strawberry
from strawberry.scalars import JSON

from weft.domain import delivery as domain
from weft.domain import run as runs_domain
from weft.domain.delivery import DeliveryKind, DeliveryStatus
from weft.domain.integration import Integration, IntegrationType
from weft.domain.page import Page
from weft.domain.run import Run
from weft.graphql.context import Info
from weft.graphql.items import Item, in_ms
from weft.graphql.mutations import Answer, UserError, mutation
from weft.graphql.nodes import Node, lazy, read_id, read_key, read_optional_id
from weft.graphql.paging import Connection, read_page
from weft.operations import deliveries, integrations, items, runs
from weft.operations.deliveries import DeliveryList
from weft.operations.items import ItemPlace
from weft.storage.delivery_lists import DeliveryFilter


@strawberry.type(description="One try to send a message.")
class DeliveryAttempt:
    number: int = strawberry.field(description="From 1; sending again counts on.")
    started_at: datetime = strawberry.field(description="When it began.")
    status_code: int | None = strawberry.field(
        description="The status of HTTP, or the reply code of SMTP; null where there was no answer."
    )
    error_code: str | None = strawberry.field(description="What kind of failure it was; null where it arrived.")
    error: str | None = strawberry.field(description="What went wrong, in a sentence; null where it arrived.")
    excerpt: str | None = strawberry.field(description="How the receiver's answer begins; null where there was none.")

    @strawberry.field(description="How long it took; null while it goes on.")
    @staticmethod
    def duration_ms(parent: strawberry.Parent[domain.DeliveryAttempt]) -> float | None:
        return in_ms(parent.duration)


@strawberry.type(
    description="One outgoing message. Its id goes along, the same at every attempt: receivers know a repetition by it."
)
class Delivery(Node):
    kind: DeliveryKind = strawberry.field(description="What it is about, and with that how often it is tried.")
    status: DeliveryStatus = strawberry.field(description="How far it is.")
    integration_name: str = strawberry.field(
        description="What it was called when the message was made; for what a run tells its webhook, the host."
    )
    integration_type: IntegrationType | None = strawberry.field(
        description="Null where there was no such integration, and for what a run tells its webhook."
    )
    step_id: str | None = strawberry.field(
        description="The `id` of the step that made it, in the definition; null where none did."
    )
    message: JSON = strawberry.field(description="What is to be said: `subject`, `text`, `data` or `payload`.")
    error_code: str | None = strawberry.field(
        description="What kind of failure the last attempt was, or why there is none; null where it arrived or was not tried yet."
    )
    error: str | None = strawberry.field(description="The same as `errorCode` for people, in a sentence.")
    created_at: datetime
    finished_at: datetime | None = strawberry.field(description="When it arrived or was given up; null before.")

    @strawberry.field(description="When the next attempt is due; null for one that is sent just now, or has ended.")
    @staticmethod
    def next_attempt_at(parent: strawberry.Parent[domain.Delivery]) -> datetime | None:
        return parent.next_at if parent.status is DeliveryStatus.PENDING else None

    @strawberry.field(graphql_type=list[DeliveryAttempt], description="Every try so far, in order.")
    @staticmethod
    async def attempts(parent: strawberry.Parent[domain.Delivery], info: Info) -> Sequence[domain.DeliveryAttempt]:
        return await info.context.load(deliveries.load_attempts, parent.id)

    @strawberry.field(
        graphql_type=Optional[lazy("Integration", "weft.graphql.integrations")],  # noqa: UP045 - a lazy type knows no |
        description="What it is sent through; null where that is no more, and for what a run tells its webhook.",
    )
    @staticmethod
    async def integration(parent: strawberry.Parent[domain.Delivery], info: Info) -> Integration | None:
        if parent.integration_id is None:
            return None
        return await info.context.load(integrations.load_integrations, parent.integration_id)

    @strawberry.field(
        graphql_type=Optional[lazy("Run", "weft.graphql.runs")],  # noqa: UP045 - a lazy type knows no |
        description="The run whose step made it, or that it tells of; null for a test.",
    )
    @staticmethod
    async def run(parent: strawberry.Parent[domain.Delivery], info: Info) -> Run | None:
        return None if parent.run_id is None else await info.context.load(runs.get_runs, parent.run_id)

    @strawberry.field(graphql_type=Item | None, description="The item whose step made it; null where no step did.")
    @staticmethod
    async def item(parent: strawberry.Parent[domain.Delivery], info: Info) -> runs_domain.Item | None:
        if parent.run_id is None or parent.ordinal is None:
            return None
        return await info.context.load(items.load_items, ItemPlace(parent.run_id, parent.ordinal))

    @classmethod
    async def find(cls, info: Info, key: str) -> domain.Delivery | None:
        return await info.context.load(deliveries.load_deliveries, read_key(key))


async def deliveries_of_run(
    parent: strawberry.Parent[Run],
    info: Info,
    first: int = 20,
    after: str | None = None,
    status: list[DeliveryStatus] | None = None,
) -> Page[domain.Delivery]:
    """The field `Run.deliveries`."""
    wanted = DeliveryList("run_id", parent.id, None if status is None else tuple(status), read_page(first, after))
    return await info.context.load(deliveries.load_delivery_pages, wanted)


@strawberry.input(description="All that are given must hold.")
class DeliveryFilterInput:
    integration_id: strawberry.ID | None = None
    run_id: strawberry.ID | None = None
    status: list[DeliveryStatus] | None = strawberry.field(
        default=None, description="Only those with one of these statuses."
    )
    kind: DeliveryKind | None = strawberry.field(default=None, description="Only messages of this kind.")


@strawberry.type
class DeliveryQuery:
    @strawberry.field(
        graphql_type=Connection[Delivery], description="Outgoing messages of the workspace, newest first."
    )
    async def deliveries(
        self,
        info: Info,
        filter: DeliveryFilterInput | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Page[domain.Delivery]:
        return await deliveries.list_deliveries(
            info.context.services, info.context.viewer, _read_filter(filter), read_page(first, after)
        )


def _read_filter(given: DeliveryFilterInput | None) -> DeliveryFilter:
    if given is None:
        return DeliveryFilter()
    return DeliveryFilter(
        integration_id=read_optional_id(given.integration_id, "Integration", "filter", "integrationId"),
        run_id=read_optional_id(given.run_id, "Run", "filter", "runId"),
        statuses=None if given.status is None else tuple(given.status),
        kind=given.kind,
    )


@strawberry.input
class RedeliverInput:
    id: strawberry.ID


@strawberry.type
class RedeliverPayload:
    delivery: Delivery | None
    errors: list[UserError]


@strawberry.type
class DeliveryMutation:
    @mutation(
        RedeliverPayload,
        description="Send a message again, with the same id, whatever became of it; one that waits is sent at once. For runners.",
    )
    async def redeliver(self, info: Info, input: RedeliverInput) -> Answer:
        again = await deliveries.redeliver(
            info.context.services, info.context.viewer, read_id(input.id, "Delivery", "id")
        )
        return Answer(delivery=again)
