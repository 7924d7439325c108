"""How many operations a key may have: over HTTP and websockets, over several processes, and without Redis."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import WSMsgType
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from weft.auth import rate_limits
from weft.auth.guesses import RATE, Guesses
from weft.auth.keys import new_key
from weft.auth.rate_limits import RateLimits, rate_of
from weft.domain.errors import RateLimited
from weft.kit.even_rate import MINUTE_US, EvenRate

pytestmark = pytest.mark.timeout(60)

WHO = "{ viewer { role } }"
CREATE = """mutation ($limit: Int) { createApiKey(input: {name: "limited", role: VIEWER, rateLimitPerMinute: $limit}) {
  key apiKey { id rateLimitPerMinute } errors { code path } } }"""
UPDATE = """mutation ($input: UpdateApiKeyInput!) { updateApiKey(input: $input) {
  apiKey { name expiresAt rateLimitPerMinute } errors { code path } } }"""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that has much else to do, Redis may take longer than a request would wait."""
    monkeypatch.setattr(rate_limits, "PATIENCE_SECONDS", 20.0)


async def limited(api: Any, limit: int) -> tuple[str, str]:
    """The id and the text of a key with this limit."""
    made = (await api.post(CREATE, {"limit": limit}))["data"]["createApiKey"]
    assert (made["errors"], made["apiKey"]["rateLimitPerMinute"]) == ([], limit)
    return made["apiKey"]["id"], made["key"]


async def let_in(limits: RateLimits, name: str, own: int | None, times: int) -> int:
    async def one() -> bool:
        try:
            await limits.admit(name, own)
        except RateLimited as refused:
            return refused.retry_after_seconds <= 0
        return True

    return sum(await asyncio.gather(*(one() for _ in range(times))))


async def test_a_key_that_used_up_its_operations_gets_429_and_when_to_come_back(api: Any) -> None:
    key_id, key = await limited(api, 5)
    headers = {"Authorization": f"Bearer {key}", "X-Request-ID": "mine"}
    for _ in range(5):
        assert (await api.post(WHO, Authorization=f"Bearer {key}"))["data"]
    async with api.session.post(api.url, json={"query": WHO}, headers=headers) as response:
        assert response.status == 429
        error = (await response.json())["errors"][0]
        assert 1 <= int(response.headers["Retry-After"]) <= 12
    assert (error["extensions"]["code"], error["extensions"]["requestId"]) == ("LIMIT_EXCEEDED", "mine")
    assert 0 < error["extensions"]["retryAfter"] <= 12
    assert (await api.post(WHO))["data"], "another key is another matter"
    changed = await api.post(UPDATE, {"input": {"id": key_id, "rateLimitPerMinute": None}})
    assert changed["data"]["updateApiKey"]["apiKey"]["rateLimitPerMinute"] is None


