"""A real S3-compatible store on loopback, in a process of its own."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import aiohttp
from obstore.store import S3Store

from weft.cli.up import free_port
from weft.integrations.object_store import FileOptions

KEY, SECRET = "an access key", "a secret access key"
READY_SECONDS = 60


@dataclass(frozen=True)
class S3:
    endpoint: str
    bucket: str
    session: aiohttp.ClientSession

    def options(self, scratch: Path, *, presigned: bool = False) -> FileOptions:
        return FileOptions(
            url=f"s3://{self.bucket}/some/prefix",
            scratch=scratch,
            s3_endpoint=self.endpoint,
            s3_region="eu-central-1",
            s3_access_key_id=KEY,
            s3_secret_access_key=SECRET,
            s3_presigned=presigned,
        )

    async def keys(self) -> list[str]:
        """Of all objects, without the prefix."""
        async with self.session.get(f"{self.endpoint}/{self.bucket}?list-type=2") as reply:
            root = ET.fromstring(await reply.text())
        found = [one.text or "" for one in root.iter() if one.tag.endswith("}Key")]
        return sorted(key.removeprefix("some/prefix/") for key in found)

    async def unfinished(self) -> int:
        """Uploads in parts that nobody ended."""
        async with self.session.get(f"{self.endpoint}/{self.bucket}?uploads") as reply:
            return (await reply.text()).count("<Upload>")

    @property
    def client(self) -> S3Store:
        """Whoever else has the key to the bucket."""
        return S3Store(
            self.bucket,
            prefix="some/prefix",
            endpoint=self.endpoint,
            access_key_id=KEY,
            secret_access_key=SECRET,
            client_options={"allow_http": True},
        )


@asynccontextmanager
async def s3_server() -> AsyncGenerator[str]:
    """Its endpoint."""
    port = free_port("127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{port}"
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)),
        stdout=DEVNULL,
        stderr=DEVNULL,
        env=os.environ | {"MOTO_S3_CUSTOM_ENDPOINTS": endpoint},
    )
    try:
        async with asyncio.timeout(READY_SECONDS), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(endpoint):
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
        yield endpoint
    finally:
        server.kill()
        await server.wait()
