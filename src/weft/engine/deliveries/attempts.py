"""One attempt at a delivery: from the stored receiver to the judged answer."""

import asyncio
from datetime import timedelta

import structlog

from weft.auth.secrets import SecretUnreadable, identity_of
from weft.domain.delivery import AttemptOutcome, Delivery, DeliveryKind, postponed, refused
from weft.domain.integration import EmailConfig, Integration, IntegrationConfig, SlackConfig, WebhookConfig, config_of
from weft.domain.run_webhook import RunWebhook
from weft.engine.outside import World
from weft.integrations.slack import send_to_slack
from weft.integrations.webhook import send_to_webhook
from weft.kit import json
from weft.storage.deliveries import DISABLED

log = structlog.get_logger(__name__)

LONGEST_ATTEMPT = timedelta(seconds=30)
"""Redirects and all. Shorter than the lease of a claim."""
DELETED = "INTEGRATION_DELETED"
RUN_DELETED = "RUN_DELETED"

Receiver = Integration | RunWebhook
"""As it is stored."""


class Attempts:
    """Sends for every workspace."""

    def __init__(self, world: World, longest: timedelta = LONGEST_ATTEMPT) -> None:
        self._world = world
        self._longest = longest

    async def make(self, delivery: Delivery, receiver: Receiver | None) -> AttemptOutcome:
        """Never raises: a fault of our own is an outcome as well. `receiver` is it as it is now."""
        match receiver:
            case None if delivery.kind is DeliveryKind.RUN:
                return refused(
                    RUN_DELETED, "The run was deleted, and the address with it, before the message was sent."
                )
            case None:
                return refused(DELETED, "The integration was deleted before the message was sent.")
            case Integration(enabled=False) if delivery.kind is not DeliveryKind.TEST:
                return refused(DISABLED, "The integration was disabled before the message was sent.")
            case _:
                return await self._try(delivery, receiver)

    async def _try(self, delivery: Delivery, receiver: Receiver) -> AttemptOutcome:
        try:
            async with asyncio.timeout(self._longest.total_seconds()):
                return await self._send(opened(self._world, receiver), delivery)
        except SecretUnreadable as error:
            return postponed("SECRET_UNREADABLE", str(error))
        except TimeoutError:
            return postponed("TIMEOUT", f"No answer within {self._longest.total_seconds():g} seconds.")
        except Exception as error:
            log.exception("An attempt at a delivery broke off", delivery=str(delivery.id), exc_info=error)
            return postponed("INTERNAL_ERROR", f"A fault of Weft ended this attempt: {type(error).__name__}.")

    async def _send(self, config: IntegrationConfig, delivery: Delivery) -> AttemptOutcome:
        match config:
            case SlackConfig():
                return await send_to_slack(self._world.http, config, delivery)
            case EmailConfig():
                if self._world.mailer is None:
                    return refused("MAIL_NOT_CONFIGURED", "This server sends no mail: WEFT_SMTP_URL is not set.")
                return await self._world.mailer.send(config, delivery)
            case _:
                return await send_to_webhook(self._world.http, config, delivery)


def opened(world: World, receiver: Receiver) -> IntegrationConfig:
    """With its secrets. Raises SecretUnreadable."""
    if isinstance(receiver, RunWebhook):
        hidden = world.secrets.open(receiver.sealed, _identity_of_run(receiver.workspace_id, receiver.run_id))
        return WebhookConfig(**json.loads(hidden))
    hidden = world.secrets.open(receiver.sealed, identity(receiver.workspace_id, receiver.id))
    return config_of(receiver.type, receiver.config, json.loads(hidden))


def sealed(world: World, config: IntegrationConfig, workspace_id: object, integration_id: object) -> bytes:
    return world.secrets.seal(json.dump_bytes(config.hidden()), identity(workspace_id, integration_id))


def sealed_for_run(world: World, config: WebhookConfig, workspace_id: object, run_id: object) -> bytes:
    hidden = {"url": config.url, "secret": config.secret}
    return world.secrets.seal(json.dump_bytes(hidden), _identity_of_run(workspace_id, run_id))


def _identity_of_run(workspace_id: object, run_id: object) -> str:
    return identity_of("run_webhook", workspace_id, run_id)


def identity(workspace_id: object, integration_id: object) -> str:
    return identity_of("integration", workspace_id, integration_id)
