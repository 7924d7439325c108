"""The order of what is told, under receivers that fail, senders that die, and states that change in between."""

import asyncio
import random
from datetime import timedelta

import pytest
from integrations.receivers import Behaviour, answers, closes_at_once, closes_mid_answer, receiving
from integrations.told_runs import Desk, heard
from sqlalchemy import text

from weft.domain.access import Viewer
from weft.operations.services import Services
from weft.storage import deliveries

RUNS, ROUNDS = 8, 60
BEHAVIOURS: list[Behaviour] = [answers(200), answers(200), answers(500), closes_at_once, closes_mid_answer]


@pytest.mark.parametrize("seed", range(4))
async def test_messages_never_go_back_and_the_end_always_comes(services: Services, viewer: Viewer, seed: int) -> None:
    chance = random.Random(seed)
    # Two workers, and a third that always dies: what it claims it never sends.
    desks = [Desk.of(services, viewer, most_attempts=100) for _ in range(2)]
    desk = desks[0]
    async with receiving() as receiver:
        receiver.behaviours = [chance.choice(BEHAVIOURS) for _ in range(2_000)]
        runs = [await desk.begun(receiver.url()) for _ in range(RUNS)]
        going = list(runs)
        for _ in range(ROUNDS):
            for run in chance.sample(going, min(3, len(going))):
                await desk.state(run, completed="least(completed + 1, 9)")
            if chance.random() < 0.2 and len(going) > 1:
                await desk.end(going.pop(chance.randrange(len(going))))
            if chance.random() < 0.2:
                async with services.database.transaction() as connection:
                    await deliveries.claim(connection, timedelta(milliseconds=1), 3, 8, {})
            await asyncio.gather(*(one.round() for one in chance.sample(desks, chance.randint(1, 2))))
            if chance.random() < 0.5:
                await desk.later()
        for run in going:
            await desk.end(run)
        receiver.behaviours = [answers(200)]
        while await _open(desk):
            await desk.later()
            await desk.round()
    for run in runs:
        told = [message["data"] for message in heard(receiver) if message["data"]["runId"] == str(run.id)]
        numbers = [data["revision"] for data in told]
        assert numbers == sorted(numbers)
        assert [data["status"] for data in told][-1] == "COMPLETED"
        assert [data["status"] for data in told].index("COMPLETED") >= 1
    ids = {one.headers["webhook-id"]: one.body for one in receiver.received}
    assert all(ids[one.headers["webhook-id"]] == one.body for one in receiver.received)


async def _open(desk: Desk) -> bool:
    """Whether there is anything left to make or to send."""
    async with desk.services.database.reading() as connection:
        left = await connection.execute(
            text(
                "SELECT EXISTS (SELECT FROM run_webhook WHERE told IS DISTINCT FROM 'ENDED') "
                "OR EXISTS (SELECT FROM delivery WHERE status IN ('PENDING', 'SENDING'))"
            )
        )
        return left.scalar_one()
