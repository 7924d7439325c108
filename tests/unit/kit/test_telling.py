import asyncio

import pytest

from weft.kit.backoff import Backoff
from weft.kit.conflate import Latest
from weft.kit.rarely import Rarely


async def test_only_the_newest_value_is_handed_out() -> None:
    slot = Latest[int]()
    for value in range(100):
        slot.put(value)
    assert await anext(slot) == 99


async def test_a_reader_that_waits_is_woken_by_a_value() -> None:
    slot = Latest[str | None]()
    waiting = asyncio.ensure_future(anext(slot))
    await asyncio.sleep(0)
    slot.put(None)
    assert await waiting is None


async def test_closing_hands_out_what_is_pending_and_then_ends() -> None:
    slot = Latest[int]()
    slot.put(1)
    slot.close()
    assert [value async for value in slot] == [1]


async def test_closing_wakes_a_reader_that_waits() -> None:
    slot = Latest[int]()
    waiting = asyncio.create_task(anext(slot, "over"))
    await asyncio.sleep(0)
    slot.close()
    assert await waiting == "over"


async def test_a_reader_that_was_cancelled_loses_no_value() -> None:
    slot = Latest[int]()
    waiting = asyncio.ensure_future(anext(slot))
    await asyncio.sleep(0)
    slot.put(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await anext(slot) == 1


def test_waits_grow_up_to_the_longest_and_begin_again_after_a_success() -> None:
    backoff = Backoff(first=1, longest=4)
    assert all(0 <= backoff.next() <= limit for limit in (1, 2, 4, 4, 4))
    backoff.reset()
    assert backoff.next() <= 1


def test_something_is_said_once_in_a_while() -> None:
    now = 0.0
    complaint = Rarely(60, lambda: now)
    assert [complaint.due(), complaint.due()] == [True, False]
    now = 60.0
    assert complaint.due()
