"""The links of inbound webhooks: the trigger's id, and 208 bits that only this server's secret key makes of it.

So the link can be shown again to whoever may see it, a stolen table holds none, and a link that was never given out is
refused without asking the database.
"""

import base64
import binascii
import hashlib
import hmac
from uuid import UUID

_ID_BYTES = 16
_SIGN_BYTES = 26
"""With the id's bytes a multiple of three, so that a link has one spelling."""
_CHARACTERS = (_ID_BYTES + _SIGN_BYTES) * 4 // 3


def hook_token(trigger_id: UUID, secret_key: bytes) -> str:
    return base64.urlsafe_b64encode(trigger_id.bytes + _sign(trigger_id.bytes, secret_key)).decode()


def trigger_id_of(token: str, secret_key: bytes) -> UUID | None:
    """The trigger whose link this is; None for what this server never gave out."""
    if len(token) != _CHARACTERS:
        return None
    try:
        given = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    key, sign = given[:_ID_BYTES], given[_ID_BYTES:]
    return UUID(bytes=key) if hmac.compare_digest(sign, _sign(key, secret_key)) else None


def _sign(key: bytes, secret_key: bytes) -> bytes:
    return hmac.digest(secret_key, b"inbound webhook " + key, hashlib.sha256)[:_SIGN_BYTES]
