"""What the data folder keeps secret: the key that digests are made from, and the first API key. Both mode 0600."""

import os
import secrets
from pathlib import Path

from weft.domain.access import Role
from weft.operations.keys import first_key
from weft.settings import Settings
from weft.storage.database import Database

WORKSPACE = "default"
KEY_NAME = "first key"


def secret_key_of(settings: Settings) -> str:
    """The one of the settings, or the data folder's own, made at the first use."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    return _kept(settings.data_dir / "secret_key") or _keep(settings.data_dir / "secret_key", secrets.token_urlsafe(32))


async def api_key_of(settings: Settings, database: Database, secret_key: str) -> str:
    """The data folder's own API key, an ADMIN of the workspace `default`; a new one where it is not valid any more."""
    path = settings.data_dir / "api_key"
    key = await first_key(
        database, secret_key.encode(), workspace=WORKSPACE, name=KEY_NAME, role=Role.ADMIN, known=_kept(path)
    )
    return key if key == _kept(path) else _keep(path, key)


def _kept(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def _keep(path: Path, secret: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and renamed: a crash in between leaves the old secret, never half of one.
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{secret}\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    return secret
