"""A workspace with model providers that lead to servers of the test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from model_servers import KEY, ModelServer, model_server

from weft.domain.access import Viewer
from weft.domain.outside import ModelReply, ModelRequest
from weft.domain.providers import ModelProvider, ProviderKind
from weft.integrations.models.loading import load
from weft.operations import providers
from weft.operations.services import Services


@dataclass(frozen=True)
class Shop:
    """The workspace's models."""

    services: Services
    viewer: Viewer
    server: ModelServer

    async def provider(self, kind: ProviderKind = ProviderKind.OPENAI_COMPATIBLE, **given: Any) -> ModelProvider:
        base = {"base_url": self.server.url, "api_key": KEY}
        return await providers.create_provider(
            self.services, self.viewer, name=given.pop("name", "local"), kind=kind, given={**base, **given}
        )

    async def generate(self, prompt: str = "Say hello", **options: Any) -> ModelReply:
        request = ModelRequest(options.pop("provider", "local"), options.pop("model", "gpt-4o-mini"), prompt, **options)
        return await self.services.world.of(self.viewer.workspace_id).models.generate(request)


@pytest.fixture(scope="session", autouse=True)
async def libraries() -> None:
    """They take two seconds to load, which would count against the first test."""
    await load()


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with model_server() as server:
        yield server


@pytest.fixture
def shop(services: Services, viewer: Viewer, server: ModelServer) -> Shop:
    return Shop(services, viewer, server)
