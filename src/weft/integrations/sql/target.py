"""What a database is reached by."""

from dataclasses import dataclass, field
from pathlib import Path

from weft.domain.datastore import DatastoreKind, TlsMode


@dataclass(frozen=True, slots=True)
class ServerTarget:
    kind: DatastoreKind
    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    tls: TlsMode


@dataclass(frozen=True, slots=True)
class FileTarget:
    """A SQLite file; it is made when it is not there."""

    path: Path
    kind: DatastoreKind = DatastoreKind.SQLITE


Target = ServerTarget | FileTarget
