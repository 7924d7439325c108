"""Every block of README.md that can be run is run, in its order, against a Weft in real processes."""

import asyncio
import re
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import which
from threading import Thread
from typing import Any

import orjson
import pytest
from acceptance.system import System, running_system
from browser import CHROMIUM, needs_browser
from graphql import OperationDefinitionNode, OperationType, parse
from node import FOLDER as JAVASCRIPT
from node import install_packages, needs_node
from playwright.async_api import async_playwright, expect
from readme import TEXT, block, blocks
from webhook_senders import standard

from weft.cli.demonstration.invoices.paper import written_invoices
from weft.embedded import remove_data_folder

DOCUMENTS = "Documents, models and the world outside"
STARTS = "What starts runs by itself"
API = "127.0.0.1:8000"
"""Where README.md has it."""

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]


@dataclass
class Reader:
    """Somebody who pastes one block after the other, and notes the ids in the answers for those that follow."""

    system: System
    ids: dict[str, str] = field(default_factory=dict[str, str])
    answers: dict[str, Any] = field(default_factory=dict[str, Any])
    """By the root field. Of a subscription the last one."""

    async def paste(self, document: str) -> None:
        (operation,) = parse(document).definitions
        assert isinstance(operation, OperationDefinitionNode)
        if operation.operation is OperationType.SUBSCRIPTION:
            answer = [state async for state in self.system.subscribe(document, **self.ids)][-1]
        else:
            answer = await self.system.ask(document, **self.ids)
        ((root, payload),) = answer.items()
        self.answers[root] = payload
        for name in ("entityType", "workflow", "run", "upload", "datastore"):
            if name in payload:
                self.ids["type" if name == "entityType" else name] = payload[name]["id"]


@dataclass(frozen=True)
class Pages:
    """A folder of files, served as `python3 -m http.server` does."""

    folder: Path
    origin: str


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    folder = tmp_path_factory.mktemp("pages")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        yield Pages(folder, f"http://localhost:{server.server_port}")
        server.shutdown()
        serving.join()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that is overridden
        """Nothing: a test has other things to tell."""


@pytest.fixture(scope="module")
async def system(pages: Pages) -> AsyncIterator[System]:
    # Not tmp_path: its long name leaves no room for the sockets of the services.
    with tempfile.TemporaryDirectory(prefix="weft-readme-", ignore_cleanup_errors=True) as folder:
        async with running_system(
            Path(folder),
            workers=1,
            WEFT_ALLOWED_ORIGINS=pages.origin,
            WEFT_FILES_URL=f"{folder}/files",
            WEFT_SQLITE_FOLDER=f"{folder}/sqlite",
        ) as system:
            yield system
        remove_data_folder(Path(folder))


@pytest.fixture(scope="module")
async def reader(system: System) -> Reader:
    reader = Reader(system)
    for pasted in blocks("graphql"):
        if pasted.section not in {DOCUMENTS, STARTS}:
            await reader.paste(pasted.code)
    return reader


async def test_the_first_workflow_can_be_pasted(reader: Reader) -> None:
    for name, answer in reader.answers.items():
        assert not answer.get("errors"), name
    assert reader.answers["createEntities"]["created"] == 3
    run = reader.answers["runWorkflow"]["run"]
    assert run["status"] == "COMPLETED_WITH_FAILURES"
    assert run["progress"] == {"total": 3, "completed": 2, "failed": 1}
    items = {item["entity"]["externalId"]: item for item in reader.answers["run"]["items"]["nodes"]}
    assert items["A1"]["entity"]["data"]["message"] == "Call Ada about 1200.5."
    assert items["A2"]["entity"]["data"]["message"] == "Thank you, Grace!"
    assert items["A3"]["error"]["message"].endswith("is no total of an order.")
    assert reader.answers["run"]["failures"][0]["count"] == 1
    assert reader.answers["runProgress"]["percent"] == 100


async def test_a_wrong_reference_is_answered_with_its_place_and_a_guess(reader: Reader) -> None:
    assert "write `input.totl`, and the answer names the place" in TEXT
    wrong = block("graphql", "Answer orders").code.replace("input.total >=", "input.totl >=")
    (error,) = (await reader.system.ask(wrong, **reader.ids))["createWorkflow"]["errors"]
    assert error["path"] == ["input", "definition", "steps", "1", "config", "branches", "large"]
    assert "total" in error["hint"]


async def test_the_queries_in_the_text_are_answered(reader: Reader) -> None:
    assert "`{ stepTypes { kind description } }`" in TEXT
    kinds = (await reader.system.ask("{ stepTypes { kind description } }"))["stepTypes"]
    assert {"condition", "text"} <= {kind["kind"] for kind in kinds}


@pytest.mark.skipif(which("curl") is None, reason="needs curl")
async def test_a_file_is_imported_with_curl(reader: Reader, tmp_path: Path) -> None:
    script = block("sh", "orders.csv").code.replace("the upload URL", reader.answers["createImport"]["uploadUrl"])
    answer = orjson.loads(await shell(script, tmp_path))
    assert (answer["import"]["created"], answer["import"]["failed"]) == (1, 1)


