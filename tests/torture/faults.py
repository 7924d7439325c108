"""What is done to a running Weft, and when: a plan that follows from its seed alone."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Each value says what is done."""

    KILL_WORKER = "a worker killed, another started"
    STOP_WORKER = "a worker stopped for longer than its lease"
    KILL_API = "an API process killed and started again"
    KILL_VALKEY = "Valkey killed"
    RESTART_VALKEY = "Valkey restarted"
    EMPTY_VALKEY = "Valkey emptied"
    CUT_VALKEY = "all connections to Valkey cut"
    RESTART_POSTGRES = "Postgres restarted, fast"
    CRASH_POSTGRES = "Postgres restarted, immediate"
    CUT_POSTGRES = "all connections to Postgres cut"
    CUT_WEBSOCKETS = "all websockets cut"


@dataclass(frozen=True, slots=True)
class Fault:
    at: float
    """Seconds after the beginning."""
    kind: Kind
    target: int = 0
    """Which worker or API process."""
    seconds: float = 0.0
    """How long a worker is stopped; how long the place of a killed process stays empty."""


@dataclass(frozen=True, slots=True)
class Scale:
    """What a plan is made for."""

    seconds: float = 120.0
    pause_seconds: float = 3.0
    """Between two faults, on average."""
    lease_seconds: float = 3.0
    workers: int = 3
    apis: int = 2


def plan(seed: int, scale: Scale) -> Sequence[Fault]:
    """In order of time. Every kind comes once before any comes again, so that a plan long enough holds them all."""
    chance = random.Random(seed)
    return list(_planned(chance, scale))


def _planned(chance: random.Random, scale: Scale) -> Iterator[Fault]:
    kinds: list[Kind] = []
    at = scale.pause_seconds
    while at < scale.seconds:
        if not kinds:
            kinds = chance.sample(list(Kind), len(Kind))
        yield _fault(chance, scale, round(at, 2), kinds.pop())
        at += chance.uniform(0.3, 1.7) * scale.pause_seconds


def _fault(chance: random.Random, scale: Scale, at: float, kind: Kind) -> Fault:
    match kind:
        case Kind.KILL_WORKER:
            return Fault(at, kind, chance.randrange(scale.workers), round(chance.uniform(0.0, 1.0), 2))
        case Kind.STOP_WORKER:
            longer = round(scale.lease_seconds * chance.uniform(1.2, 2.2), 2)
            return Fault(at, kind, chance.randrange(scale.workers), longer)
        case Kind.KILL_API:
            return Fault(at, kind, chance.randrange(scale.apis), round(chance.uniform(0.0, 1.0), 2))
        case _:
            return Fault(at, kind)
