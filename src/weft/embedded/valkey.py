"""Valkey: the queue's and the hints' server, on a socket, with an append-only file."""

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from weft.embedded.binaries import Binaries
from weft.embedded.data_folder import DataFolder
from weft.embedded.leftovers import end_leftovers
from weft.embedded.service import ENVIRONMENT
from weft.kit.process import Command


@dataclass(frozen=True)
class Valkey:
    data: DataFolder
    binaries: Binaries
    durable: bool
    name: str = "valkey"

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def command(self) -> Command:
        keep = ("--appendonly", "yes", "--appendfsync", "everysec") if self.durable else ("--appendonly", "no")
        return Command(
            argv=(
                *(str(self.binaries.valkey_server), "--port", "0", "--daemonize", "no", "--loglevel", "warning"),
                *("--unixsocket", str(self._socket), "--unixsocketperm", "700"),
                *("--dir", str(self._folder), "--pidfile", str(self._pid_file), "--save", "", *keep),
            ),
            env=ENVIRONMENT,
            cwd=self.data.services,
            user=self.data.account.user,
            death_signal=signal.SIGTERM,
        )

    async def prepare(self, log: IO[bytes]) -> None:  # noqa: ARG002 - the protocol of every service
        """Ends a server that was left behind: two of them would write the same append-only file."""
        self.data.account.make_private_folder(self._folder)
        if self._pid_file.exists():
            await asyncio.to_thread(end_leftovers, self._folder, "valkey-server", signal.SIGTERM)
            self._pid_file.unlink(missing_ok=True)
        self._socket.unlink(missing_ok=True)

    async def is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_unix_connection(self._socket)
            try:
                writer.write(b"PING\r\n")
                return (await asyncio.wait_for(reader.readline(), 5)).startswith(
                    b"+PONG"
                )  # -LOADING while it reads its file
            finally:
                writer.close()
        return False

    @property
    def _folder(self) -> Path:
        return self.data.services / "valkey"

    @property
    def _pid_file(self) -> Path:
        return self._folder / "valkey.pid"

    @property
    def _socket(self) -> Path:
        return self.data.sockets / "valkey.sock"
