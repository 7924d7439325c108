"""Integrations, deliveries and a sender, without a run around them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from weft.domain.access import Viewer
from weft.domain.delivery import Delivery, DeliveryAttempt, NewDelivery
from weft.domain.ids import UUID, new_id
from weft.domain.integration import Integration
from weft.engine.deliveries import Attempts, DeliverySender
from weft.operations import deliveries as operations
from weft.operations.integration_configs import Settings, WebhookSettings
from weft.operations.integrations import NewIntegration, create_integration
from weft.operations.services import Services
from weft.storage.deliveries import add_deliveries


@dataclass
class Post:
    """What a test does with deliveries."""

    services: Services
    viewer: Viewer
    sender: DeliverySender

    async def integration(self, settings: Settings, name: str = "", **options: Any) -> Integration:
        wanted = NewIntegration(name or f"integration {uuid4().hex}", settings, **options)
        return (await create_integration(self.services, self.viewer, wanted)).integration

    async def webhook(self, url: str, **settings: Any) -> Integration:
        return await self.integration(WebhookSettings(url=url, **settings))

    async def message(self, receiver: Integration | str, run_id: UUID | None = None, **message: Any) -> UUID:
        """A delivery as a flush makes it."""
        return (await self.messages(receiver, 1, run_id, **message))[0]

    async def messages(
        self, receiver: Integration | str, count: int, run_id: UUID | None = None, **message: Any
    ) -> list[UUID]:
        reference = receiver if isinstance(receiver, str) else str(receiver.id)
        made = [
            NewDelivery(uuid4(), reference, ordinal, "say", message or {"text": "Hello"}) for ordinal in range(count)
        ]
        async with self.services.database.transaction() as connection:
            await add_deliveries(connection, self.viewer.workspace_id, run_id or new_id(), made)
        return [one.id for one in made]

    async def send(self) -> int:
        """One round of the sender, to the end of all that it began."""
        begun = await self.sender.run_once()
        async with asyncio.timeout(20):
            await asyncio.gather(*self.sender._tasks)
        return begun

    async def later(self) -> None:
        """As if every wait were over."""
        async with self.services.database.transaction() as connection:
            await connection.execute(text("UPDATE delivery SET next_at = now() WHERE next_at IS NOT NULL"))
        self.sender._resting.clear()

    async def delivery(self, delivery_id: UUID) -> Delivery:
        (found,) = await operations.load_deliveries(self.services, self.viewer, [delivery_id])
        assert found is not None
        return found

    async def attempts(self, delivery_id: UUID) -> list[DeliveryAttempt]:
        return (await operations.load_attempts(self.services, self.viewer, [delivery_id]))[0]

    def impatient(self, seconds: float) -> "Post":
        attempts = Attempts(self.services.world, timedelta(seconds=seconds))
        return replace(self, sender=DeliverySender(self.services.database, attempts))


@pytest.fixture
async def post(services: Services, viewer: Viewer) -> AsyncIterator[Post]:
    sender = DeliverySender(services.database, Attempts(services.world), most_attempts=3)
    yield Post(services, viewer, sender)
    await sender.stop()
