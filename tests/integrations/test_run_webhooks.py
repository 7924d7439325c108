"""What webhooks are told of runs: each message in its turn, the newest state only, and the end always."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from integrations.receivers import Behaviour, answers, hangs, receiving
from integrations.told_runs import Desk, heard, kinds, revisions
from sqlalchemy import text
from workers import working

from weft.domain.access import Viewer
from weft.domain.delivery import DeliveryStatus
from weft.domain.ids import new_id
from weft.operations.deliveries import load_attempts, redeliver
from weft.operations.runs import cancel_run, pause_run
from weft.operations.services import Services
from weft.storage import deliveries, run_webhooks
from weft.storage.run_webhooks import SUPERSEDED, NewMessage

DELIVERED, FAILED, PENDING = DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.PENDING


@pytest.fixture
async def desk(services: Services, viewer: Viewer) -> AsyncIterator[Desk]:
    desk = Desk.of(services, viewer, most_attempts=3)
    yield desk
    await desk.sender.stop()


async def test_a_run_is_told_of_when_it_starts_goes_on_and_ends(desk: Desk) -> None:
    async with receiving() as receiver:
        run = await desk.begun(receiver.url())
        await desk.round()
        for _ in range(3):
            await desk.state(run, completed="completed + 1")
        assert await desk.round() == 0, "progress is told once a second at most"
        await desk.later()
        await desk.round()
        await desk.end(run)
        await desk.round()
        await desk.later()
        assert await desk.round() == 0
    began, progress, ended = heard(receiver)
    assert (began["type"], began["data"]["status"], began["data"]["revision"]) == ("run.started", "RUNNING", 1)
    assert (progress["type"], progress["data"]["progress"]["completed"]) == ("run.progress", 3)
    assert progress["data"]["progress"]["percent"] == 30.0
    assert (ended["type"], ended["data"]["status"]) == ("run.completed", "COMPLETED")
    assert (began["data"]["runId"], ended["data"]["workflowId"]) == (str(run.id), str(run.workflow_id))
    assert ended["data"]["trigger"] == {"type": "MANUAL", "by": desk.viewer.key_name}
    assert ended["data"]["finishedAt"].endswith("Z")
    assert ended["data"]["durationMs"] >= 0
    assert revisions(receiver) == [1, 4, 5]
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 3


async def test_nothing_is_told_of_a_run_that_waits_or_stands_where_it_stood(desk: Desk) -> None:
    async with receiving() as receiver:
        waiting, going = await desk.start(receiver.url()), await desk.begun(receiver.url())
        await desk.round()
        await desk.later()
        assert await desk.round() == 0
        await pause_run(desk.services, desk.viewer, waiting.id)
        assert await desk.round() == 0
        await pause_run(desk.services, desk.viewer, going.id)
        await desk.round()
    assert kinds(receiver) == ["run.started", "run.progress"]
    assert heard(receiver)[-1]["data"]["status"] == "PAUSED"


async def test_a_run_that_never_began_is_told_of_by_its_end_alone(desk: Desk) -> None:
    async with receiving() as receiver:
        await cancel_run(desk.services, desk.viewer, (await desk.start(receiver.url())).id)
        empty = await desk.start(receiver.url())
        await desk.state(empty, total="0", status="'COMPLETED'", started_at="now()", finished_at="now()")
        await desk.round()
    assert sorted(kinds(receiver)) == ["run.cancelled", "run.completed"]


async def test_the_next_message_waits_until_the_one_before_has_arrived(desk: Desk) -> None:
    async with receiving(answers(500), answers(200)) as receiver:
        run = await desk.begun(receiver.url())
        await desk.round()
        await desk.end(run)
        assert await desk.round() == 0, "the beginning is tried again soon"
        await desk.later()
        await desk.send()
        await desk.round()
    assert kinds(receiver) == ["run.started", "run.started", "run.completed"]
    assert receiver.received[0].headers["webhook-id"] == receiver.received[1].headers["webhook-id"]
    assert receiver.received[0].body == receiver.received[1].body


async def test_progress_that_failed_gives_way_to_newer_progress_and_to_the_end(desk: Desk) -> None:
    async with receiving(answers(200), answers(503)) as receiver:
        run = await desk.begun(receiver.url())
        await desk.round()
        for _ in range(2):
            await desk.state(run, completed="completed + 1")
            await desk.later()
            await desk.round()
        await desk.end(run)
        receiver.behaviours = [answers(200)]
        # Whenever the next attempt would have been: the end does not wait for it.
        await desk.do("UPDATE delivery SET next_at = now() + interval '5 hours'", run)
        await desk.round()
    assert kinds(receiver) == ["run.started", "run.progress", "run.progress", "run.completed"]
    assert revisions(receiver) == [1, 2, 3, 4]
    made = await desk.deliveries(run)
    assert [(one.status, one.error_code) for one in made] == [
        (DELIVERED, None),
        (FAILED, SUPERSEDED),
        (FAILED, SUPERSEDED),
        (DELIVERED, None),
    ]


async def test_a_receiver_that_is_away_is_asked_ever_more_seldom_although_its_messages_change(desk: Desk) -> None:
    async with receiving(answers(200), answers(500)) as receiver:
        run = await desk.begun(receiver.url())
        await desk.round()
        for _ in range(2):
            await desk.state(run, completed="completed + 1")
            await desk.later()
            await desk.round()
        second = (await desk.deliveries(run))[-1]
        assert second.next_at is not None
        # The wait after a second failure, of whichever message: four seconds, less up to a half.
        assert second.next_at - second.created_at > timedelta(seconds=1.5)
        await desk.state(run, completed="completed + 1")
        assert await desk.round() == 0
        await desk.later()
        await desk.round()
        assert [one.error_code for one in await desk.deliveries(run)] == [None, SUPERSEDED, SUPERSEDED, "HTTP_500"]
        await desk.state(run, completed="completed + 1")
        await desk.later()
        assert await desk.round() == 0, "three attempts were given up"
        await desk.end(run)
        receiver.behaviours = [answers(200)]
        await desk.round()
    assert kinds(receiver)[-1] == "run.completed"


async def test_a_receiver_that_is_away_for_the_whole_run_hears_of_its_end(desk: Desk) -> None:
    async with receiving() as receiver:
        url = receiver.url()
    run = await desk.begun(url)
    await desk.round()
    await desk.state(run, completed="5")
    await desk.later()
    assert await desk.round() == 0, "progress before the beginning would be out of order"
    await desk.end(run)
    await desk.do("UPDATE delivery SET next_at = now() + interval '1 hour'", run)
    assert await desk.round() == 1
    made = await desk.deliveries(run)
    assert [(one.status, one.error_code) for one in made] == [(FAILED, SUPERSEDED), (PENDING, "NETWORK_FAULT")]
    assert made[-1].message["payload"]["type"] == "run.completed"


async def test_while_a_receiver_hangs_there_is_one_message_to_it(services: Services, viewer: Viewer) -> None:
    desk = Desk.of(services, viewer, longest=0.3)
    async with receiving(hangs, answers(200)) as receiver:
        run = await desk.begun(receiver.url())
        await desk.teller.run_once()
        await desk.sender.run_once()
        await desk.end(run)
        assert await desk.teller.run_once() == 0
        async with asyncio.timeout(20):
            await asyncio.gather(*desk.sender._tasks)
        await desk.later()
        await desk.send()
        await desk.round()
    assert kinds(receiver) == ["run.started", "run.started", "run.completed"]


async def test_a_receiver_that_asks_for_time_gets_it_for_all_runs_that_tell_it(desk: Desk) -> None:
    async with receiving(answers(429, Retry_After="60"), answers(200)) as receiver:
        first = await desk.begun(receiver.url())
        await desk.round()
        await desk.begun(receiver.url("/another"))
        await desk.end(first)
        await desk.round()
        assert len(receiver.received) == 1
        desk.sender._resting.clear()
        await desk.round()
    assert kinds(receiver)[1:].count("run.completed") == 1


async def test_one_that_wants_no_more_is_told_the_end_alone(desk: Desk) -> None:
    async with receiving(answers(410)) as receiver:
        run = await desk.begun(receiver.url())
        await desk.round()
        await desk.state(run, completed="5")
        await desk.later()
        assert await desk.round() == 0
        await desk.end(run)
        await desk.round()
    assert kinds(receiver) == ["run.started", "run.completed"]
    assert [one.error_code for one in await desk.deliveries(run)] == ["HTTP_410", "HTTP_410"]


async def test_no_redirect_and_no_address_leads_into_the_private_network(desk: Desk) -> None:
    async with receiving() as inside, receiving() as receiver:
        private = inside.url().replace("127.0.0.1", "127.0.0.2")
        receiver.behaviours = [answers(307, Location=private)]
        redirected, direct = await desk.begun(receiver.url()), await desk.begun(private)
        await desk.round()
    assert inside.received == []
    for run in (redirected, direct):
        (one,) = await desk.deliveries(run)
        assert (one.status, one.error_code) == (FAILED, "ADDRESS_REFUSED")


@pytest.mark.parametrize(
    "behaviour",
    [
        answers(301, "moved", Location="https://moved.example/services/T0K3N-OF-ME/s%20ecret1"),
        answers(404, "Cannot POST /services/T0K3N-OF-ME/s%20ecret1"),
        answers(500, "no such token: T0K3N-OF-ME, s ecret1"),
        answers(301, Location="https://moved.example/" + "x" * 165 + "/T0K3N-OF-ME"),
    ],
)
async def test_the_log_tells_no_token_that_stands_in_the_path_of_the_address(desk: Desk, behaviour: Behaviour) -> None:
    async with receiving(behaviour) as receiver:
        run = await desk.begun(receiver.url("/services/T0K3N-OF-ME/s%20ecret1"))
        await desk.round()
        (told,) = receiver.received
        assert told.path == "/services/T0K3N-OF-ME/s%20ecret1"
    async with desk.services.database.reading() as connection:
        for table in ("delivery", "delivery_attempt"):
            stored = str((await connection.execute(text(f"SELECT * FROM {table}"))).all())
            for part in ("T0K3N", "ecret1"):
                assert part not in stored
    (one,) = await desk.deliveries(run)
    assert "•••" in str(await load_attempts(desk.services, desk.viewer, [one.id]))


async def test_however_many_workers_tell_each_message_is_made_once(desk: Desk) -> None:
    async with receiving() as receiver:
        runs = [await desk.begun(receiver.url()) for _ in range(60)]
        tellers = [Desk.of(desk.services, desk.viewer).teller for _ in range(4)]
        assert sum(await asyncio.gather(*(teller.run_once() for teller in tellers))) == 60
        for run in runs:
            await desk.end(run)
        await asyncio.gather(*(teller.run_once() for teller in tellers))
        for run in runs:
            (only,) = await desk.deliveries(run)
            assert only.message["payload"]["type"] == "run.started"


async def test_a_message_that_its_sender_has_taken_is_not_given_up_for_a_newer_one(desk: Desk) -> None:
    async with receiving(answers(200), answers(500)) as receiver:
        run = await desk.begun(receiver.url())
        await desk.round()
        await desk.state(run, completed="1")
        await desk.later()
        await desk.round()
        await desk.end(run)
        await desk.later()
        async with desk.services.database.transaction() as connection:
            (due,) = await run_webhooks.lock_due(connection, 10)
            async with desk.services.database.transaction() as of_a_sender:
                await deliveries.claim(of_a_sender, timedelta(minutes=1), 10, 8, {})
            message = NewMessage(new_id(), due, due.run.progress.revision, {})
            assert await run_webhooks.tell(connection, [message]) == 0
        assert [one.status for one in await desk.deliveries(run)] == [DELIVERED, DeliveryStatus.SENDING]


async def test_a_message_is_sent_again_when_somebody_asks_and_while_its_run_is_there(desk: Desk) -> None:
    async with receiving(answers(410), answers(200)) as receiver:
        run = await desk.begun(receiver.url())
        await desk.round()
        (refused,) = await desk.deliveries(run)
        await redeliver(desk.services, desk.viewer, refused.id)
        await desk.send()
        (arrived,) = await desk.deliveries(run)
        assert (arrived.status, arrived.attempts) == (DELIVERED, 2)
        await redeliver(desk.services, desk.viewer, refused.id)
        async with desk.services.database.transaction() as connection:
            await connection.execute(text("DELETE FROM run WHERE id = :id"), {"id": run.id})
        await desk.send()
    (gone,) = await desk.deliveries(run)
    assert (gone.status, gone.error_code) == (FAILED, "RUN_DELETED")
    assert len(receiver.received) == 2
    async with desk.services.database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM run_webhook"))).scalar_one() == 0


async def test_a_thousand_quick_runs_are_each_told_of_by_their_start_and_their_end_once(
    services: Services, viewer: Viewer
) -> None:
    desk = Desk.of(services, viewer)
    async with receiving() as receiver, working(services) as served:
        desk = replace(desk, services=served)
        workflow = await desk.workflow()
        looking = [asyncio.create_task(desk.sender.run()), asyncio.create_task(desk.teller.run())]
        runs = [await desk.start(receiver.url(), workflow) for _ in range(1_000)]
        async with asyncio.timeout(90):
            while len(receiver.received) < 2_000:
                await asyncio.sleep(0.05)
        desk.teller.stop()
        await desk.sender.stop()
        await asyncio.gather(*looking)
    told: dict[str, list[str]] = {str(run.id): [] for run in runs}
    for message in heard(receiver):
        told[message["data"]["runId"]].append(message["type"])
    assert {tuple(types) for types in told.values()} == {("run.started", "run.completed")}
    assert receiver.most_under_way <= 8
