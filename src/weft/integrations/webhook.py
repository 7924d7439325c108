"""Messages to webhooks, signed as Standard Webhooks (standardwebhooks.com, specification 1.0.0).

    webhook-id         the delivery's id, the same at every attempt
    webhook-timestamp  of the attempt, in seconds since the Unix epoch
    webhook-signature  v1,<base64 of the HMAC-SHA256 of `id.timestamp.body`>

Any answer but 2xx is worth another attempt, as the specification has it, with two exceptions: 410 says that nobody wants
these messages any more, and a redirect that would turn the message into a GET says that the URL is wrong. Redirects that
keep the message (307, 308) are followed, each hop behind the address guard, to other origins without the configured headers.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from yarl import URL

from weft.domain.delivery import AttemptOutcome, Delivery, DeliveryKind, refused
from weft.domain.integration import WebhookConfig
from weft.domain.outside import HttpReply, HttpSender
from weft.domain.step import Fail, Retry
from weft.integrations.messages import (
    excerpt_of,
    masked,
    outcome_of_error,
    outcome_of_reply,
    secrets_in_header,
    secrets_in_path,
    secrets_in_query,
)
from weft.kit.json import dump_bytes

TIMEOUT = timedelta(seconds=20)
"""Of one hop. The specification asks senders for 15 to 30 seconds."""
MOST_BYTES = 1_000_000
MOST_HOPS = 3
SECRET_PREFIX = "whsec_"  # noqa: S105 - how secrets begin, and none itself
SHORTEST_KEY, LONGEST_KEY = 24, 64
"""Bytes of a secret, by the specification."""
_KEEPING = frozenset({307, 308})
_REDIRECTS = frozenset({301, 302, 303})
_GONE = 410


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes | None:
    """The key in a secret; None where it is no secret of this kind."""
    if not secret.startswith(SECRET_PREFIX):
        return None
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if SHORTEST_KEY <= len(key) <= LONGEST_KEY else None


def signature(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def webhook_body(delivery: Delivery) -> bytes:
    """The same at every attempt."""
    message = delivery.message
    if "payload" in message:
        return dump_bytes(message["payload"])
    said: dict[str, Any] = {name: message[name] for name in ("subject", "text") if name in message}
    if delivery.run_id is not None:
        said |= {"runId": str(delivery.run_id), "ordinal": delivery.ordinal, "stepId": delivery.step_id}
    said["values"] = message.get("data") or {}
    written = delivery.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return dump_bytes({"type": "notification", "timestamp": written, "data": said})


async def send_to_webhook(http: HttpSender, config: WebhookConfig, delivery: Delivery) -> AttemptOutcome:
    hidden = _hidden(config, delivery)
    body = webhook_body(delivery)
    signed = _signed(config, delivery, body)
    url, headers = config.url, {**config.headers, **signed}
    try:
        for _ in range(MOST_HOPS + 1):
            reply = await http.send(
                config.method,
                url,
                headers=headers,
                body=body,
                timeout=TIMEOUT,
                max_bytes=MOST_BYTES,
                follow_redirects=False,
            )
            location = reply.headers.get("location")
            if reply.status not in _KEEPING or location is None:
                return _judged(reply, hidden)
            there = URL(url).join(URL(location))
            if there.origin() != URL(url).origin():
                headers = signed
            url = str(there)
    except (Retry, Fail) as error:
        return outcome_of_error(error, hidden)
    except ValueError:
        return refused("REDIRECTED", "The receiver redirects to what is no URL.")
    return refused("TOO_MANY_REDIRECTS", f"The receiver redirects more than {MOST_HOPS} times.")


def _hidden(config: WebhookConfig, delivery: Delivery) -> list[str]:
    """What must not be told of the exchange. Of the URL that a run tells only the host is ever shown."""
    hidden = [config.secret, *secrets_in_query(config.url.partition("?")[2])]
    for value in config.headers.values():
        hidden += secrets_in_header(value)
    if delivery.kind is DeliveryKind.RUN:
        hidden += secrets_in_path(URL(config.url).raw_path)
    return hidden


def _signed(config: WebhookConfig, delivery: Delivery, body: bytes) -> dict[str, str]:
    timestamp = int(datetime.now(UTC).timestamp())
    return {
        "content-type": "application/json",
        "webhook-id": str(delivery.id),
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(key_of(config.secret) or b"", str(delivery.id), timestamp, body),
    }


def _judged(reply: HttpReply, hidden: list[str]) -> AttemptOutcome:
    if reply.status in _REDIRECTS:
        there = masked(reply.headers.get("location", "nowhere"), hidden)[:200]
        return refused(
            "REDIRECTED",
            f"The receiver redirects to {there}, which would lose the message: configure the URL that it ends at.",
            status_code=reply.status,
            excerpt=excerpt_of(reply, hidden),
        )
    return outcome_of_reply(reply, hidden, retried=reply.status != _GONE)


def reserved(headers: Mapping[str, str]) -> list[str]:
    """Those that the message sets itself."""
    return [name for name in headers if name.lower() == "content-type" or name.lower().startswith("webhook-")]
