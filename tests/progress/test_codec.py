from dataclasses import fields
from datetime import UTC, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.domain.progress import Progress, RunStatus, StepProgress
from weft.domain.usage import FIGURES, NO_USAGE, Usage
from weft.progress.codec import channel_of, decode, encode

counts = st.integers(0, 2**31 - 1)
times = st.datetimes(timezones=st.just(UTC))
steps = st.builds(
    StepProgress,
    step_id=st.text(max_size=20),
    completed=counts,
    failed=counts,
    skipped=counts,
    retried=counts,
    usage=st.builds(Usage, *[st.integers(0, 2**63 - 1)] * FIGURES),
    busy=st.timedeltas(min_value=timedelta(0), max_value=timedelta(microseconds=2**63 - 1)),
)
states = st.builds(
    Progress,
    run_id=st.uuids(),
    status=st.sampled_from(RunStatus),
    total=counts,
    completed=counts,
    failed=counts,
    skipped=counts,
    cancelled=counts,
    revision=st.integers(0, 2**63 - 1),
    started_at=st.none() | times,
    finished_at=st.none() | times,
    updated_at=times,
    steps=st.lists(steps, max_size=4).map(tuple),
)


@given(states)
def test_what_was_encoded_is_decoded_to_the_same(state: Progress) -> None:
    assert decode(encode(state)) == state


def test_fields_of_a_newer_version_are_ignored(started: Progress) -> None:
    assert decode(orjson.dumps({**orjson.loads(encode(started)), "mood": "good"})) == started


def test_a_state_from_before_there_was_usage_tells_none(started: Progress) -> None:
    message = orjson.loads(encode(started))
    for step in message["steps"]:
        del step["usage"]
    assert decode(orjson.dumps(message)) == started
    assert started.usage == NO_USAGE


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"null", b"{}", b'{"run_id": 7}'])
def test_other_bytes_are_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        decode(data)


@pytest.mark.parametrize("name", [field.name for field in fields(Progress)])
def test_a_message_without_one_of_the_fields_is_a_value_error(started: Progress, name: str) -> None:
    message = orjson.loads(encode(started))
    del message[name]
    with pytest.raises(ValueError, match=name):
        decode(orjson.dumps(message))


def test_each_run_has_its_channel(started: Progress) -> None:
    assert channel_of(started.run_id) == f"weft:progress:{started.run_id}".encode()
