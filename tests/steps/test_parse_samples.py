"""Real PDFs of other people: healthy, encrypted, broken and hostile ones."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from samples import facturx_invoice, invoices, pdf_samples
from steps.parsing import Parsing, parsing

from weft.domain.step import Fail

SECONDS = 20.0
"""For one document: the slowest takes half a second on a free machine."""


MOST_MIB = 300
"""Of the process that reads all of them one after the other, its own hundred included."""


def peak_mib(pid: int) -> int:
    (peak,) = re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(peak) // 1024


@pytest.fixture
async def parse(tmp_path: Path) -> AsyncIterator[Parsing]:
    async with parsing(tmp_path, processes=1) as running:
        yield running


async def test_every_sample_is_read_or_refused_with_a_reason(parse: Parsing) -> None:
    seconds: dict[str, float] = {}
    refused: dict[str, str] = {}
    for sample in pdf_samples():
        began = time.perf_counter()
        try:
            found = await parse(sample.read_bytes(), sample.name, seconds=SECONDS, attachments=True)
            assert len(found["pages"]) == found["metadata"]["pages"]
        except Fail as fail:
            refused[sample.name] = str(fail.code)
        seconds[sample.name] = time.perf_counter() - began
    (pid,) = parse.isolation.idle_pids
    slowest = max(seconds, key=lambda name: seconds[name])
    peak = peak_mib(pid)
    told = f"{len(seconds)} samples, {len(refused)} refused; {slowest}: {seconds[slowest]:.2f} s; peak {peak} MiB"
    print(told)  # noqa: T201 - what the worst one took is of interest
    assert len(seconds) == 72
    assert peak < MOST_MIB
    assert set(refused.values()) == {"DOCUMENT_ENCRYPTED"}
    assert all("password" in name or "encrypted" in name or name == "r6-cleartext-metadata.pdf" for name in refused)
    assert len(refused) <= 13


async def test_one_process_reads_all_samples_after_each_other(parse: Parsing) -> None:
    await parse(b"x")
    (before,) = parse.isolation.idle_pids
    await asyncio.gather(*(parse(sample.read_bytes(), sample.name) for sample in pdf_samples()), return_exceptions=True)
    assert parse.isolation.idle_pids == (before,)


async def test_a_password_opens_an_encrypted_pdf(parse: Parsing) -> None:
    content = next(sample for sample in pdf_samples() if sample.name == "r6-user-password.pdf").read_bytes()
    missing = await parse.failure(content)
    assert (missing.code, "needs a password" in str(missing)) == ("DOCUMENT_ENCRYPTED", True)
    wrong = await parse.failure(content, password="'wrong'")
    assert (wrong.code, "does not open" in str(wrong)) == ("DOCUMENT_ENCRYPTED", True)
    assert (await parse(content, password="'asdfzxcv'"))["text"].strip()
    assert (await parse.failure(content, password="1 + 1")).code == "PASSWORD_NOT_TEXT"


async def test_the_values_of_real_invoices_stand_beside_their_labels(parse: Parsing) -> None:
    lines = {
        "QualityHosting": ("Rechnungsnr.  30064443", "Total EUR  34,73"),
        "oyo": ("Grand Total  Rs 1939", "Guest Name: Sanjay  Date: 31/12/2017"),
    }
    for name, wanted in lines.items():
        found = await parse((invoices() / f"{name}.pdf").read_bytes())
        said = [
            "  ".join(part.strip() for part in line.split("  ") if part.strip()) for line in found["text"].splitlines()
        ]
        assert [line for line in wanted if not any(one.startswith(line) for one in said)] == []
    for told in invoices().glob("*.json"):
        (expected,) = json.loads(told.read_text())
        text = (await parse(told.with_suffix(".pdf").read_bytes()))["text"]
        assert expected["invoice_number"].lstrip("#") in text


async def test_the_xml_of_an_electronic_invoice_comes_with_it(parse: Parsing) -> None:
    found = await parse(facturx_invoice().read_bytes())
    (xml,) = [one for one in found["attachments"] if one["name"] == "factur-x.xml"]
    assert xml["mimeType"] == "text/xml"
    assert "<ram:ID>F20260023</ram:ID>" in xml["text"].replace("\n", "")
    assert "FACTURE N° :" in found["text"]
    assert "F20260023" in found["text"]
