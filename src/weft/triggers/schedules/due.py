"""What is to be done about a schedule now. Pure.

One decision at a time, each carried out in a transaction of its own: so what was done is never done again, and a schedule
that has much to catch up on holds nothing for long.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import chain, takewhile

from weft.domain.schedule import CatchUp
from weft.triggers.schedules.cron import Cron
from weft.triggers.schedules.slots import next_slot, slots

GRACE = timedelta(seconds=60)
"""A slot is late, not missed, for as long: workers were busy, or one took over from another."""
MOST_CAUGHT_UP = 1_000
"""Slots for which a schedule with `CatchUp.ALL` starts runs after a stop: the last ones."""
SHORTEST_INTERVAL = timedelta(minutes=1)
"""Between two slots of any expression."""


@dataclass(frozen=True, slots=True)
class Fire:
    """This slot is due."""

    slot: datetime
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Pass:
    """Slots were missed that are not caught up on. Whether `next_at` is due already is another decision."""

    first: datetime
    last: datetime
    count: int
    next_at: datetime | None


def decide(cron: Cron, zone: tzinfo, due_at: datetime, now: datetime, catch_up: CatchUp) -> Fire | Pass:
    """`due_at` is the first slot that nobody looked at yet; it is not later than `now`."""
    few = catch_up is CatchUp.ALL and now - due_at < MOST_CAUGHT_UP * SHORTEST_INTERVAL
    if few or now - due_at <= GRACE:
        return Fire(due_at, next_slot(cron, zone, due_at))
    count, newest = _missed(cron, zone, due_at, now)
    kept = _caught_up(newest, now, catch_up)
    if kept and kept[0] == due_at:
        return Fire(due_at, next_slot(cron, zone, due_at))
    # Of more than are kept, or of one that is too late: there is always one before those that are kept.
    last = newest[-len(kept) - 1]
    return Pass(due_at, last, count - len(kept), kept[0] if kept else next_slot(cron, zone, now))


def _missed(cron: Cron, zone: tzinfo, due_at: datetime, now: datetime) -> tuple[int, list[datetime]]:
    """How many slots came from `due_at` until now, and the newest of them: one more than are ever caught up on."""
    newest = deque[datetime](maxlen=MOST_CAUGHT_UP + 1)
    count = 0
    # `due_at` counts even if the expression has no such time by now: zone data change.
    for slot in takewhile(lambda slot: slot <= now, chain([due_at], slots(cron, zone, due_at))):
        newest.append(slot)
        count += 1
    return count, list(newest)


def _caught_up(newest: list[datetime], now: datetime, catch_up: CatchUp) -> list[datetime]:
    match catch_up:
        case CatchUp.NONE:
            return [slot for slot in newest if now - slot <= GRACE]
        case CatchUp.LAST:
            return newest[-1:]
        case CatchUp.ALL:
            return newest[-MOST_CAUGHT_UP:]
