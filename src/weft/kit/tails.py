"""The newest pages of what many follow, read once for all of them.

Who follows something asks for the page behind its place in it, again and again. Those who ask at the same place at the same
time are answered by one reading. The pages of whoever is furthest are kept for a while, so that those close behind need no
reading of their own; who is further behind reads for itself, at its own pace, until it has come up.

What is kept is bounded, over everything that is followed in the process: the oldest pages go first. Where nobody else follows,
nothing is kept, and when the last one leaves, nothing is left. A reading that is under way then is cancelled.
"""

import asyncio
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Generator, Hashable
from contextlib import contextmanager
from itertools import count
from typing import Any, Generic, Protocol, TypeVar

MOST_KEPT = 16 * 1024 * 1024


class Page(Protocol):
    """What stands between two places, which compare as they follow each other."""

    @property
    def begin(self) -> Any:
        """The place behind which it begins."""

    @property
    def end(self) -> Any:
        """The last place in it; that of its beginning where there is nothing."""

    @property
    def weight(self) -> int:
        """Bytes that it takes, roughly."""
        ...


P = TypeVar("P", bound=Page)


class Tail(Generic[P]):
    """Of one thing that is followed."""

    def __init__(self, shelf: "_Shelf[P]") -> None:
        self._shelf = shelf
        self._pages: list[tuple[int, P]] = []
        """With their numbers on the shelf: one behind the other, without a gap."""
        self._readings: dict[object, asyncio.Task[P]] = {}
        self._followers = 0

    async def behind(self, place: Any, read: Callable[[Any], Awaitable[P]]) -> P:
        """A page that begins at the place, or before it and ends behind it. It is empty where nothing has come.

        `read` has to give the same to everyone who follows. What it raises, all who wait for this reading get.
        """
        if (kept := self._kept(place)) is not None:
            return kept
        reading = self._readings.get(place)
        if reading is None:
            reading = self._readings[place] = asyncio.create_task(self._read(place, read))
        return await asyncio.shield(reading)

    def _kept(self, place: Any) -> P | None:
        at = bisect_right(self._pages, place, key=lambda kept: kept[1].end)
        if at == len(self._pages) or self._pages[at][1].begin > place:
            return None
        return self._pages[at][1]

    async def _read(self, place: Any, read: Callable[[Any], Awaitable[P]]) -> P:
        try:
            page = await read(place)
        finally:
            self._readings.pop(place, None)
        if self._followers > 1 and page.end > page.begin:
            self._keep(page)
        return page

    def _keep(self, page: P) -> None:
        end = self._pages[-1][1].end if self._pages else page.begin
        if page.begin < end:
            return  # of one who is behind
        if page.begin > end:
            self._clear()
        self._pages.append((self._shelf.put(self, page), page))
        self._shelf.make_room()

    def drop_oldest(self) -> P:
        return self._pages.pop(0)[1]

    def _clear(self) -> None:
        for number, page in self._pages:
            self._shelf.take(number, page)
        self._pages.clear()

    def join(self) -> None:
        self._followers += 1

    def leave(self) -> bool:
        """Whether that was the last one."""
        self._followers -= 1
        if self._followers <= 1:
            self._clear()
        if self._followers == 0:
            for reading in self._readings.values():
                reading.cancel()
        return self._followers == 0


class _Shelf(Generic[P]):
    """All pages that are kept, oldest first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._numbers = count()
        self._owners: OrderedDict[int, Tail[P]] = OrderedDict()
        self.weight = 0

    def put(self, owner: Tail[P], page: P) -> int:
        number = next(self._numbers)
        self._owners[number] = owner
        self.weight += page.weight
        return number

    def take(self, number: int, page: P) -> None:
        del self._owners[number]
        self.weight -= page.weight

    def make_room(self) -> None:
        while self.weight > self._most:
            _, owner = self._owners.popitem(last=False)
            self.weight -= owner.drop_oldest().weight


class Tails(Generic[P]):
    """One per process. Lives in one event loop; joining and leaving are plain calls."""

    def __init__(self, most_kept: int = MOST_KEPT) -> None:
        """`most_kept` is in the measure of `Page.weight`."""
        self._shelf = _Shelf[P](most_kept)
        self._tails: dict[Hashable, Tail[P]] = {}

    @property
    def followed(self) -> int:
        """How many things are."""
        return len(self._tails)

    @property
    def kept(self) -> int:
        """The weight of all pages that are."""
        return self._shelf.weight

    @contextmanager
    def joined(self, key: Hashable) -> Generator[Tail[P]]:
        """Following what has this key, for as long as the context is open."""
        tail = self._tails.get(key)
        if tail is None:
            tail = self._tails[key] = Tail(self._shelf)
        tail.join()
        try:
            yield tail
        finally:
            if tail.leave():
                del self._tails[key]
