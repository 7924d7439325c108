"""What becomes of a message whose receiver fails, hangs, redirects, is busy, or closes: and what the log tells of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from integrations.conftest import Post
from integrations.receivers import answers, closes_at_once, closes_mid_answer, hangs, receiving
from standardwebhooks import Webhook

from weft.domain.delivery import DeliveryStatus
from weft.integrations.webhook import new_secret
from weft.operations.integration_configs import WebhookSettings
from weft.operations.integrations import IntegrationChanges, update_integration


async def test_a_message_arrives_signed_as_standard_webhooks_have_it(post: Post) -> None:
    secret = new_secret()
    async with receiving(answers(200, "thank you")) as receiver:
        webhook = await post.webhook(receiver.url(), secret=secret, headers={"Authorization": "Bearer let-me-in"})
        sent = await post.message(webhook, subject="S", text="T", data={"total": 12.5})
        assert await post.send() == 1
    (received,) = receiver.received
    body = Webhook(secret).verify(received.body, received.headers)
    assert body["type"] == "notification"
    assert body["data"]["values"] == {"total": 12.5}
    assert (body["data"]["subject"], body["data"]["text"], body["data"]["stepId"]) == ("S", "T", "say")
    assert received.headers["webhook-id"] == str(sent)
    assert received.headers["authorization"] == "Bearer let-me-in"
    delivery = await post.delivery(sent)
    assert (delivery.status, delivery.attempts, delivery.error) == (DeliveryStatus.DELIVERED, 1, None)
    (attempt,) = await post.attempts(sent)
    assert (attempt.status_code, attempt.excerpt, attempt.error) == (200, "thank you", None)
    assert attempt.duration is not None


async def test_a_payload_is_the_whole_body_and_the_method_is_that_of_the_config(post: Post) -> None:
    async with receiving() as receiver:
        webhook = await post.webhook(receiver.url("/a?token=t"), method="put")
        await post.message(webhook, payload={"content": "hi"})
        await post.send()
    (received,) = receiver.received
    assert (received.method, received.path, json.loads(received.body)) == ("PUT", "/a?token=t", {"content": "hi"})


@pytest.mark.parametrize("status", [400, 401, 404, 408, 500, 501, 503])
async def test_a_receiver_that_fails_is_tried_again_with_the_same_id_and_body(post: Post, status: int) -> None:
    async with receiving(answers(status, "broken"), answers(204)) as receiver:
        sent = await post.message(await post.webhook(receiver.url()))
        await post.send()
        waiting = await post.delivery(sent)
        assert (waiting.status, waiting.error_code) == (DeliveryStatus.PENDING, f"HTTP_{status}")
        assert waiting.next_at is not None
        assert timedelta() < waiting.next_at - datetime.now(UTC) <= timedelta(seconds=1)
        assert await post.send() == 0
        await post.later()
        assert await post.send() == 1
    first, second = receiver.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert (await post.delivery(sent)).status is DeliveryStatus.DELIVERED
    log = await post.attempts(sent)
    assert [(one.number, one.status_code, one.excerpt) for one in log] == [(1, status, "broken"), (2, 204, "")]


async def test_a_receiver_that_hangs_costs_an_attempt_and_no_more(post: Post) -> None:
    hasty = post.impatient(0.3)
    async with receiving(hangs, answers(200)) as receiver:
        sent = await post.message(await post.webhook(receiver.url()))
        await hasty.send()
        (attempt,) = await post.attempts(sent)
        assert (attempt.error_code, attempt.error) == ("TIMEOUT", "No answer within 0.3 seconds.")
        await post.later()
        await hasty.send()
    assert (await post.delivery(sent)).status is DeliveryStatus.DELIVERED


@pytest.mark.parametrize("breaking", [closes_mid_answer, closes_at_once], ids=["mid-answer", "at once"])
async def test_a_receiver_that_closes_is_tried_again(post: Post, breaking: Any) -> None:
    async with receiving(breaking, answers(200)) as receiver:
        sent = await post.message(await post.webhook(receiver.url()))
        await post.send()
        (attempt,) = await post.attempts(sent)
        assert attempt.error_code == "NETWORK_FAULT"
        assert attempt.error is not None
        assert "The exchange with 127.0.0.1 broke" in attempt.error
        await post.later()
        await post.send()
    assert (await post.delivery(sent)).status is DeliveryStatus.DELIVERED


async def test_a_receiver_that_is_not_there_is_tried_again(post: Post) -> None:
    async with receiving() as receiver:
        pass
    sent = await post.message(await post.webhook(receiver.url()))
    await post.send()
    delivery = await post.delivery(sent)
    assert (delivery.status, delivery.error_code) == (DeliveryStatus.PENDING, "NETWORK_FAULT")


async def test_a_receiver_that_is_busy_gets_the_time_it_asks_for_and_so_for_all_of_its_messages(post: Post) -> None:
    async with receiving(answers(429, "slow down", Retry_After="120"), answers(200)) as receiver:
        webhook = await post.webhook(receiver.url())
        first = await post.message(webhook)
        await post.send()
        waiting = await post.delivery(first)
        assert waiting.next_at is not None
        left = waiting.next_at - datetime.now(UTC)
        assert timedelta(seconds=115) < left <= timedelta(seconds=120)
        (attempt,) = await post.attempts(first)
        assert (attempt.status_code, attempt.error_code, attempt.excerpt) == (429, "HTTP_429", "slow down")
        second = await post.message(webhook)
        assert await post.send() == 0
        await post.later()
        assert await post.send() == 2
    assert [(await post.delivery(one)).status for one in (first, second)] == [DeliveryStatus.DELIVERED] * 2


async def test_an_integration_that_is_changed_does_not_rest_for_what_its_old_receiver_asked(post: Post) -> None:
    async with receiving(answers(429, Retry_After="3600")) as busy, receiving() as free:
        webhook = await post.webhook(busy.url())
        await post.message(webhook)
        await post.send()
        waiting = await post.message(webhook)
        assert await post.send() == 0
        changes = IntegrationChanges(settings=WebhookSettings(url=free.url()))
        await update_integration(post.services, post.viewer, webhook.id, changes)
        assert await post.send() == 1
    assert (await post.delivery(waiting)).status is DeliveryStatus.DELIVERED


async def test_a_redirect_to_a_private_address_is_refused_and_told(post: Post) -> None:
    async with receiving(answers(308, Location="http://169.254.169.254/latest/meta-data")) as receiver:
        sent = await post.message(await post.webhook(receiver.url()))
        await post.send()
    delivery = await post.delivery(sent)
    assert (delivery.status, delivery.error_code) == (DeliveryStatus.FAILED, "ADDRESS_REFUSED")
    (attempt,) = await post.attempts(sent)
    assert attempt.error is not None
    assert "Calls to 169.254.169.254 are refused" in attempt.error


async def test_a_webhook_to_a_private_address_is_refused(post: Post) -> None:
    sent = await post.message(await post.webhook("http://10.0.0.1/hook"))
    await post.send()
    delivery = await post.delivery(sent)
    assert (delivery.status, delivery.error_code, delivery.attempts) == (DeliveryStatus.FAILED, "ADDRESS_REFUSED", 1)


async def test_a_redirect_that_would_lose_the_message_is_not_followed(post: Post) -> None:
    async with receiving(answers(302, Location="http://10.1.2.3/inner")) as receiver:
        sent = await post.message(await post.webhook(receiver.url()))
        await post.send()
        assert len(receiver.received) == 1
    delivery = await post.delivery(sent)
    assert (delivery.status, delivery.error_code) == (DeliveryStatus.FAILED, "REDIRECTED")
    assert delivery.error is not None
    assert "http://10.1.2.3/inner" in delivery.error


async def test_a_redirect_that_keeps_the_message_is_followed_without_secrets_to_strangers(post: Post) -> None:
    secret = new_secret()
    async with receiving() as there, receiving(answers(307, Location=there.url("/there"))) as here:
        webhook = await post.webhook(here.url(), secret=secret, headers={"X-Token": "only for here"})
        sent = await post.message(webhook)
        await post.send()
    assert (await post.delivery(sent)).status is DeliveryStatus.DELIVERED
    assert here.received[0].headers["x-token"] == "only for here"
    (moved,) = there.received
    assert (moved.method, moved.path) == ("POST", "/there")
    assert "x-token" not in moved.headers
    Webhook(secret).verify(moved.body, moved.headers)


async def test_redirects_in_a_circle_end(post: Post) -> None:
    async with receiving(answers(307, Location="/hook")) as receiver:
        sent = await post.message(await post.webhook(receiver.url()))
        await post.send()
    assert (await post.delivery(sent)).error_code == "TOO_MANY_REDIRECTS"


async def test_a_receiver_that_is_gone_is_not_tried_again(post: Post) -> None:
    async with receiving(answers(410)) as receiver:
        sent = await post.message(await post.webhook(receiver.url()))
        await post.send()
    delivery = await post.delivery(sent)
    assert (delivery.status, delivery.error_code) == (DeliveryStatus.FAILED, "HTTP_410")


async def test_an_answer_that_is_too_large_is_not_read(post: Post) -> None:
    async with receiving(answers(200, "x" * 1_500_000)) as receiver:
        sent = await post.message(await post.webhook(receiver.url()))
        await post.send()
    assert (await post.delivery(sent)).error_code == "RESPONSE_TOO_LARGE"


async def test_secrets_that_a_receiver_quotes_are_not_in_the_log(post: Post) -> None:
    async with receiving(answers(500, "you sent Bearer let-me-in with k=1234567")) as receiver:
        webhook = await post.webhook(receiver.url("/?k=1234567"), headers={"Authorization": "Bearer let-me-in"})
        sent = await post.message(webhook)
        await post.send()
    (attempt,) = await post.attempts(sent)
    assert attempt.excerpt == "you sent ••• with •••"


async def test_a_token_that_a_receiver_quotes_alone_is_not_in_the_log(post: Post) -> None:
    said = '{"query": {"a": "1", "token": "open sesame"}, "error": "let-me-in is no token, nor is open%20sesame"}'
    async with receiving(answers(401, said)) as receiver:
        webhook = await post.webhook(
            receiver.url("/?a=1&token=open%20sesame"), headers={"Authorization": "Bearer let-me-in"}
        )
        sent = await post.message(webhook)
        await post.send()
    (attempt,) = await post.attempts(sent)
    assert attempt.excerpt == '{"query": {"a": "1", "token": "•••"}, "error": "••• is no token, nor is •••"}'


async def test_after_the_last_attempt_the_message_is_given_up_and_can_be_sent_again(post: Post) -> None:
    async with receiving(answers(500)) as receiver:
        webhook = await post.webhook(receiver.url())
        sent = await post.message(webhook)
        for _ in range(4):
            await post.send()
            await post.later()
        assert len(receiver.received) == 3
    assert (await post.delivery(sent)).status is DeliveryStatus.FAILED
