"""One guarded connection to a database elsewhere.

The host was named by somebody of a workspace. Its name is resolved here, every address is checked, and the connection is
made to the address that was checked, so that a name cannot lead elsewhere a moment later. TLS still verifies the name.
Nothing of the operator's own environment (password files, variables, sockets) takes part.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import aiomysql
import aiosqlite
import asyncpg
import pymysql
from pymysql.constants import CLIENT

from weft.domain.datastore import DatastoreKind, TlsMode
from weft.domain.step import Fail
from weft.integrations.addresses import AllowedHosts
from weft.integrations.sql.errors import lost
from weft.integrations.sql.target import FileTarget, ServerTarget, Target

CONNECT_SECONDS = 10.0
STATEMENT_SECONDS = 30.0
SQLITE_WAIT_SECONDS = 5.0
"""For another writer of the same file."""
_MOST_ADDRESSES = 4


class NamedContext(ssl.SSLContext):
    """Verifies one name, whatever address the connection goes to."""

    name: str

    def wrap_bio(self, incoming: Any, outgoing: Any, server_side: bool = False, server_hostname: Any = None, session: Any = None) -> Any:  # fmt: skip
        del server_hostname
        return super().wrap_bio(incoming, outgoing, server_side, self.name, session)


class _MySqlConnection(aiomysql.Connection):
    async def _request_authentication(self) -> None:
        # The library would go on in the clear, and answer whatever question about the password is asked there.
        if self._ssl_context and not self.server_capabilities & CLIENT.SSL:  # pyright: ignore[reportOptionalOperand, reportUnknownMemberType, reportUnknownVariableType] - the library has no types
            raise Fail("The MySQL server offers no TLS.", code="DATASTORE_REFUSED")
        await super()._request_authentication()

    def escape(self, obj: Any) -> Any:
        # The library takes its way of writing bytes from another one, in which it is no function any more.
        return f"X'{obj.hex()}'" if isinstance(obj, bytes) else super().escape(obj)


def opener(target: Target, allowed: AllowedHosts) -> Callable[..., Awaitable[Any]]:
    """What makes a connection of the driver. It raises `Fail` and `Retry` in our words, and never shows the password."""

    async def opened(*_: Any, **__: Any) -> Any:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if isinstance(target, FileTarget):
                    return await _open_file(target)
                return await _open_server(target, allowed)
        except ssl.SSLError as error:
            raise Fail(f"The certificate or encryption of {_name(target)} is not valid.", code="DATASTORE_REFUSED") from error  # fmt: skip
        except asyncpg.PostgresError as error:
            raise _refused(str(error), passing=_state(error).startswith(("08", "53", "57"))) from None
        except pymysql.err.MySQLError as error:
            raise _mysql_refused(error) from None
        except (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            raise lost(error) from None

    return opened


async def _open_file(target: FileTarget) -> aiosqlite.Connection:
    connection = aiosqlite.connect(target.path, timeout=SQLITE_WAIT_SECONDS, isolation_level=None)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does: a lost connection must not keep the process alive
    return await connection


async def _open_server(target: ServerTarget, allowed: AllowedHosts) -> Any:
    connect = _open_postgres if target.kind is DatastoreKind.POSTGRESQL else _open_mysql
    addresses = await _addresses(target, allowed)
    for number, address in enumerate(addresses):
        try:
            return await connect(target, address)
        except OSError:
            if number == len(addresses) - 1:
                raise
    raise OSError("no address")


async def _open_postgres(target: ServerTarget, address: str) -> Any:
    return await asyncpg.connect(  # pyright: ignore[reportUnknownVariableType] - the library has no types
        host=address,
        port=target.port,
        user=target.user,
        password=target.password,  # "" rather than None, for which the operator's own would be looked up
        database=target.database,
        ssl=tls_of(target) or False,
        command_timeout=STATEMENT_SECONDS,
        statement_cache_size=0,  # a pooler in transaction mode loses prepared statements
        target_session_attrs="any",
    )


async def _open_mysql(target: ServerTarget, address: str) -> aiomysql.Connection:
    connection = _MySqlConnection(
        host=address,
        port=target.port,
        user=target.user,
        password=target.password,
        db=target.database,
        charset="utf8mb4",
        ssl=tls_of(target),
        connect_timeout=CONNECT_SECONDS,
        sql_mode="'TRADITIONAL'",  # what does not fit is refused, not cut off
        init_command=f"SET SESSION innodb_lock_wait_timeout = {round(STATEMENT_SECONDS)}, time_zone = '+00:00'",
        autocommit=True,
    )
    await connection._connect()  # noqa: SLF001 - as the library's own `connect` does
    return connection


async def _addresses(target: ServerTarget, allowed: AllowedHosts) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OSError("the name does not resolve") from error
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if allowed.has_host(target.host, target.port):
        return addresses[:_MOST_ADDRESSES]
    if any(allowed.refusal(address) is not None for address in addresses):
        raise Fail(
            f"Connections to {target.host} are refused: it leads to an address that is not public. "
            "An administrator can allow it with WEFT_ALLOWED_HOSTS.",
            code="ADDRESS_REFUSED",
        )
    return addresses[:_MOST_ADDRESSES]


def tls_of(target: ServerTarget) -> ssl.SSLContext | None:
    if target.tls is TlsMode.OFF:
        return None
    context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.name = target.host
    if target.tls is TlsMode.VERIFIED:
        context.load_default_certs()
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _mysql_refused(error: pymysql.err.MySQLError) -> Exception:
    number = error.args[0] if error.args else 0
    below = error.__cause__
    if isinstance(below, ssl.SSLError):
        return Fail("The certificate or encryption of the server is not valid.", code="DATASTORE_REFUSED")
    if isinstance(number, int) and 2000 <= number < 3000:  # noqa: PLR2004 - the client's own errors: the network
        return lost(error)
    return _refused(str(error.args[1] if len(error.args) > 1 else error), passing=number in {1040, 1053, 1203})


def _state(error: asyncpg.PostgresError) -> str:
    return getattr(error, "sqlstate", None) or ""


def _refused(words: str, *, passing: bool) -> Exception:
    if passing:
        return lost(ConnectionError())
    return Fail(f"The database server refuses the connection: {words[:300]}", code="DATASTORE_REFUSED")


def _name(target: Target) -> str:
    return target.host if isinstance(target, ServerTarget) else "the file"
