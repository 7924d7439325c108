"""A door before Postgres: shut, it is away for those behind it, as in a restart, and nobody else notices."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import make_url


class Door:
    def __init__(self, folder: Path, database_url: str) -> None:
        url = make_url(database_url)
        name = f".s.PGSQL.{url.query['port']}"
        self._behind = Path(str(url.query["host"])) / name
        self._socket = folder / name
        self.url = url.update_query_dict({"host": str(folder)}).render_as_string(hide_password=False)
        self._server: asyncio.Server | None = None
        self._passing: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        self._server = await asyncio.start_unix_server(self._pass, self._socket)

    async def shut(self) -> None:
        """Connections break, and new ones find no socket."""
        if self._server is not None:
            self._server.close()
        self._socket.unlink(missing_ok=True)
        passing = list(self._passing)
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_unix_connection(self._behind)
        except OSError:
            writer.close()
            return
        for source, target in ((reader, inner_writer), (inner_reader, writer)):
            task = asyncio.create_task(_carry(source, target))
            self._passing.add(task)
            task.add_done_callback(self._passing.discard)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
    finally:
        target.close()
        with contextlib.suppress(ConnectionError):
            await target.wait_closed()


@asynccontextmanager
async def door(database_url: str) -> AsyncGenerator[Door]:
    """Open at first. Not in pytest's own folder: with a long user name its path is too long for sockets."""
    with tempfile.TemporaryDirectory(prefix="weft-door-") as folder:
        opened = Door(Path(folder), database_url)
        await opened.open()
        yield opened
        await opened.shut()
