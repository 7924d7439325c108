"""Runs with a webhook, taken from state to state by hand, and what their receiver hears of it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from integrations.receivers import Receiver
from sqlalchemy import text
from standardwebhooks import Webhook

from weft.domain.access import Viewer
from weft.domain.delivery import Delivery
from weft.domain.page import PageRequest
from weft.domain.run import Run
from weft.domain.workflow import Workflow
from weft.engine.deliveries import Attempts, DeliverySender, RunTeller
from weft.operations.deliveries import list_deliveries
from weft.operations.run_starts import StartRun, start_run
from weft.operations.run_webhooks import WebhookWanted
from weft.operations.services import Services
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.storage.delivery_lists import DeliveryFilter

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvbmx5"
REVERSE = {
    "steps": [
        {"id": "reverse", "type": "text", "config": {"operation": "reverse"}},
    ]
}


@dataclass
class Desk:
    services: Services
    viewer: Viewer
    teller: RunTeller
    sender: DeliverySender

    @classmethod
    def of(cls, services: Services, viewer: Viewer, *, most_attempts: int = 10, longest: float = 30.0) -> "Desk":
        attempts = Attempts(services.world, timedelta(seconds=longest))
        sender = DeliverySender(services.database, attempts, most_attempts)
        teller = RunTeller(services.database, sender.wake)
        sender.after = teller.after
        return cls(services, viewer, teller, sender)

    async def workflow(self, definition: dict[str, Any] | None = None) -> Workflow:
        return await create_workflow(self.services, self.viewer, NewWorkflow("told", definition or REVERSE))

    async def start(self, url: str, workflow: Workflow | None = None, **options: Any) -> Run:
        workflow = workflow or await self.workflow()
        wanted = StartRun(workflow.id, input={"text": "abc"}, webhook=WebhookWanted(url, SECRET), **options)
        return await start_run(self.services, self.viewer, wanted)

    async def begun(self, url: str, total: int = 10) -> Run:
        """A run of several items that has just begun."""
        run = await self.start(url)
        await self.state(run, total=str(total), status="'RUNNING'", started_at="now()")
        return run

    async def state(self, run: Run, **values: str) -> None:
        """What a flush does to the counters, in SQL."""
        changes = "".join(f", {name} = {value}" for name, value in values.items())
        await self.do(f"UPDATE run_state SET revision = revision + 1, updated_at = now() {changes}", run)

    async def end(self, run: Run, status: str = "COMPLETED") -> None:
        await self.state(run, status=f"'{status}'", completed="total", finished_at="now()")

    async def do(self, statement: str, run: Run) -> None:
        async with self.services.database.transaction() as connection:
            await connection.execute(text(f"{statement} WHERE run_id = :run_id"), {"run_id": run.id})

    async def send(self) -> int:
        """One round of the sender, to the end of all that it began."""
        begun = await self.sender.run_once()
        async with asyncio.timeout(20):
            await asyncio.gather(*self.sender._tasks)
        return begun

    async def round(self) -> int:
        """What there is to tell is told, and sent once; how many messages were made."""
        made = await self.teller.run_once()
        await self.send()
        return made

    async def later(self) -> None:
        """As if every wait were over."""
        async with self.services.database.transaction() as connection:
            await connection.execute(text("UPDATE delivery SET next_at = now() WHERE next_at IS NOT NULL"))
            await connection.execute(text("UPDATE run_webhook SET told_at = told_at - interval '2 seconds'"))
        self.sender._resting.clear()

    async def deliveries(self, run: Run) -> list[Delivery]:
        """First one first."""
        page = await list_deliveries(self.services, self.viewer, DeliveryFilter(run_id=run.id), PageRequest(100))
        return list(reversed(page.rows))


def heard(receiver: Receiver) -> list[dict[str, Any]]:
    """The messages in the order in which they came, each verified as receivers do it."""
    return [Webhook(SECRET).verify(one.body, one.headers) for one in receiver.received]


def kinds(receiver: Receiver) -> list[str]:
    return [message["type"] for message in heard(receiver)]


def revisions(receiver: Receiver) -> list[int]:
    return [message["data"]["revision"] for message in heard(receiver)]
