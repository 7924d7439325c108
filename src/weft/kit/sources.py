"""What several watch at a time is made once for all of them, and ends with the last one who leaves."""

from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar, cast


class Source(Protocol):
    def begin(self) -> None: ...

    def end(self) -> None: ...


S = TypeVar("S", bound=Source)


class Sources:
    """One per process. Lives in one event loop; joining and leaving are plain calls."""

    def __init__(self) -> None:
        self._sources: dict[Hashable, Source] = {}
        self._users: dict[Hashable, int] = {}

    def __len__(self) -> int:
        return len(self._sources)

    def find(self, key: Hashable) -> Source | None:
        """None where nobody watches."""
        return self._sources.get(key)

    @contextmanager
    def joined(self, key: Hashable, make: Callable[[], S]) -> Generator[S]:
        """The source with this key, for as long as the context is open. `make` is called where there is none yet, so what it makes
        has to depend on nothing but the key.
        """
        if key not in self._sources:
            made = make()
            made.begin()
            self._sources[key], self._users[key] = made, 0
        source = self._sources[key]
        self._users[key] += 1
        try:
            yield cast("Any", source)
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._sources[key], self._users[key]
                source.end()
