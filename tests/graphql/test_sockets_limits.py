"""What one client may take of a process: connections, operations, and messages. Others are served meanwhile."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial

import aiohttp
import orjson
import pytest
from socket_clients import Serving, Socket, close_of, closing, operation, serving
from sqlalchemy import text

from weft.auth.rate_limits import rate_of
from weft.domain.access import Role
from weft.http.sockets import CONTROL_FRAMES, FIRST_BYTES, MOST_FRAGMENTS
from weft.operations.keys import create_first_key
from weft.settings import Settings
from weft.storage.database import Database

pytestmark = pytest.mark.timeout(90)

WHO = "{ viewer { role } }"
NEVER_ENDS = "subscription { runs { kind } }"


@pytest.fixture
async def key(database: Database, settings: Settings) -> str:
    return await new_key(database, settings, "one")


async def new_key(database: Database, settings: Settings, name: str) -> str:
    assert settings.secret_key
    secret = settings.secret_key.get_secret_value().encode()
    made = await create_first_key(database, secret, workspace="tests", name=name, role=Role.ADMIN, actor="tests")
    return made.text


async def answered(opened: Socket, id: str = "1") -> object:
    await opened.send_json(operation(WHO, id))
    kinds = [(await opened.receive_json())["type"] for _ in range(2)]
    assert kinds == ["next", "complete"], kinds


async def test_an_address_with_too_many_is_told_to_come_later_and_others_are_let_in(
    settings: Settings, key: str
) -> None:
    async with serving(settings, max_connections_per_address=2) as served:
        async with served.opened(key), served.opened(key) as second:
            assert await served.refused(key) == (1013, "This address has 2 connections, as many as it may.")
            async with served.opened(key, "192.0.2.2") as other:
                await answered(other)
            await answered(second)
        await served.nobody_is_left()
        async with served.opened(key) as again:
            await answered(again)


async def test_a_key_with_too_many_is_told_before_it_is_let_in(
    settings: Settings, key: str, database: Database
) -> None:
    other = await new_key(database, settings, "other")
    async with serving(settings, max_connections_per_key=1) as served:
        async with served.opened(key):
            assert await served.refused(key, "192.0.2.2") == (
                1013,
                "This API key has 1 connections, as many as it may.",
            )
            async with served.opened(other) as opened:
                await answered(opened)
        await served.nobody_is_left()
        async with served.opened(key):
            pass


async def test_without_a_trusted_proxy_what_a_client_says_of_its_address_counts_for_nothing(
    settings: Settings, key: str
) -> None:
    limited = serving(settings, max_connections_per_address=1, trusted_proxies=("192.0.2.77",))
    async with limited as served, served.opened(key, "192.0.2.1"):
        assert (await served.refused(key, "192.0.2.2"))[0] == 1013


async def test_event_streams_count_among_the_connections(settings: Settings, key: str) -> None:
    async with serving(settings, max_connections_per_key=2) as served:
        headers, body = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}, {"query": NEVER_ENDS}
        ask = partial(served.session.post, served.url, json=body, headers=headers)
        async with asyncio.timeout(30), served.opened(key), ask() as stream:
            assert stream.content_type == "text/event-stream"
            async with ask() as refused:
                assert refused.status == 429
                assert int(refused.headers["Retry-After"]) >= 1
                (error,) = (await refused.json())["errors"]
                assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
                assert error["message"].startswith("This API key has 2 connections")
            assert (await served.refused(key))[0] == 1013
            stream.close()
        await served.nobody_is_left()


async def test_a_flood_of_handshakes_is_refused_before_it_costs_and_others_are_let_in(
    settings: Settings, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(settings, max_connections_per_address=5) as served:
        refusals = [refused for _ in range(60) if (refused := await _handshake(served)) is not None]
        assert {status for status, _ in refusals} == {429}
        assert all(int(retry_after) >= 1 for _, retry_after in refusals)
        assert [record for record in caplog.records if record.levelname == "ERROR"] == []
        async with served.opened(key, "192.0.2.2") as other:
            await answered(other)


async def test_an_operation_too_many_is_refused_and_the_others_go_on(settings: Settings, key: str) -> None:
    async with serving(settings, max_subscriptions=3) as served, served.opened(key) as opened:
        for number in range(4):
            await opened.send_json(operation(NEVER_ENDS, str(number)))
        refused = await opened.receive_json()
        assert (refused["id"], refused["type"]) == ("3", "error")
        assert refused["payload"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert refused["payload"][0]["message"] == "This connection has 3 operations under way, as many as it may."
        await opened.send_json({"id": "0", "type": "complete"})
        await answered(opened, "4")


async def test_an_id_that_is_too_long_is_no_message(settings: Settings, key: str) -> None:
    async with serving(settings) as served, served.opened(key) as opened:
        await answered(opened, "x" * 128)
        await opened.send_json(operation(WHO, "x" * 129))
        assert await close_of(opened) == (4400, "The `id` of an operation may have 128 characters.")


async def test_a_reason_that_quotes_what_came_fits_into_its_frame(settings: Settings, key: str) -> None:
    async with serving(settings) as served, served.opened(key) as opened:
        await opened.send_json({"type": "ö" * 10_000})
        code, reason = await close_of(opened)
    assert code == 4400
    assert reason.startswith("Unknown message type: öö")


async def test_too_many_messages_close_the_socket_that_they_come_on_for_good(settings: Settings, key: str) -> None:
    async with serving(settings, max_messages=100) as served, served.opened(key) as other:
        async with served.opened(key) as flooding:
            for _ in range(rate_of(100).burst_us // rate_of(100).each_us + 1):
                await flooding.send_json({"type": "ping"})
            code, reason = await close_of(flooding)
            assert (code, reason) == (4429, "Too many messages came on this connection in too short a time.")
        await answered(other)


async def test_a_message_that_is_too_large_closes_with_1009_sooner_where_no_key_was_shown(
    settings: Settings, key: str
) -> None:
    async with serving(settings, max_message_bytes=100_000) as served:
        async with served.opened(key) as opened:
            await opened.send_json({"type": "ping", "payload": {"x": "x" * 90_000}})
            assert await opened.receive_json() == {"type": "pong"}
            await opened.send_json({"type": "ping", "payload": {"x": "x" * 100_000}})
            assert (await close_of(opened))[0] == 1009
        async with served.connect() as stranger:
            await stranger.send_json({"type": "ping", "payload": {"x": "x" * FIRST_BYTES}})
            assert (await close_of(stranger))[0] == 1009


async def test_pings_without_end_and_fragments_of_nothing_end_the_connection(settings: Settings, key: str) -> None:
    async with serving(settings) as served:
        async with served.opened(key, autoping=False) as pinging:
            for _ in range(CONTROL_FRAMES.burst_us // CONTROL_FRAMES.each_us + 2):
                await pinging.ping(b"x" * 125)
            while (message := await pinging.receive()).type is aiohttp.WSMsgType.PONG:
                pass
            assert closing(message)[0] == 4429
        async with served.opened(key) as splitting:
            first, more = b"\x01\x80\0\0\0\0", b"\x00\x80\0\0\0\0"
            vars(splitting)["_writer"].transport.write(first + more * (MOST_FRAGMENTS + 1))
            assert await close_of(splitting) == (1009, "A message may have 4,096 fragments.")


async def test_nothing_stays_of_those_who_left_however_they_did(settings: Settings, key: str) -> None:
    async with serving(settings) as served:
        for round_ in range(3):
            async with AsyncExitStack() as stack:
                opened = [await stack.enter_async_context(served.opened(key)) for _ in range(20)]
                for socket in opened[round_:]:
                    await socket.send_json(operation(NEVER_ENDS))
                assert len(served.connections) == 20
                await answered(opened[0], "2")
                for socket in opened[:10]:
                    vars(socket)["_writer"].transport.abort()
            await served.nobody_is_left()


async def test_who_is_silent_is_closed_so_that_it_comes_back_and_who_answers_stays(
    settings: Settings, key: str
) -> None:
    async with serving(settings, heartbeat_seconds=0.5) as served, served.opened(key) as alive:
        hearing = asyncio.create_task(alive.receive())  # pings are answered while something is read
        async with served.opened(key, autoping=False) as silent:
            pings = 0
            while (message := await silent.receive()).type is aiohttp.WSMsgType.PING:
                pings += 1
            assert (pings, closing(message)) == (1, (1013, "No ping was answered in time. Connect again."))
        await asyncio.sleep(1.5)
        await alive.send_json(operation(WHO))
        assert orjson.loads((await hearing).data)["type"] == "next"


async def test_a_process_that_was_busy_looks_for_answers_before_it_calls_a_peer_silent(
    settings: Settings, key: str
) -> None:
    async with serving(settings, heartbeat_seconds=1) as served, served.opened(key) as opened:
        (protocol,) = served.server.server_state.connections
        peer = vars(protocol)
        async with asyncio.timeout(10):
            while peer["pending_ping_payload"] is None:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0)
        peer["ping_sent_at"] -= 100  # as if the process had stood still for that long
        protocol.keepalive_timeout()  # type: ignore[union-attr]
        hearing = asyncio.create_task(opened.receive())
        await asyncio.sleep(0.5)
        assert not hearing.done()
        await opened.send_json(operation(WHO))
        assert orjson.loads((await hearing).data)["type"] == "next"


async def test_a_stopping_process_answers_what_it_was_asked_and_closes_with_a_reason(
    settings: Settings, key: str, database: Database
) -> None:
    revoke = 'mutation { createEntityType(input: {name: "n", schema: {type: "object"}}) { entityType { name } } }'
    async with serving(settings) as served, served.opened(key) as asking, served.opened(key, "192.0.2.2") as watching:
        await watching.send_json(operation(NEVER_ENDS))
        async with database.transaction() as connection:
            await connection.execute(text("LOCK TABLE entity_type IN EXCLUSIVE MODE"))
            await asking.send_json(operation(revoke))
            await asyncio.sleep(0.3)
            served.server.should_exit = True
            code, reason = await close_of(watching)
            assert (code, reason) == (1012, "This process is stopping. Connect again, after a random pause.")
        answer = await asking.receive_json()
        assert answer["payload"]["data"]["createEntityType"]["entityType"] == {"name": "n"}
        assert (await close_of(asking))[0] == 1012
        async with asyncio.timeout(20):
            await served.running


async def test_all_clients_of_a_good_key_may_come_at_once_to_a_process_that_has_just_started(
    settings: Settings, key: str
) -> None:
    async with serving(settings) as served, AsyncExitStack() as stack:
        await asyncio.gather(*(stack.enter_async_context(served.opened(key)) for _ in range(100)))
        assert len(served.connections) == 100


async def test_what_a_setting_says_of_proxies_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    for good, read in (("*", ("*",)), ("10.0.0.0/8, ::1", ("10.0.0.0/8", "::1"))):
        monkeypatch.setenv("WEFT_TRUSTED_PROXIES", good)
        assert Settings().trusted_proxies == read
    for wrong in ("proxy.example", "10.0.0.1/8", "*,10.0.0.1"):
        monkeypatch.setenv("WEFT_TRUSTED_PROXIES", wrong)
        with pytest.raises(ValueError, match="trusted_proxies"):
            Settings()


async def test_a_flood_from_one_address_costs_the_others_little(settings: Settings, key: str) -> None:
    async with serving(settings, max_connections_per_address=50) as served, served.opened(key, "192.0.2.2") as other:
        flooding = [asyncio.create_task(_flood(served)) for _ in range(8)]
        try:
            await asyncio.sleep(0.5)
            for number in range(20):
                await answered(other, str(number))
            async with served.opened(key, "192.0.2.3") as newcomer:
                await answered(newcomer)
        finally:
            for task in flooding:
                task.cancel()
            done = await asyncio.gather(*flooding, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in done), done


async def _flood(served: Serving) -> None:
    while True:
        assert (await _handshake(served)) in {None, (429, "1")}


async def _handshake(served: Serving) -> tuple[int, str] | None:
    """Status and `Retry-After` where it was refused; else the websocket is closed again."""
    try:
        async with served.connect() as opened:
            await opened.close()
    except aiohttp.WSServerHandshakeError as refused:
        return refused.status, (refused.headers or {})["Retry-After"]
    return None
