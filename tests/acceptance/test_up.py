"""`weft up` as its first user meets it: what it prints, what it answers, how it stops, and what survives it."""

import asyncio
import os
import pwd
import signal
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator
from math import inf
from pathlib import Path

import psutil
import pytest
from acceptance.command_line import Up, data_folder, finished, found, is_there, moved, nothing_runs_in, running_in, up
from acceptance.readable_python import python_for
from acceptance.receiver import receiving
from acceptance.runs import begin_run, end_of, past

from weft.cli.demonstration.client import Api

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]

ITEMS = 5_000
VIEWER = "{ viewer { workspace role } }"


@pytest.fixture
def folder() -> Iterator[Path]:
    with data_folder() as made:
        yield made


@pytest.fixture(scope="module")
async def weft() -> AsyncIterator[Up]:
    """One that stays up for several tests."""
    with data_folder() as folder:
        async with up(folder) as weft:
            yield weft
            await _stopped(weft, signal.SIGTERM)


async def _stopped(weft: Up, number: signal.Signals) -> None:
    weft.process.send_signal(number)
    end = await weft.ended()
    assert (end.status, end.output.splitlines()[-1]) == (0, "Weft has stopped.")
    assert "Traceback" not in end.errors
    assert running_in(weft.folder) == []


async def test_it_prints_an_address_and_a_key_that_open_it_and_little_else(weft: Up) -> None:
    assert len(weft.said.splitlines()) <= 8
    assert found(r"Explorer +(\S+)", weft.said) == f"{weft.api.url}/graphql#key={weft.key}"
    for name in ("api_key", "secret_key"):
        assert stat.S_IMODE((weft.folder / name).stat().st_mode) == 0o600
    assert (weft.folder / "api_key").read_text() == f"{weft.key}\n"
    assert await weft.api.ask(VIEWER) == {"viewer": {"workspace": "default", "role": "ADMIN"}}
    run = await begin_run(weft.api, items=10)
    assert (await end_of(weft.api, run))["completed"] == 10


async def test_a_second_start_in_the_same_folder_is_refused_whatever_its_port(weft: Up) -> None:
    for port in ("0", weft.api.url.rpartition(":")[2]):
        second = await finished(weft.folder, "up", settings={"WEFT_PORT": port})
        assert second.refused
        assert f"running in {weft.folder} already, as process {weft.process.pid}" in second.errors
    assert await weft.api.ask(VIEWER)


async def test_keys_are_made_beside_it_and_open_what_their_role_allows(weft: Up) -> None:
    made, checked, nameless = await asyncio.gather(
        finished(weft.folder, "keys", "create", "--role", "VIEWER", "--workspace", "others"),
        finished(weft.folder, "migrate", "--check"),
        finished(weft.folder, "keys", "create", "--name", " "),
    )
    assert (made.status, checked.status) == (0, 0)
    assert nameless.refused
    async with Api.connected(weft.api.url, made.output.strip()) as api:
        assert await api.ask(VIEWER) == {"viewer": {"workspace": "others", "role": "VIEWER"}}


async def test_a_killed_worker_and_a_killed_api_are_started_again(weft: Up) -> None:
    killed = [*weft.children("api"), *weft.children("worker")]
    assert len(killed) == 2
    for child in killed:
        child.kill()
    psutil.wait_procs(killed, timeout=10)
    async with asyncio.timeout(30):
        while not (weft.children("api") and weft.children("worker") and await weft.listens()):
            await asyncio.sleep(0.05)
    run = await begin_run(weft.api, items=10)
    assert (await end_of(weft.api, run))["completed"] == 10


async def test_a_run_goes_on_to_its_exact_end_through_ctrl_c_and_kill_9_and_a_move_of_the_folder(folder: Path) -> None:
    settings = {"WEFT_LEASE_SECONDS": "2", "WEFT_ALLOWED_HOSTS": "127.0.0.1", "WEFT_WORKERS": "2"}
    async with receiving() as receiver:
        ask = {"id": "ask", "type": "http", "config": {"url": f"{receiver.url}?name={{{{ name | url_encode }}}}"}}
        async with up(folder, settings=settings) as weft:
            key, run = weft.key, await begin_run(weft.api, items=ITEMS, steps=[ask])
            await receiver.allow(100)
            await past(weft.api, run, finished=100)
            weft.process.send_signal(signal.SIGINT)
            # What is under way is answered while it stops, recorded, and never asked for again.
            await receiver.allow(inf)
            await _stopped(weft, signal.SIGINT)
            await receiver.allow(0)
        done = len(receiver.calls)
        assert 100 < done < ITEMS
        async with up(folder, settings=settings) as weft:
            assert weft.key == key
            await receiver.allow(100)
            await past(weft.api, run, finished=done + 100)
            assert max(receiver.calls.values()) == 1
            weft.process.kill()
            await weft.process.wait()
            await nothing_runs_in(folder, within_seconds=10)
        with moved(folder) as elsewhere:
            async with up(elsewhere, settings=settings) as weft:
                assert weft.key == key
                await receiver.allow(inf)
                last = await end_of(weft.api, run)
                await _stopped(weft, signal.SIGTERM)
    assert (last["status"], last["total"], last["completed"]) == ("COMPLETED", ITEMS, ITEMS)
    assert len(receiver.calls) == ITEMS


async def test_a_port_that_is_taken_is_said_before_anything_is_started(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        taken = await finished(folder, "up", settings={"WEFT_PORT": port})
    assert taken.refused
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use. Choose another port" in taken.errors
    assert not is_there(folder)


async def test_a_name_that_can_be_no_folder_is_one_sentence(folder: Path) -> None:
    for path in ("/dev/null/weft", f"{folder.parent}/{'x' * 300}"):
        refused = await finished(Path(path), "up")
        assert refused.refused
        assert path in refused.errors


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_an_ordinary_user_starts_it_too() -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    with tempfile.TemporaryDirectory(prefix="weft-user-") as home:
        python = python_for(nobody, Path(home))
        if python is None:
            pytest.skip("this checkout or its environment lies below a folder that is closed to other users")
        own = Path(home) / "own"
        own.mkdir()
        os.chown(own, nobody, nobody)
        async with up(own / "data", user=nobody, python=python) as weft:
            assert await weft.api.ask(VIEWER)
            assert {process.uids().real for process in running_in(weft.folder)} == {nobody}
            await _stopped(weft, signal.SIGTERM)
        own.chmod(0o500)
        closed = await finished(own / "other", "up", user=nobody, python=python)
        assert closed.refused
        assert f"The data folder {own / 'other'} cannot be made: " in closed.errors
