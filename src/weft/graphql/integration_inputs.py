"""How clients configure integrations: for a new one what it needs, for a change only what changes."""

from collections.abc import Sequence

import strawberry

from weft.domain.errors import Invalid
from weft.operations.integration_configs import EmailSettings, Settings, SlackSettings, WebhookSettings

METHOD = "POST, PUT or PATCH. Left out: POST."


@strawberry.input(description="A header that goes along with every message.")
class HeaderInput:
    name: str = strawberry.field(
        description="As in HTTP. `Content-Type` and `webhook-…` are refused, since each message sets them itself."
    )
    value: str = strawberry.field(description="Encrypted, and never shown again.")


@strawberry.input(description="An incoming webhook of Slack, or of what takes the same messages.")
class SlackConfigInput:
    webhook_url: str = strawberry.field(description="Encrypted, and never shown again: whoever has it may write there.")
    channel: str | None = strawberry.field(default=None, description="Left out: the one the webhook was made for.")


@strawberry.input(description="Mail by the server's own SMTP: to all recipients or to none.")
class EmailConfigInput:
    to: list[str] = strawberry.field(description="Plain addresses, such as name@example.com.")
    subject: str | None = strawberry.field(default=None, description="Liquid; left out, the subject of the message.")
    template: str | None = strawberry.field(
        default=None,
        description="Liquid text of the mail. In scope: the message's values by name, `message`, `subject`, `data`. "
        "Left out: the text of the message.",
    )


@strawberry.input(description="An HTTP receiver of signed messages (Standard Webhooks).")
class WebhookConfigInput:
    url: str = strawberry.field(description="Its query is encrypted and never shown again.")
    method: str | None = strawberry.field(default=None, description=METHOD)
    headers: list[HeaderInput] | None = strawberry.field(default=None, description="Go along with every message.")
    secret: str | None = strawberry.field(
        default=None,
        description="What messages are signed with: `whsec_` and base64. Left out, one is made and shown once.",
    )


@strawberry.input(one_of=True, description="Where messages go: exactly one of these.")
class IntegrationConfigInput:
    slack: SlackConfigInput | None = strawberry.field(default=strawberry.UNSET, description="To a channel of Slack.")
    email: EmailConfigInput | None = strawberry.field(default=strawberry.UNSET, description="To recipients of mail.")
    webhook: WebhookConfigInput | None = strawberry.field(default=strawberry.UNSET, description="To an HTTP receiver.")


@strawberry.input(description="What is left out stays as it is.")
class SlackChangesInput:
    webhook_url: str | None = strawberry.field(
        default=None, description="Another URL in place of the old; encrypted, and never shown again."
    )
    channel: str | None = strawberry.field(default=None, description="An empty text takes it away.")


@strawberry.input(description="What is left out stays as it is. An empty text takes a subject or a template away.")
class EmailChangesInput:
    to: list[str] | None = strawberry.field(default=None, description="All recipients, in place of the old.")
    subject: str | None = None
    template: str | None = None


@strawberry.input(description="What is left out stays as it is.")
class WebhookChangesInput:
    url: str | None = strawberry.field(
        default=None, description="Another address in place of the old. Its query is encrypted and never shown again."
    )
    method: str | None = None
    headers: list[HeaderInput] | None = strawberry.field(default=None, description="All of them, in place of the old.")
    secret: str | None = strawberry.field(
        default=None, description="What messages are signed with from now on: `whsec_` and base64."
    )
    new_secret: bool = strawberry.field(
        default=False, description="Make another secret, show it once, and sign with it from now on."
    )


@strawberry.input(one_of=True, description="Changes of the config, by the integration's type: exactly one of these.")
class IntegrationChangesInput:
    slack: SlackChangesInput | None = strawberry.field(
        default=strawberry.UNSET, description="For an integration of type SLACK."
    )
    email: EmailChangesInput | None = strawberry.field(
        default=strawberry.UNSET, description="For an integration of type EMAIL."
    )
    webhook: WebhookChangesInput | None = strawberry.field(
        default=strawberry.UNSET, description="For an integration of type WEBHOOK."
    )


def read_config(given: IntegrationConfigInput | IntegrationChangesInput) -> Settings:
    if given.slack:
        return SlackSettings(given.slack.webhook_url, given.slack.channel)
    if given.email:
        return EmailSettings(given.email.to, given.email.subject, given.email.template)
    if given.webhook:
        webhook = given.webhook
        return WebhookSettings(
            url=webhook.url,
            method=webhook.method,
            headers=None if webhook.headers is None else _headers(webhook.headers),
            secret=webhook.secret,
            new_secret=isinstance(webhook, WebhookChangesInput) and webhook.new_secret,
        )
    raise Invalid("Give slack, email or webhook.", path=("config",))


def _headers(given: Sequence[HeaderInput]) -> dict[str, str]:
    headers = {header.name: header.value for header in given}
    if len({name.lower() for name in headers}) < len(given):
        raise Invalid("A header is given twice.", path=("config", "webhook", "headers"))
    return headers
