"""Standard Webhooks, specification 1.0.0 (standardwebhooks.com; github.com/standard-webhooks/standard-webhooks).

    webhook-id         the id of the message, the same at every attempt, and without a full stop
    webhook-timestamp  of the attempt, in seconds since the Unix epoch
    webhook-signature  `v1,<base64 of the HMAC-SHA256 of "id.timestamp.body">`, several with spaces between; others are passed over

The secret is `whsec_` and the base64 of 24 to 64 bytes. The reference library for this is not used: it raises whatever its
splitting and decoding raises on a forged header, knows no window but five minutes, and takes no body but UTF-8.
"""

import base64
import binascii
from typing import Any

from weft.integrations.webhook import key_of, new_secret
from weft.triggers.webhooks.scheme import MOST_SIGNATURES, NO_CLAIM, Claim, Headers, Scheme, seconds_of

LONGEST_ID = 256
_VERSION = "v1,"


def _claim(headers: Headers) -> Claim:
    message_id, written = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    sent_at = seconds_of(written)
    # A full stop in the id would let a part of the body pass for the time, the specification warns.
    if sent_at is None or not 0 < len(message_id) <= LONGEST_ID or "." in message_id:
        return NO_CLAIM
    listed = headers.get("webhook-signature", "").split(" ", MOST_SIGNATURES)
    signatures = [_decoded(one.removeprefix(_VERSION)) for one in listed if one.startswith(_VERSION)]
    return Claim(signatures, f"{message_id}.{written}.".encode("latin-1"), sent_at)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _id_of(headers: Headers, _body: Any, _hash: str) -> str:
    return headers["webhook-id"]


STANDARD = Scheme(
    claim=_claim,
    key_of=key_of,
    secret_rule="`whsec_` and the base64 of 24 to 64 bytes",  # noqa: S106 - a sentence about secrets
    id_of=_id_of,
    new_secret=new_secret,
    passed_on=frozenset({"webhook-id", "webhook-timestamp"}),
)
