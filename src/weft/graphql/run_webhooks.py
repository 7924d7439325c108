"""Who is told how a run goes on."""

import strawberry

from weft.domain import delivery as deliveries_domain
from weft.domain import run_webhook as domain
from weft.domain.delivery import DeliveryKind, DeliveryStatus
from weft.domain.page import Page
from weft.domain.run_webhook import RunWebhookStatus
from weft.graphql.context import Info
from weft.graphql.deliveries import Delivery
from weft.graphql.paging import Connection, read_page
from weft.graphql.scalars import BigInt
from weft.operations import deliveries
from weft.operations.deliveries import DeliveryList


@strawberry.type(
    description="Is told by signed messages how a run goes on. Its address and its secret are never shown."
)
class RunWebhook:
    host: str = strawberry.field(description="The host of the address that messages go to, and of no other part of it.")
    status: RunWebhookStatus | None = strawberry.field(
        description="Null where the end was told so long ago that it is no longer on record whether that arrived."
    )

    told_revision: BigInt | None = strawberry.field(
        name="lastRevisionTold",
        description="Of the state that the newest message tells; `status` says whether that has arrived. Null before the first.",
    )

    @strawberry.field(graphql_type=Connection[Delivery], description="Its messages, newest first.")
    @staticmethod
    async def deliveries(
        parent: strawberry.Parent[domain.RunWebhook],
        info: Info,
        first: int = 20,
        after: str | None = None,
        status: list[DeliveryStatus] | None = None,
    ) -> Page[deliveries_domain.Delivery]:
        statuses = None if status is None else tuple(status)
        wanted = DeliveryList("run_id", parent.run_id, statuses, read_page(first, after), DeliveryKind.RUN)
        return await info.context.load(deliveries.load_delivery_pages, wanted)
