"""The whole API process on a socket of its own, as `weft api` runs it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import Any

import aiohttp
import pytest

from weft import app
from weft.domain.access import Role
from weft.operations.keys import CreatedKey, create_first_key
from weft.settings import Settings
from weft.storage.database import Database

SECRET = "a secret only for tests, 32 bytes"


@dataclass
class Api:
    origin: str
    database: Database
    session: aiohttp.ClientSession
    key: CreatedKey
    """Of an ADMIN."""
    headers: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def url(self) -> str:
        return f"{self.origin}/graphql"

    async def post(self, query: str, variables: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        sent = {"Authorization": f"Bearer {self.key.text}"} | headers
        async with self.session.post(
            self.url, json={"query": query, "variables": variables}, headers={k: v for k, v in sent.items() if v}
        ) as response:
            assert response.content_type in {"application/json", "application/graphql-response+json"}
            return await response.json()

    async def make_key(self, role: Role, workspace: str = "tests") -> CreatedKey:
        return await create_first_key(
            self.database, SECRET.encode(), workspace=workspace, name=f"a {role}", role=role, actor="tests"
        )


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": redis_url,
            "secret_key": SECRET,
            "data_dir": tmp_path,
            "max_body_bytes": 100_000,
            "max_message_bytes": 100_000,
            "allowed_origins": ("https://page.example",),
        }
    )


@pytest.fixture
async def api(settings: Settings, database: Database) -> AsyncIterator[Api]:
    server = app.server(settings)
    key = await create_first_key(
        database, SECRET.encode(), workspace="tests", name="admin", role=Role.ADMIN, actor="tests"
    )
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = asyncio.create_task(server.serve([listening]))
        async with aiohttp.ClientSession() as session:
            yield Api(f"http://127.0.0.1:{listening.getsockname()[1]}", database, session, key)
        server.should_exit = True
        async with asyncio.timeout(20):
            await running
