"""Models, by the providers that the workspace has configured."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from weft.auth.secrets import Secrets, SecretUnreadable, identity_of
from weft.domain.ids import UUID
from weft.domain.outside import ModelReply, ModelRequest
from weft.domain.providers import ModelProvider
from weft.domain.step import Fail, Retry
from weft.integrations.models.clients import ModelClients
from weft.kit.suggest import hint_for
from weft.storage import providers
from weft.storage.database import Database
from weft.storage.outage import outage

REMEMBERED_SECONDS = 5.0
MOST_REMEMBERED = 1_000
"""Over all workspaces."""


@dataclass(frozen=True, slots=True)
class _Found:
    provider: ModelProvider
    key: str | None
    till: float


class ProviderDirectory:
    """One per process: the providers that steps named lately, with their keys opened."""

    def __init__(self, database: Database, secrets: Secrets, clients: ModelClients) -> None:
        self.database = database
        self.clients = clients
        self._secrets = secrets
        self._found: dict[tuple[UUID, str], _Found] = {}
        self._reading = asyncio.Lock()

    def forget(self, workspace_id: UUID) -> None:
        """What was changed here counts here at once; elsewhere in some seconds."""
        for known in [known for known in self._found if known[0] == workspace_id]:
            del self._found[known]

    async def find(self, workspace_id: UUID, name: str) -> tuple[ModelProvider, str | None]:
        """The provider and its key. Raises `Fail` where there is none of that name, `Retry` while that cannot be asked."""
        if (found := self._remembered(workspace_id, name)) is None:
            async with self._reading:  # a batch begins a thousand calls at once: one of them asks
                if (found := self._remembered(workspace_id, name)) is None:
                    provider, key = await self._read(workspace_id, name)
                    found = _Found(provider, key, time.monotonic() + REMEMBERED_SECONDS)
                    if len(self._found) >= MOST_REMEMBERED:
                        self._found.clear()
                    self._found[workspace_id, name] = found
        return found.provider, found.key

    def _remembered(self, workspace_id: UUID, name: str) -> _Found | None:
        found = self._found.get((workspace_id, name))
        return None if found is None or found.till < time.monotonic() else found

    async def _read(self, workspace_id: UUID, name: str) -> tuple[ModelProvider, str | None]:
        try:
            async with self.database.reading() as connection:
                row = await providers.provider_to_call(connection, workspace_id, name)
                known = () if row is not None else await providers.provider_names(connection, workspace_id)
        except Exception as error:
            if (told := outage(error)) is not None:
                raise Retry(told) from error
            raise
        if row is None:
            reason = f"There is no model provider {name!r} in this workspace{hint_for(name, known)}."
            raise Fail(reason, code="PROVIDER_UNKNOWN")
        provider, sealed = row
        if sealed is None:
            return provider, None
        try:
            opened = self._secrets.open(sealed, identity_of("model_provider", workspace_id, provider.id))
        except SecretUnreadable as error:
            reason = f"The key of the model provider {name!r} cannot be opened: {error} An admin can set it anew."
            raise Fail(reason, code="SECRET_UNREADABLE") from error
        return provider, opened.decode()


class WorkspaceModels:
    def __init__(self, workspace_id: UUID, directory: ProviderDirectory) -> None:
        self._workspace_id = workspace_id
        self._directory = directory

    async def providers(self) -> Sequence[str]:
        async with self._directory.database.reading() as connection:
            return await providers.provider_names(connection, self._workspace_id)

    async def generate(self, request: ModelRequest) -> ModelReply:
        provider, key = await self._directory.find(self._workspace_id, request.provider)
        return await self._directory.clients.generate(provider, key, request)
