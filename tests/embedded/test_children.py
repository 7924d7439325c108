import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from weft.embedded import Child, Children, ServiceFailedError
from weft.embedded.supervisor import next_pause
from weft.kit import process_guard

Hold = Callable[..., Any]
Start = Callable[..., subprocess.Popen[bytes]]
Until = Callable[[Callable[[], bool]], Awaitable[None]]

STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


async def test_a_child_that_dies_is_started_again(tmp_path: Path, until: Until) -> None:
    log = tmp_path / "log"
    async with Children([Child("one", ("/bin/sleep", "60")), Child("two", ("/bin/sleep", "60"))], log=log) as children:
        first = children.pids
        assert first["one"] is not None
        os.kill(first["one"], signal.SIGKILL)
        await until(lambda: children.pids["one"] not in {first["one"], None})
        assert children.pids["two"] == first["two"]
        assert f"one (process {first['one']}) was ended by signal 9; starting it again in 0.1 s" in log.read_text()
        last = children.pids
    assert not any(psutil.pid_exists(pid) for pid in last.values() if pid)


async def test_a_child_that_ends_again_and_again_is_given_up_with_its_name_and_reason(tmp_path: Path) -> None:
    command = ("/bin/sh", "-c", 'echo "port $PORT is taken"; exit 3')
    async with Children([Child("api", command, {"PORT": "8000"})], log=tmp_path / "log") as children:
        with pytest.raises(ServiceFailedError, match=r"api \(process \d+\) ended with exit code 3, 6 times in a row"):
            await asyncio.wait_for(children.wait(), 20)
    assert (tmp_path / "log").read_text().count("port 8000 is taken") == 6


async def test_a_child_whose_configuration_cannot_work_is_not_tried_again(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ("/bin/sh", "-c", f'echo "weft: no such file"; exit {os.EX_CONFIG}')
    async with Children([Child("api", command)], log=log) as children:
        with pytest.raises(ServiceFailedError, match=f"^api cannot start: the reason stands in {log}.$"):
            await asyncio.wait_for(children.wait(), 20)
    assert log.read_text() == "weft: no such file\n"


async def test_what_is_logged_to_the_terminal_stands_above(capfd: pytest.CaptureFixture[str]) -> None:
    async with Children([Child("api", ("/bin/sh", "-c", f"exit {os.EX_CONFIG}"))]) as children:
        with pytest.raises(ServiceFailedError, match=r"^api cannot start: the reason stands above\.$"):
            await asyncio.wait_for(children.wait(), 20)
    assert "starting it again" not in capfd.readouterr().err


async def test_a_child_that_does_not_stop_is_killed_after_the_grace_time(tmp_path: Path, until: Until) -> None:
    log = tmp_path / "log"
    async with Children([Child("stubborn", (sys.executable, "-c", STUBBORN))], log=log, grace_seconds=0.2) as children:
        await until(lambda: "ready" in log.read_text())
        pid = children.pids["stubborn"]
    assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_a_program_that_does_not_exist_is_said_at_once() -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        await Children([Child("none", ("/no-such-program",))]).__aenter__()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_children_and_services_in_order(folder: Path, hold: Hold, number: signal.Signals) -> None:
    holder = hold(folder)
    pids = holder.report()
    holder.process.send_signal(number)
    assert await asyncio.to_thread(holder.process.wait, 30) == 0
    assert not any(psutil.pid_exists(pid) for pid in pids.values())
    assert "database system is shut down" in (folder / "services.log").read_text()


async def test_the_guard_ends_the_child_when_the_parents_end_of_the_pipe_closes(start: Start) -> None:
    child = start("/bin/sleep", 60)
    guard = start(sys.executable, "-I", "-S", process_guard.__file__, child.pid, int(signal.SIGTERM))
    assert guard.stdin is not None
    guard.stdin.close()
    assert await asyncio.to_thread(child.wait, 10) == -signal.SIGTERM
    assert await asyncio.to_thread(guard.wait, 10) == 0


def test_pauses_double_up_to_five_seconds() -> None:
    assert [next_pause(deaths) for deaths in range(1, 9)] == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0])
