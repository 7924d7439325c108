"""Documents that mean harm among documents that do not: each costs its own item, and nothing else."""

import hashlib
import io
from typing import Any

import xlsxwriter
from engine.conftest import Bench
from made_documents import archive, excel, invoice_pdf
from sqlalchemy import insert

from weft.domain.files import DOCUMENT_SCHEMA, object_key
from weft.domain.ids import UUID, new_id
from weft.domain.run import RunStatus
from weft.storage import tables

SECONDS = 3


async def documents(bench: Bench, files: list[tuple[str, bytes]]) -> UUID:
    """An entity type with a document for each file, in this order."""
    type_id, workspace_id = new_id(), bench.viewer.workspace_id
    store = bench.services.world.files
    rows: list[dict[str, Any]] = []
    for name, content in files:
        async with store.spool.file() as spooled:
            await spooled.write(content)
            await spooled.flush()
            await store.place(spooled, object_key(workspace_id, spooled.sha256))
        data = {"name": name, "mimeType": "", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        rows.append({"id": new_id(), "entity_type_id": type_id, "workspace_id": workspace_id, "data": data})
    async with bench.services.database.transaction() as connection:
        await connection.execute(
            insert(tables.entity_type).values(
                id=type_id, workspace_id=workspace_id, name="files", schema=dict(DOCUMENT_SCHEMA)
            )
        )
        await connection.execute(insert(tables.entity), rows)
    return type_id


def two_cells_far_apart() -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "here")
        sheet.write(1_048_575, 16_383, "and there")
    return file.getvalue()


HOSTILE = {
    "hangs.html": (b"<html>" + b"<div>" * 200_000, "STEP_TIMEOUT"),
    "bursts.xlsx": (two_cells_far_apart(), "STEP_OUT_OF_MEMORY"),
    "unfolds.docx": (archive({"word/document.xml": b"a" * (20 * 1024 * 1024)}), "DOCUMENT_TOO_LARGE"),
    "broken.pdf": (b"%PDF-1.7\nnothing", "DOCUMENT_BROKEN"),
    "picture.png": (b"\x89PNG\r\n\x1a\n", "FORMAT_UNSUPPORTED"),
    "empty.txt": (b"", "DOCUMENT_EMPTY"),
}


async def test_a_hostile_document_costs_its_own_item_and_no_other(bench: Bench) -> None:
    good = [(f"good {number}.pdf", invoice_pdf(number)) for number in range(12)] + [("good.xlsx", excel())]
    bad = [(name, content) for name, (content, _) in HOSTILE.items()]
    files = [one for pair in zip(good, bad, strict=False) for one in pair] + good[len(bad) :]
    type_id = await documents(bench, files)
    parse = {"id": "parse", "type": "parse", "timeout": f"PT{SECONDS}S"}
    run = await bench.start(await bench.workflow(parse, entity_type=type_id))
    progress = await bench.finish(run, within=60)

    assert progress.status is RunStatus.COMPLETED_WITH_FAILURES
    assert (progress.completed, progress.failed) == (len(good), len(bad))
    for item, (name, _) in zip(await bench.items(run), files, strict=True):
        (step,) = item["steps"]
        if name in HOSTILE:
            assert (step["s"], step["e"]["code"]) == ("F", HOSTILE[name][1]), name
        else:
            assert (step["s"], step["o"]["name"]) == ("C", name)
