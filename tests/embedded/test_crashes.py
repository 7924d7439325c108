"""What an unclean end leaves behind, and the next start."""

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from weft.embedded import EmbeddedServices
from weft.embedded.account import services_account
from weft.embedded.binaries import Binaries, copied_binaries, find_binaries

Hold = Callable[..., Any]
Start = Callable[..., subprocess.Popen[bytes]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]


async def test_killing_the_parent_leaves_no_orphan_and_the_next_start_works(
    folder: Path, hold: Hold, until: Until
) -> None:
    holder = hold(folder)
    pids = holder.report()
    holder.process.kill()
    async with EmbeddedServices(folder):  # at once, while the old servers may still be ending
        await until(lambda: not any(psutil.pid_exists(pid) for pid in pids.values()))


async def test_a_start_that_was_killed_during_initdb_is_made_good(folder: Path, hold: Hold, until: Until) -> None:
    holder = hold(folder)
    unfinished = folder / "services" / "postgres.unfinished"
    await until((unfinished / "base").exists)
    holder.process.kill()
    async with EmbeddedServices(folder) as services:
        assert services.pids["postgres"]
    await until(lambda: not unfinished.exists())


async def test_a_stale_pid_file_stops_neither_the_start_nor_what_it_names(folder: Path, start: Start) -> None:
    async with EmbeddedServices(folder):
        pass
    services = folder / "services"
    living, zombie = (start("/bin/sleep", seconds, cwd=services / "postgres") for seconds in (60, 0))
    for named in (living.pid, zombie.pid, "not a number"):
        for path in ("postgres/postmaster.pid", "sockets/.s.PGSQL.5432.lock", "valkey/valkey.pid"):
            (services / path).write_text(f"{named}\n")
        async with EmbeddedServices(folder) as running:
            assert running.pids["postgres"]
    assert living.poll() is None


async def test_servers_that_were_left_running_are_ended_first(folder: Path, start: Start, until: Until) -> None:
    async with EmbeddedServices(folder):
        pass
    services, binaries = (folder / "services").resolve(), find_binaries()
    user = services_account(services).user
    postgres, valkey, sockets = services / "postgres", services / "valkey", services / "sockets"
    commands = (
        (binaries.postgres, "-D", postgres, "-k", sockets, "-c", "listen_addresses="),
        (
            binaries.valkey_server,
            "--dir",
            valkey,
            "--pidfile",
            valkey / "valkey.pid",
            "--port",
            0,
            "--unixsocket",
            sockets / "v",
        ),
    )
    orphans = [start(*command, cwd=services, user=user) for command in commands]
    await until((postgres / "postmaster.pid").exists)
    await until((valkey / "valkey.pid").exists)
    async with EmbeddedServices(folder):
        assert [await asyncio.to_thread(orphan.wait, 10) for orphan in orphans] == [0, 0]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has accounts to choose from")
def test_programs_in_a_closed_folder_are_copied_to_where_the_account_can_read_them(
    tmp_path: Path, open_folder: Path
) -> None:
    account, original = services_account(tmp_path / "none"), find_binaries()
    closed = tmp_path / "packages"
    closed.symlink_to(original.packages)
    unreachable = Binaries(closed, closed / original.valkey_server.relative_to(original.packages))
    assert not unreachable.usable_by(account)
    copy = copied_binaries(unreachable, open_folder)
    assert copy.usable_by(account)
    assert copy == copied_binaries(unreachable, open_folder)
    said = subprocess.run(
        (copy.initdb, "--version"), user=account.uid, capture_output=True, text=True, check=True
    ).stdout
    assert "(PostgreSQL) 18." in said
