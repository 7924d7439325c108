"""`weft demo` as somebody starts it: one process, its output, its exit status, and nothing left behind."""

import asyncio
import os
import re
import signal
import stat
import sys
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from weft.cli.demonstration.invoices.paper import written_invoices
from weft.embedded import remove_data_folder

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]

AIRPORTS = 3_376


@pytest.fixture
def data_dir() -> Iterator[Path]:
    # Not tmp_path: its long name leaves no room for the sockets of the services.
    with tempfile.TemporaryDirectory(prefix="weft-demo-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
        remove_data_folder(Path(folder))


@asynccontextmanager
async def demo(data_dir: Path, *arguments: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "weft.cli", "demo", *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=_environment(data_dir),
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def finished(data_dir: Path, *arguments: str) -> tuple[int | None, str]:
    async with demo(data_dir, *arguments) as process:
        output, _ = await process.communicate()
        return process.returncode, output.decode()


async def test_the_demo_runs_a_workflow_over_real_records_and_tells_why_some_fail(data_dir: Path) -> None:
    status, output = await finished(data_dir)
    assert status == 0, output
    assert f"Import  {AIRPORTS:,} of {AIRPORTS:,}" in output
    completed, failed, skipped = _outcome(output)
    assert completed + failed + skipped == AIRPORTS
    assert completed > 3_000
    assert 0 < failed < 100
    assert skipped > 0
    assert _failures(output).keys() == {
        "CODE_INVALID", "CITY_UNCLEAR", "NAME_UNCLEAR", "PLACE_UNKNOWN", "STATE_UNKNOWN", "OTHER_COUNTRY",
    }  # fmt: skip
    assert sum(_failures(output).values()) == failed
    assert "Livingston Municipal (00R) is the public airport of" in output
    assert re.search(r'^\{ run\(id: "\w+"\)', output, re.MULTILINE)
    assert max(map(len, output.splitlines())) <= 80
    assert stat.S_IMODE((data_dir / "api_key").stat().st_mode) == 0o600
    assert _running_in(data_dir) == []


async def test_the_demo_runs_again_in_the_same_folder_and_at_another_scale(data_dir: Path) -> None:
    first = await finished(data_dir, "--scale", "50")
    again = await finished(data_dir, "--scale", "50")
    larger = await finished(data_dir, "--scale", str(AIRPORTS + 50))
    assert [status for status, _ in (first, again, larger)] == [0, 0, 0], (first, again, larger)
    assert sum(_outcome(first[1])) == 50
    assert _outcome(again[1]) == _outcome(first[1])
    assert sum(_outcome(larger[1])) == AIRPORTS + 50


async def test_the_invoices_are_read_and_stored_and_spoilt_ones_fail_by_name(data_dir: Path) -> None:
    first = await finished(data_dir, "invoices", "--count", "36")
    again = await finished(data_dir, "invoices", "--count", "6")
    assert [first[0], again[0]] == [0, 0], (first, again)
    output = first[1]
    assert "Upload  36 of 36" in output
    assert _failures(output).keys() == {"DOCUMENT_ENCRYPTED", "NUMBER_MISSING"}
    for value in ("number", "date", "total", "currency", "issuer"):
        assert re.search(rf"^  {value} +33 +0 +0 *$", output, re.MULTILINE), output
    assert "What is stored now, in the table invoice of demo.db" in output
    assert _outcome(again[1]) == (6, 0, 0)
    assert max(map(len, output.splitlines())) <= 80


async def test_files_of_ones_own_are_read_as_well(data_dir: Path, tmp_path: Path) -> None:
    contents = {paper.name: paper.content for paper in written_invoices(2)} | {"note.txt": b"Not an invoice.\n"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    status, output = await finished(data_dir, "invoices", *(str(tmp_path / name) for name in contents))
    assert status == 0, output
    assert _outcome(output) == (2, 1, 0)
    assert "11,611.96 GBP" in output


async def test_ctrl_c_stops_the_demo_and_leaves_nothing_running(data_dir: Path) -> None:
    async with demo(data_dir, "--scale", "1000000") as process:
        assert process.stdout is not None
        while not (line := (await process.stdout.readline()).decode()).startswith("Import"):
            assert line, "the demo ended before it was stopped"
        process.send_signal(signal.SIGINT)
        output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, output.decode().splitlines()[-1]) == (130, "Stopped.")
    assert "Traceback" not in output.decode()
    assert _running_in(data_dir) == []


def _environment(data_dir: Path) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    return {**others, "WEFT_DATA_DIR": str(data_dir), "WEFT_PORT": "0", "PYTHONUNBUFFERED": "1", "COLUMNS": "80"}


def _outcome(output: str) -> tuple[int, int, int]:
    found = re.findall(r"([\d,]+) completed, ([\d,]+) failed, ([\d,]+) skipped", output)
    assert found, output
    completed, failed, skipped = (int(number.replace(",", "")) for number in found[-1])
    return completed, failed, skipped


def _failures(output: str) -> dict[str, int]:
    return {code: int(count) for count, code in re.findall(r"^ +(\d+)  ([A-Z_]+)  ", output, re.MULTILINE)}


def _running_in(data_dir: Path) -> list[str]:
    """Processes that were started for the folder: the servers name it, our own have it in their environment."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            told = [*process.cmdline(), process.environ().get("WEFT_DATA_DIR", "")]
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
        if process.pid != os.getpid() and any(str(data_dir) in part for part in told):
            found.append(f"{process.pid} {process.name()}")
    return found
