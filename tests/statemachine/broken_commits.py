"""Commits whose answer never comes: the connection breaks before the commit, or just behind it."""

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine
from statemachine.counterpart import Fault


@contextmanager
def breaking(engine: AsyncEngine, fault: Fault | None) -> Generator[None]:
    """The next commit raises, once; `BEHIND_THE_COMMIT` it has gone through all the same."""
    if fault is None:
        yield
        return
    broken: list[Connection] = []

    def break_once(connection: Connection) -> None:
        if broken:
            return
        broken.append(connection)
        if fault is Fault.BEHIND_THE_COMMIT:
            connection.connection.commit()
        raise ConnectionResetError("The connection broke at the commit.")

    event.listen(engine.sync_engine, "commit", break_once)
    try:
        yield
    finally:
        event.remove(engine.sync_engine, "commit", break_once)
