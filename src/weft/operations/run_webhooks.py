"""Run webhooks: given with the request that makes a run, seen with the run."""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.errors import Invalid, Problem
from weft.domain.ids import UUID
from weft.domain.integration import WebhookConfig
from weft.domain.run_webhook import RunWebhook
from weft.engine.deliveries.attempts import sealed_for_run
from weft.integrations.webhook import key_of, new_secret
from weft.operations.integration_configs import SIGNING_KEY_EXPECTED, checked_url
from weft.operations.services import Services
from weft.storage import run_webhooks
from weft.storage.run_webhooks import NewWebhook


@dataclass(frozen=True, slots=True)
class WebhookWanted:
    """Nothing of it is ever logged: URLs hold tokens."""

    url: str = field(repr=False)
    given_secret: str | None = field(default=None, repr=False)
    made_secret: str = field(default_factory=new_secret, repr=False)
    """What messages are signed with where no secret was given."""

    @property
    def secret(self) -> str:
        return self.made_secret if self.given_secret is None else self.given_secret

    def digest(self) -> bytes:
        """Of what was asked for: a request that is repeated has another secret made, which counts for nothing."""
        return hashlib.sha256(repr((self.url, self.given_secret)).encode()).digest()


def check_webhook(wanted: WebhookWanted | None) -> None:
    """Raises `Invalid`. Where the URL leads is for the address guard to judge, at each attempt."""
    if wanted is None:
        return
    problems: list[Problem] = []
    checked_url(wanted.url, "webhookUrl", problems)
    if key_of(wanted.secret) is None:
        problems.append(Problem(Invalid.code, SIGNING_KEY_EXPECTED, ("webhookSecret",)))
    if problems:
        raise Invalid(problems=problems)


async def add_webhook(
    services: Services, connection: AsyncConnection, viewer: Viewer, run_id: UUID, wanted: WebhookWanted | None
) -> dict[str, str]:
    """In the transaction that makes the run. What the audit log says of it."""
    if wanted is None:
        return {}
    config = WebhookConfig(wanted.url.strip(), secret=wanted.secret)
    host = urlsplit(config.url).netloc
    new = NewWebhook(
        run_id=run_id,
        workspace_id=viewer.workspace_id,
        sealed=sealed_for_run(services.world, config, viewer.workspace_id, run_id),
        host=host,
        # One for all runs that tell this host: a slow one gets no more attention than any other receiver.
        lane=uuid.uuid5(viewer.workspace_id, host.lower()),
    )
    await run_webhooks.add(connection, new)
    return {"webhook": host}


async def load_run_webhooks(services: Services, viewer: Viewer, run_ids: Sequence[UUID]) -> list[RunWebhook | None]:
    """In the order of the runs; None for those without."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await run_webhooks.of_runs(connection, viewer.workspace_id, run_ids)
    return [found.get(run_id) for run_id in run_ids]
