"""Which SQLite files a workspace may open: those in its own folder under the one that the operator allows."""

import re
from pathlib import Path

from weft.domain.ids import UUID
from weft.domain.step import Fail

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.(db|sqlite|sqlite3)")
FILE_NAME_RULE = "letters, digits, '.', '_' and '-', ending in .db, .sqlite or .sqlite3, without a folder"


def is_file_name(name: str) -> bool:
    return _FILE_NAME.fullmatch(name) is not None


def file_in(folder: Path | None, workspace_id: UUID, name: str) -> Path:
    """The path of a workspace's file; its folder is made. Raises `Fail` DATASTORE_REFUSED."""
    if folder is None:
        raise Fail("SQLite files are not allowed here. The operator can name a folder for them: WEFT_SQLITE_FOLDER.", code="DATASTORE_REFUSED")  # fmt: skip
    if not is_file_name(name):
        raise Fail(f"The name of a SQLite file has {FILE_NAME_RULE}.", code="DATASTORE_REFUSED")
    own = folder.absolute() / str(workspace_id)
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = own / name
    # SQLite follows links, and keeps files beside its own: none of them may lead elsewhere.
    for part in (own, path, *(own / f"{name}{end}" for end in ("-journal", "-wal", "-shm"))):
        if part.is_symlink():
            raise Fail(f"The SQLite file {name} is a link, which is not followed.", code="DATASTORE_REFUSED")
    return path
