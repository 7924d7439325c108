"""The database engine: its pool, its transactions, and which of its errors pass."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import orjson
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from weft.domain.errors import Invalid
from weft.kit.json import dumps
from weft.storage.connections import StatementLimits, connect_arguments, notice_silence

CHARACTER_NOT_IN_REPERTOIRE = "22021"
"""The SQLSTATE of a NUL in a text: Postgres knows none."""


DATABASE_IS_AWAY = (DBAPIError, PoolTimeoutError, OSError, TimeoutError)
"""What a statement raises while Postgres restarts, has no room, or cannot be reached: it is asked again later."""


class Database:
    """A pool of connections. One connection serves one transaction; nothing holds one while it waits for another."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @classmethod
    def connect(
        cls, url: str, *, pool_size: int = 10, statement_cache: bool = True, limits: StatementLimits | None = None
    ) -> "Database":
        """`statement_cache=False` behind a pooler in transaction mode, where prepared statements do not survive.

        Raises ValueError for a URL that cannot be read.
        """
        engine = create_async_engine(
            _as_the_driver_spells(url),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=30,
            pool_pre_ping=False,
            pool_recycle=1800,
            json_serializer=dumps,
            json_deserializer=orjson.loads,
            connect_args=connect_arguments(limits, pooler=not statement_cache),
        )
        notice_silence(engine)
        return cls(engine)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction: committed at the end, rolled back when anything is raised."""
        with _unstorable_text_told():
            async with self.engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """One connection whose statements each see the newest committed state."""
        with _unstorable_text_told():
            async with self.engine.connect() as connection:
                autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
                yield autocommit

    @asynccontextmanager
    async def snapshot(self) -> AsyncGenerator[AsyncConnection]:
        """One connection whose statements all see the same committed state. For reading only."""
        with _unstorable_text_told():
            async with self.engine.connect() as connection:
                repeatable = await connection.execution_options(isolation_level="REPEATABLE READ")
                async with repeatable.begin():
                    yield repeatable

    async def close(self) -> None:
        await self.engine.dispose()


def _as_the_driver_spells(text: str) -> URL:
    """Providers hand out URLs with libpq's `sslmode`, which asyncpg calls `ssl`."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise ValueError(str(error)) from error
    if (mode := url.query.get("sslmode")) is None:
        return url
    return url.difference_update_query(("sslmode",)).update_query_dict({"ssl": mode})


@contextmanager
def _unstorable_text_told() -> Generator[None]:
    """A NUL in any text that a caller gave, wherever nobody looked for it before, is the caller's mistake and no fault."""
    try:
        yield
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != CHARACTER_NOT_IN_REPERTOIRE:
            raise
        raise Invalid("A text in this request holds the character NUL, which no text may hold.") from error


# Connection lost; a transaction that took too long (idle, or as a whole); rolled back; out of resources; not in the
# needed state; operator; system.
_PASSING = ("08", "25P03", "25P04", "40", "53", "55", "57", "58")


def is_passing(error: Exception) -> bool:
    """Whether the same statement may succeed later: classes of SQLSTATE, see PostgreSQL's appendix "Error Codes"."""
    if not isinstance(error, DBAPIError) or error.connection_invalidated or isinstance(error, InterfaceError):
        return True
    if isinstance(error, DataError):
        return False
    state = getattr(error.orig, "sqlstate", None)
    return state is None or state.startswith(_PASSING)


def in_short(error: Exception) -> str:
    """The first line of an error: SQLAlchemy's go on with the statement and its values, which may be anybody's data."""
    return str(error).partition("\n")[0]
