"""What the steps of a workspace reach beyond Weft: named things that people configured, and files that they uploaded.

Steps see these ports and nothing behind them: no storage, no secret, no client. Each is bound to one workspace. What goes
wrong is a step's answer already: `Retry` where it may work later, `Fail` where it will not.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from weft.domain.entity import JsonSchema
from weft.domain.ids import UUID
from weft.domain.usage import NO_USAGE, Usage


@dataclass(frozen=True, slots=True)
class HttpReply:
    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    """Where the answer came from, after redirects."""


class HttpSender(Protocol):
    """Sends one HTTP request behind the address guard. Raises `Fail` for a refused address, `Retry` for a network fault."""

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: timedelta,  # noqa: ASYNC109 - the limit of the whole exchange, enforced by the client
        max_bytes: int,
        follow_redirects: bool,
    ) -> HttpReply: ...


class Files(Protocol):
    """The uploaded files of a workspace, by the SHA-256 of their content in lower-case hex."""

    def local(self, sha256: str) -> AbstractAsyncContextManager[Path]:
        """The file on this machine's disk, to be read only, for as long as the context is open. Raises `Fail`
        FILE_NOT_FOUND, and `Retry` while the store cannot be reached.
        """
        ...


@dataclass(frozen=True, slots=True)
class ModelRequest:
    provider: str
    """The name of a configured model provider."""
    model: str
    prompt: str
    instructions: str | None = None
    """The system prompt."""
    schema: JsonSchema | None = None
    """What the answer has to be as JSON; None for text."""
    max_output_tokens: int | None = None
    temperature: float | None = None
    attempts: int = 3
    """How often the model is asked in all, where its answer does not fit the schema."""
    timeout: timedelta = timedelta(minutes=5)
    """Of each time it is asked; the wait for its turn is not counted."""


@dataclass(frozen=True, slots=True)
class ModelReply:
    value: Any
    """Text, or JSON that fits the schema."""
    model: str
    """That answered, as the provider names it."""
    usage: Usage = NO_USAGE
    complete: bool = True
    """False for a text that was cut off where the model had written as much as it may."""
    priced: bool = True
    """False where the price of the model is not known, so that its cost counts as 0."""
    waited: timedelta = timedelta()
    """For its turn, before the provider was asked; the longest of several times."""


class Models(Protocol):
    async def providers(self) -> Sequence[str]:
        """The names of the configured providers, in order."""
        ...

    async def generate(self, request: ModelRequest) -> ModelReply:
        """Raises `Retry` (with `after` where the provider says when) and `Fail`, both with the usage that was paid."""
        ...


class ColumnKind(StrEnum):
    """What a column of a table takes, as far as it decides which JSON values fit.

    BOOLEAN: True or false.
    INTEGER: A whole number.
    NUMBER: A number with a fraction: exact or floating, as the column is.
    TEXT: Text, of a limited length where the column has one.
    DATE: A day as a text by ISO 8601: `2026-01-31`.
    TIME: A time of day as a text by ISO 8601: `09:30:00`.
    DATETIME: A point in time as a text by ISO 8601: `2026-01-31T09:30:00Z`.
    JSON: Any JSON value, stored as it is.
    UUID: A UUID as a text.
    BINARY: Bytes. A new table cannot have such a column.
    OTHER: A type that only its database knows. A new table cannot have such a column.
    """

    BOOLEAN = "BOOLEAN"
    INTEGER = "INTEGER"
    NUMBER = "NUMBER"
    TEXT = "TEXT"
    DATE = "DATE"
    TIME = "TIME"
    DATETIME = "DATETIME"
    JSON = "JSON"
    UUID = "UUID"
    BINARY = "BINARY"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: ColumnKind
    type_name: str
    """As the database spells it, for messages."""
    nullable: bool
    has_default: bool
    """Whether a row may leave it out: a default, an identity, a generated value."""


@dataclass(frozen=True, slots=True)
class TableFacts:
    columns: tuple[Column, ...]
    unique_keys: tuple[tuple[str, ...], ...]
    """The columns of the primary key and of each unique constraint: what an upsert may go by."""
    remembers: bool = True
    """Whether the database can note which rows were inserted: in the table `weft_stored`, which is there or may be made."""


@dataclass(frozen=True, slots=True)
class NewColumn:
    name: str
    kind: ColumnKind
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class NewTable:
    name: str
    """May be qualified by a schema."""
    columns: tuple[NewColumn, ...]
    key: tuple[str, ...] = ()
    """The columns of its primary key."""


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows for one table, written as one: all of them have the same columns."""

    datastore: str
    table: str
    """May be qualified by a schema: `sales.invoice`."""
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]
    """JSON values in the order of `columns`."""
    key: tuple[str, ...] = ()
    """Upsert by these columns; empty for an insert."""
    idempotency_keys: Sequence[str] = ()
    """One per row: a row whose key was written before is left as it is."""


class Datastores(Protocol):
    async def names(self) -> Sequence[str]: ...

    async def tables(self, datastore: str) -> Sequence[str]:
        """The names of its tables, the first few hundred. Raises as `table` does."""
        ...

    async def table(self, datastore: str, table: str) -> TableFacts | None:
        """None where there is no such table. Raises `Fail` DATASTORE_UNKNOWN, and `Retry` where it cannot be reached."""
        ...

    async def create_table(self, datastore: str, new: NewTable) -> None:
        """Raises as `table` does, and `Fail` where the database refuses it."""
        ...

    async def write(self, rows: TableRows) -> Sequence[Exception | None]:
        """For each row None, or the `Fail` or `Retry` that it came to. One bad row costs no other."""
        ...


@dataclass(frozen=True, slots=True)
class IntegrationFacts:
    id: UUID
    name: str
    type: str
    """SLACK, EMAIL or WEBHOOK."""
    workflow_id: UUID | None
    enabled: bool


class Integrations(Protocol):
    async def find(self, reference: str) -> IntegrationFacts | None:
        """By id (as the API spells it, or plain) or by name."""
        ...

    async def names(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Outside:
    """All of it, for one workspace."""

    http: HttpSender
    files: Files
    models: Models
    datastores: Datastores
    integrations: Integrations
