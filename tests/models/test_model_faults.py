"""Providers that refuse, hang, break off or babble: what becomes of the call, and that no key ever shows."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from model_servers import KEY, Babbles, BreaksOff, Conduct, Hangs, Refuses, Says
from models.conftest import Shop

from weft.domain.access import Viewer
from weft.domain.outside import ModelRequest
from weft.domain.providers import ProviderKind
from weft.domain.step import Fail, Retry
from weft.engine.outside import OutsideOptions, World

FAULTS: list[tuple[Conduct, type[Exception], str]] = [
    (Refuses(500), Retry, "HTTP_500"),
    (Refuses(503), Retry, "HTTP_503"),
    (Refuses(529), Retry, "HTTP_529"),
    (Refuses(408), Retry, "HTTP_408"),
    (Refuses(400, "the prompt is too long"), Fail, "HTTP_400"),
    (Refuses(401), Fail, "PROVIDER_REFUSED_KEY"),
    (Refuses(403), Fail, "PROVIDER_REFUSED_KEY"),
    (Refuses(404), Fail, "MODEL_NOT_FOUND"),
    (Refuses(307, headers={"Location": "http://169.254.169.254/"}), Fail, "HTTP_307"),
    (BreaksOff(), Retry, "NETWORK_FAULT"),
    (Hangs(), Retry, "TIMEOUT"),
    (Babbles(b"nothing of sense"), Retry, "INVALID_RESPONSE"),
    (Babbles(b"<html>busy</html>", "text/html"), Retry, "INVALID_RESPONSE"),
    (Babbles(b"{}"), Retry, "INVALID_RESPONSE"),
    (Babbles(b"[1]"), Retry, "INVALID_RESPONSE"),
    (Babbles(b"null"), Retry, "INVALID_RESPONSE"),
]


@pytest.mark.parametrize("kind", list(ProviderKind))
@pytest.mark.parametrize(
    ("conduct", "signal", "code"), FAULTS, ids=[f"{code}-{n}" for n, (_, _, code) in enumerate(FAULTS)]
)
async def test_what_a_fault_comes_to(
    shop: Shop, kind: ProviderKind, conduct: Conduct, signal: type[Exception], code: str
) -> None:
    await shop.provider(kind)
    shop.server.usual = conduct
    with pytest.raises((Retry, Fail)) as raised:
        await shop.generate(model="some-model", timeout=timedelta(seconds=0.3))
    assert (type(raised.value), raised.value.code) == (signal, code)
    assert len(shop.server.asked) == 1, "attempts are counted by the engine, not by a library"


async def test_an_account_without_money_is_not_tried_again(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Refuses(429, "You exceeded your current quota", code="insufficient_quota")
    with pytest.raises(Fail) as failed:
        await shop.generate()
    assert failed.value.code == "QUOTA_EXHAUSTED"


@pytest.mark.parametrize("kind", list(ProviderKind))
async def test_a_provider_that_echoes_the_key_gives_it_to_nobody(shop: Shop, kind: ProviderKind) -> None:
    await shop.provider(kind)
    shop.server.usual = Refuses(401, f"Bearer {KEY} is wrong")
    with pytest.raises(Fail) as failed:
        await shop.generate(model="some-model")
    assert "Bearer *** is wrong" in failed.value.reason
    assert KEY not in f"{failed.value.reason} {failed.value.details}"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("spelled", ["seconds", "date"])
async def test_retry_after_is_honoured_and_slows_every_call_of_the_provider(
    shop: Shop, status: int, spelled: str
) -> None:
    await shop.provider()
    written = "1" if spelled == "seconds" else format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    shop.server.script = [Refuses(status, "slow down", {"Retry-After": written})]
    with pytest.raises(Retry) as raised:
        await shop.generate()
    after = raised.value.after
    assert after is not None
    assert timedelta(seconds=0.5) < after <= timedelta(seconds=2)
    started = time.monotonic()
    await shop.generate("Another one")
    assert time.monotonic() - started > after.total_seconds() - 0.3


async def test_another_worker_keeps_the_pause_as_well(shop: Shop) -> None:
    await shop.provider(requests_per_minute=10_000)
    shop.server.script = [Refuses(429, "slow down", {"Retry-After": "1"})]
    options = shop.services.world._options
    async with World(shop.services.database, options) as other:
        with pytest.raises(Retry):
            await shop.generate()
        started = time.monotonic()
        await other.of(shop.viewer.workspace_id).models.generate(ModelRequest("local", "gpt-4o-mini", "Hi"))
    assert time.monotonic() - started > 0.7


async def test_a_cancelled_call_closes_its_exchange(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Hangs()
    call = asyncio.create_task(shop.generate())
    async with asyncio.timeout(5):
        while not shop.server.under_way:
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        while shop.server.under_way:
            await asyncio.sleep(0.01)
    assert shop.server.broken_off == 1


async def test_a_private_address_is_refused_unless_it_is_allowed(shop: Shop, redis_url: str) -> None:
    await shop.provider()
    async with World(shop.services.database, OutsideOptions(shop.services.secret_key, redis_url)) as strict:
        with pytest.raises(Fail) as failed:
            await strict.of(shop.viewer.workspace_id).models.generate(ModelRequest("local", "gpt-4o-mini", "Hi"))
    assert failed.value.code == "ADDRESS_REFUSED"
    assert shop.server.asked == []


async def test_a_key_that_was_sealed_elsewhere_fails_the_call_with_a_sentence(shop: Shop, redis_url: str) -> None:
    await shop.provider()
    options = OutsideOptions(b"another secret key of 32 characters", redis_url, ["127.0.0.1"])
    async with World(shop.services.database, options) as other:
        with pytest.raises(Fail) as failed:
            await other.of(shop.viewer.workspace_id).models.generate(ModelRequest("local", "gpt-4o-mini", "Hi"))
    assert failed.value.code == "SECRET_UNREADABLE"


async def test_a_provider_of_another_workspace_is_not_there(shop: Shop, stranger: Viewer) -> None:
    await shop.provider()
    theirs = shop.services.world.of(stranger.workspace_id).models
    assert list(await theirs.providers()) == []
    with pytest.raises(Fail) as failed:
        await theirs.generate(ModelRequest("local", "gpt-4o-mini", "Hi"))
    assert failed.value.code == "PROVIDER_UNKNOWN"


async def test_a_larger_answer_than_any_model_gives_is_not_read(shop: Shop) -> None:
    await shop.provider()
    shop.server.usual = Says("x" * 17_000_000)
    with pytest.raises(Fail) as failed:
        await shop.generate()
    assert failed.value.code == "RESPONSE_TOO_LARGE"
