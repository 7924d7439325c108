"""The sender: fair between receivers, one at a time for each message, and nothing lost when a worker dies."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from integrations.conftest import Post
from integrations.receivers import answers, hangs, receiving
from progress.states import ended, started
from sqlalchemy import text

from weft.domain.access import Viewer
from weft.domain.delivery import Delivery, DeliveryKind, DeliveryStatus, NewDelivery, postponed, refused
from weft.domain.ids import new_id
from weft.domain.progress import Progress
from weft.engine.deliveries import Attempts, DeliverySender, WakingPublisher
from weft.engine.deliveries.patience import LONGEST_WAIT, wait_for_next
from weft.engine.deliveries.sender import MOST_AT_ONCE, PER_LANE
from weft.operations import integrations as operations
from weft.operations.integrations import IntegrationChanges, update_integration
from weft.storage import deliveries


async def test_a_receiver_that_hangs_holds_up_no_other(post: Post) -> None:
    async with receiving(hangs) as slow, receiving() as quick:
        await post.messages(await post.webhook(slow.url()), 3 * MOST_AT_ONCE)
        await post.sender.run_once()
        sent = await post.messages(await post.webhook(quick.url()), PER_LANE)
        await post.sender.run_once()
        async with asyncio.timeout(10):
            while [(await post.delivery(one)).status for one in sent] != [DeliveryStatus.DELIVERED] * PER_LANE:
                await asyncio.sleep(0.02)
        assert slow.most_under_way <= PER_LANE
        for task in post.sender._tasks:
            task.cancel()
        await asyncio.gather(*post.sender._tasks, return_exceptions=True)


async def test_every_receiver_gets_its_turn_where_room_is_short(post: Post) -> None:
    async with receiving() as receiver:
        crowd = await post.messages(await post.webhook(receiver.url()), 50)
        few = [(await post.messages(await post.webhook(receiver.url()), 2))[0] for _ in range(5)]
        async with post.services.database.transaction() as connection:
            claimed = await deliveries.claim(connection, timedelta(minutes=1), 12, 8, {})
    ids = [one.id for one in claimed]
    assert len(ids) == 12
    assert set(few) <= set(ids)
    assert len(set(crowd) & set(ids)) <= 3


async def test_a_message_is_sent_once_however_many_workers_look_for_it(post: Post) -> None:
    senders = [DeliverySender(post.services.database, Attempts(post.services.world)) for _ in range(3)]
    async with receiving() as receiver:
        sent = await post.messages(await post.webhook(receiver.url()), 60)
        running = [asyncio.create_task(sender.run()) for sender in senders]
        async with asyncio.timeout(20):
            while len(receiver.received) < 60:
                await asyncio.sleep(0.02)
        for sender in senders:
            await sender.stop()
        await asyncio.gather(*running)
    assert sorted(one.headers["webhook-id"] for one in receiver.received) == sorted(map(str, sent))
    assert {(await post.delivery(one)).attempts for one in sent} == {1}


async def test_a_receiver_that_answers_quickly_is_not_kept_waiting(post: Post) -> None:
    async with receiving() as receiver:
        await post.messages(await post.webhook(receiver.url()), 20 * PER_LANE)
        running = asyncio.create_task(post.sender.run())
        # A look around a second would take twenty.
        async with asyncio.timeout(10):
            while len(receiver.received) < 20 * PER_LANE:
                await asyncio.sleep(0.02)
        await post.sender.stop()
        await running


async def test_a_running_sender_finds_what_is_new_within_a_second_or_so(post: Post) -> None:
    running = asyncio.create_task(post.sender.run())
    async with receiving() as receiver:
        webhook = await post.webhook(receiver.url())
        await post.sender.run_once()
        await post.message(webhook)
        async with asyncio.timeout(5):
            while not receiver.received:
                await asyncio.sleep(0.02)
    await post.sender.stop()
    await running


async def test_what_a_dead_worker_was_sending_is_sent_again_and_its_attempt_is_told_as_lost(post: Post) -> None:
    async with receiving() as receiver:
        sent = await post.message(await post.webhook(receiver.url()))
        async with post.services.database.transaction() as connection:
            (claimed,) = await deliveries.claim(connection, timedelta(minutes=1), 10, 8, {})
        assert await post.send() == 0
        await post.later()
        assert await post.send() == 1
        # The worker was not dead but slow: what it says now comes too late.
        async with post.services.database.transaction() as connection:
            late = refused("HTTP_410", "gone")
            assert await deliveries.end_attempt(connection, claimed, late, timedelta(), None) is None
    assert (await post.delivery(sent)).status is DeliveryStatus.DELIVERED
    lost, good = await post.attempts(sent)
    assert (lost.number, lost.error_code, lost.status_code) == (1, "ATTEMPT_LOST", None)
    assert (good.number, good.status_code) == (2, 200)


async def test_a_stopping_worker_gives_back_what_does_not_answer(post: Post) -> None:
    async with receiving(hangs) as receiver:
        sent = await post.message(await post.webhook(receiver.url()))
        await post.sender.run_once()
        async with asyncio.timeout(5):
            while not receiver.received:
                await asyncio.sleep(0.01)
        for task in post.sender._tasks:
            task.cancel()
        await post.sender.stop()
    delivery = await post.delivery(sent)
    assert (delivery.status, delivery.error_code) == (DeliveryStatus.PENDING, "ATTEMPT_LOST")


async def test_messages_for_what_is_not_there_or_disabled_fail_at_once_and_say_so(post: Post) -> None:
    disabled = await post.webhook(
        "http://127.0.0.1:1/",
    )
    await update_integration(post.services, post.viewer, disabled.id, IntegrationChanges(enabled=False))
    for reference, code in (
        ("nobody", "INTEGRATION_NOT_FOUND"),
        (str(uuid4()), "INTEGRATION_NOT_FOUND"),
        (disabled.name, "INTEGRATION_DISABLED"),
    ):
        delivery = await post.delivery(await post.message(reference))
        assert (delivery.status, delivery.error_code, delivery.attempts) == (DeliveryStatus.FAILED, code, 0)
        assert delivery.finished_at is not None
    assert await post.send() == 0


async def test_a_message_finds_its_integration_by_name_and_by_id_of_its_own_workspace_only(
    post: Post, stranger: Viewer
) -> None:
    async with receiving() as receiver:
        webhook = await post.webhook(receiver.url())
        for reference in (webhook.name, str(webhook.id)):
            sent = await post.message(reference)
            assert (await post.delivery(sent)).integration_id == webhook.id
        foreign = NewDelivery(uuid4(), str(webhook.id), 0, "say", {"text": "not yours"})
        async with post.services.database.transaction() as connection:
            await deliveries.add_deliveries(connection, stranger.workspace_id, new_id(), [foreign])
            found = await deliveries.by_ids(connection, stranger.workspace_id, [foreign.id])
    assert found[foreign.id].error_code == "INTEGRATION_NOT_FOUND"


async def test_a_message_that_is_stored_twice_is_one_delivery(post: Post) -> None:
    async with receiving() as receiver:
        webhook = await post.webhook(receiver.url())
        one = NewDelivery(uuid4(), webhook.name, 0, "say", {"text": "first"})
        for _ in range(2):
            async with post.services.database.transaction() as connection:
                await deliveries.add_deliveries(connection, post.viewer.workspace_id, new_id(), [one])
        assert await post.send() == 1
        await post.later()
        assert await post.send() == 0


async def test_disabling_and_deleting_give_up_what_waits(post: Post) -> None:
    async with receiving(answers(500)) as receiver:
        disabled, deleted = await post.webhook(receiver.url()), await post.webhook(receiver.url())
        waiting = [await post.message(disabled), await post.message(deleted)]
        await post.send()
        await update_integration(post.services, post.viewer, disabled.id, IntegrationChanges(enabled=False))
        await operations.delete_integration(post.services, post.viewer, deleted.id)
        await post.later()
        assert await post.send() == 0
    codes = [((one := await post.delivery(sent)).status, one.error_code) for sent in waiting]
    assert codes == [
        (DeliveryStatus.FAILED, "INTEGRATION_DISABLED"),
        (DeliveryStatus.FAILED, "INTEGRATION_DELETED"),
    ]


async def test_what_was_claimed_before_its_integration_was_disabled_is_not_sent(post: Post) -> None:
    async with receiving() as receiver:
        webhook = await post.webhook(receiver.url())
        sent = await post.message(webhook)
        async with post.services.database.transaction() as connection:
            await deliveries.claim(connection, timedelta(minutes=1), 10, 8, {})
        await update_integration(post.services, post.viewer, webhook.id, IntegrationChanges(enabled=False))
        assert (await post.delivery(sent)).status is DeliveryStatus.SENDING
        await post.later()
        await post.send()
        assert receiver.received == []
    assert (await post.delivery(sent)).error_code == "INTEGRATION_DISABLED"


async def test_a_secret_that_cannot_be_opened_is_told_and_tried_again(post: Post) -> None:
    async with receiving() as receiver:
        webhook, other = await post.webhook(receiver.url()), await post.webhook(receiver.url())
        async with post.services.database.transaction() as connection:
            moved = text("UPDATE integration SET sealed = (SELECT sealed FROM integration WHERE id = :a) WHERE id = :b")
            await connection.execute(moved, {"a": other.id, "b": webhook.id})
        sent = await post.message(webhook)
        await post.send()
        assert receiver.received == []
    delivery = await post.delivery(sent)
    assert (delivery.status, delivery.error_code) == (DeliveryStatus.PENDING, "SECRET_UNREADABLE")


async def test_thousands_that_wait_for_one_receiver_do_not_slow_the_claim_for_others(post: Post) -> None:
    async with receiving(hangs) as slow, receiving() as quick:
        crowded, other = await post.webhook(slow.url()), await post.webhook(quick.url())
        await post.messages(crowded, 20_000)
        await post.message(other)
        async with post.services.database.transaction() as connection:
            await connection.execute(text("ANALYZE delivery"))
            started = asyncio.get_running_loop().time()
            claimed = await deliveries.claim(connection, timedelta(minutes=1), 100, 8, {crowded.id: 8})
            took = asyncio.get_running_loop().time() - started
    assert [one.integration_id for one in claimed] == [other.id]
    assert took < 0.5


@given(attempts=st.integers(1, 60), chance=st.floats(0, 1), after=st.none() | st.integers(0, 3600))
def test_waits_grow_from_a_second_to_hours_and_honour_what_the_receiver_asks(
    attempts: int, chance: float, after: int | None
) -> None:
    asked = None if after is None else timedelta(seconds=after)
    wait = wait_for_next(_after(attempts), postponed("HTTP_500", "broken", after=asked), 100, chance)
    assert wait is not None
    assert wait >= (asked or timedelta(seconds=0.5))
    assert wait <= max(LONGEST_WAIT, asked or timedelta())
    if attempts == 1:
        assert wait <= max(timedelta(seconds=1), asked or timedelta())


def test_there_is_no_attempt_after_the_last_and_another_series_begins_anew() -> None:
    broken = postponed("HTTP_500", "broken")
    assert wait_for_next(_after(10), broken, 10, 0.5) is None
    again = wait_for_next(_after(11, series_start=10), broken, 10, 1.0)
    assert again == timedelta(seconds=1)
    assert wait_for_next(_after(1, kind=DeliveryKind.TEST), broken, 10, 0.5) is None
    assert wait_for_next(_after(1), refused("HTTP_410", "gone"), 10, 0.5) is None


def _after(attempts: int, *, series_start: int = 0, kind: DeliveryKind = DeliveryKind.MESSAGE) -> Delivery:
    now = datetime.now(UTC)
    return Delivery(
        uuid4(), uuid4(), 1, kind, uuid4(), uuid4(), "x", None, None, None, None, {}, DeliveryStatus.SENDING, attempts, None, 1,
        series_start, None, None, now, None,
    )  # fmt: skip


class Told:
    def __init__(self) -> None:
        self.all: list[Progress] = []

    def publish(self, progress: Progress) -> None:
        self.all.append(progress)


def test_the_end_of_a_run_wakes_the_sender_and_its_progress_does_not() -> None:
    woken: list[bool] = []
    told = Told()
    publisher = WakingPublisher(told, lambda: woken.append(True))
    begun = started()
    publisher.publish(begun)
    assert woken == []
    publisher.publish(ended(begun))
    assert woken == [True]
    assert told.all == [begun, ended(begun)]
