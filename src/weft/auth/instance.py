"""Which Weft answers: a sign that only processes with the same secret key can give.

Whoever starts an API, or finds one in a data folder, hands its key only to what gives this sign: another program may have
taken the port meanwhile. It opens nothing, and tells nothing of the key that it is made from.
"""

import hashlib
import hmac

HEADER = "Weft-Instance"
_SIGN_CHARACTERS = 32


def instance_of(secret_key: bytes) -> str:
    return hmac.new(secret_key, b"weft instance", hashlib.sha256).hexdigest()[:_SIGN_CHARACTERS]
