"""Duties side by side: the first failure ends all, and leaves nothing behind in the task that waited."""

import asyncio

import pytest

from weft.kit.together import together


async def _fail() -> None:
    await asyncio.sleep(0)
    raise RuntimeError("broken")


async def test_the_first_failure_ends_the_others_and_is_raised_itself() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waiting")

    with pytest.raises(RuntimeError, match="broken"):
        await together(wait(), _fail())
    assert ended == ["waiting"]


async def test_whoever_waited_can_go_on_awaiting_after_a_failure() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    async def session_after_session() -> int:
        failures = 0
        for _ in range(3):
            try:
                async with asyncio.timeout(5):
                    await together(wait(), _fail())
            except RuntimeError:
                failures += 1
            await asyncio.sleep(0.001)
        return failures

    assert await asyncio.create_task(session_after_session()) == 3


async def test_cancelling_it_ends_every_duty() -> None:
    ended: list[int] = []

    async def wait(number: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    task = asyncio.create_task(together(wait(1), wait(2)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(ended) == [1, 2]


async def test_it_returns_when_all_have_returned() -> None:
    await together(asyncio.sleep(0), asyncio.sleep(0.001))