async def test_operations_over_a_websocket_count_as_well(api: Any) -> None:
    _, key = await limited(api, 4)
    heard: list[dict[str, Any]] = []
    async with (
        asyncio.timeout(15),
        api.session.ws_connect(api.url.replace("http", "ws"), protocols=("graphql-transport-ws",)) as socket,
    ):
        await socket.send_json({"type": "connection_init", "payload": {"apiKey": key}})
        for number in range(5):
            await socket.send_json({"id": str(number), "type": "subscribe", "payload": {"query": WHO}})
        while not any(message["type"] == "error" for message in heard):
            heard.append(await socket.receive_json())
        await socket.send_json({"type": "ping"})
        while heard[-1]["type"] != "pong":
            heard.append(await socket.receive_json())
    (refused,) = [message for message in heard if message["type"] == "error"]
    assert refused["id"] == "4"
    assert refused["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert refused["payload"][0]["extensions"]["retryAfter"] > 0
    assert (await api.post(WHO, Authorization=f"Bearer {key}"))["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_a_limit_that_is_none_is_refused(api: Any) -> None:
    for limit in (0, -1, 2_000_000_000):
        made = (await api.post(CREATE, {"limit": limit}))["data"]["createApiKey"]
        assert made["errors"] == [{"code": "INVALID", "path": ["input", "rateLimitPerMinute"]}]


async def test_processes_share_the_operations_of_a_key(redis_url: str) -> None:
    name, processes = uuid4().hex, [RateLimits.connect(redis_url, 0) for _ in range(3)]
    counts = await asyncio.gather(*(let_in(limits, name, 60, 200) for limits in processes))
    assert 10 <= sum(counts) <= 29, "a burst, and one for each second that it took"
    assert await let_in(processes[0], uuid4().hex, 60, 10) == 10, "another key has its own"
    for limits in processes:
        await limits.close()


async def test_a_key_never_gets_more_than_the_server_allows_any(redis_url: str) -> None:
    limits = RateLimits.connect(redis_url, 20)
    assert 10 <= await let_in(limits, uuid4().hex, None, 50) < 20
    assert 10 <= await let_in(limits, uuid4().hex, 1_000_000, 50) < 20
    assert 5 <= await let_in(limits, uuid4().hex, 5, 50) < 10
    await limits.close()


async def test_without_limits_nobody_is_asked() -> None:
    limits = RateLimits.connect("redis://127.0.0.1:1/0", 0)
    assert await let_in(limits, "key", None, 1_000) == 1_000
    assert limits._away_till == 0
    await limits.close()


async def test_a_busy_caller_costs_a_question_now_and_then(redis_url: str) -> None:
    name, limits, redis = uuid4().hex, RateLimits.connect(redis_url, 1_000_000), Redis.from_url(redis_url)
    await limits.admit(name)
    await redis.config_resetstat()
    assert await let_in(limits, name, None, 10_000) == 10_000
    asked = (await redis.info("commandstats"))["cmdstat_evalsha"]["calls"]
    assert asked < 100
    await limits.close()
    await redis.aclose()


async def test_without_redis_each_process_keeps_the_limits_alone() -> None:
    limits = RateLimits.connect("redis://127.0.0.1:1/0", 20)
    assert 10 <= await let_in(limits, "key", None, 50) < 20
    await limits.close()


async def test_an_emptied_redis_has_forgotten_and_works(redis_url: str) -> None:
    emptied, redis = RateLimits.connect(redis_url, 20), Redis.from_url(redis_url)
    name = uuid4().hex
    assert 10 <= await let_in(emptied, name, None, 50) < 20
    await redis.flushall()
    await redis.script_flush()
    emptied._shares.clear()
    assert 10 <= await let_in(emptied, name, None, 50) < 20
    await emptied.close()
    await redis.aclose()


@given(st.integers(1, 1_000), st.lists(st.integers(0, 5_000_000), max_size=300))
def test_no_minute_sees_more_than_the_limit_and_a_burst(limit: int, pauses: list[int]) -> None:
    rate, burst = rate_of(limit), min(limit, max(10, limit // 10))
    now, till, moments = 0, 0, list[int]()
    for pause in pauses:
        now += pause
        now += rate.wait(till, now)
        assert rate.wait(till, now) == 0, "what it says to wait is enough"
        till = rate.after(till, now)
        moments.append(now)
    for index, first in enumerate(moments):
        assert sum(moment < first + MINUTE_US for moment in moments[index:]) <= limit + burst


def test_an_even_rate_lets_in_a_burst_and_then_one_at_a_time() -> None:
    rate, till = EvenRate.per_minute(60, burst=3), 0
    for _ in range(3):
        assert rate.wait(till, 0) == 0
        till = rate.after(till, 0)
    assert rate.wait(till, 0) == 1_000_000
    assert rate.wait(till, 1_000_000) == 0


async def test_who_tries_many_wrong_keys_is_told_to_wait_and_known_keys_go_on(api: Any) -> None:
    assert (await api.post(WHO))["data"]
    wrong = [api.post(WHO, Authorization=f"Bearer {new_key(b'x' * 32).text}") for _ in range(100)]
    codes = [answer["errors"][0]["extensions"]["code"] for answer in await asyncio.gather(*wrong)]
    assert set(codes) == {"UNAUTHENTICATED", "LIMIT_EXCEEDED"}
    assert codes.count("UNAUTHENTICATED") >= RATE.burst_us // RATE.each_us
    assert (await api.post(WHO))["data"]
    closed: list[int] = []
    while 1013 not in closed:
        async with api.session.ws_connect(api.url.replace("http", "ws"), protocols=("graphql-transport-ws",)) as socket:
            payload = {"apiKey": new_key(b"x" * 32).text}
            await socket.send_json({"type": "connection_init", "payload": payload})
            closed.append((await socket.receive()).data)
    assert set(closed) <= {1013, 4403}


async def test_what_the_handshake_of_a_websocket_says_hides_no_address(api: Any) -> None:
    async def shown(key: str) -> tuple[Any, Any]:
        url, headers = api.url.replace("http", "ws"), {"Authorization": "Bearer none"}
        async with api.session.ws_connect(url, protocols=("graphql-transport-ws",), headers=headers) as socket:
            await socket.send_json({"type": "connection_init", "payload": {"apiKey": key}})
            if (heard := await socket.receive()).type is WSMsgType.CLOSE:
                return heard.data, None
            document = 'mutation { createApiKey(input: {name: "made", role: VIEWER}) { apiKey { id } } }'
            await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": document}})
            return heard.json()["type"], (await socket.receive_json())["type"]

    assert await shown(api.key.text) == ("connection_ack", "next")
    log = await api.post("{ auditLog(first: 1) { nodes { action address } } }")
    assert log["data"]["auditLog"]["nodes"] == [{"action": "apiKey.created", "address": "127.0.0.1"}]
    closed = [await shown(new_key(b"x" * 32).text) for _ in range(2 * RATE.burst_us // RATE.each_us)]
    assert {code for code, _ in closed} == {4403, 1013}, "wrong keys are counted as well"


async def test_a_program_that_goes_on_with_one_wrong_key_locks_nobody_out(api: Any) -> None:
    wrong = new_key(b"x" * 32).text
    for _ in range(100):
        answer = await api.post(WHO, Authorization=f"Bearer {wrong}")
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    _, key = await limited(api, 100)
    assert (await api.post(WHO, Authorization=f"Bearer {key}"))["data"]


@pytest.mark.parametrize(
    ("address", "neighbour", "shared"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("no address", "another", False),
    ],
)
def test_wrong_keys_are_counted_by_network(address: str, neighbour: str, shared: bool) -> None:
    now = 1_000.0
    guesses = Guesses(lambda: now)
    for _ in range(30):
        guesses.charge(address)
    with pytest.raises(RateLimited):
        guesses.charge(address)
    if shared:
        with pytest.raises(RateLimited):
            guesses.charge(neighbour)
    else:
        guesses.charge(neighbour)
    guesses.refund(address)
    guesses.charge(address)
    now += 200
    guesses.charge(address)
