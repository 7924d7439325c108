"""The step `parse`, in the process that it runs in."""

import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from made_documents import excel, invoice_pdf, mail, open_document_sheet, pdf, slides, word
from steps.items import CATALOGUE, problems
from steps.parsing import Parsing, parsing

from weft.engine.compiling.compiler import check
from weft.kit.json_schema import compile_schema
from weft.steps._parse_output import MOST_BYTES, OUTPUT_SCHEMA, TEXT_SCHEMA

FITS = compile_schema(OUTPUT_SCHEMA)
HEAVY = (
    "pypdfium2",
    "pdfplumber",
    "docx",
    "pptx",
    "python_calamine",
    "selectolax",
    "charset_normalizer",
    "lxml",
    "PIL",
)


@pytest.fixture(scope="module")
async def parse(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Parsing]:
    async with parsing(tmp_path_factory.mktemp("files"), processes=1) as running:
        yield running


DOCUMENTS = {
    "pdf": invoice_pdf(),
    "docx": word(),
    "pptx": slides(),
    "xlsx": excel(),
    "ods": open_document_sheet(),
    "html": b"<html><body><h1>x</h1></body></html>",
    "eml": mail(("a.pdf", "application/pdf", invoice_pdf())),
    "markdown": b"# x",
    "csv": b"a,b\n1,2\n",
    "json": b'{"a": [1, null]}',
    "xml": b"<?xml version='1.0'?><a/>",
    "text": b"x",
}
NAMES = {"markdown": "a.md", "csv": "a.csv"}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_every_format_gives_the_shape_that_was_promised(parse: Parsing, name: str) -> None:
    found = await parse(DOCUMENTS[name], NAMES.get(name, "a"), attachments=True, tables=True)
    assert FITS.check(found) == []
    assert (found["format"], found["name"], found["truncated"]) == (name, NAMES.get(name, "a"), False)
    assert found["text"] == "\n\n".join(page["text"] for page in found["pages"])


async def test_the_document_may_stand_anywhere_in_the_input(parse: Parsing) -> None:
    document = parse.folder.keep(invoice_pdf(5))
    found = await parse({"order": 1, "document": document}, file="input.document")
    assert "INV-5" in found["text"]


async def test_pages_and_length_are_limited_by_the_config(parse: Parsing) -> None:
    content = pdf([[(50.0, 700.0, f"page {number}")] for number in range(1, 21)])
    chosen = await parse(content, pages="2-3, 19-")
    assert ([page["number"] for page in chosen["pages"]], chosen["truncated"]) == ([2, 3, 19, 20], False)
    few = await parse(content, maxPages=4)
    assert (len(few["pages"]), few["truncated"]) == (4, True)
    short = await parse(b"x" * 5_000, maxCharacters=1_000)
    assert (len(short["text"]), short["truncated"]) == (1_000, True)


async def test_an_output_stays_within_what_an_item_may_hold(parse: Parsing) -> None:
    lines = "".join(f"{number};{'ä' * 50}\n" for number in range(30_000))
    found = await parse(lines.encode(), "a.csv", maxCharacters=2_000_000)
    assert found["truncated"]
    assert 100 < len(found["tables"][0]["rows"]) < 30_000
    assert FITS.check(found) == []
    assert MOST_BYTES < 8 * 1024 * 1024


@pytest.mark.parametrize("given", [{}, {"sha256": 5}, {"text": "x"}])
async def test_what_is_no_document_is_named_so(parse: Parsing, given: dict[str, Any]) -> None:
    assert (await parse.failure(given)).code == "DOCUMENT_EXPECTED"


async def test_a_file_that_is_not_there_is_named_so(parse: Parsing) -> None:
    assert (await parse.failure({"sha256": "0" * 64})).code == "FILE_NOT_FOUND"


@pytest.mark.parametrize(
    ("config", "path"), [({"pages": "3-1"}, ()), ({"pages": "a"}, ("pages",)), ({"file": "input."}, ("file",))]
)
def test_a_config_that_cannot_work_is_found_when_it_is_saved(config: dict[str, Any], path: tuple[str, ...]) -> None:
    found = problems("parse", config)
    assert len(found) == 1
    assert tuple(found[0].path)[-len(path) :] == path or not path


def test_later_steps_are_checked_against_the_output() -> None:
    def found(condition: str) -> list[str]:
        check_it = {"id": "check", "type": "condition", "config": {"branches": {"yes": condition}}}
        definition = {"steps": [{"id": "read", "type": "parse"}, check_it]}
        return [problem.message for problem in check(definition, CATALOGUE, None)]

    assert found("input.metadata.title == 'x' && size(input.pages) > 1 && input.text.contains('y')") == []
    assert len(found("input.txet == 'x'")) == 1
    assert len(found("input.text > 1")) == 1


def test_neither_the_api_nor_the_worker_loads_the_libraries() -> None:
    code = f"import sys, weft.app, weft.worker; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


async def test_only_the_text_is_given_where_that_is_all_that_is_wanted(parse: Parsing) -> None:
    found = await parse(invoice_pdf(3), "a.pdf", outputFormat="TEXT")
    assert sorted(found) == ["format", "mimeType", "name", "text", "truncated"]
    assert "INV-3" in found["text"]
    assert compile_schema(TEXT_SCHEMA).check(found) == []
