"""What a scheme is, and how a signature is checked.

Every call is hashed exactly once for each key, whatever it says, and whether or not there is anybody whom it could be for
(then with a key that nobody has): from the time that an answer takes nothing is learnt.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Headers = Mapping[str, str]
"""Of a call, by their names in lower case."""

NOBODYS_KEY = secrets.token_bytes(32)
MOST_SIGNATURES = 10
"""Of one call: it has one for each secret while those change. More are not looked at."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a call says of itself."""

    signatures: Sequence[bytes] = ()
    """Any of them may be the right one."""
    prefix: bytes = b""
    """What was hashed before the body."""
    sent_at: int | None = None
    """In seconds since the Unix epoch; None where the scheme signs no time."""


NO_CLAIM = Claim()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the sender expects in place of the id."""

    body: bytes = b""
    media_type: str = "text/plain"


def no_reply(_headers: Headers, _body: Any) -> Reply | None:
    return None


def hash_of(claimed: Claim, body: bytes) -> str:
    """For a call that has no id of its own: what was signed tells it from others."""
    return hashlib.sha256(claimed.prefix + body).hexdigest()


@dataclass(frozen=True, slots=True)
class Scheme:
    claim: Callable[[Headers], Claim]
    """What a call claims: `NO_CLAIM` when it is not of this scheme."""
    key_of: Callable[[str], bytes | None]
    """The key in a secret; None for what can be none."""
    secret_rule: str
    """What a secret has to be, in words."""
    id_of: Callable[[Headers, Any, str], str]
    """The sender's id of a genuine call: from its headers, its body as it was read, or the hash of what was signed."""
    new_secret: Callable[[], str] | None = None
    """None where the service makes the secret itself."""
    passed_on: frozenset[str] = field(default_factory=frozenset[str])
    """Headers of this scheme that triggers see."""
    handshake: Callable[[Headers, Any], Reply | None] = no_reply
    """The answer to a genuine call that only tries the URL: nothing is stored, nothing starts."""
    accepted: Callable[[Headers, Any], Reply | None] = no_reply
    """The answer to a stored call, where the sender would show its id to people."""


def is_genuine(claimed: Claim, keys: Sequence[bytes], body: bytes, now: float, tolerance_seconds: int) -> bool:
    """Whether one of the keys made one of the signatures, and lately."""
    matched = False
    for key in keys or (NOBODYS_KEY,):
        digest = hmac.new(key, claimed.prefix, hashlib.sha256)
        digest.update(body)
        right = digest.digest()
        for signature in claimed.signatures[:MOST_SIGNATURES]:
            matched |= hmac.compare_digest(right, signature)
    in_time = claimed.sent_at is None or abs(now - claimed.sent_at) <= tolerance_seconds
    return matched and in_time and bool(keys)


def from_hex(text: str) -> bytes:
    """Empty, which is no signature, for what is no hex."""
    try:
        return bytes.fromhex(text) if text.isalnum() else b""
    except ValueError:
        return b""


LATEST_SECONDS = 10
"""Digits of a time in seconds, until the year 2286."""


def seconds_of(text: str) -> int | None:
    """The digits as they are, which were signed: no signs, no leading zeros, no fractions."""
    if not (text.isascii() and text.isdigit()) or len(text) > LATEST_SECONDS or str(int(text)) != text:
        return None
    return int(text)


SHORTEST_SECRET, LONGEST_SECRET = 16, 256
PLAIN_RULE = f"{SHORTEST_SECRET} to {LONGEST_SECRET} printable characters"


def plain_key(secret: str) -> bytes | None:
    """For schemes whose key is the text of the secret itself."""
    fits = SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET and secret.isascii() and secret.isprintable()
    return secret.encode() if fits else None
