"""How long the batches of a killed worker lay still. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from torture.judging import Recorded

LAST_WORDS = 0.1
"""Seconds after its death in which Postgres may still commit what a worker had sent. No lease runs out so soon."""


@dataclass(frozen=True, slots=True)
class Held:
    """A batch that a worker held when it was killed."""

    run_id: str
    first_ordinal: int
    size: int


@dataclass(frozen=True, slots=True)
class Killing:
    at: float
    """Seconds since the Unix epoch."""
    held: Sequence[Held]


def takeovers(killings: Sequence[Killing], records: Iterable[Recorded]) -> list[list[float]]:
    """For each killing and each batch: seconds until the next record of one of its items. Without any it is left out."""
    committed = defaultdict[tuple[str, int], list[float]](list)
    for record in records:
        committed[record.run_id, record.ordinal].append(record.committed)
    return [
        [
            min(after) - killing.at
            for held in killing.held
            if (
                after := [
                    at
                    for ordinal in range(held.first_ordinal, held.first_ordinal + held.size)
                    for at in committed.get((held.run_id, ordinal), ())
                    if at > killing.at + LAST_WORDS
                ]
            )
        ]
        for killing in killings
    ]
