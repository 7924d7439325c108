"""Uploads and downloads over real HTTP, with the operations around them."""

import asyncio
import dataclasses
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from socket import socket
from typing import Any

import aiohttp
import pytest
import uvicorn
from starlette.applications import Starlette

from weft.domain.access import Viewer
from weft.domain.files import Document, Upload
from weft.http import downloads, uploads
from weft.operations import documents
from weft.operations import uploads as operations
from weft.operations.documents import NewDocument
from weft.operations.downloads import download_url
from weft.operations.services import Limits, Services
from weft.operations.uploads import NewUpload


@dataclass
class Documents:
    services: Services
    viewer: Viewer
    origin: str
    session: aiohttp.ClientSession
    folder: Path
    """Where the files lie."""

    async def new(self, name: str = "a.txt", **given: Any) -> tuple[Upload, str]:
        created = await operations.create_upload(self.services, self.viewer, NewUpload(name, **given))
        return created.made, self.here(created.upload_url)

    async def put(self, url: str, data: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        body = BytesIO(data) if isinstance(data, bytes) else data
        async with self.session.put(url, data=body, headers=headers) as response:
            assert response.content_type == "application/json"
            return response.status, await response.json()

    async def state(self, of: Upload) -> Upload:
        (found,) = await operations.load_uploads(self.services, self.viewer, [of.id])
        assert found is not None
        return found

    async def made(self, data: bytes, name: str = "a.txt", **given: Any) -> Document:
        """A document of this content."""
        upload, url = await self.new(name)
        status, answer = await self.put(url, data)
        assert status == 200, answer
        return await documents.create_document(self.services, self.viewer, NewDocument(upload.id, **given))

    async def url_of(self, made: Document) -> str:
        (file,) = await documents.load_files(self.services, self.viewer, [made.entity.id])
        assert file is not None
        return self.here(download_url(self.services, file))

    def here(self, url: str) -> str:
        """The public URL at the server of this test."""
        assert url.startswith(self.services.public_url)
        return self.origin + url.removeprefix(self.services.public_url)

    def lying(self) -> list[str]:
        """Whatever lies in the folder of files, by its name."""
        return files_in(self.folder)


@pytest.fixture
def small(services: Services) -> Services:
    return dataclasses.replace(services, limits=Limits(file_bytes=3_000_000, files=5, files_bytes=5_000_000))


@pytest.fixture
async def files(small: Services, viewer: Viewer, tmp_path: Path) -> AsyncIterator[Documents]:
    routes = [*uploads.routes(small), *downloads.routes(small)]
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="critical"))
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = asyncio.create_task(server.serve([listening]))
        async with aiohttp.ClientSession() as session:
            origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
            yield Documents(small, viewer, origin, session, tmp_path / "files")
        server.should_exit = True
        async with asyncio.timeout(20):
            await running


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())
