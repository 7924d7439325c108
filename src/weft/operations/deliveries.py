"""Deliveries: seen by everybody of the workspace, sent again by those who may run things."""

import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from weft.domain.access import Role, Viewer
from weft.domain.delivery import Delivery, DeliveryAttempt, DeliveryKind, DeliveryStatus
from weft.domain.errors import Conflict, NotFound
from weft.domain.ids import UUID
from weft.domain.page import Page, PageRequest
from weft.engine.deliveries import Attempts
from weft.engine.deliveries.patience import wait_for_next
from weft.engine.deliveries.sender import LEASE
from weft.operations.services import Services
from weft.storage import audit, deliveries, delivery_lists, integrations
from weft.storage.delivery_lists import DeliveryFilter

TEST_MESSAGE = {
    "subject": "A test message from Weft",
    "text": "This integration works: messages of workflows will arrive here.",
    "data": {"test": True},
}


@dataclass(frozen=True, slots=True)
class DeliveryList:
    """A page of the deliveries of a run or of an integration."""

    owner: str
    """`run_id` or `integration_id`."""
    owner_id: UUID
    statuses: tuple[DeliveryStatus, ...] | None
    request: PageRequest
    kind: DeliveryKind | None = None


async def send_test(services: Services, viewer: Viewer, integration_id: UUID) -> Delivery:
    """Sends a test message, once, and answers how it came out. A disabled integration can be tested too."""
    viewer.need(Role.EDITOR)
    async with services.database.transaction() as connection:
        found = (await integrations.by_ids(connection, viewer.workspace_id, [integration_id])).get(integration_id)
        if found is None:
            raise NotFound("There is no such integration in this workspace.", path=("id",))
        begun = await deliveries.begin_test(connection, found, TEST_MESSAGE, LEASE)
        await audit.record(connection, viewer, "integration.tested", integration_id, {"delivery": str(begun.id)})
    started = time.monotonic()
    outcome = await Attempts(services.world).make(begun, found)
    duration = timedelta(seconds=time.monotonic() - started)
    wait = wait_for_next(begun, outcome, 1, random.random())  # noqa: S311 - spreads load, guards nothing
    async with services.database.transaction() as connection:
        ended = await deliveries.end_attempt(connection, begun, outcome, duration, wait)
    if ended is None:
        raise Conflict("The test took so long that another process took it over: look at the deliveries.", path=("id",))
    return ended


async def redeliver(services: Services, viewer: Viewer, delivery_id: UUID) -> Delivery:
    """The same message with the same id, in a new series of attempts; one that waits is sent at once."""
    viewer.need(Role.RUNNER)
    async with services.database.transaction() as connection:
        found = await deliveries.send_again(connection, viewer.workspace_id, delivery_id)
        if found is None:
            there = (await deliveries.by_ids(connection, viewer.workspace_id, [delivery_id])).get(delivery_id)
            raise _why_not(there)
        details = {"integration": found.integration_name, "attempts": found.attempts}
        await audit.record(connection, viewer, "delivery.redelivered", delivery_id, details)
    await services.wakeups.wake()
    return found


def _why_not(there: Delivery | None) -> NotFound | Conflict:
    if there is None:
        return NotFound("There is no such delivery in this workspace.", path=("id",))
    if there.status is DeliveryStatus.SENDING:
        return Conflict("This message is being sent at the moment.", path=("id",), hint="Wait for how it comes out.")
    if there.kind is DeliveryKind.RUN:
        return Conflict("The run was deleted, and its webhook with it.", path=("id",))
    return Conflict(
        f"The integration {there.integration_name!r} is disabled, or not there.",
        path=("id",),
        hint="Enable it, or make it again under this name for messages that never had one.",
    )


async def load_deliveries(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[Delivery | None]:
    """In the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await deliveries.by_ids(connection, viewer.workspace_id, ids)
    return [found.get(one) for one in ids]


async def load_attempts(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[list[DeliveryAttempt]]:
    """Of each delivery, in the order of the ids."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await delivery_lists.attempts(connection, viewer.workspace_id, ids)
    return [found[one] for one in ids]


async def list_deliveries(
    services: Services, viewer: Viewer, wanted: DeliveryFilter, page: PageRequest
) -> Page[Delivery]:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        return await delivery_lists.page(connection, viewer.workspace_id, wanted, page)


async def load_delivery_pages(
    services: Services, viewer: Viewer, lists: Sequence[DeliveryList]
) -> list[Page[Delivery]]:
    """In the order of what is asked. One statement for all owners whose deliveries are asked for in the same way."""
    viewer.need(Role.VIEWER)
    alike: dict[tuple[str, tuple[DeliveryStatus, ...] | None, DeliveryKind | None, PageRequest], list[UUID]]
    alike = defaultdict(list)
    for one in lists:
        alike[one.owner, one.statuses, one.kind, one.request].append(one.owner_id)
    pages: dict[DeliveryList, Page[Delivery]] = {}
    async with services.database.reading() as connection:
        for (owner, statuses, kind, request), ids in alike.items():
            found = await delivery_lists.pages_of(connection, viewer.workspace_id, owner, ids, statuses, kind, request)
            for owner_id, page in found.items():
                pages[DeliveryList(owner, owner_id, statuses, request, kind)] = page
    return [pages[one] for one in lists]
