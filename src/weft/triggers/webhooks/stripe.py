"""Stripe (docs.stripe.com, "Verify webhook signatures manually").

    Stripe-Signature  `t=<seconds since the Unix epoch>,v1=<hex of the HMAC-SHA256 of "t.body">`, one v1 for each secret while those
                      change; other schemes, such as the v0 of test events, count for nothing

The key is the whole text of the endpoint's secret, `whsec_` included. Events carry their own `id`, the same when one is sent again.
"""

from typing import Any, cast

from weft.triggers.webhooks.scheme import (
    MOST_SIGNATURES,
    NO_CLAIM,
    PLAIN_RULE,
    Claim,
    Headers,
    Scheme,
    from_hex,
    plain_key,
    seconds_of,
)


def _claim(headers: Headers) -> Claim:
    written: list[str] = []
    signatures: list[bytes] = []
    for part in headers.get("stripe-signature", "").split(",", 2 * MOST_SIGNATURES):
        name, _, value = part.strip().partition("=")
        if name == "t":
            written.append(value)
        elif name == "v1":
            signatures.append(from_hex(value))
    if len(written) != 1 or (sent_at := seconds_of(written[0])) is None:
        return NO_CLAIM
    return Claim(signatures, f"{written[0]}.".encode(), sent_at)


def _id_of(_headers: Headers, body: Any, hashed: str) -> str:
    event_id = cast("dict[str, Any]", body).get("id") if isinstance(body, dict) else None
    return event_id if isinstance(event_id, str) and event_id else hashed


STRIPE = Scheme(
    claim=_claim,
    key_of=plain_key,
    secret_rule=f"the signing secret of the Stripe endpoint: {PLAIN_RULE}",
    id_of=_id_of,
)
