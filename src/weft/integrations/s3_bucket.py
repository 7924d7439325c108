"""Files in a bucket of an S3-compatible store, through obstore."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import S3Store

from weft.integrations.file_cache import FileCache
from weft.integrations.object_store import FileOptions
from weft.integrations.spool import Spool, SpooledFile
from weft.integrations.store_errors import NotStored, StoreUnavailable
from weft.kit.rarely import Rarely

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config

INCOMING = "incoming/"
INCOMING_LIFE = timedelta(days=2)
"""Longer than any link lives: what still lies there then was never made a document."""
SWEEP_SECONDS = 3600.0
_NO_BUCKET = "NoSuchBucket"
_PIECE = 1024 * 1024
_ATTRIBUTES = {"Content-Disposition": "attachment", "Content-Type": "application/octet-stream"}
"""Whoever reaches an object in the bucket past Weft gets bytes to save, never a page to run."""
_CLIENT: "ClientConfig" = {"timeout": timedelta(minutes=5), "connect_timeout": timedelta(seconds=5)}
_RETRIES: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}

log = structlog.stdlib.get_logger(__name__)


class S3Bucket:
    def __init__(self, store: S3Store, spool: Spool, *, presigned: bool) -> None:
        self._store = store
        self._presigned = presigned
        self._cache = FileCache(self._fetch)
        self._time_to_sweep = Rarely(SWEEP_SECONDS)
        self._sweeping: asyncio.Task[None] | None = None
        self.spool = spool

    @classmethod
    def of(cls, options: FileOptions) -> "S3Bucket":
        """What is left out is found as other tools find it: in `AWS_…` variables, or by the role of the machine."""
        parts = urlsplit(options.url)
        given = {
            "endpoint": options.s3_endpoint,
            "region": options.s3_region,
            "access_key_id": options.s3_access_key_id,
            "secret_access_key": options.s3_secret_access_key,
        }
        config: S3Config = {name: value for name, value in given.items() if value is not None}  # pyright: ignore[reportAssignmentType] - its names are those of obstore
        client: ClientConfig = {**_CLIENT, "allow_http": (options.s3_endpoint or "").startswith("http://")}
        prefix = parts.path.strip("/") or None
        store = S3Store(parts.netloc, prefix=prefix, config=config, client_options=client, retry_config=_RETRIES)
        return cls(store, Spool(options.scratch.absolute()), presigned=options.s3_presigned)

    async def open(self) -> None:
        await asyncio.to_thread(self.spool.sweep)

    async def close(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.wait([self._sweeping])
        await self._cache.close()

    async def place(self, spooled: SpooledFile, key: str) -> None:
        with _told():
            await obstore.put_async(self._store, key, spooled.path, attributes=_ATTRIBUTES)

    async def remove(self, key: str) -> None:
        with suppress(NotStored), _told():
            await obstore.delete_async(self._store, key)

    def local(self, key: str) -> AbstractAsyncContextManager[Path]:
        return self._cache.local(key)

    async def upload_url(self, name: str, life: timedelta) -> str | None:
        if not self._presigned:
            return None
        if self._time_to_sweep.due():
            self._sweeping = asyncio.create_task(self._sweep())
        with _told():
            return await obstore.sign_async(self._store, "PUT", INCOMING + name, life)

    async def incoming(self, name: str, most_bytes: int) -> AsyncGenerator[bytes]:
        if not self._presigned:
            raise NotStored
        async for piece in self._pieces(INCOMING + name, most_bytes):
            yield piece

    async def drop_incoming(self, name: str) -> None:
        with _told():
            await obstore.delete_async(self._store, INCOMING + name)

    async def _pieces(self, key: str, most_bytes: int | None = None) -> AsyncGenerator[bytes]:
        with _told():
            found = await obstore.get_async(self._store, key)
            left = found.meta["size"] if most_bytes is None else most_bytes
            async for piece in found.stream(min_chunk_size=_PIECE):
                yield bytes(piece)
                left -= len(piece)
                if left < 0:
                    return

    async def _fetch(self, key: str) -> SpooledFile:
        spooled = await self.spool.new()
        try:
            async for piece in self._pieces(key):
                await spooled.write(piece)
            await spooled.flush()
            _check(spooled, key)
        except BaseException:
            await spooled.discard()
            raise
        return spooled

    async def _sweep(self) -> None:
        """Take away what clients have put there and never used."""
        latest = datetime.now(UTC) - INCOMING_LIFE
        try:
            async for found in obstore.list(self._store, INCOMING, chunk_size=500):
                stale = [one["path"] for one in found if one["last_modified"] < latest]
                if stale:
                    await obstore.delete_async(self._store, stale)
        except (BaseError, OSError) as error:
            log.warning("Unused uploads could not be removed from the file store", kind=type(error).__name__)


def _check(spooled: SpooledFile, key: str) -> None:
    """A key ends with the hash of its content."""
    if spooled.sha256 != key.rsplit("/", 1)[-1]:
        log.error("An object in the file store is not what it was put there as", key=key)
        raise NotStored


@contextmanager
def _told() -> Generator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if _NO_BUCKET in str(error):
            log.error("The bucket of the file store does not exist")  # noqa: TRY400 - a setting is wrong; the stack says nothing of it
            raise StoreUnavailable from error
        raise NotStored from error
    except (BaseError, OSError, TimeoutError) as error:
        log.warning("The file store cannot be used", kind=type(error).__name__, error=_in_short(error))
        raise StoreUnavailable.of(error) from error


def _in_short(error: Any) -> str:
    return str(error).partition("\n")[0][:500]
