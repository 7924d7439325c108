"""Wrong API keys, counted by the network address that they came from, so that nobody tries keys by the thousand.

No key is ever guessed: this keeps the trying from being work for the database. Kept by each process for itself.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from weft.domain.errors import RateLimited
from weft.kit.even_rate import EvenRate
from weft.kit.networks import network_of

RATE = EvenRate.per_minute(60, burst=30)
MOST_ADDRESSES = 10_000


class Guesses:
    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._till: OrderedDict[str, int] = OrderedDict()

    def charge(self, address: str) -> None:
        """A key comes that is not known here: it counts as wrong until it is found. Raises RateLimited."""
        network, now = network_of(address), self._now()
        till = self._till.get(network, 0)
        if wait := RATE.wait(till, now):
            raise RateLimited("Too many wrong API keys came from this address.", retry_after_seconds=wait / 1_000_000)
        self._till[network] = RATE.after(till, now)
        self._till.move_to_end(network)
        if len(self._till) > MOST_ADDRESSES:
            self._till.popitem(last=False)

    def refund(self, address: str) -> None:
        """It was a good one."""
        network = network_of(address)
        if network in self._till:
            self._till[network] -= RATE.each_us

    def _now(self) -> int:
        return int(self._monotonic() * 1_000_000)
