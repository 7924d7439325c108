"""The server's secret key, where it is kept in a file: made at the first start, readable by its owner only."""

import os
import secrets
from pathlib import Path

from weft.domain.errors import StartupError

KEY_BYTES = 32


def kept_secret_key(path: Path) -> str:
    """The key in this file, which is made when it is not there. Keys and links made with another key stop working."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        raise StartupError(f"The secret key cannot be kept in {path}: {error.strerror}.") from error
    key = secrets.token_urlsafe(KEY_BYTES)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key


def _read(path: Path) -> str:
    if path.stat().st_mode & 0o077:
        raise StartupError(f"{path} can be read by others. Run: chmod 600 {path}")
    key = path.read_text(encoding="ascii").strip()
    if len(key) < KEY_BYTES:
        raise StartupError(f"{path} holds no secret key. Put it back, or remove it: then all API keys stop working.")
    return key
