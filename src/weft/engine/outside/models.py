"""Models, by the providers that the workspace has configured."""

from collections.abc import Sequence

from weft.domain.ids import UUID
from weft.domain.outside import ModelReply, ModelRequest
from weft.domain.step import Fail
from weft.storage.database import Database


class WorkspaceModels:
    def __init__(self, workspace_id: UUID, database: Database) -> None:
        self._workspace_id = workspace_id
        self._database = database

    async def providers(self) -> Sequence[str]:
        return ()

    async def generate(self, request: ModelRequest) -> ModelReply:
        raise Fail(f"There is no model provider {request.provider!r} in this workspace.", code="PROVIDER_UNKNOWN")
