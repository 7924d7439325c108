"""When a cron expression is due, found in the plainest way: by looking at the clock on the wall minute after minute.

Written for the tests alone, of nothing that the code under test is made of.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
_FIRST = (0, 0, 1, 1, 0)
_LAST = (59, 23, 31, 12, 6)


def fits(expression: str) -> Callable[[datetime], bool]:
    """Whether the clock shows a time that the expression names: `*`, `*/n`, `a`, `a-b` and lists of them. Of the two fields
    for days one has to be `*`.
    """
    fields = [_numbers(*field) for field in zip(expression.split(), _FIRST, _LAST, strict=True)]

    def due(shown: datetime) -> bool:
        weekday = shown.isoweekday() % 7
        parts = (shown.minute, shown.hour, shown.day, shown.month, weekday)
        return all(part in field for part, field in zip(parts, fields, strict=True))

    return due


def _numbers(field: str, first: int, last: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        begin, _, end = span.partition("-")
        begins = first if begin == "*" else int(begin)
        ends = last if begin == "*" else int(end or begin)
        found |= set(range(begins, ends + 1, int(step or 1)))
    return found


def wall(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Each minute, and what the clock shows then."""
    moment = begin
    while moment < end:
        yield moment, moment.astimezone(zone).replace(tzinfo=None, fold=0)
        moment += MINUTE


def following(expression: str, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """Whenever the clock shows it."""
    due = fits(expression)
    return [moment for moment, shown in wall(zone, begin, end) if due(shown)]


def once_each(expression: str, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    """Each time that it names at its first minute, or the first one behind it that there is."""
    due, found = fits(expression), set[datetime]()
    day = begin.astimezone(zone).replace(hour=0, minute=0, tzinfo=None) - timedelta(days=2)
    while day < end.replace(tzinfo=None) + timedelta(days=2):
        if due(day):
            named = day
            while not _exists(named, zone):
                named += MINUTE
            found.add(named.replace(tzinfo=zone, fold=0).astimezone(UTC))
        day += MINUTE
    return sorted(moment for moment in found if begin <= moment < end)


def _exists(named: datetime, zone: ZoneInfo) -> bool:
    return named.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == named
