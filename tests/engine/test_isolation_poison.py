"""Poisoned steps: each costs its one call, says what happened, and the next call is served."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from engine.heavy_steps import MEGABYTE, planned
from engine.isolated import call, children, failure, isolating, pids_in, soon, wait_until_gone

from weft.domain.step import Retry
from weft.engine.sandbox.isolation import Isolation

HALF_A_SECOND = timedelta(seconds=0.5)


@pytest.fixture(scope="module")
async def isolation() -> AsyncIterator[Isolation]:
    async with isolating(memory_bytes=256 * MEGABYTE, output_bytes=MEGABYTE, file_bytes=MEGABYTE) as isolation:
        yield isolation


@pytest.fixture(autouse=True)
async def _the_next_call_is_served(isolation: Isolation) -> AsyncIterator[None]:
    yield
    assert (await call(isolation, "reverse", text="next"))["reversed"] == "txen"


@pytest.mark.parametrize("kind", ["loops", "loops_native"])
async def test_an_endless_loop_is_ended_by_the_clock(isolation: Isolation, kind: str) -> None:
    await call(isolation, "reverse", text="started")
    began = time.monotonic()
    fail = await failure(isolation, planned(kind, HALF_A_SECOND))
    assert fail.code == "STEP_TIMEOUT"
    assert "within 0.5 s" in fail.reason
    assert time.monotonic() - began < 2


async def test_a_step_without_a_timeout_has_the_default_one() -> None:
    async with isolating(default_timeout=HALF_A_SECOND) as isolation:
        assert (await failure(isolation, "loops")).code == "STEP_TIMEOUT"


@pytest.mark.parametrize(
    ("how", "code", "named"),
    [
        ("sys.exit", "STEP_CRASHED", "sys.exit(3)"),
        ("os._exit", "STEP_CRASHED", "exit code 3"),
        ("segfault", "STEP_CRASHED", "SIGSEGV"),
        (str(int(signal.SIGKILL)), "STEP_OUT_OF_MEMORY", "memory"),
        (str(int(signal.SIGXCPU)), "STEP_TIMEOUT", "processor time"),
    ],
)
async def test_a_step_that_ends_its_process_fails_and_says_how(
    isolation: Isolation, how: str, code: str, named: str
) -> None:
    fail = await failure(isolation, "ends", how=how)
    assert fail.code == code
    assert named in fail.reason


async def test_a_step_that_takes_all_memory_fails_and_its_process_is_replaced(isolation: Isolation) -> None:
    before = (await call(isolation, "reverse", text=""))["pid"]
    assert (await failure(isolation, "allocates", megabytes=100_000)).code == "STEP_OUT_OF_MEMORY"
    assert (await call(isolation, "reverse", text=""))["pid"] != before


async def test_a_gigabyte_of_output_is_refused(isolation: Isolation) -> None:
    fail = await failure(isolation, "answers", bytes=1024 * MEGABYTE)
    assert fail.code == "STEP_OUT_OF_MEMORY"
    fail = await failure(isolation, "answers", bytes=2 * MEGABYTE)
    assert fail.code == "STEP_OUTPUT_TOO_LARGE"
    assert "2,097," in fail.reason


async def test_an_answer_that_goes_past_the_check_of_the_child_is_not_read(isolation: Isolation) -> None:
    fail = await failure(isolation, "floods", bytes=100 * MEGABYTE)
    assert fail.code == "STEP_OUTPUT_TOO_LARGE"


async def test_a_flood_on_standard_output_disturbs_nothing(isolation: Isolation) -> None:
    resident = psutil.Process().memory_info().rss
    assert await call(isolation, "prints", megabytes=256) == ""
    assert psutil.Process().memory_info().rss - resident < 50 * MEGABYTE


async def test_a_file_may_only_have_a_certain_size(isolation: Isolation, tmp_path: Path) -> None:
    fail = await failure(isolation, "writes", path=str(tmp_path / "file"), bytes=2 * MEGABYTE)
    assert fail.code == "STEP_ERROR"
    assert "File too large" in fail.reason


async def test_what_a_step_started_ends_with_it(isolation: Isolation, tmp_path: Path) -> None:
    step = planned("starts", HALF_A_SECOND)
    assert (await failure(isolation, step, path=str(tmp_path / "pids"), seconds=1000)).code == "STEP_TIMEOUT"
    assert await asyncio.to_thread(wait_until_gone, *pids_in(tmp_path / "pids"))


async def test_a_process_that_was_killed_while_it_waited_costs_no_call(isolation: Isolation) -> None:
    await call(isolation, "reverse", text="")
    os.kill(isolation.idle_pids[0], signal.SIGKILL)
    await asyncio.to_thread(time.sleep, 0.05)
    assert (await call(isolation, "reverse", text="abc"))["reversed"] == "cba"


async def test_a_process_is_replaced_when_it_has_grown_or_served_its_calls() -> None:
    async with isolating(memory_bytes=128 * MEGABYTE, most_calls=3) as isolation:
        pids = [await call(isolation, "keeps", megabytes=0) for _ in range(4)]
        assert pids[0] == pids[2] != pids[3]
        grown = await call(isolation, "keeps", megabytes=80)
        assert grown == pids[3] != await call(isolation, "keeps", megabytes=0)


@pytest.mark.parametrize(
    ("loader", "named"),
    [("engine.nothing_here:catalogue", "No module named"), ("engine.heavy_steps:crashing_catalogue", "ended while")],
)
async def test_a_process_that_cannot_start_is_one_clear_error_and_no_busy_loop(loader: str, named: str) -> None:
    async with isolating(loader) as isolation:
        with pytest.raises(Retry, match=named) as first:
            await call(isolation, "reverse", text="")
        assert first.value.code == "STEP_PROCESS_FAILED"
        began = time.monotonic()
        for _ in range(100):
            with pytest.raises(Retry, match=named):
                await call(isolation, "reverse", text="")
        assert time.monotonic() - began < 0.9


WORKER = """
import asyncio, sys
from engine.isolated import call, isolating

async def main(path: str) -> None:
    async with isolating(processes=2) as isolation:
        await asyncio.gather(call(isolation, "starts", path=path, seconds=1000), call(isolation, "loops_native"))

asyncio.run(main(sys.argv[1]))
"""


def test_a_worker_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    tests = str(Path(__file__).parent.parent)
    argv = (sys.executable, "-c", WORKER, str(tmp_path / "pids"))
    with subprocess.Popen(argv, env=os.environ | {"PYTHONPATH": tests}) as worker:
        # Two sandboxes, their guards, and what one of them started.
        assert soon(lambda: len(children(worker.pid)) == 5)
        pids = [*pids_in(tmp_path / "pids"), *children(worker.pid)]
        worker.kill()
    assert wait_until_gone(*pids)


async def test_secrets_of_the_worker_are_not_in_the_environment_of_a_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WEFT_SECRET_KEY", "do not tell")
    async with isolating() as isolation:
        names: list[Any] = await call(isolation, "environment")
        assert "PATH" in names
        assert "WEFT_SECRET_KEY" not in names
