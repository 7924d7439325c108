"""When an expression is due: on ordinary days, on the two on which clocks change, and what is no expression."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st
from triggers.walls import following, once_each

from weft.triggers.schedules.cron import WORDS, CronProblemError, read_cron
from weft.triggers.schedules.slots import next_slot, slots
from weft.triggers.schedules.zones import ZoneProblemError, known_zones, read_zone

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
SPRING = {BERLIN: date(2026, 3, 29), NEW_YORK: date(2026, 3, 8)}
AUTUMN = {BERLIN: date(2026, 10, 25), NEW_YORK: date(2026, 11, 1)}
FIXED = ["30 2 * * *", "0 2 * * *", "30 1 * * *", "0,30 2 * * *", "15,45 0-5 * * *", "0 1-5 * * *", "0 0 * * *"]
FOLLOWING = ["0 * * * *", "*/15 * * * *", "*/20 2 * * *", "0 */2 * * *", "*/30 0-3 * * 0", "* 1,2 * * *"]
EXPRESSIONS = [*FIXED, *FOLLOWING]


def between(expression: str, zone: ZoneInfo, begin: datetime, end: datetime) -> list[datetime]:
    return list(takewhile(lambda slot: slot < end, slots(read_cron(expression), zone, begin - timedelta(seconds=1))))


def on(expression: str, zone: ZoneInfo, day: date) -> list[str]:
    """What the clock shows at each of its times on that day, with the offset."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone)
    found = between(expression, zone, begin.astimezone(UTC), (begin + timedelta(days=1)).astimezone(UTC))
    return [slot.astimezone(zone).strftime("%H:%M%z") for slot in found]


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK], ids=str)
@pytest.mark.parametrize("change", [SPRING, AUTUMN], ids=["spring", "autumn"])
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_around_a_change_of_the_clock_each_day_is_as_the_clock_on_the_wall_says(
    zone: ZoneInfo, change: dict[ZoneInfo, date], expression: str
) -> None:
    day = change[zone]
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=3)
    end = begin + timedelta(days=7)
    looked = once_each if expression in FIXED else following
    expected = looked(expression, zone, begin, end)
    found = between(expression, zone, begin, end)
    assert Counter(slot.astimezone(zone).date() for slot in found) == Counter(
        slot.astimezone(zone).date() for slot in expected
    )
    assert found == expected


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK], ids=str)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_whole_year_is_as_cronsim_says_which_follows_debian(zone: ZoneInfo, expression: str) -> None:
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    said = CronSim(expression, (begin - timedelta(seconds=1)).astimezone(zone))
    expected = [moment.astimezone(UTC) for moment in takewhile(lambda moment: moment < end, said)]
    assert between(expression, zone, begin, end) == expected


def test_a_fixed_time_in_the_gap_is_due_right_behind_it() -> None:
    assert on("30 2 * * *", BERLIN, SPRING[BERLIN]) == ["03:00+0200"]
    assert on("30 2 * * *", NEW_YORK, SPRING[NEW_YORK]) == ["03:00-0400"]
    assert on("0,30 2,3 * * *", BERLIN, SPRING[BERLIN]) == ["03:00+0200", "03:30+0200"]


