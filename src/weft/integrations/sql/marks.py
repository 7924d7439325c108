"""Which rows were written before: one bit per item, in the table `weft_stored` beside the target.

An idempotency key names a run, an item's number and a step. Neighbours share a row: a scope (run and step), a bucket
of 256 numbers, and their bits. The row is locked while bits are added, so that two workers with the same items cannot
both find them missing.

Old rows may be deleted once their runs are finished: `DELETE FROM weft_stored WHERE at < …`.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

MARKS = "weft_stored"
NUMBERS_PER_BUCKET = 256
_BYTES = NUMBERS_PER_BUCKET // 8
_MOST_DIGITS = 15
_LONGEST_SCOPE = 200

TABLE = {
    "postgresql": "CREATE TABLE IF NOT EXISTS {table} (scope text NOT NULL, bucket bigint NOT NULL, bits bytea NOT NULL, "
    "at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (scope, bucket))",
    "mysql": "CREATE TABLE IF NOT EXISTS {table} (scope varchar(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, "
    "bucket bigint NOT NULL, bits varbinary(32) NOT NULL, at timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP, "
    "PRIMARY KEY (scope, bucket)) ENGINE=InnoDB",
    "sqlite": "CREATE TABLE IF NOT EXISTS {table} (scope text NOT NULL, bucket integer NOT NULL, bits blob NOT NULL, "
    "at text NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (scope, bucket))",
}


class Place(NamedTuple):
    scope: str
    bucket: int


class Mark(NamedTuple):
    place: Place
    bit: int


def marks_of(keys: Iterable[str]) -> list[Mark]:
    """In the order of the keys. Neighbours share their places."""
    places: dict[tuple[str, str, int], Place] = {}
    marks: list[Mark] = []
    for key in keys:
        run, number, step = _parts(key)
        bucket, bit = divmod(number, NUMBERS_PER_BUCKET)
        place = places.get((run, step, bucket))
        if place is None:
            place = places[run, step, bucket] = Place(_scope(run, step), bucket)
        marks.append(Mark(place, bit))
    return marks


def _parts(key: str) -> tuple[str, int, str]:
    """Run, number and step. A key that names no number has a place of its own."""
    before, _, step = key.rpartition(":")
    run, _, number = before.rpartition(":")
    if run and step and len(number) <= _MOST_DIGITS and number.isascii() and number.isdigit():
        return run, int(number), step
    return key, 0, ""


def _scope(run: str, step: str) -> str:
    scope = f"{run}:{step}" if step else run
    return hashlib.sha256(scope.encode()).hexdigest() if len(scope) > _LONGEST_SCOPE else scope


def is_set(bits: bytes, bit: int) -> bool:
    return bit // 8 < len(bits) and bool(bits[bit // 8] >> (bit % 8) & 1)


def with_marks(known: Mapping[Place, bytes], added: Iterable[Mark]) -> dict[Place, bytes]:
    """The bits of the places that change."""
    changed: dict[Place, bytearray] = {}
    for place, bit in added:
        bits = changed.get(place)
        if bits is None:
            bits = changed[place] = bytearray(known.get(place, b"").ljust(_BYTES, b"\0"))
        bits[bit // 8] |= 1 << (bit % 8)
    return {place: bytes(bits) for place, bits in changed.items()}
