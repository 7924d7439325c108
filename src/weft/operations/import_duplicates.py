"""Whether a text was seen before, among any number of texts, in little memory."""

from array import array

_SHARDS = 256
"""Each grows by itself, in a few milliseconds at ten million texts."""
_FULLEST = 0.6


class SeenTexts:
    """Remembers 64-bit fingerprints: 13 to 27 bytes a text, where a set of texts takes 150.

    Two texts with the same fingerprint would be taken for one: at ten million texts the chance is 1 to 370,000.
    """

    def __init__(self) -> None:
        # Hash tables with open addressing, 0 marking a free place.
        self._shards = [array("Q", bytes(8 * 64)) for _ in range(_SHARDS)]
        self._room = [int(_FULLEST * 64)] * _SHARDS

    def add(self, text: str) -> bool:
        """Whether the text is new."""
        fingerprint = hash(text) & 0xFFFF_FFFF_FFFF_FFFF or 1  # keyed by the process: nobody can prepare collisions
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
        places = self._shards[shard] = array("Q", bytes(2 * 8 * len(old)))
        last = len(places) - 1
        for fingerprint in old:
            if fingerprint:
                at = (fingerprint // _SHARDS) & last
                while places[at]:
                    at = (at + 1) & last
                places[at] = fingerprint
        self._room[shard] = int(_FULLEST * len(old))
