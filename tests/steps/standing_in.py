"""What stands where the outside would be, for steps that are tested alone: it answers alike, whatever it is asked."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from weft.domain.outside import (
    HttpSender,
    IntegrationFacts,
    ModelReply,
    ModelRequest,
    NewTable,
    Outside,
    TableFacts,
    TableRows,
)
from weft.domain.step import Fail


class NoFiles:
    @asynccontextmanager
    async def local(self, sha256: str) -> AsyncGenerator[Path]:
        raise Fail(f"There is no file {sha256[:12]} here.", code="FILE_NOT_FOUND")
        yield Path()


class OneModel:
    async def providers(self) -> Sequence[str]:
        return ("openai", "anthropic")

    async def generate(self, request: ModelRequest) -> ModelReply:
        asked = f"{len(request.prompt)} {request.model} {request.max_output_tokens}"
        return ModelReply(asked if request.schema is None else {"topic": asked}, request.model)


class WritableTables:
    async def names(self) -> Sequence[str]:
        return ("warehouse",)

    async def tables(self, datastore: str) -> Sequence[str]:
        del datastore
        return ()

    async def table(self, datastore: str, table: str) -> TableFacts | None:
        del datastore, table

    async def create_table(self, datastore: str, new: NewTable) -> None:
        del datastore, new

    async def write(self, rows: TableRows) -> Sequence[Exception | None]:
        return [None] * len(rows.rows)


class NoIntegrations:
    async def find(self, reference: str) -> IntegrationFacts | None:
        del reference

    async def names(self) -> Sequence[str]:
        return ()


def standing_in(http: HttpSender) -> Outside:
    return Outside(http, NoFiles(), OneModel(), WritableTables(), NoIntegrations())
