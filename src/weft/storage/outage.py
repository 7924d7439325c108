"""Postgres away for a while: what a caller is told, and what the log. It is no fault whose stack anybody needs."""

import asyncpg
import structlog

from weft.kit.rarely import Rarely
from weft.storage.database import DATABASE_IS_AWAY, in_short, is_passing

DISK_FULL = "53100"
"""The SQLSTATE: Postgres answers, but cannot write."""

_AWAY = "The database cannot be reached for the moment: try again soon."
_FULL = "The server has no room left on its disk. Once there is some again, try again."

logger = structlog.stdlib.get_logger(__name__)
# Every field of every request runs into an outage; a line a second says as much.
_complaint = Rarely(1)


def outage(error: Exception | None) -> str | None:
    """What to tell the caller, if this error means that the same request may succeed soon. None for any other error."""
    # The driver's own confusion, when a connection breaks in the middle of an answer, reaches us as it is.
    if not isinstance(error, (*DATABASE_IS_AWAY, asyncpg.InternalClientError)) or not is_passing(error):
        return None
    return _FULL if getattr(getattr(error, "orig", None), "sqlstate", None) == DISK_FULL else _AWAY


def note_outage(error: Exception) -> None:
    if _complaint.due():
        logger.warning("The database is away.", kind=type(error).__name__, error=in_short(error))
