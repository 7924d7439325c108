"""The text of API keys: making them, recognising them, and the digest that is stored."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

PREFIX_LENGTH = 12
"""`weft_` and seven random characters: enough to tell keys apart, useless to guess the rest."""

_KEY = re.compile(r"weft_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class NewKey:
    text: str
    """Shown once, to whoever made the key."""
    prefix: str
    digest: bytes

    def __repr__(self) -> str:
        return f"NewKey({self.prefix}…)"  # the text must not reach a log by accident


def new_key(secret_key: bytes) -> NewKey:
    text = f"weft_{secrets.token_urlsafe(32)}"
    return NewKey(text, text[:PREFIX_LENGTH], digest(text, secret_key))


def digest(key: str, secret_key: bytes) -> bytes:
    return hmac.digest(secret_key, key.encode(), hashlib.sha256)


def looks_like_key(text: str) -> bool:
    """Whether it can be a key at all; what cannot is refused without asking the database."""
    return _KEY.fullmatch(text) is not None


def why_no_key(text: str) -> str:
    """For whoever sent what does not look like a key."""
    if text.startswith("weft_"):
        return "No API key of this server: copy it whole."
    return "This is not an API key of this server: they begin with `weft_`."


def bearer(header: str | None) -> str | None:
    """The key in an `Authorization` header; None when it holds no bearer token."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
