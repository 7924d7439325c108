"""The receiving end of Redis pub/sub: one connection, any number of channels, back by itself after any failure."""

import asyncio
from collections.abc import Callable, Collection
from typing import cast

import structlog
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError

from weft.kit.backoff import Backoff
from weft.kit.rarely import Rarely
from weft.kit.together import together

logger = structlog.stdlib.get_logger(__name__)

_CONNECT_SECONDS = 5.0
_PING_SECONDS = 10.0
"""A server from which nothing came, not even the answer to a ping, for this long is taken for dead."""


class ChannelListener:
    """redis-py's own PubSub needs one task for reading and subscribing, and hides when a subscription is confirmed;
    this needs to know exactly that, so it speaks to the connection itself.

    `on_message(channel, data)` is called for every message, `on_live(channels)` whenever Redis has confirmed
    subscriptions: from then on nothing published there is missed, until the connection is lost. Both must return at once.
    """

    def __init__(
        self,
        redis_url: str,
        on_message: Callable[[bytes, bytes], None],
        on_live: Callable[[Collection[bytes]], None],
        meanwhile: str,
    ) -> None:
        """`meanwhile` says in the log what it means that Redis is away."""
        self._pool: ConnectionPool = ConnectionPool.from_url(redis_url, socket_connect_timeout=_CONNECT_SECONDS)
        self._on_message = on_message
        self._on_live = on_live
        self._wanted: set[bytes] = set()
        self._touched: set[bytes] = set()  # what was wanted or dropped since the last commands were sent
        self._changed = asyncio.Event()
        self._subscribed: set[bytes] = set()  # as sent
        self._live: set[bytes] = set()  # as confirmed
        self._heard = False
        self._backoff = Backoff(first=0.05, longest=2.0)
        self._meanwhile = meanwhile
        self._complaint = Rarely(60)

    @property
    def channels(self) -> Collection[bytes]:
        return self._wanted

    def want(self, channel: bytes) -> None:
        self._wanted.add(channel)
        if channel in self._live:  # dropped and wanted again before anything was sent
            self._on_live((channel,))
        self._touch(channel)

    def drop(self, channel: bytes) -> None:
        self._wanted.discard(channel)
        self._touch(channel)

    def _touch(self, channel: bytes) -> None:
        self._touched.add(channel)
        self._changed.set()

    async def run(self) -> None:
        """Listens until it is cancelled."""
        try:
            while True:
                try:
                    await self._session()
                except Exception as error:  # noqa: BLE001 - whatever ends a session, the next one starts afresh
                    if self._complaint.due():
                        logger.warning("Redis cannot be listened to", meanwhile=self._meanwhile, error=repr(error))
                await asyncio.sleep(self._backoff.next())
        finally:
            await self._pool.disconnect()

    async def _session(self) -> None:
        connection = await self._pool.get_connection()
        try:
            self._heard = False
            self._subscribed.clear()
            self._live.clear()
            self._touched = set(self._wanted)
            await together(self._read(connection), self._write(connection))
        finally:
            await connection.disconnect(nowait=True)
            await self._pool.release(connection)

    async def _read(self, connection: AbstractConnection) -> None:
        while True:
            reply = cast("object", await connection.read_response(disconnect_on_error=False))
            if not self._heard:
                self._heard = True
                self._backoff.reset()
            match reply:
                case [b"message", bytes(channel), bytes(data)]:
                    self._on_message(channel, data)
                case [b"subscribe", bytes(channel), int()] if channel in self._subscribed:
                    self._live.add(channel)
                    self._on_live((channel,))
                case _:  # the answer to a ping, the confirmation of an unsubscription
                    pass

    async def _write(self, connection: AbstractConnection) -> None:
        loop = asyncio.get_running_loop()
        await self._ping(connection)
        ping_at = loop.time() + _PING_SECONDS
        while True:
            await self._send_changes(connection)
            try:
                async with asyncio.timeout_at(ping_at):
                    await self._changed.wait()
            except TimeoutError:
                if not self._heard:
                    raise RedisConnectionError(f"nothing heard for {_PING_SECONDS:g} s") from None
                self._heard = False
                await self._ping(connection)
                ping_at = loop.time() + _PING_SECONDS

    @staticmethod
    async def _ping(connection: AbstractConnection) -> None:
        await connection.send_command("PING", check_health=False)

    async def _send_changes(self, connection: AbstractConnection) -> None:
        self._changed.clear()
        touched, self._touched = self._touched, set()
        added = (touched & self._wanted) - self._subscribed
        dropped = (touched & self._subscribed) - self._wanted
        self._subscribed |= added
        self._subscribed -= dropped
        self._live -= dropped
        if added:
            await connection.send_command("SUBSCRIBE", *added, check_health=False)
        if dropped:
            await connection.send_command("UNSUBSCRIBE", *dropped, check_health=False)
