"""Messages to Slack: what stands in them, and which answers are worth another attempt."""

import json
from typing import Any

import pytest
from integrations.conftest import Post
from integrations.receivers import answers, receiving

from weft.domain.delivery import DeliveryStatus
from weft.operations.integration_configs import SlackSettings


async def test_a_message_is_slack_mark_up_that_values_cannot_break_out_of(post: Post) -> None:
    async with receiving(answers(200, "ok")) as slack:
        team = await post.integration(SlackSettings(slack.url("/services/T/B/secret"), "#invoices"))
        sent = await post.message(team, subject="Paid & done", text="*12* by <!channel> <http://evil|click>")
        await post.send()
    (received,) = slack.received
    assert json.loads(received.body) == {
        "text": "*Paid &amp; done*\n*12* by &lt;!channel&gt; &lt;http://evil|click&gt;",
        "channel": "#invoices",
    }
    assert received.headers["idempotency-key"] == str(sent)
    assert (await post.delivery(sent)).status is DeliveryStatus.DELIVERED


async def test_a_text_longer_than_slack_takes_is_cut(post: Post) -> None:
    async with receiving() as slack:
        await post.message(await post.integration(SlackSettings(slack.url())), text="x" * 50_000)
        await post.send()
    text = json.loads(slack.received[0].body)["text"]
    assert (len(text), text[-2:]) == (40_000, "x…")


@pytest.mark.parametrize(
    ("status", "becomes"),
    [(500, "PENDING"), (429, "PENDING"), (400, "FAILED"), (403, "FAILED"), (404, "FAILED"), (302, "FAILED")],
)
async def test_what_slack_refuses_for_good_is_not_tried_again(post: Post, status: int, becomes: Any) -> None:
    async with receiving(answers(status, "channel_not_found", Location="/elsewhere")) as slack:
        sent = await post.message(await post.integration(SlackSettings(slack.url())))
        await post.send()
        assert len(slack.received) == 1
    delivery = await post.delivery(sent)
    assert (delivery.status, delivery.error_code) == (becomes, f"HTTP_{status}")
    (attempt,) = await post.attempts(sent)
    assert attempt.excerpt == "channel_not_found"


async def test_the_url_of_the_webhook_is_never_in_the_log(post: Post) -> None:
    async with receiving(answers(404, "no /services/T/B/secret here: services/T/B/secret")) as slack:
        sent = await post.message(await post.integration(SlackSettings(slack.url("/services/T/B/secret"))))
        await post.send()
    (attempt,) = await post.attempts(sent)
    assert "secret" not in f"{attempt.excerpt}{attempt.error}"