def test_a_fixed_time_that_comes_twice_is_due_once() -> None:
    assert on("30 2 * * *", BERLIN, AUTUMN[BERLIN]) == ["02:30+0200"]
    assert on("30 1 * * *", NEW_YORK, AUTUMN[NEW_YORK]) == ["01:30-0400"]


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK], ids=str)
def test_what_is_due_every_hour_or_quarter_follows_the_clock(zone: ZoneInfo) -> None:
    assert (len(on("0 * * * *", zone, SPRING[zone])), len(on("0 * * * *", zone, AUTUMN[zone]))) == (23, 25)
    assert (len(on("*/15 * * * *", zone, SPRING[zone])), len(on("*/15 * * * *", zone, AUTUMN[zone]))) == (92, 100)


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("Australia/Lord_Howe", date(2026, 4, 5)),  # half an hour back
        ("Australia/Lord_Howe", date(2026, 10, 4)),  # half an hour on
        ("America/Havana", date(2026, 3, 8)),  # at midnight
        ("Asia/Beirut", date(2026, 3, 29)),
        ("Asia/Beirut", date(2026, 10, 25)),
        ("Africa/Cairo", date(2026, 4, 24)),
        ("America/St_Johns", date(2008, 11, 2)),  # a minute past midnight, back into the day before
        ("Pacific/Apia", date(2011, 12, 30)),  # a day that never was
    ],
)
@pytest.mark.parametrize("expression", ["30 0 * * *", "45 23 * * *", "*/10 0-3 * * 0,5,6", "0 */2 * * *"])
def test_zones_that_change_at_midnight_or_by_half_an_hour_lose_nothing(name: str, day: date, expression: str) -> None:
    zone = ZoneInfo(name)
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=3)
    end = begin + timedelta(days=6)
    looked = following if "*/" in expression else once_each
    assert between(expression, zone, begin, end) == looked(expression, zone, begin, end)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    expression=st.sampled_from([*EXPRESSIONS, "0 0 29 2 *", "5 4 1 */3 *", "0 12 * * MON#2"]),
    name=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "UTC"]),
    after=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - hypothesis draws without a zone
)
def test_the_next_time_is_the_same_wherever_one_begins_to_look(expression: str, name: str, after: datetime) -> None:
    cron, zone, moment = read_cron(expression), ZoneInfo(name), after.replace(tzinfo=UTC)
    found = next_slot(cron, zone, moment)
    earlier = slots(cron, zone, moment - timedelta(days=3))
    assert found == next(slot for slot in earlier if slot > moment)


def test_days_of_the_month_and_of_the_week_are_as_in_debian() -> None:
    """Either is enough, unless one of the two begins with a star."""
    begin, end = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)
    days = {slot.day for slot in between("0 9 13 * 5", ZoneInfo("UTC"), begin, end)}
    assert days == {5, 12, 13, 19, 26}
    assert {slot.day for slot in between("0 9 */2 * 5", ZoneInfo("UTC"), begin, end)} == {5, 19}
    assert {slot.day for slot in between("0 9 L * *", ZoneInfo("UTC"), begin, end)} == {30}


@pytest.mark.parametrize(("word", "meaning"), WORDS.items())
def test_words_stand_for_expressions(word: str, meaning: str) -> None:
    after = datetime(2026, 5, 5, 5, 5, tzinfo=UTC)
    said = islice(slots(read_cron(word.upper()), BERLIN, after), 3)
    assert list(said) == list(islice(slots(read_cron(meaning), BERLIN, after), 3))


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "five fields"),
        ("0 9 * *", "this one has 4"),
        ("0 0 9 * * *", "Seconds are not supported"),
        ("60 * * * *", "'60' is not a minute"),
        ("0 24 * * *", "'24' is not a hour"),
        ("0 9 ? * MON", "'?' is not a day-of-month"),
        ("0 9 * 13 *", "'13' is not a month"),
        ("0 9 * * MOO", "'MOO' is not a day-of-week"),
        ("*/0 * * * *", "'*/0' is not a minute"),
        ("0 0 31 2 *", "no month in '2' has a day 31"),
        ("0 0 31 4,6 *", "no month in '4,6' has a day 31"),
        ("0 0 ٣٢ * *", "is not a day-of-month"),
        ("@reboot", "not known"),
        ("1," * 200 + "1 * * * *", "200 characters"),
    ],
)
def test_what_is_no_expression_is_refused_with_words(written: str, told: str) -> None:
    with pytest.raises(CronProblemError, match=told.replace("?", r"\?").replace("*", r"\*")):
        read_cron(written)


def test_a_time_that_never_comes_is_found_out() -> None:
    assert next_slot(read_cron("* * */20 * 1L"), BERLIN, datetime(2026, 1, 1, tzinfo=UTC)) is None


def test_a_time_that_comes_once_in_decades_is_found() -> None:
    leap_monday = next_slot(read_cron("0 0 * 2 MON#5"), ZoneInfo("UTC"), datetime(2026, 1, 1, tzinfo=UTC))
    assert leap_monday == datetime(2044, 2, 29, tzinfo=UTC)


def test_zones_are_known_by_their_names() -> None:
    assert {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"} <= known_zones()
    for name in ("Europe/Atlantis", "", "localtime", "../../etc/passwd", "/etc/localtime", "Europe", "x" * 10_000):
        with pytest.raises(ZoneProblemError, match="IANA"):
            read_zone(name)
    with pytest.raises(ZoneProblemError, match='did you mean "Europe/Berlin"'):
        read_zone("europe/berlin")
