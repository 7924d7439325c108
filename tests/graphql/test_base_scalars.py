"""Scalars, ids and cursors: what goes out comes back in, and what is wrong says why."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.domain.errors import Invalid, LimitExceeded
from weft.domain.ids import new_id
from weft.graphql.nodes import decode_id, encode_id, read_id, read_ids
from weft.graphql.paging import decode_cursor, encode_cursor, read_page
from weft.graphql.scalars import format_datetime, format_duration, parse_datetime, parse_duration


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=99_999)))
def test_a_duration_comes_back_as_it_went_out(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("PT10S", timedelta(seconds=10)),
        ("P1DT12H", timedelta(days=1, hours=12)),
        ("P2W", timedelta(weeks=2)),
        ("PT0.5S", timedelta(milliseconds=500)),
        ("PT0S", timedelta(0)),
    ],
)
def test_durations_are_read_by_iso_8601(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("wrong", ["", "P", "PT", "10", "P1Y", "P1M", "1h", "PT1S1S", "-PT1S", 10, None, "PT٣S"])
def test_what_is_no_duration_is_refused_with_an_example(wrong: object) -> None:
    with pytest.raises(ValueError, match="such as PT10S"):
        parse_duration(wrong)


def test_times_go_out_in_utc() -> None:
    local = datetime(2026, 1, 31, 11, 30, tzinfo=timezone(timedelta(hours=2)))
    assert format_datetime(local) == "2026-01-31T09:30:00Z"
    assert parse_datetime("2026-01-31T11:30:00+02:00") == datetime(2026, 1, 31, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("wrong", ["2026-01-31", "2026-01-31T09:30:00", "yesterday", 5])
def test_a_time_without_a_zone_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match="with its zone"):
        parse_datetime(wrong)


def test_an_id_is_opaque_and_comes_back() -> None:
    key = new_id()
    assert decode_id(encode_id("Run", key)) == ("Run", str(key))
    assert read_id(encode_id("Run", key), "Run", "id") == key


def test_a_bare_uuid_as_messages_have_it_is_an_id_too() -> None:
    key = new_id()
    assert read_id(str(key), "Run", "id") == key


def test_an_id_of_another_type_says_which_was_needed() -> None:
    with pytest.raises(Invalid, match="An id of Workflow is needed here; this is an id of Run") as refused:
        read_ids([encode_id("Workflow", new_id()), encode_id("Run", new_id())], "Workflow", "ids")
    assert refused.value.path == ("ids", "1")


@pytest.mark.parametrize("wrong", ["", "x", "5", "ö", "01a20423-ee54-7221-9fb8", "A" * 5_000, "\x00"])
@given(st.data())
def test_nonsense_is_no_id(wrong: str, data: st.DataObject) -> None:
    for text in (wrong, data.draw(st.text())):
        with pytest.raises(Invalid) as refused:
            read_id(text, "Run", "runId")
        assert refused.value.path == ("runId",)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_cursor_comes_back(key: str) -> None:
    assert decode_cursor(encode_cursor(key)) == key


def test_pages_are_bounded() -> None:
    with pytest.raises(LimitExceeded, match="at most 100"):
        read_page(101, None)
    with pytest.raises(Invalid, match="at least 1"):
        read_page(0, None)
    with pytest.raises(Invalid, match="not a cursor"):
        read_page(1, "!")
