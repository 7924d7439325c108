"""Datastores: databases elsewhere that steps write into. The word for it in other tools is "connection"."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from weft.domain.ids import UUID


class DatastoreKind(StrEnum):
    """What kind of database a datastore is.

    POSTGRESQL: A PostgreSQL server, or one that speaks its protocol.
    MYSQL: A MySQL or MariaDB server.
    SQLITE: A SQLite file in the workspace's folder on the server, where the operator allows it.
    """

    POSTGRESQL = "POSTGRESQL"
    MYSQL = "MYSQL"
    SQLITE = "SQLITE"


class TlsMode(StrEnum):
    """How a connection to a database server is protected.

    VERIFIED: Encrypted, and the server's certificate is checked against its name.
    ENCRYPTED: Encrypted, but any certificate is taken: whoever stands in between could pretend to be the server.
    OFF: Neither: for networks that nobody else can read.
    """

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
