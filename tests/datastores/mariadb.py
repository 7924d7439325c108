"""A MariaDB or MySQL of this machine, started for the tests where its server is installed."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiomysql
import psutil
import pymysql

from weft.cli.up import free_port
from weft.kit.process import Command, spawn

SERVERS = ("mariadbd", "mysqld")


def server() -> str | None:
    folders = "/usr/sbin:/usr/local/sbin:/usr/libexec"
    return next((found for name in SERVERS if (found := shutil.which(name) or shutil.which(name, path=folders))), None)


@asynccontextmanager
async def running(binary: str, folder: Path) -> AsyncGenerator[int]:
    """Its port. Root may connect without a password, from this machine only."""
    data, port = folder / "data", free_port("127.0.0.1", 0)
    who = f"--user={psutil.Process().username()}"
    if "maria" in binary:
        install = shutil.which("mariadb-install-db") or "mariadb-install-db"
        made = (install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal", who)
    else:
        made = (binary, "--no-defaults", "--initialize-insecure", f"--datadir={data}", who)
    await asyncio.to_thread(subprocess.run, made, check=True, capture_output=True, timeout=60)
    arguments = (f"--datadir={data}", f"--socket={folder}/sock", f"--port={port}", "--bind-address=127.0.0.1", who)
    with (folder / "log").open("wb") as log:
        child = spawn(Command((binary, "--no-defaults", *arguments, f"--pid-file={folder}/pid")), log)
    try:
        async with asyncio.timeout(60):
            while not await _answers(port):
                assert child.running, (folder / "log").read_text(errors="replace")
                await asyncio.sleep(0.05)
        yield port
    finally:
        await child.stop(20)


async def _answers(port: int) -> bool:
    try:
        connection = cast("Any", await aiomysql.connect(host="127.0.0.1", port=port, user="root"))
    except pymysql.err.MySQLError:
        return False
    connection.close()
    return True
