"""Integrations: configured outside systems that messages go to. A config has two halves: what everybody may see, and what
is sealed and never shown again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from urllib.parse import urlsplit

from weft.domain.ids import UUID


class IntegrationType(StrEnum):
    """What kind of outside system messages go to.

    SLACK: A channel of Slack, or of what takes the same messages, by an incoming webhook.
    EMAIL: Recipients of mail, sent by the server's own SMTP.
    WEBHOOK: An HTTP receiver of signed messages (Standard Webhooks).
    """

    SLACK = "SLACK"
    EMAIL = "EMAIL"
    WEBHOOK = "WEBHOOK"


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """An incoming webhook of Slack, or of what takes the same messages. Whoever has its URL may write there."""

    type: ClassVar[IntegrationType] = IntegrationType.SLACK
    webhook_url: str = field(repr=False)
    channel: str | None = None

    def shown(self) -> dict[str, Any]:
        return {"host": urlsplit(self.webhook_url).netloc, "channel": self.channel}

    def hidden(self) -> dict[str, Any]:
        return {"webhook_url": self.webhook_url}


@dataclass(frozen=True, slots=True)
class EmailConfig:
    type: ClassVar[IntegrationType] = IntegrationType.EMAIL
    to: tuple[str, ...]
    subject: str | None = None
    """Liquid; None for the subject that a message brings along."""
    template: str | None = None
    """Liquid text of the mail; None for the text of the message."""

    def shown(self) -> dict[str, Any]:
        return {"to": list(self.to), "subject": self.subject, "template": self.template}

    def hidden(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    type: ClassVar[IntegrationType] = IntegrationType.WEBHOOK
    url: str = field(repr=False)
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    secret: str = field(default="", repr=False)
    """What messages are signed with: `whsec_` and base64."""

    def shown(self) -> dict[str, Any]:
        """Of the URL all but its query, in which people put tokens; of the headers the names."""
        url, query, _ = self.url.partition("?")
        return {"url": f"{url}?…" if query else url, "method": self.method, "headers": sorted(self.headers)}

    def hidden(self) -> dict[str, Any]:
        return {"url": self.url, "headers": dict(self.headers), "secret": self.secret}


IntegrationConfig = SlackConfig | EmailConfig | WebhookConfig


def config_of(kind: IntegrationType, shown: Mapping[str, Any], hidden: Mapping[str, Any]) -> IntegrationConfig:
    """Both halves put together again."""
    match kind:
        case IntegrationType.SLACK:
            return SlackConfig(hidden["webhook_url"], shown["channel"])
        case IntegrationType.EMAIL:
            return EmailConfig(tuple(shown["to"]), shown["subject"], shown["template"])
        case IntegrationType.WEBHOOK:
            return WebhookConfig(hidden["url"], shown["method"], hidden["headers"], hidden["secret"])


@dataclass(frozen=True, slots=True)
class Integration:
    id: UUID
    workspace_id: UUID
    workflow_id: UUID | None
    """The workflow it was made for. Others of the workspace may send through it as well."""
    name: str
    type: IntegrationType
    enabled: bool
    config: Mapping[str, Any]
    """The half that may be seen."""
    sealed: bytes = field(repr=False)
    """The other half, as JSON under the server's secret key."""
    revision: int
    created_by: str
    created_at: datetime
    updated_at: datetime
