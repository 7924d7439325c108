"""Those who call inbound webhooks: each signs as its service does, in its own words and not in ours."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from uuid import uuid4

Signer = Callable[[str, bytes], dict[str, str]]
"""The headers of a call with this secret and this body."""


def standard(secret: str, body: bytes, *, message_id: str | None = None, sent: int | None = None) -> dict[str, str]:
    message_id, sent = message_id or f"msg_{uuid4().hex}", int(time.time()) if sent is None else sent
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(key, f"{message_id}.{sent}.".encode() + body, hashlib.sha256).digest())
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(sent),
        "webhook-signature": f"v1,{signature.decode()}",
    }


def github(secret: str, body: bytes, *, event: str = "push", delivery: str | None = None) -> dict[str, str]:
    return {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": delivery or str(uuid4()),
        "x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }


def slack(secret: str, body: bytes, *, sent: int | None = None, form: bool = False) -> dict[str, str]:
    sent = int(time.time()) if sent is None else sent
    signature = hmac.new(secret.encode(), f"v0:{sent}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/x-www-form-urlencoded" if form else "application/json",
        "x-slack-request-timestamp": str(sent),
        "x-slack-signature": f"v0={signature}",
    }


def stripe(secret: str, body: bytes, *, sent: int | None = None) -> dict[str, str]:
    sent = int(time.time()) if sent is None else sent
    signature = hmac.new(secret.encode(), f"{sent}.".encode() + body, hashlib.sha256).hexdigest()
    return {"content-type": "application/json; charset=utf-8", "stripe-signature": f"t={sent},v1={signature}"}
