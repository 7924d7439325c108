"""Cron expressions: read by cronsim, the way Debian's cron reads them, and refused with words for the person who wrote them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from cronsim import CronSim, CronSimError

LONGEST_EXPRESSION = 200

WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
_WITH_SECONDS = 6
_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""cronsim asks for a start; what it makes of the fields does not depend on it."""


class CronProblemError(ValueError):
    """Not a cron expression. Says what is wrong with it; `hint` how it might be put right."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Cron:
    """An expression that was read."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    at_fixed_times: bool
    """Neither its minutes nor its hours begin with `*`. Changes of the clock are handled by that: see `slots`."""
    _days: CronSim

    def has_day(self, day: date) -> bool:
        """By day of the month and of the week. Both have to hold where one of them begins with `*`, otherwise one is enough."""
        return day.month in self.months and self._days.match_day(day)


def read_cron(written: str) -> Cron:
    """Raises `CronProblemError`. Whether it ever comes to a time is another question: February has no 30th."""
    if len(written) > LONGEST_EXPRESSION:
        raise CronProblemError(f"A cron expression has at most {LONGEST_EXPRESSION} characters.")
    word = written.strip().lower()
    if word.startswith("@") and word not in WORDS:
        raise CronProblemError(f"{written!r} is not known.", f"Words are {', '.join(WORDS)}.")
    fields = WORDS.get(word, written).split()
    if len(fields) == _WITH_SECONDS:
        raise CronProblemError("Seconds are not supported: a cron expression has five fields.", _in_words())
    if len(fields) != len(_FIELDS):
        raise CronProblemError(f"A cron expression has five fields; this one has {len(fields)}.", _in_words())
    try:
        days = CronSim(" ".join(fields), _ANY_TIME)
    except CronSimError as error:
        raise _problem(fields, str(error)) from error
    return Cron(
        minutes=tuple(sorted(days.minutes)),
        hours=tuple(sorted(days.hours)),
        months=frozenset(days.months),
        at_fixed_times=not fields[0].startswith("*") and not fields[1].startswith("*"),
        _days=days,
    )


def _problem(fields: list[str], told: str) -> CronProblemError:
    """In words. The library tells which field it is, and no more."""
    name = told.removeprefix("Bad ")
    field = fields[_FIELDS.index(name)]
    if name == "day-of-month" and field.isascii() and field.isdecimal() and 1 <= int(field) <= 31:  # noqa: PLR2004 - days of the longest month
        return CronProblemError(f"It would never be due: no month in {fields[3]!r} has a day {field}.")
    return CronProblemError(f"{field!r} is not a {name}.", _in_words())


def _in_words() -> str:
    return "The fields are minute, hour, day of month, month, day of week: `30 9 * * 1-5` is half past nine, Monday to Friday."
