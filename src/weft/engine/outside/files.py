"""Uploaded files, brought to this machine's disk for the steps that read them."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from weft.domain.files import object_key
from weft.domain.ids import UUID
from weft.domain.step import Fail, Retry
from weft.integrations.object_store import ObjectStore
from weft.integrations.store_errors import NotStored, StoreUnavailable

_SHA256 = re.compile(r"[0-9a-f]{64}")


class WorkspaceFiles:
    def __init__(self, workspace_id: UUID, store: ObjectStore) -> None:
        self._workspace_id = workspace_id
        self._store = store

    @asynccontextmanager
    async def local(self, sha256: str) -> AsyncGenerator[Path]:
        # What stands in an entity's data may have been written by anybody: only a hash becomes part of a key.
        if not _SHA256.fullmatch(sha256):
            raise Fail("A file is named by the SHA-256 of its content, in lower-case hex.", code="FILE_NOT_FOUND")
        try:
            async with self._store.local(object_key(self._workspace_id, sha256)) as path:
                yield path
        except NotStored as error:
            raise Fail(f"There is no file {sha256[:12]}… in this workspace.", code="FILE_NOT_FOUND") from error
        except StoreUnavailable as error:
            raise Retry(str(error), code="FILE_STORE_UNAVAILABLE") from error
