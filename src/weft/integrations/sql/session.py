"""What a write asks of a connection: one transaction, savepoints in it, rows, and marks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from weft.integrations.sql.marks import Place

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where rows go, and how."""

    schema: str | None
    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    """Upsert by these; empty for an insert."""


class Session(Protocol):
    """All of it raises the driver's errors (`errors.meaning`)."""

    async def begin(self) -> None: ...

    async def commit(self) -> None: ...

    async def rollback(self) -> None: ...

    async def save(self) -> None:
        """A savepoint; there is one at a time."""
        ...

    async def undo(self) -> None:
        """Back to the savepoint."""
        ...

    async def put(self, rows: Sequence[Row]) -> None: ...

    async def make_marks(self) -> None:
        """The table of marks, where it is not there."""
        ...

    async def marks(self, places: Sequence[Place]) -> Mapping[Place, bytes]:
        """The bits of these places, each locked until the transaction ends."""
        ...

    async def keep_marks(self, marks: Mapping[Place, bytes]) -> None: ...
