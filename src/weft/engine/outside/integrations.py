"""The integrations that the workspace has configured, for the steps that send through them."""

from collections.abc import Sequence

from weft.domain.ids import UUID
from weft.domain.outside import IntegrationFacts
from weft.storage import integrations
from weft.storage.database import Database

MOST_NAMES = 1_000
"""Of those that a message about an unknown name looks through."""


class WorkspaceIntegrations:
    """Asked only when a definition is saved: what is sent is looked up where the delivery is stored."""

    def __init__(self, workspace_id: UUID, database: Database) -> None:
        self._workspace_id = workspace_id
        self._database = database

    async def find(self, reference: str) -> IntegrationFacts | None:
        async with self._database.reading() as connection:
            found = await integrations.by_reference(connection, self._workspace_id, reference)
        if found is None:
            return None
        return IntegrationFacts(found.id, found.name, found.type.value, found.workflow_id, found.enabled)

    async def names(self) -> Sequence[str]:
        async with self._database.reading() as connection:
            return await integrations.names(connection, self._workspace_id, MOST_NAMES)
