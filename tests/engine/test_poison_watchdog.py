"""The watchdog, in real processes: what stands still is ended and says where; what was merely stopped goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from weft.engine.watchdog import STALLED

pytestmark = pytest.mark.timeout(30)

TESTS = str(Path(__file__).parent.parent)
WATCHED = """
import asyncio, os, signal, sys, uvloop
from datetime import timedelta
from engine.poisons import POISONS
from weft.engine.watchdog import watched

async def main(how):
    with watched(asyncio.get_running_loop(), timedelta(seconds=0.5), timedelta(seconds=0.1), lambda: None):
        await asyncio.sleep(0.2)
        print("ready", flush=True)
        if how == "stopped":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif how == "unheard":
            POISONS["prints"]()
        elif how == "busy":
            for _ in range(10):
                sum(range(5_000_000))
                await asyncio.sleep(0)
        else:
            POISONS[how]()
        await asyncio.sleep(0.3)
    print("fine", flush=True)

uvloop.run(main(sys.argv[1]))
"""


def _started(how: str) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        (sys.executable, "-c", WATCHED, how),
        env=os.environ | {"PYTHONPATH": os.pathsep.join((TESTS, os.environ.get("PYTHONPATH", "")))},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


@pytest.mark.parametrize(
    ("how", "status", "told"),
    [
        ("endless", STALLED, "in _endless"),
        ("blocked", STALLED, "time.sleep"),
        # It keeps the interpreter to itself: no Python can say anything, so the kernel does.
        ("native", -signal.SIGPROF, "_native_loop"),
    ],
)
def test_a_process_whose_loop_stands_still_ends_and_says_where(how: str, status: int, told: str) -> None:
    with _started(how) as process:
        output, _ = process.communicate(timeout=10)
    assert process.returncode == status
    assert told in output.decode()


def test_a_process_that_was_stopped_or_is_busy_goes_on() -> None:
    stopped, busy = _started("stopped"), _started("busy")
    with stopped, busy:
        time.sleep(1.5)
        stopped.send_signal(signal.SIGCONT)
        for process in (stopped, busy):
            output, _ = process.communicate(timeout=10)
            assert (process.returncode, output) == (0, b"fine\n")


def test_a_process_whose_output_nobody_reads_ends_as_well() -> None:
    with _started("unheard") as process:
        assert process.wait(10) == -signal.SIGALRM
