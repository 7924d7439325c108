"""The times at which a cron expression is due, in a time zone. Pure.

Ordinary days are simple: every hour and minute of the expression is there once. On the days on which clocks change, the
rule is that of Debian's cron (its manual page, crontab and cron(8), "Local time changes"):

- An expression at fixed times (neither minute nor hour begins with `*`: `30 2 * * *`, `0 1-5 * * *`) is due once for each time
  it names. Where the clock jumps over one of them, it is due at the first minute behind the gap; where the clock goes
  through one twice, the first time counts.
- Any other (`*/15 * * * *`, `0 * * * *`, `0 */2 * * *`) follows the clock: it is due whenever the clock shows a time that
  fits, so not in the gap, and both times in the hour that comes twice.

cronsim reads the expression and knows its days. The walk through the clock is made here, because cronsim 2.8 loses times in
zones that change at midnight or by half an hour (Havana, Beirut, Cairo, Lord Howe).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise

from weft.triggers.schedules.cron import Cron

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
HORIZON = timedelta(days=50 * 366)
"""What is not due within fifty years counts as never: the 29th of February as a given day of the week comes within 40."""


def slots(cron: Cron, zone: tzinfo, after: datetime) -> Iterator[datetime]:
    """The times later than `after`, in UTC, in their order; none later than `HORIZON` after it."""
    after = after.astimezone(UTC)
    day = after.astimezone(zone).date()
    last = day + HORIZON
    while day <= last:
        if not cron.has_day(day):
            day += DAY
            continue
        if (begin := _plain_day(day, zone)) is None:
            times, day = _changing_days(cron, zone, day)
        else:
            times = _times_of(cron, begin, after)
            day += DAY
        for time in times:
            if time > after:
                yield time


def next_slot(cron: Cron, zone: tzinfo, after: datetime) -> datetime | None:
    return next(slots(cron, zone, after), None)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _plain_day(day: date, zone: tzinfo) -> datetime | None:
    """When the day begins, in UTC, if the clock does not change on it; None for a day on which it does."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    end = begin + DAY  # on the clock of the zone
    offsets = {moment.replace(fold=fold).utcoffset() for moment in (begin, end) for fold in (0, 1)}
    return begin.astimezone(UTC) if len(offsets) == 1 else None


def _times_of(cron: Cron, begin: datetime, after: datetime) -> Iterator[datetime]:
    """On the plain day that begins then; hours that are over before `after` are left out."""
    over = (after - begin) // HOUR
    for hour in cron.hours:
        if hour >= over:
            for minute in cron.minutes:
                yield begin + timedelta(hours=hour, minutes=minute)


def _changing_days(cron: Cron, zone: tzinfo, first: date) -> tuple[Iterator[datetime], date]:
    """What is due from this day until the clock is steady again, and the day from which on it is. The plain day behind a change
    belongs to it: what a gap before midnight swallowed is due on it.
    """
    begin = first
    while _plain_day(begin - DAY, zone) is None:
        begin -= DAY
    end = first + DAY
    while _plain_day(end - DAY, zone) is None:
        end += DAY
    walked = _fixed if cron.at_fixed_times else _following
    return walked(cron, _clock(zone, _midnight(begin, zone), _midnight(end, zone))), end


def _clock(zone: tzinfo, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Each minute from just before `begin`, with what the clock of the zone shows then."""
    moment = begin - MINUTE
    while moment < end:
        yield moment, moment.astimezone(zone).replace(tzinfo=None, fold=0)
        moment += MINUTE


def _fits(cron: Cron, shown: datetime) -> bool:
    return shown.minute in cron.minutes and shown.hour in cron.hours and cron.has_day(shown.date())


def _following(cron: Cron, clock: Iterator[tuple[datetime, datetime]]) -> Iterator[datetime]:
    next(clock)
    return (moment for moment, shown in clock if _fits(cron, shown))


def _fixed(cron: Cron, clock: Iterator[tuple[datetime, datetime]]) -> Iterator[datetime]:
    """The latest that the clock ever showed rises minute by minute, jumps with it, and waits while it goes back."""
    latest = datetime.min  # noqa: DTZ901 - what the clock on the wall shows has no zone
    for (_, before), (moment, shown) in pairwise(clock):
        latest = max(latest, before)
        if any(_fits(cron, latest + MINUTE * ahead) for ahead in range(1, (shown - latest) // MINUTE + 1)):
            yield moment
