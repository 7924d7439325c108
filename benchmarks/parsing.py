"""Parsing: the text of a PDF against pypdfium2 alone, and what every core adds.

The floor is pypdfium2 as its own documentation reads text: open the file, for each page `get_page`, `get_textpage` and
`get_text_range`, the cheapest of its calls that gives all of it; no layout, no metadata, no output. It is read from the same
file by turns with what is measured, the best time of each counts. Measured are the reading alone, in this process,
and the whole step: the file handed to a sandbox, its output back as values.

Pages of prose are a text PDF. Pages that are nothing but a table of five columns are told for information: putting each cell
into its column is work that pypdfium2 does not do.

The cores: a queue of documents through one sandbox, and through one per core.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pypdfium2 import PdfDocument

from benchmarks.bench import Bench
from benchmarks.figure import Better, Figure
from benchmarks.pages import table_pdf, text_pdf
from benchmarks.process import BenchmarkError
from weft.domain.outside import Outside
from weft.domain.run import LogLevel
from weft.domain.step import StepContext
from weft.engine.compiling.compiler import compile_plan
from weft.engine.plan import PlannedStep
from weft.engine.sandbox.isolation import Isolation
from weft.engine.sandbox.limits import cores_available
from weft.kit.parsing.parsed import Wanted
from weft.kit.parsing.reading import read
from weft.kit.parsing.source import Source
from weft.steps import discover

BAR = 1.3
LEAST_OF_A_CORE = 0.8
"""Of what a core more should add: reading the outputs takes a share of the worker's own."""


async def parsing(bench: Bench) -> list[Figure]:
    await bench.system.use_workers(0)
    folder, pages, rounds = bench.system.folder, bench.sizes.pdf_pages, bench.sizes.samples
    text, table = folder / "text.pdf", folder / "table.pdf"
    text.write_bytes(await asyncio.to_thread(text_pdf, pages))
    table.write_bytes(await asyncio.to_thread(table_pdf, pages))
    async with _isolation(1) as one:
        return [
            *_alone(text, rounds, "text", BAR),
            *_alone(table, rounds, "tables", None),
            await _whole_step(text, one, rounds),
            await _cores(text, one, rounds),
        ]


def floor(file: Path) -> str:
    with PdfDocument(file) as document:
        texts: list[str] = []
        for number in range(len(document)):
            page = document[number]
            text_page = page.get_textpage()
            texts.append(text_page.get_text_range())
            text_page.close()
            page.close()
        return "\n".join(texts)


def _alone(file: Path, rounds: int, what: str, bar: float | None) -> list[Figure]:
    source, wanted = Source(file, file.name), Wanted()
    said, read_text = floor(file), read(source, wanted).text
    if said.split() != read_text.split():
        raise BenchmarkError("parse reads other words than pypdfium2")
    figures: list[Figure] = []
    for name, clock in (("wall", time.perf_counter), ("CPU", time.process_time)):
        bare: list[float] = []
        ours: list[float] = []
        for _ in range(rounds):
            bare.append(_timed(clock, lambda: floor(file)))
            ours.append(_timed(clock, lambda: read(source, wanted)))
        figures.append(_figure(f"Parse, PDF of {what}, {name}", min(ours), min(bare), bar))
    return figures


async def _whole_step(file: Path, isolation: Isolation, rounds: int) -> Figure:
    step, ctx, given = _step(), _Item({}), _supplied(file)
    await isolation.run(step, ctx, given)
    bare: list[float] = []
    ours: list[float] = []
    for _ in range(rounds):
        bare.append(_timed(time.perf_counter, lambda: floor(file)))
        began = time.perf_counter()
        await isolation.run(step, ctx, given)
        ours.append(time.perf_counter() - began)
    return _figure("Parse, whole step, wall", min(ours), min(bare), BAR)


async def _cores(file: Path, one: Isolation, rounds: int) -> Figure:
    cores, documents = cores_available(), max(rounds, 4)
    async with _isolation(cores) as all_of_them:
        by_one = [await _rate(one, file, documents, 1)]
        by_all = await _rate(all_of_them, file, documents, cores)
        by_one.append(await _rate(one, file, documents, 1))
    return Figure(
        name="Parse, every core, of as many times one",
        measured=by_all,
        unit="/s",
        floor=cores * max(by_one),
        better=Better.HIGHER,
        bar=LEAST_OF_A_CORE,
        details={"cores": cores, "documents": documents, "one": [round(rate, 1) for rate in by_one]},
    )


async def _rate(isolation: Isolation, file: Path, documents: int, processes: int) -> float:
    step, ctx, given = _step(), _Item({}), _supplied(file)
    await asyncio.gather(*(isolation.run(step, ctx, given) for _ in range(2 * processes)))
    began = time.perf_counter()
    answers = await asyncio.gather(*(isolation.run(step, ctx, given) for _ in range(documents)))
    seconds = time.perf_counter() - began
    if not all(answer.value["text"] for answer in answers):
        raise BenchmarkError("a document was not read")
    return documents / seconds


def _timed(clock: Callable[[], float], work: Callable[[], Any]) -> float:
    began = clock()
    work()
    return clock() - began


def _figure(name: str, measured: float, bare: float, bar: float | None) -> Figure:
    return Figure(
        name=f"{name}, of pypdfium2", measured=measured * 1e3, unit="ms", floor=bare * 1e3, better=Better.LOWER, bar=bar
    )


def _supplied(file: Path) -> dict[str, Any]:
    """What the step gets in the sandbox, once the worker has found the file."""
    return {"path": str(file), "name": file.name, "mimeType": "", "password": None}


def _step() -> PlannedStep:
    return compile_plan({"steps": [{"id": "parse", "type": "parse"}]}, discover(), None).steps[0]


@asynccontextmanager
async def _isolation(processes: int) -> AsyncGenerator[Isolation]:
    isolation = Isolation("weft.steps:discover", processes=processes)
    try:
        yield isolation
    finally:
        await isolation.close()


class _Item(StepContext):
    """One item, without an engine around it."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.attempt = 1

    @property
    def idempotency_key(self) -> str:
        return ""

    @property
    def outside(self) -> Outside:
        raise NotImplementedError

    def log(self, level: LogLevel, message: str, **fields: Any) -> None:
        raise BenchmarkError(f"{level} {message} {fields}")
