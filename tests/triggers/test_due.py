"""What is to be done about a schedule: in time, after a stop, and however late somebody looks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weft.domain.schedule import CatchUp
from weft.triggers.schedules.cron import Cron, read_cron
from weft.triggers.schedules.due import GRACE, MOST_CAUGHT_UP, Fire, Pass, decide
from weft.triggers.schedules.slots import next_slot, slots

BERLIN = ZoneInfo("Europe/Berlin")
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def decisions(
    cron: Cron, due_at: datetime | None, now: datetime, catch_up: CatchUp
) -> tuple[list[Fire | Pass], datetime | None]:
    """All that is to be done at one look, and what is next then."""
    made: list[Fire | Pass] = []
    while due_at is not None and due_at <= now:
        made.append(decide(cron, BERLIN, due_at, now, catch_up))
        due_at = made[-1].next_at
    return made, due_at


def fired(made: list[Fire | Pass]) -> list[datetime]:
    return [one.slot for one in made if isinstance(one, Fire)]


def passed(made: list[Fire | Pass]) -> list[tuple[datetime, datetime, int]]:
    return [(one.first, one.last, one.count) for one in made if isinstance(one, Pass)]


@pytest.mark.parametrize("catch_up", CatchUp)
@pytest.mark.parametrize("late", [timedelta(), timedelta(milliseconds=3), GRACE])
def test_a_time_that_is_hardly_late_is_due_whatever_the_policy(catch_up: CatchUp, late: timedelta) -> None:
    made, following = decisions(read_cron("*/10 * * * *"), NINE, NINE + late, catch_up)
    assert (made, following) == ([Fire(NINE, NINE + 10 * MINUTE)], NINE + 10 * MINUTE)


def test_after_an_hour_nothing_is_caught_up_on_with_none() -> None:
    made, following = decisions(read_cron("*/10 * * * *"), NINE, NINE + 65 * MINUTE, CatchUp.NONE)
    assert fired(made) == []
    assert passed(made) == [(NINE, NINE + 60 * MINUTE, 7)]
    assert following == NINE + 70 * MINUTE


def test_after_an_hour_with_none_a_time_that_is_just_due_is_no_missed_one() -> None:
    made, _ = decisions(read_cron("*/10 * * * *"), NINE, NINE + 60 * MINUTE + timedelta(seconds=20), CatchUp.NONE)
    assert (fired(made), passed(made)) == ([NINE + 60 * MINUTE], [(NINE, NINE + 50 * MINUTE, 6)])


def test_after_an_hour_the_last_one_is_caught_up_on_with_last() -> None:
    made, following = decisions(read_cron("*/10 * * * *"), NINE, NINE + 65 * MINUTE, CatchUp.LAST)
    assert (fired(made), passed(made)) == ([NINE + 60 * MINUTE], [(NINE, NINE + 50 * MINUTE, 6)])
    assert following == NINE + 70 * MINUTE


def test_after_an_hour_all_are_caught_up_on_with_all() -> None:
    made, following = decisions(read_cron("*/10 * * * *"), NINE, NINE + 65 * MINUTE, CatchUp.ALL)
    assert (fired(made), passed(made)) == ([NINE + number * 10 * MINUTE for number in range(7)], [])
    assert following == NINE + 70 * MINUTE


def test_a_single_missed_time_is_caught_up_on_without_a_word_of_others() -> None:
    made, _ = decisions(read_cron("0 9 * * *"), NINE, NINE + timedelta(hours=3), CatchUp.LAST)
    assert (fired(made), passed(made)) == ([NINE], [])


def test_with_all_no_more_than_the_last_thousand_are_caught_up_on() -> None:
    missed = MOST_CAUGHT_UP + 500
    made, _ = decisions(read_cron("* * * * *"), NINE, NINE + (missed - 1) * MINUTE, CatchUp.ALL)
    assert passed(made) == [(NINE, NINE + 499 * MINUTE, 500)]
    assert fired(made) == [NINE + number * MINUTE for number in range(500, missed)]


def test_a_stop_over_a_change_of_the_clock_is_counted_by_the_clock() -> None:
    begin = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # half past midnight in Berlin
    made, _ = decisions(read_cron("30 * * * *"), begin, begin + timedelta(hours=4, minutes=10), CatchUp.ALL)
    shown = [slot.astimezone(BERLIN).strftime("%H:%M") for slot in fired(made)]
    assert shown == ["00:30", "01:30", "03:30", "04:30", "05:30"]


def test_a_slot_that_the_zone_no_longer_has_is_due_all_the_same() -> None:
    made, following = decisions(read_cron("0 9 * * *"), NINE, NINE + 10 * MINUTE, CatchUp.LAST)
    assert (fired(made), following) == ([NINE], datetime(2026, 3, 3, 8, tzinfo=UTC))


@settings(max_examples=80, deadline=None, derandomize=True)
@given(
    expression=st.sampled_from(["* * * * *", "*/15 * * * *", "30 2 * * *", "0 * * * *", "5,50 1-3 * * *"]),
    begin=st.datetimes(datetime(2026, 3, 27), datetime(2026, 4, 1)),  # noqa: DTZ001 - hypothesis draws without a zone
    waits=st.lists(st.integers(1, 2_500), min_size=1, max_size=4),
    catch_up=st.sampled_from(CatchUp),
)
def test_each_slot_is_decided_once_however_late_and_often_somebody_looks(
    expression: str, begin: datetime, waits: list[int], catch_up: CatchUp
) -> None:
    cron, now = read_cron(expression), begin.replace(tzinfo=UTC)
    due_at = first = next_slot(cron, BERLIN, now)
    assert first is not None
    covered: list[datetime] = []
    for wait in waits:
        now += timedelta(minutes=wait)
        made, due_at = decisions(cron, due_at, now, catch_up)
        for one in made:
            if isinstance(one, Fire):
                covered.append(one.slot)
                continue
            skipped = _until(cron, one.first, one.last)
            assert len(skipped) == one.count
            covered += skipped
            assert catch_up is not CatchUp.ALL or now - one.last >= MOST_CAUGHT_UP * MINUTE
        late = [slot for slot in fired(made) if now - slot > GRACE]
        assert len(late) <= {CatchUp.NONE: 0, CatchUp.LAST: 1, CatchUp.ALL: MOST_CAUGHT_UP}[catch_up]
    assert covered == (_until(cron, first, now) if first <= now else [])


def _until(cron: Cron, first: datetime, last: datetime) -> list[datetime]:
    found: list[datetime] = []
    for slot in slots(cron, BERLIN, first - timedelta(seconds=1)):
        if slot > last:
            break
        found.append(slot)
    return found
