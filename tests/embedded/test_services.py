import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
from arq import create_pool
from arq.connections import RedisSettings
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from weft.embedded import (
    EmbeddedServices,
    EmbeddedServicesError,
    FolderInUseError,
    remove_data_folder,
    running_services,
)
from weft.embedded.account import services_account
from weft.embedded.binaries import find_binaries
from weft.embedded.data_folder import open_data_folder

Hold = Callable[..., Any]
Until = Callable[[Callable[[], bool]], Awaitable[None]]

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has accounts to choose from")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def set_mode(path: Path, value: int) -> None:
    path.chmod(value)


def target(path: Path) -> Path:
    return path.readlink()


async def sql(services: EmbeddedServices, statement: str) -> Any:
    engine = create_async_engine(services.database_url)
    try:
        async with engine.begin() as connection:
            result: Any = await connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        await engine.dispose()


async def redis(services: EmbeddedServices, *command: str) -> Any:
    async with Redis.from_url(services.redis_url) as client:
        return cast("Any", await client.execute_command(*command))


async def test_a_first_start_serves_postgres_18_and_valkey_9(folder: Path) -> None:
    async with EmbeddedServices(folder) as services:
        assert str(await sql(services, "SHOW server_version")).startswith("18.")
        assert await sql(services, "SELECT datlocale FROM pg_database WHERE datname = current_database()") == "C.UTF-8"
        assert await sql(services, "SHOW synchronous_commit") == "on"
        assert (await redis(services, "INFO", "server"))["valkey_version"].startswith("9.")
        queue = await create_pool(RedisSettings.from_dsn(services.redis_url))
        assert await queue.ping()
        await queue.aclose()
        pids = services.pids
    assert not any(psutil.pid_exists(pid) for pid in pids.values() if pid)


async def test_a_restart_keeps_the_data(folder: Path) -> None:
    async with EmbeddedServices(folder) as services:
        await sql(services, "CREATE TABLE kept AS SELECT 42 AS answer")
        await redis(services, "SET", "kept", "yes")
    assert running_services(folder) is None
    async with EmbeddedServices(folder) as services:
        assert await sql(services, "SELECT answer FROM kept") == 42
        assert await redis(services, "GET", "kept") == b"yes"


async def test_a_second_process_is_refused_with_the_folder_and_the_pid(folder: Path, hold: Hold) -> None:
    holder = hold(folder)
    holder.report()
    with pytest.raises(FolderInUseError, match=rf"{folder} is in use by process {holder.process.pid}:"):
        await EmbeddedServices(folder).start()
    with pytest.raises(FolderInUseError, match=f"process {holder.process.pid}"):
        remove_data_folder(folder)
    found = running_services(folder)
    assert found is not None
    assert found.pid == holder.process.pid
    async with Redis.from_url(found.redis_url) as client:
        assert await client.echo("here") == b"here"


async def test_a_path_that_no_socket_can_have_gets_its_sockets_elsewhere(open_folder: Path, until: Until) -> None:
    async with EmbeddedServices(open_folder / f"with space and 100% {'x' * 120}") as services:
        assert await sql(services, "SELECT 1") == 1
        assert await redis(services, "PING")
        sockets = Path(services.redis_url.removeprefix("unix://")).parent
        assert sockets.parent == Path("/tmp")
        assert mode(sockets) == 0o700
    await until(lambda: not sockets.exists())


async def test_a_socket_folder_that_others_can_enter_is_refused(open_folder: Path) -> None:
    data = open_data_folder(open_folder)
    data.make_socket_folder()
    set_mode(data.sockets, 0o777)
    with pytest.raises(EmbeddedServicesError, match="is not a private folder"):
        await EmbeddedServices(open_folder).start()


async def test_a_server_that_dies_is_started_again_with_its_data(folder: Path, until: Until) -> None:
    async with EmbeddedServices(folder) as services:
        await sql(services, "CREATE TABLE kept AS SELECT 42 AS answer")
        for name, first in services.pids.items():
            assert first is not None
            os.kill(first, signal.SIGKILL)
            death = f"weft: {name} (process {first}) was ended by signal 9; starting it again in 0.1 s"
            await until(lambda death=death: death in (folder / "services.log").read_text())
            async with asyncio.timeout(20):
                await services.ready()
            assert services.pids[name] not in {first, None}
        assert await sql(services, "SELECT answer FROM kept") == 42
        assert await redis(services, "PING")


@as_root
async def test_root_runs_the_servers_as_an_unprivileged_user_and_opens_no_folder(folder: Path) -> None:
    async with EmbeddedServices(folder) as services:
        for pid in services.pids.values():
            assert pid is not None
            assert psutil.Process(pid).uids().effective != 0
    assert mode(folder.parent) == 0o700
    assert target(folder / "services").parent == Path("/var/lib/weft")


@as_root
async def test_an_ordinary_user_runs_the_servers_as_itself_and_root_keeps_them_so(
    open_folder: Path, hold: Hold
) -> None:
    account = services_account(Path("/nowhere"))
    if not find_binaries().usable_by(account):
        pytest.skip("the environment is closed to ordinary users")
    os.chown(open_folder, account.uid, account.gid)
    data = open_folder / "data"
    holder = hold(data, account.uid)
    assert {psutil.Process(pid).uids().effective for pid in holder.report().values()} == {account.uid}
    assert mode(data) == 0o700
    holder.process.terminate()
    assert await asyncio.to_thread(holder.process.wait, 30) == 0
    async with EmbeddedServices(data) as services:
        pid = services.pids["postgres"]
        assert pid is not None
        assert psutil.Process(pid).uids().effective == account.uid
