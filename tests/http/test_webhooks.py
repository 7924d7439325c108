"""Calls of inbound webhooks over real HTTP: what is answered, what is stored, and what nobody learns."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from socket import socket
from typing import Any

import aiohttp
import orjson
import pytest
import uvicorn
from conftest import CountingWakeups
from sqlalchemy import select, text
from starlette.applications import Starlette
from starlette.middleware import Middleware
from webhook_senders import github, slack, standard, stripe
from workers import counted

from weft.domain.access import Viewer
from weft.domain.ids import UUID
from weft.domain.webhooks import WebhookScheme, WebhookTrigger
from weft.http import webhooks
from weft.http.body_limit import BodyLimit
from weft.http.request_id import RequestIds
from weft.kit.clock import utc_now
from weft.operations import webhook_triggers as triggers
from weft.operations.services import Services
from weft.operations.webhook_calls import Call, UnknownCall, WebhookCalls
from weft.operations.webhook_checks import Settings
from weft.operations.webhook_endpoints import Endpoints
from weft.operations.workflows import NewWorkflow, create_workflow
from weft.storage.tables import event

DEFINITION = {"steps": [{"id": "say", "type": "echo"}]}
SERVER_BYTES = 100_000
SIGNING_SECRET = "the signing secret of an app"
ANY = {"server": None, "date": None, "x-request-id": None}


@dataclass
class Clock:
    """The real time, until a test moves it."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> Any:
        return utc_now() + self.ahead


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


