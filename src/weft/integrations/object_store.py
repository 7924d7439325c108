"""Where uploaded files lie: a folder that all processes share, or a bucket of an S3-compatible store.

An object is put there whole or not at all, under a key that is made of its content, and never changes. What is coming in lies
in a `Spool` until it is proved; clients that put files into a bucket by themselves put them under `incoming/`.

| store | file | objects |
|---|---|---|
| a folder | `local_folder` | moved into place; read where they lie |
| `s3://bucket/prefix` | `s3_bucket` | put through obstore; read from a copy in a cache of bounded size |
"""

import importlib
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import urlsplit

from weft.domain.errors import StartupError
from weft.integrations.local_folder import LocalFolder
from weft.integrations.spool import Spool, SpooledFile


@dataclass(frozen=True, slots=True)
class FileOptions:
    url: str = ".weft/files"
    """A folder, or `s3://bucket/prefix`."""
    scratch: Path = Path(".weft/scratch")
    """For temporary files, where the store is no folder itself."""
    s3_endpoint: str | None = None
    s3_region: str | None = None
    s3_access_key_id: str | None = None
    s3_secret_access_key: str | None = field(default=None, repr=False)
    s3_presigned: bool = False
    """Clients put their files into the bucket by themselves."""


class ObjectStore(Protocol):
    """Raises `StoreUnavailable` and `NotStored` (`store_errors`)."""

    spool: Spool
    """Where files are gathered for it."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def place(self, spooled: SpooledFile, key: str) -> None:
        """Put a complete file there; when this returns it outlives a crash. What lay there before had the same content."""
        ...

    async def remove(self, key: str) -> None:
        """Delete the object; nothing happens where there is none."""
        ...

    def local(self, key: str) -> AbstractAsyncContextManager[Path]:
        """The object as a file on this machine, to be read only, for as long as the context is open."""
        ...

    async def upload_url(self, name: str, life: timedelta) -> str | None:
        """Where a client may PUT a file by itself, to be found as `incoming(name)`. None where files come through the API."""
        ...

    def incoming(self, name: str, most_bytes: int) -> AsyncGenerator[bytes]:
        """What a client has put there; at most a piece more than `most_bytes`."""
        ...

    async def drop_incoming(self, name: str) -> None: ...


def open_store(options: FileOptions) -> ObjectStore:
    """Raises StartupError for a URL that names no store."""
    scheme, separator, rest = options.url.partition("://")
    if not separator:
        return LocalFolder(Path(options.url).expanduser())
    if scheme == "file":
        return LocalFolder(Path(urlsplit(options.url).path))
    if scheme != "s3" or not rest.split("/")[0]:
        raise StartupError(
            f"WEFT_FILES_URL is {options.url!r}: it has to be a folder, or begin with s3:// and the name of a bucket."
        )
    # obstore is a large library: only those load it who use it.
    module = importlib.import_module("weft.integrations.s3_bucket")
    return cast("ObjectStore", module.S3Bucket.of(options))
