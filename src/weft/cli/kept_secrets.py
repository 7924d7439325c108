"""What the data folder keeps secret: the key that digests are made from, and the first API key. Both mode 0600."""

import os
from pathlib import Path

from weft.auth.secret_key import kept_secret_key
from weft.domain.access import Role
from weft.domain.errors import StartupError
from weft.operations.keys import first_key
from weft.settings import Settings
from weft.storage.database import Database

WORKSPACE = "default"
KEY_NAME = "first key"


def secret_key_of(settings: Settings) -> str:
    """The one of the settings, or the data folder's own, made at the first use."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return kept_secret_key(settings.data_dir / "secret_key")


def known_secret_key(settings: Settings) -> str:
    """As above, but never a new one: the API would know nothing of a key whose digest was made from it."""
    if settings.secret_key is None and not (settings.data_dir / "secret_key").exists():
        raise StartupError(
            f"There is no secret key: WEFT_SECRET_KEY is not set, and {settings.data_dir / 'secret_key'} does not exist. "
            "Give the one that the API has, or start: weft up"
        )
    return secret_key_of(settings)


def api_key_file(settings: Settings) -> Path:
    return settings.data_dir / "api_key"


async def api_key_of(settings: Settings, database: Database, secret_key: str) -> str:
    """The data folder's own API key, an ADMIN of the workspace `default`; a new one where it is not valid any more."""
    path = api_key_file(settings)
    kept = _read(path)
    key = await first_key(
        database, secret_key.encode(), workspace=WORKSPACE, name=KEY_NAME, role=Role.ADMIN, known=kept
    )
    return key if key == kept else _keep(path, key)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def _keep(path: Path, secret: str) -> str:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written aside and renamed: a crash in between leaves the old secret, never half of one.
    if path.exists():
        # It may open the data again, once the secret key is the one that it was made with.
        path.replace(path.with_name(f"{path.name}.before"))
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{secret}\n")
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    return secret
