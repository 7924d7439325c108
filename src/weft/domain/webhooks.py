"""Inbound webhooks: calls of other services that start runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from weft.domain.ids import UUID
from weft.domain.run import TriggerType
from weft.domain.trigger import Trigger


class WebhookScheme(StrEnum):
    """How a call proves where it comes from.

    STANDARD: By `webhook-id`, `webhook-timestamp` and `webhook-signature`, as standardwebhooks.com specifies it: for
        whoever has no form of its own.
    GITHUB: By `X-Hub-Signature-256`, as GitHub signs its webhooks.
    SLACK: By `X-Slack-Signature` and `X-Slack-Request-Timestamp`, as Slack signs its requests.
    STRIPE: By `Stripe-Signature`, as Stripe signs its events.
    """

    STANDARD = "STANDARD"
    GITHUB = "GITHUB"
    SLACK = "SLACK"
    STRIPE = "STRIPE"


@dataclass(frozen=True, slots=True)
class WebhookTrigger:
    """A trigger, and the endpoint that its calls come in by."""

    id: UUID
    workspace_id: UUID
    workflow_id: UUID
    name: str
    filter: Mapping[str, Any]
    condition: str | None
    input: Mapping[str, str] | None
    parameters: Mapping[str, str] | None
    enabled: bool
    revision: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    scheme: WebhookScheme
    sealed: bytes = field(repr=False)
    """The secret that calls are signed with."""
    previous_sealed: bytes | None = field(repr=False)
    """The secret before it, which counts until `previous_until`."""
    previous_until: datetime | None
    tolerance_seconds: int
    """How far the time that a call is signed with may be from ours."""
    max_bytes: int
    rate_per_minute: int

    @property
    def trigger(self) -> Trigger:
        return Trigger(
            id=self.id,
            workspace_id=self.workspace_id,
            workflow_id=self.workflow_id,
            type=TriggerType.WEBHOOK,
            name=self.name,
            event=None,
            filter=self.filter,
            condition=self.condition,
            input=self.input,
            parameters=self.parameters,
            enabled=self.enabled,
            position=None,
            revision=self.revision,
            created_by=self.created_by,
            created_at=self.created_at,
            updated_at=self.updated_at,
        )


@dataclass(frozen=True, slots=True)
class ReceivedCall:
    """A genuine call, as it is stored: an event for its trigger alone."""

    id: UUID
    workspace_id: UUID
    trigger_id: UUID
    external_key: str
    """The sender's own id of the call: what has the same is the same call, sent again."""
    payload: str
    """JSON: `body`, `headers` and `query`."""