@pytest.mark.skipif(which("curl") is None, reason="needs curl")
async def test_a_document_is_read_and_stored(reader: Reader, tmp_path: Path) -> None:
    (paper,) = written_invoices(1)
    (tmp_path / "invoice.pdf").write_bytes(paper.content)
    visitor = Reader(reader.system)
    upload, document, *others = [pasted.code for pasted in blocks("graphql") if pasted.section == DOCUMENTS]
    await visitor.paste(upload)
    script = block("sh", "invoice.pdf").code
    await shell(script.replace("the upload URL", visitor.answers["createUpload"]["uploadUrl"]), tmp_path)
    await visitor.paste(document)
    kinds = (await reader.system.ask("{ entityTypes { nodes { id name } } }"))["entityTypes"]["nodes"]
    visitor.ids["type"] = next(kind["id"] for kind in kinds if kind["name"] == "document")
    for pasted in (*others, block("graphql", "runWorkflow").code):
        await visitor.paste(pasted)

    assert [name for name, answer in visitor.answers.items() if answer.get("errors")] == []
    assert visitor.answers["runWorkflow"]["run"]["progress"] == {"total": 1, "completed": 1, "failed": 0}
    (books,) = (reader.system.services.folder / "sqlite").rglob("books.db")
    with sqlite3.connect(books) as connection:
        assert connection.execute("SELECT number, total, file FROM booked").fetchall() == [
            ("HL-2024-0100", 11611.96, "invoice.pdf")
        ]


async def test_a_workflow_is_started_by_events_and_calls_and_has_its_times(reader: Reader) -> None:
    visitor = Reader(reader.system)
    *doings, firings = [pasted.code for pasted in blocks("graphql") if pasted.section == STARTS]
    for doing in doings:
        await visitor.paste(doing)
    assert [name for name, answer in visitor.answers.items() if answer.get("errors")] == []
    hook = visitor.answers["createWebhookTrigger"]
    body = b'{"number": "A2", "total": 40}'
    async with reader.system.session.post(hook["url"], data=body, headers=standard(hook["secret"], body)) as answer:
        assert answer.status == HTTPStatus.ACCEPTED

    async with asyncio.timeout(60):
        while len(fired := await ended(visitor, firings)) < 2:
            await asyncio.sleep(0.05)
    assert fired == {("EVENT", "order.paid", "COMPLETED"), ("WEBHOOK", "the shop", "COMPLETED")}
    assert len(visitor.answers["createSchedule"]["schedule"]["nextRuns"]) == 3


async def ended(visitor: Reader, firings: str) -> set[tuple[str, str, str]]:
    """What fired and has a run that is over: type, name and status."""
    await visitor.paste(firings)
    fired: list[dict[str, Any]] = visitor.answers["firings"]["nodes"]
    over = [one for one in fired if one["run"] and one["run"]["status"] == "COMPLETED"]
    return {(one["triggerType"], one["triggerName"], one["run"]["status"]) for one in over}


@pytest.mark.skipif(which("curl") is None, reason="needs curl")
async def test_a_run_is_watched_with_curl(reader: Reader, tmp_path: Path) -> None:
    (tmp_path / ".weft").mkdir()
    (tmp_path / ".weft/api_key").write_text(f"{reader.system.key}\n", encoding="utf-8")
    script = block("sh", "text/event-stream").code
    script = script.replace("the id of the run", reader.ids["run"]).replace(API, f"127.0.0.1:{reader.system.port}")
    output = await shell(script, tmp_path)
    assert '"status":"COMPLETED_WITH_FAILURES","percent":100' in output
    assert "event: complete" in output


@needs_node
@needs_browser
async def test_the_web_page_watches_a_run_to_its_end_while_the_api_restarts(reader: Reader, pages: Pages) -> None:
    system = reader.system
    put_page(pages.folder, system.port)
    await system.kill("worker-0")
    start = block("graphql", "runWorkflow").code.replace("PT10S", "PT0S")
    run = (await system.ask(start, **reader.ids))["runWorkflow"]["run"]["id"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto(f"{pages.origin}/progress.html#key={system.key}&run={run}")
        shown = page.locator("output")
        await expect(shown).to_have_text(re.compile(r"^PENDING: 0 of \d, 0 failed$"), timeout=20_000)
        await system.kill("api")
        await system.start("api", "api")
        await system.start("worker-0", "worker")
        await expect(shown).to_have_text(re.compile(r"^COMPLETED_WITH_FAILURES: (\d) of \1, 1 failed$"), timeout=40_000)
        assert await page.evaluate("document.querySelector('progress').value") == 100

        await page.goto(f"{pages.origin}/progress.html?again#key=weft_wrong&run={run}")
        await expect(shown).to_have_text("The API key is not good.", timeout=20_000)
        await browser.close()


def put_page(folder: Path, port: int) -> None:
    """The page, and graphql-ws where `npm install` puts it."""
    (folder / "progress.html").write_text(block("html").code.replace(API, f"127.0.0.1:{port}"), encoding="utf-8")
    install_packages()
    shutil.copytree(JAVASCRIPT / "node_modules/graphql-ws", folder / "node_modules/graphql-ws")


async def shell(script: str, folder: Path) -> str:
    process = await asyncio.create_subprocess_exec(
        "bash", "-euc", script, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output.decode()
