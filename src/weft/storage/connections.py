"""How a connection to Postgres behaves when the other side falls silent.

A network that loses everything says nothing. The kernel notices it for every connection: probes while it is quiet, and
a limit on what is sent and never acknowledged. Where something between still acknowledges, only a limit on the
statement helps: workers have one, since all of theirs are short. What people start (a run of a million entities, an
import, a migration) may take its time.

The other way round, a process that stands still within a transaction, or whose machine is gone without a word, would keep
its locks, and nobody else could write into the run that it was writing into: the server ends its session.
"""

import socket
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine

CONNECT_SECONDS = 10.0
QUIET_SECONDS = 10
"""Before the first probe."""
PROBE_SECONDS = 5
PROBES = 3
SENT_IN_VAIN = timedelta(seconds=25)
"""About what the probes take together."""
ANSWER_MARGIN = timedelta(seconds=1)
"""The server's limit comes first: it frees locks, and tells which statement it was."""


STANDING_STILL = timedelta(seconds=5)
"""Nothing of ours waits within a transaction."""


@dataclass(frozen=True, slots=True)
class StatementLimits:
    """For connections whose statements are all short."""

    statement: timedelta
    standing_still: timedelta = STANDING_STILL
    """Within a transaction, between two statements."""


def connect_arguments(limits: StatementLimits | None, *, pooler: bool) -> dict[str, Any]:
    """For the driver. A pooler in transaction mode loses prepared statements, and refuses settings: it has its own."""
    arguments: dict[str, Any] = {"timeout": CONNECT_SECONDS}
    if limits is not None:
        arguments["command_timeout"] = (limits.statement + ANSWER_MARGIN).total_seconds()
    if pooler:
        return arguments | {"prepared_statement_cache_size": 0, "statement_cache_size": 0}
    settings = {
        "idle_in_transaction_session_timeout": _milliseconds(limits.standing_still if limits else STANDING_STILL)
    }
    if limits is not None:
        settings["statement_timeout"] = _milliseconds(limits.statement)
        # A COPY whose rows do not come is neither idle nor one statement after the other.
        settings["transaction_timeout"] = _milliseconds(limits.statement + limits.standing_still)
    return arguments | {"server_settings": settings}


def notice_silence(engine: AsyncEngine) -> None:
    """Lets the kernel watch every connection that the engine makes."""

    def watch(connection: DBAPIConnection, _record: object) -> None:
        # asyncpg has no public way to its socket, and sets none of this itself.
        raw: socket.socket | None = connection.driver_connection._transport.get_extra_info("socket")  # noqa: SLF001 - as said
        if raw is not None and raw.family in {socket.AF_INET, socket.AF_INET6}:
            _watch(raw)

    event.listen(engine.sync_engine, "connect", watch)


def _watch(raw: socket.socket) -> None:
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", QUIET_SECONDS),
        ("TCP_KEEPINTVL", PROBE_SECONDS),
        ("TCP_KEEPCNT", PROBES),
        ("TCP_USER_TIMEOUT", SENT_IN_VAIN // timedelta(milliseconds=1)),
    ):
        if (option := getattr(socket, name, None)) is not None:  # Linux has all of them, others some
            raw.setsockopt(socket.IPPROTO_TCP, option, value)


def _milliseconds(length: timedelta) -> str:
    return str(length // timedelta(milliseconds=1))
