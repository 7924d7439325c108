"""Whether a text was seen before, among any number of texts, in little memory."""

from array import array
from collections.abc import Iterable, Iterator
from itertools import islice

_SHARDS = 256
"""Each grows by itself, in a few milliseconds at ten million texts."""
_FULLEST = 0.6
_SLICE = 2_000


class SeenTexts:
    """Remembers 64-bit fingerprints: 8 bytes a text, 13 to 27 more once texts are compared, where a set takes 150.

    Two texts with the same fingerprint would be taken for one: at ten million texts the chance is 1 to 370,000.
    """

    def __init__(self) -> None:
        self._remembered = array("q")
        self._compared = 0
        """How many of the remembered ones stand in the tables."""
        # Hash tables with open addressing, 0 marking a free place.
        self._shards = [array("q", bytes(8 * 64)) for _ in range(_SHARDS)]
        self._room = [int(_FULLEST * 64)] * _SHARDS

    def remember(self, texts: Iterable[str]) -> None:
        """Take the texts for seen, which is asked by nobody yet: a tenth of the time that `add` takes."""
        self._remembered.extend(map(hash, texts))  # keyed by the process: nobody can prepare collisions

    def catch_up(self) -> Iterator[None]:
        """Make all remembered texts known to `add`, in slices of about a millisecond."""
        while self._compared < len(self._remembered):
            start, self._compared = self._compared, min(self._compared + _SLICE, len(self._remembered))
            for fingerprint in islice(self._remembered, start, self._compared):
                self._add(fingerprint)
            yield

    def add(self, text: str) -> bool:
        """Whether the text is new."""
        return self._add(hash(text))

    def _add(self, fingerprint: int) -> bool:
        fingerprint = fingerprint or 1
        shard = fingerprint % _SHARDS
        places = self._shards[shard]
        last = len(places) - 1
        at = (fingerprint // _SHARDS) & last
        while found := places[at]:
            if found == fingerprint:
                return False
            at = (at + 1) & last
        places[at] = fingerprint
        self._room[shard] -= 1
        if not self._room[shard]:
            self._grow(shard)
        return True

    def _grow(self, shard: int) -> None:
        old = self._shards[shard]
        places = self._shards[shard] = array("q", bytes(2 * 8 * len(old)))
        last = len(places) - 1
        for fingerprint in old:
            if fingerprint:
                at = (fingerprint // _SHARDS) & last
                while places[at]:
                    at = (at + 1) & last
                places[at] = fingerprint
        self._room[shard] = int(_FULLEST * len(old))
