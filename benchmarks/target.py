"""A PostgreSQL of its own on a port of this machine, as a database of others is: what `store` writes into."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import asyncpg

from weft.cli.up import free_port
from weft.embedded.binaries import copied_binaries, find_binaries
from weft.embedded.data_folder import make_root, make_shared_folder, open_data_folder
from weft.embedded.postgres import Postgres
from weft.embedded.supervisor import Supervisor
from weft.kit.process import Command

USER = DATABASE = "weft"
TABLE = """CREATE TABLE IF NOT EXISTS customer_total (
  name text PRIMARY KEY, city text NOT NULL, amount numeric NOT NULL, quantity integer NOT NULL, notes text, tags jsonb)"""


@dataclass(frozen=True)
class _Reachable(Postgres):
    """Beside its socket it listens on this machine's loopback address."""

    port: int = 0
    name: str = "target"

    @property
    def command(self) -> Command:
        command = super().command
        more = ("-c", "listen_addresses=127.0.0.1", "-c", f"port={self.port}")
        return replace(command, argv=(*command.argv, *more))

    async def is_ready(self) -> bool:
        try:
            await (await _connect(self.port, "postgres")).close()
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class TargetServer:
    port: int
    connection: asyncpg.Connection


@asynccontextmanager
async def target_server(folder: Path) -> AsyncGenerator[TargetServer]:
    async with AsyncExitStack() as closing:
        data = open_data_folder(make_root(folder))
        data.make_socket_folder()
        closing.callback(data.leave_no_socket_folder)
        binaries = find_binaries()
        if not binaries.usable_by(data.account):
            binaries = copied_binaries(binaries, make_shared_folder())
        port = free_port("127.0.0.1", 0)
        log = closing.enter_context(data.log.open("ab"))
        server = Supervisor(_Reachable(data, binaries, durable=True, port=port), log, grace_seconds=20)
        await server.start()
        closing.push_async_callback(server.stop)
        connection = await _connect(port, "postgres")
        await connection.execute(f"CREATE DATABASE {DATABASE}")
        await connection.close()
        connection = await _connect(port, DATABASE)
        closing.callback(connection.terminate)
        await connection.execute(TABLE)
        yield TargetServer(port, connection)


async def _connect(port: int, database: str) -> asyncpg.Connection:
    return cast(
        "asyncpg.Connection",
        await asyncpg.connect(host="127.0.0.1", port=port, user=USER, database=database, timeout=5),
    )
