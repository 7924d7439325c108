"""GitHub (docs.github.com, "Validating webhook deliveries" and "Best practices for using webhooks").

    X-Hub-Signature-256  `sha256=<hex of the HMAC-SHA256 of the body>`; the older X-Hub-Signature, by SHA-1, counts for nothing
    X-GitHub-Delivery    the id of the delivery, the same when it is delivered again
    X-GitHub-Event       what the call tells of; `ping` only tries the URL

No time is signed, so a call that was sent before is known by its delivery id alone.
"""

import secrets
from typing import Any

from weft.triggers.webhooks.scheme import NO_CLAIM, PLAIN_RULE, Claim, Headers, Reply, Scheme, from_hex, plain_key

_PREFIX = "sha256="


def _claim(headers: Headers) -> Claim:
    signature = headers.get("x-hub-signature-256", "")
    return Claim([from_hex(signature.removeprefix(_PREFIX))]) if signature.startswith(_PREFIX) else NO_CLAIM


def _id_of(headers: Headers, _body: Any, hashed: str) -> str:
    return headers.get("x-github-delivery") or hashed


def _handshake(headers: Headers, _body: Any) -> Reply | None:
    return Reply(b"pong") if headers.get("x-github-event") == "ping" else None


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


GITHUB = Scheme(
    claim=_claim,
    key_of=plain_key,
    secret_rule=PLAIN_RULE,
    id_of=_id_of,
    new_secret=_new_secret,
    passed_on=frozenset({"x-github-event", "x-github-delivery", "x-github-hook-id"}),
    handshake=_handshake,
)