@dataclass
class Hooks:
    services: Services
    viewer: Viewer
    workflow_id: UUID
    origin: str
    session: aiohttp.ClientSession
    clock: Clock

    async def new(
        self, scheme: WebhookScheme = WebhookScheme.STANDARD, secret: str | None = None, **settings: Any
    ) -> tuple[WebhookTrigger, str, str]:
        """The trigger, its URL and its secret."""
        wanted = Settings("hook", **settings)
        saved = await triggers.create_webhook_trigger(
            self.services, self.viewer, self.workflow_id, scheme, wanted, secret=secret
        )
        url = triggers.url_of(self.services, self.viewer, saved.webhook_trigger)
        assert url is not None
        assert saved.secret is not None
        return saved.webhook_trigger, self.origin + url.removeprefix(self.services.public_url), saved.secret

    async def call(self, url: str, body: bytes, headers: dict[str, str], method: str = "POST") -> Answer:
        async with self.session.request(method, url, data=body, headers=headers) as answer:
            told = {name.lower(): value for name, value in answer.headers.items() if name.lower() not in ANY}
            return Answer(answer.status, told, await answer.read())

    async def stored(self) -> list[dict[str, Any]]:
        async with self.services.database.reading() as connection:
            return [dict(row) for row in (await connection.execute(select(event).order_by(event.c.id))).mappings()]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def hooks(services: Services, viewer: Viewer, clock: Clock) -> AsyncIterator[Hooks]:
    services = dataclasses.replace(services, clock=clock)
    workflow = await create_workflow(services, viewer, NewWorkflow("called", DEFINITION))
    app = Starlette(
        routes=webhooks.routes(services),
        middleware=[Middleware(RequestIds), Middleware(BodyLimit, max_bytes=SERVER_BYTES)],
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", http="httptools", server_header=False))
    with socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        running = asyncio.create_task(server.serve([listening]))
        async with aiohttp.ClientSession() as session:
            origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
            yield Hooks(services, viewer, workflow.id, origin, session, clock)
        server.should_exit = True
        async with asyncio.timeout(20):
            await running


async def test_a_genuine_call_is_an_event_for_its_trigger_before_it_is_answered(
    hooks: Hooks, wakeups: CountingWakeups
) -> None:
    trigger, url, secret = await hooks.new()
    body = b'{"order": 7}'
    sent = standard(secret, body, message_id="msg_7") | {"authorization": "Bearer nobody's", "cookie": "a=b"}
    answer = await hooks.call(f"{url}?team=a&team=b&from=shop", body, sent)
    (stored,) = await hooks.stored()
    assert (answer.status, answer.json) == (202, {"id": str(stored["id"])})
    headers = stored["payload"].pop("headers")
    assert headers.keys() == {"content-type", "user-agent", "webhook-id", "webhook-timestamp"}
    assert stored == {
        "id": stored["id"], "workspace_id": hooks.viewer.workspace_id, "name": "webhook.received", "depth": 0,
        "payload": {"body": {"order": 7}, "query": {"team": ["a", "b"], "from": "shop"}},
        "trigger_id": trigger.id, "external_key": "msg_7", "handled_at": None, "created_at": stored["created_at"],
    }  # fmt: skip
    assert wakeups.count == 1


async def test_the_same_call_again_is_answered_the_same_and_stored_once(hooks: Hooks) -> None:
    _, url, secret = await hooks.new()
    first = await hooks.call(url, b"{}", standard(secret, b"{}", message_id="msg_1"))
    later = await hooks.call(
        url, b"{}", standard(secret, b"{}", message_id="msg_1", sent=int(hooks.clock().timestamp()) + 2)
    )
    together = await asyncio.gather(
        *(hooks.call(url, b"{}", standard(secret, b"{}", message_id=f"msg_{number % 3}")) for number in range(30))
    )
    assert first == later
    assert {answer.status for answer in together} == {202}
    stored = await hooks.stored()
    assert sorted(one["external_key"] for one in stored) == ["msg_0", "msg_1", "msg_2"]
    assert {answer.json["id"] for answer in together} == {str(one["id"]) for one in stored}


async def test_two_triggers_take_the_same_id_each_for_itself(hooks: Hooks) -> None:
    for _ in range(2):
        _, url, secret = await hooks.new()
        assert (await hooks.call(url, b"{}", standard(secret, b"{}", message_id="msg_1"))).status == 202
    assert len(await hooks.stored()) == 2


async def test_whatever_is_not_genuine_gets_one_and_the_same_answer(hooks: Hooks) -> None:
    trigger, url, secret = await hooks.new()
    _, disabled_url, disabled_secret = await hooks.new(enabled=False)
    gone, gone_url, gone_secret = await hooks.new()
    await triggers.delete_webhook_trigger(hooks.services, hooks.viewer, gone.id)
    body, large = b'{"a": 1}', b"x" * 50_000
    good = standard(secret, body)
    now = int(hooks.clock().timestamp())
    token = url.rpartition("/")[2]
    other = token[:-1] + ("A" if token[-1] != "A" else "B")
    calls: dict[str, tuple[str, bytes, dict[str, str]]] = {
        "forged": (url, body, good | {"webhook-signature": "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="}),
        "other body": (url, b'{"a": 2}', good),
        "other id": (url, body, good | {"webhook-id": "msg_other"}),
        "unsigned": (url, body, {}),
        "late": (url, body, standard(secret, body, sent=now - 400)),
        "early": (url, body, standard(secret, body, sent=now + 400)),
        "wrong scheme": (url, body, github(secret, body)),
        "large": (url, large, standard("whsec_" + "A" * 32, large)),
        "no JSON": (url, b"{", {"content-type": "application/json"}),
        "unknown": (url.replace(token, other), body, good),
        "unknown and short": (url.replace(token, "x"), body, good),
        "no token": (url.removesuffix(token), body, good),
        "longer path": (f"{url}/more", body, good),
        "odd token": (url.replace(token, "%ff%00" * 10), body, good),
        "disabled": (disabled_url, body, standard(disabled_secret, body)),
        "deleted": (gone_url, body, standard(gone_secret, body)),
    }
    answers = {name: await hooks.call(*call) for name, call in calls.items()}
    expected = answers["unknown"]
    assert expected.status == 404
    assert expected.json["errors"][0]["message"] == "There is no webhook here that takes this call."
    assert {name: answer for name, answer in answers.items() if answer != expected} == {}
    assert await hooks.stored() == []
    assert str(trigger.id).encode() not in expected.body
    assert (await hooks.call(url, body, good)).status == 202


async def test_a_trigger_that_is_disabled_or_deleted_takes_no_call_from_that_moment_on(hooks: Hooks) -> None:
    disabled, deleted = await hooks.new(), await hooks.new()
    for _, url, secret in (disabled, deleted):
        assert (await hooks.call(url, b"{}", standard(secret, b"{}", message_id="msg_1"))).status == 202
    await triggers.update_webhook_trigger(hooks.services, hooks.viewer, disabled[0].id, {"enabled": False})
    await triggers.delete_webhook_trigger(hooks.services, hooks.viewer, deleted[0].id)
    for _, url, secret in (disabled, deleted):
        for message_id in ("msg_1", "msg_2"):
            refused = await hooks.call(url, b"{}", standard(secret, b"{}", message_id=message_id))
            assert refused.status == 404
    assert len(await hooks.stored()) == 2


async def test_the_old_secret_counts_until_its_overlap_is_over(hooks: Hooks) -> None:
    trigger, url, old = await hooks.new()
    rotated = await triggers.rotate_webhook_trigger_secret(
        hooks.services, hooks.viewer, trigger.id, overlap=timedelta(minutes=2)
    )
    assert rotated.secret is not None
    for secret in (old, rotated.secret):
        assert (await hooks.call(url, b"{}", standard(secret, b"{}"))).status == 202
    hooks.clock.ahead = timedelta(minutes=3)
    now = int(hooks.clock().timestamp())
    found = [(await hooks.call(url, b"{}", standard(one, b"{}", sent=now))).status for one in (old, rotated.secret)]
    assert found == [404, 202]


async def test_what_is_changed_counts_at_once(hooks: Hooks) -> None:
    trigger, url, secret = await hooks.new()
    assert (await hooks.call(url, b"{}", standard(secret, b"{}"))).status == 202
    new = (await triggers.rotate_webhook_trigger_secret(hooks.services, hooks.viewer, trigger.id)).secret
    assert new is not None
    assert (await hooks.call(url, b"{}", standard(new, b"{}"))).status == 202
    for enabled, status in ((False, 404), (True, 202)):
        await triggers.update_webhook_trigger(hooks.services, hooks.viewer, trigger.id, {"enabled": enabled})
        assert (await hooks.call(url, b"{}", standard(new, b"{}"))).status == status


async def test_a_flood_of_forged_calls_asks_the_database_only_now_and_then(hooks: Hooks) -> None:
    _, url, _ = await hooks.new()
    calls = WebhookCalls(hooks.services, lambda: 1_000.0)
    forged = Call(url.rpartition("/")[2], standard("whsec_" + "A" * 32, b"{}"), b"", b"{}")
    with counted(hooks.services.database) as statements:
        for _ in range(500):
            with pytest.raises(UnknownCall):
                await calls.receive(forged)
    assert statements.count <= 31


async def test_a_secret_that_was_changed_without_an_overlap_counts_no_more(hooks: Hooks) -> None:
    trigger, url, old = await hooks.new()
    await triggers.rotate_webhook_trigger_secret(hooks.services, hooks.viewer, trigger.id, overlap=timedelta(0))
    assert (await hooks.call(url, b"{}", standard(old, b"{}"))).status == 404


async def test_github_calls(hooks: Hooks) -> None:
    _, url, secret = await hooks.new(WebhookScheme.GITHUB)
    body = b'{"ref": "refs/heads/main"}'
    ping = await hooks.call(url, b'{"zen": "z"}', github(secret, b'{"zen": "z"}', event="ping"))
    assert (ping.status, ping.body, await hooks.stored()) == (200, b"pong", [])
    first = await hooks.call(url, body, github(secret, body, delivery="d-1"))
    assert first == await hooks.call(url, body, github(secret, body, delivery="d-1"))
    assert (await hooks.call(url, body, github("another secret, as long", body))).status == 404
    (stored,) = await hooks.stored()
    assert stored["external_key"] == "d-1"
    assert stored["payload"]["headers"]["x-github-event"] == "push"
    assert (first.status, stored["payload"]["body"]) == (202, {"ref": "refs/heads/main"})


async def test_slack_calls(hooks: Hooks) -> None:
    _, url, secret = await hooks.new(WebhookScheme.SLACK, SIGNING_SECRET)
    asked = b'{"type": "url_verification", "challenge": "3eZbrw1aBm2rZgRN"}'
    assert (await hooks.call(url, asked, slack("not the secret of the app", asked))).status == 404
    proved = await hooks.call(url, asked, slack(secret, asked))
    assert (proved.status, proved.body, proved.headers["content-type"]) == (
        200, b"3eZbrw1aBm2rZgRN", "text/plain; charset=utf-8",
    )  # fmt: skip
    told = b'{"type": "event_callback", "event_id": "Ev1", "event": {"type": "app_mention"}}'
    now = int(hooks.clock().timestamp())
    again = [await hooks.call(url, told, slack(secret, told, sent=now + after)) for after in (0, 1)]
    command = b"command=%2Fdeploy&text=now&trigger_id=1.2"
    shown = await hooks.call(url, command, slack(secret, command, form=True))
    assert [answer.status for answer in again] == [202, 202]
    assert (shown.status, shown.body) == (200, b"")
    stored = [one["payload"]["body"] for one in await hooks.stored()]
    assert stored == [
        {"type": "event_callback", "event_id": "Ev1", "event": {"type": "app_mention"}},
        {"command": "/deploy", "text": "now", "trigger_id": "1.2"},
    ]


async def test_stripe_calls(hooks: Hooks) -> None:
    _, url, secret = await hooks.new(WebhookScheme.STRIPE, "whsec_of an endpoint of Stripe's")
    body = b'{"id": "evt_1", "type": "invoice.paid"}'
    now = int(hooks.clock().timestamp())
    answers = [await hooks.call(url, body, stripe(secret, body, sent=now + after)) for after in (0, 5)]
    assert answers[0] == answers[1]
    assert [one["external_key"] for one in await hooks.stored()] == ["evt_1"]


@pytest.mark.parametrize(
    ("body", "change", "said"),
    [
        (b"{", {}, "no JSON"),
        (b'{"a": "\\u0000"}', {}, "NUL"),
        (b"[" * 150 + b"]" * 150, {}, "levels deep"),
        (b"\xff\xfe", {"content-type": "application/octet-stream"}, "neither JSON nor text"),
        (b"{}", {"user-agent": "x" * 2_000}, "user-agent"),
    ],
)
async def test_what_a_genuine_caller_can_put_right_is_said(
    hooks: Hooks, body: bytes, change: dict[str, str], said: str
) -> None:
    _, url, secret = await hooks.new()
    answer = await hooks.call(url, body, standard(secret, body) | change)
    assert answer.status == 400
    assert said in answer.json["errors"][0]["message"]
    assert await hooks.stored() == []


async def test_text_and_nothing_are_bodies_too(hooks: Hooks) -> None:
    _, url, secret = await hooks.new()
    for body, kind in ((b"disk full", "text/plain"), (b"", "application/json")):
        assert (await hooks.call(url, body, standard(secret, body) | {"content-type": kind})).status == 202
    assert [one["payload"]["body"] for one in await hooks.stored()] == ["disk full", None]


async def test_a_very_long_id_is_stored_as_its_hash(hooks: Hooks) -> None:
    _, url, secret = await hooks.new(WebhookScheme.GITHUB)
    for _ in range(2):
        assert (await hooks.call(url, b"{}", github(secret, b"{}", delivery="d" * 900))).status == 202
    (stored,) = await hooks.stored()
    assert len(stored["external_key"]) == 64


async def test_a_body_that_is_too_large_for_the_trigger_is_told_to_genuine_callers_only(hooks: Hooks) -> None:
    _, url, secret = await hooks.new(max_bytes=100)
    body = b'"' + b"x" * 200 + b'"'
    told = await hooks.call(url, body, standard(secret, body))
    assert told.status == 413
    assert "at most 100" in told.json["errors"][0]["message"]
    assert (await hooks.call(url, body, standard(secret, body + b" "))).status == 404
    everybody = await hooks.call(url, b"x" * (SERVER_BYTES + 1), {})
    assert (
        everybody.status == (await hooks.call(f"{hooks.origin}/hooks/x", b"x" * (SERVER_BYTES + 1), {})).status == 413
    )


async def test_more_calls_than_the_trigger_allows_are_told_when_to_come_again(hooks: Hooks) -> None:
    _, url, secret = await hooks.new(rate_per_minute=20)
    statuses = [(await hooks.call(url, b"{}", standard(secret, b"{}"))).status for _ in range(2)]
    told = await hooks.call(url, b"{}", standard(secret, b"{}"))
    forged = await hooks.call(url, b"{}", {})
    assert (statuses, told.status, forged.status) == ([202, 202], 429, 404)
    assert 1 <= int(told.headers["retry-after"]) <= 60
    assert len(await hooks.stored()) == 2


async def test_forged_calls_use_up_nothing_of_the_rate(hooks: Hooks) -> None:
    _, url, secret = await hooks.new(rate_per_minute=1)
    for _ in range(10):
        assert (await hooks.call(url, b"{}", {})).status == 404
    assert (await hooks.call(url, b"{}", standard(secret, b"{}"))).status == 202


async def test_only_post_calls_a_webhook(hooks: Hooks) -> None:
    _, url, _ = await hooks.new()
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        known = await hooks.call(url, b"", {}, method)
        assert (known.status, known.headers["allow"]) == (405, "POST")
        assert known == await hooks.call(f"{hooks.origin}/hooks/x", b"", {}, method)


async def test_a_database_that_is_away_is_no_lost_call(hooks: Hooks) -> None:
    _, url, secret = await hooks.new()
    sent = standard(secret, b"{}", message_id="msg_1")
    assert (await hooks.call(url, b"{}", standard(secret, b"{}"))).status == 202
    async with hooks.services.database.transaction() as connection:
        raised = "BEGIN RAISE EXCEPTION 'shutting down' USING ERRCODE = '57P01'; END"
        await connection.execute(text(f"CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ {raised} $$"))
        await connection.execute(text("CREATE TRIGGER away BEFORE INSERT ON event EXECUTE FUNCTION away()"))
    refused = await hooks.call(url, b"{}", sent)
    async with hooks.services.database.transaction() as connection:
        await connection.execute(text("DROP TRIGGER away ON event"))
    assert refused.status == 503
    assert refused.headers["retry-after"] == "1"
    assert (await hooks.call(url, b"{}", sent)).status == 202
    assert len(await hooks.stored()) == 2


async def test_an_unknown_link_and_a_known_one_are_asked_for_once_a_second(hooks: Hooks) -> None:
    trigger, url, _ = await hooks.new()
    now = 0.0
    endpoints = Endpoints(hooks.services, lambda: now)
    token = url.rpartition("/")[2]
    await triggers.delete_webhook_trigger(hooks.services, hooks.viewer, trigger.id)
    _, other_url, _ = await hooks.new()
    for link, there in ((token, False), (other_url.rpartition("/")[2], True)):
        with counted(hooks.services.database) as statements:
            found = await asyncio.gather(*(endpoints.of_link(link) for _ in range(5)))
            assert {one is not None for one in found} == {there}
            assert statements.count == 1
            now += 1.1
            await endpoints.of_link(link)
            assert statements.count == 2
    with counted(hooks.services.database) as statements:
        assert await endpoints.of_link("A" * len(token)) is None
        assert statements.count == 0
