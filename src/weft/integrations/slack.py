"""Messages to Slack, by an incoming webhook.

The text is Slack's own mark-up with its three control characters escaped: a value from a record can make something bold,
but mentions nobody and hides no link. Source: docs.slack.dev, "Formatting message text" and "Sending messages using
incoming webhooks".
"""

from datetime import timedelta

from weft.domain.delivery import AttemptOutcome, Delivery
from weft.domain.integration import SlackConfig
from weft.domain.outside import HttpSender
from weft.domain.step import Fail, Retry
from weft.integrations.messages import outcome_of_error, outcome_of_reply, subject_of_message, text_of_message
from weft.kit.json import dump_bytes

TIMEOUT = timedelta(seconds=15)
LONGEST_TEXT = 40_000
"""Slack cuts off what is longer."""
MOST_BYTES = 64 * 1024


async def send_to_slack(http: HttpSender, config: SlackConfig, delivery: Delivery) -> AttemptOutcome:
    secrets = [config.webhook_url, config.webhook_url.partition("://")[2].partition("/")[2]]
    try:
        reply = await http.send(
            "POST",
            config.webhook_url,
            headers={"Content-Type": "application/json", "Idempotency-Key": str(delivery.id)},
            body=dump_bytes(slack_message(config, delivery)),
            timeout=TIMEOUT,
            max_bytes=MOST_BYTES,
            follow_redirects=False,
        )
    except (Retry, Fail) as error:
        return outcome_of_error(error, secrets)
    return outcome_of_reply(reply, secrets, retried=False)


def slack_message(config: SlackConfig, delivery: Delivery) -> dict[str, str]:
    subject = subject_of_message(delivery)
    text = _escaped(text_of_message(delivery))
    if subject is not None:
        text = f"*{_escaped(subject)}*\n{text}"
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT - 1]}…"
    return {"text": text} | ({} if config.channel is None else {"channel": config.channel})


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
