"""Datastores: databases elsewhere that steps write into. The word for it in other tools is "connection"."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from weft.domain.ids import UUID


class DatastoreKind(StrEnum):
    POSTGRESQL = "POSTGRESQL"
    MYSQL = "MYSQL"
    SQLITE = "SQLITE"


class TlsMode(StrEnum):
    """VERIFIED encrypts and checks the server's certificate against its name, ENCRYPTED only encrypts."""

    VERIFIED = "VERIFIED"
    ENCRYPTED = "ENCRYPTED"
    OFF = "OFF"


@dataclass(frozen=True, slots=True)
class Datastore:
    """Without its password, which only `storage.datastores` hands out, sealed."""

    id: UUID
    workspace_id: UUID
    name: str
    kind: DatastoreKind
    host: str | None
    """Of a server; None for a file, and for those who may not see it."""
    port: int | None
    database: str | None
    """Its name on the server."""
    user: str | None
    tls: TlsMode | None
    file: str | None
    """The name of a SQLite file within the workspace's folder."""
    revision: int
    """Rises with every change: connections of an older one are closed."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DatastoreTrial:
    """What came of a test of a datastore."""

    ok: bool
    message: str
    took: timedelta
