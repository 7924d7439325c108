"""An address is handed a key only when this very Weft answers there."""

import aiohttp
import pytest
from pytest_httpserver import HTTPServer

from weft.auth.instance import HEADER, instance_of
from weft.cli.answering import unready
from weft.domain.errors import StartupError

KEY = "a secret only for tests, of 32 characters or more"


async def said(server: HTTPServer) -> str | None:
    async with aiohttp.ClientSession() as session:
        return await unready(session, server.url_for("").rstrip("/"), KEY)


async def test_our_own_api_is_believed_when_it_is_ready(httpserver: HTTPServer) -> None:
    sign = {HEADER: instance_of(KEY.encode())}
    httpserver.expect_ordered_request("/readyz").respond_with_data("starting", status=503, headers=sign)
    httpserver.expect_ordered_request("/readyz").respond_with_data("", headers=sign)

    assert await said(httpserver) == "starting"
    assert await said(httpserver) is None


@pytest.mark.parametrize("headers", [{}, {HEADER: instance_of(b"another secret for tests, of 32 or more")}])
async def test_another_program_on_the_port_is_refused(httpserver: HTTPServer, headers: dict[str, str]) -> None:
    httpserver.expect_request("/readyz").respond_with_data("", headers=headers)

    with pytest.raises(StartupError, match="Something else than this Weft answers"):
        await said(httpserver)


async def test_nobody_there_is_no_answer_yet() -> None:
    async with aiohttp.ClientSession() as session:
        assert "connect" in (await unready(session, "http://127.0.0.1:1", KEY) or "").lower()


def test_the_sign_tells_nothing_of_the_key() -> None:
    assert KEY not in instance_of(KEY.encode())
    assert len(instance_of(KEY.encode())) == 32
