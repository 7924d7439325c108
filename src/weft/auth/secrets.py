"""Secrets at rest: configs of integrations, keys of model providers, passwords of databases.

AES-256-GCM under a key derived from the server's secret key (HKDF-SHA256, RFC 5869), with a fresh nonce each time. The
identity of the row is the associated data: a sealed secret that is moved to another row, or to another workspace, opens nothing.

    version (1 byte) · key id (4 bytes) · nonce (12 bytes) · ciphertext and tag

The key id tells a wrong secret key from a tampered record.
"""

import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_HEAD = len(_VERSION) + _KEY_ID_BYTES


class SecretUnreadable(Exception):
    """A sealed secret that cannot be opened; the message says why, and never what was in it."""


class Secrets:
    def __init__(self, secret_key: bytes) -> None:
        derived = HKDF(SHA256(), length=32, salt=None, info=b"weft secrets at rest").derive(secret_key)
        self._cipher = AESGCM(derived)
        self._key_id = hashlib.sha256(b"id of " + derived).digest()[:_KEY_ID_BYTES]

    def seal(self, secret: bytes, identity: str) -> bytes:
        """`identity` names the row for good: its table, its workspace and its id (`identity_of`)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _VERSION + self._key_id + nonce + self._cipher.encrypt(nonce, secret, identity.encode())

    def open(self, sealed: bytes, identity: str) -> bytes:
        """Raises SecretUnreadable."""
        if sealed[:1] != _VERSION or len(sealed) < _HEAD + _NONCE_BYTES:
            raise SecretUnreadable("The stored secret is not in a form that this version of Weft knows.")
        if sealed[1:_HEAD] != self._key_id:
            raise SecretUnreadable("The stored secret was sealed with another WEFT_SECRET_KEY than this one.")
        nonce, ciphertext = sealed[_HEAD : _HEAD + _NONCE_BYTES], sealed[_HEAD + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, ciphertext, identity.encode())
        except InvalidTag as error:
            raise SecretUnreadable("The stored secret was tampered with, or belongs to another row.") from error


def identity_of(table: str, workspace_id: object, row_id: object) -> str:
    return f"{table}:{workspace_id}:{row_id}"
