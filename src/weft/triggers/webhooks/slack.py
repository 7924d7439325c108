"""Slack (api.slack.com: "Verifying requests from Slack", "HTTP Request URLs", "Enabling interactivity with Slash commands").

    X-Slack-Signature          `v0=<hex of the HMAC-SHA256 of "v0:timestamp:body">`
    X-Slack-Request-Timestamp  in seconds since the Unix epoch

Events are JSON with an `event_id`, the same when Slack sends one again, with a new time; `url_verification` is answered with its
challenge. Slash commands are forms, buttons and dialogs forms with JSON in `payload`; Slack shows people what it is answered
to those, so the answer is empty, and does not send them again, so the signature is id enough.
"""

from typing import Any, cast

from weft.triggers.webhooks.contents import is_form
from weft.triggers.webhooks.scheme import (
    NO_CLAIM,
    PLAIN_RULE,
    Claim,
    Headers,
    Reply,
    Scheme,
    from_hex,
    plain_key,
    seconds_of,
)

_PREFIX = "v0="


def _claim(headers: Headers) -> Claim:
    signature, written = headers.get("x-slack-signature", ""), headers.get("x-slack-request-timestamp", "")
    sent_at = seconds_of(written)
    if sent_at is None or not signature.startswith(_PREFIX):
        return NO_CLAIM
    return Claim([from_hex(signature.removeprefix(_PREFIX))], f"v0:{written}:".encode(), sent_at)


def _fields(body: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", body) if isinstance(body, dict) else {}


def _id_of(_headers: Headers, body: Any, hashed: str) -> str:
    event_id = _fields(body).get("event_id")
    return event_id if isinstance(event_id, str) and event_id else hashed


def _handshake(headers: Headers, body: Any) -> Reply | None:
    fields = _fields(body)
    if is_form(headers) or fields.get("type") != "url_verification":
        return None
    return Reply(str(fields.get("challenge", "")).encode(errors="replace"))


def _accepted(headers: Headers, _body: Any) -> Reply | None:
    return Reply() if is_form(headers) else None


SLACK = Scheme(
    claim=_claim,
    key_of=plain_key,
    secret_rule=f"the signing secret of the Slack app: {PLAIN_RULE}",
    id_of=_id_of,
    passed_on=frozenset({"x-slack-request-timestamp", "x-slack-retry-num", "x-slack-retry-reason"}),
    handshake=_handshake,
    accepted=_accepted,
)
