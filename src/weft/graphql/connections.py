"""What clients hold open in this process, websockets and event streams: how many there are, and of whom.

    with connections.open(address, key_id) as connection: ...        # an event stream knows its key at once,
    with connections.open(address) as connection:                    # a websocket is counted from its handshake on,
        connection.belongs_to(key_id)                                # and by its key when that has come

Each process counts for itself: the limits protect its memory, and one more process takes as many again. A refusal is a
`RateLimited`: it is of the moment, and clients are to come back later, each after a pause of its own.
"""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeVar

import structlog

from weft.domain.errors import RateLimited
from weft.domain.ids import UUID
from weft.kit.even_rate import EvenRate
from weft.kit.networks import network_of
from weft.kit.rarely import Rarely

logger = structlog.stdlib.get_logger(__name__)

T = TypeVar("T")

COME_BACK_SECONDS = 10.0
OPENED_AT_ONCE, OPENED_PER_MINUTE = 2, 10
"""How often each of an address's connections may be opened anew. After a restart all of them come at once."""
FEW = 10
"""Added to the connections of an address, so that who may have one or two is told why there is no third."""
MOST_NETWORKS = 10_000


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """The most that may be open at a time; 0 for no limit."""

    in_all: int = 0
    per_address: int = 0
    per_key: int = 0


class Floods(RateLimited):
    """Connections are opened too fast from this address."""


class Connection:
    """One websocket or event stream. It is open until `with` is left."""

    __slots__ = ("_connections", "_key_id", "_network", "_tell")

    def __init__(self, connections: "Connections", network: str | None) -> None:
        self._connections = connections
        self._network = network
        self._key_id: UUID | None = None
        self._tell: Callable[[], None] | None = None

    def on_restart(self, tell: Callable[[], None]) -> None:
        """`tell` is called when the process begins to stop, to tell the client: now, where it did meanwhile."""
        self._tell = tell
        if self._connections.stopping:
            tell()

    def restart(self) -> None:
        if self._tell is not None:
            self._tell()

    def belongs_to(self, key_id: UUID) -> None:
        """Whose it is. Raises RateLimited where the key has as many as it may."""
        if self._key_id is None:
            self._connections.count_key(key_id)
            self._key_id = key_id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._connections.forget(self, self._network, self._key_id)


class Connections:
    """One per process."""

    def __init__(self, limits: ConnectionLimits, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._open: set[Connection] = set()
        self._of_network = Counter[str]()
        self._of_key = Counter[UUID]()
        most = limits.per_address + FEW
        pace = EvenRate.per_minute(OPENED_PER_MINUTE * most, OPENED_AT_ONCE * most)
        self._pace = pace if limits.per_address else None
        self._till: OrderedDict[str, int] = OrderedDict()
        self.stopping = False
        self._complaint = Rarely(60)

    def __len__(self) -> int:
        return len(self._open)

    def open(self, address: str | None, key_id: UUID | None = None) -> Connection:
        """One more, until its `with` is left. Raises RateLimited, and Floods where its address should cost nothing more."""
        network = None if address is None else network_of(address)
        if network is not None:
            self._keep_pace(network)
        if self.stopping:
            raise _later("This process is stopping: connect again, to another one.")
        most = self._limits
        if 0 < most.in_all <= len(self._open):
            raise _later("This process has as many connections as it can hold.")
        if network is not None and 0 < most.per_address <= self._of_network[network]:
            if self._complaint.due():
                logger.warning(
                    "An address has as many connections as it may. If it is a proxy, name it in WEFT_TRUSTED_PROXIES.",
                    address=address,
                    connections=most.per_address,
                )
            raise _later(f"This address has {most.per_address:,} connections, as many as it may.")
        connection = Connection(self, network)
        if key_id is not None:
            connection.belongs_to(key_id)
        self._open.add(connection)
        if network is not None:
            self._of_network[network] += 1
        return connection

    def restart(self) -> None:
        """The process begins to stop: websockets are told, and nothing more is opened."""
        self.stopping = True
        for connection in list(self._open):
            connection.restart()

    def count_key(self, key_id: UUID) -> None:
        if 0 < self._limits.per_key <= self._of_key[key_id]:
            raise _later(f"This API key has {self._limits.per_key:,} connections, as many as it may.")
        self._of_key[key_id] += 1

    def forget(self, connection: Connection, network: str | None, key_id: UUID | None) -> None:
        self._open.discard(connection)
        if network is not None:
            _one_less(self._of_network, network)
        if key_id is not None:
            _one_less(self._of_key, key_id)

    def _keep_pace(self, network: str) -> None:
        if self._pace is None:
            return
        now = int(self._monotonic() * 1_000_000)
        till = self._till.get(network, 0)
        if wait := self._pace.wait(till, now):
            raise Floods(retry_after_seconds=wait / 1_000_000)
        self._till[network] = self._pace.after(till, now)
        self._till.move_to_end(network)
        if len(self._till) > MOST_NETWORKS:
            self._till.popitem(last=False)


def _later(message: str) -> RateLimited:
    return RateLimited(message, retry_after_seconds=COME_BACK_SECONDS)


def _one_less(counter: Counter[T], name: T) -> None:
    counter[name] -= 1
    if not counter[name]:
        del counter[name]  # what nobody has open takes no memory
