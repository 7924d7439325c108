"""The invoice rule set on invoices: real ones, and ours in many layouts and languages. A wrong value that looks sure fails them all."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import orjson
import pytest
from samples import facturx_invoice, invoices
from unit.kit.extraction.invoice_texts import LATER, SAMPLES, SENDERS, Sample

from weft.kit.extraction.candidates import By, sameness
from weft.kit.extraction.document import Document, read_document
from weft.kit.extraction.extracting import extract
from weft.kit.extraction.extraction import Extraction
from weft.kit.extraction.sets import built_in
from weft.kit.extraction.sets.einvoices import values_as_data
from weft.kit.extraction.shaping import Shaper
from weft.kit.parsing.parsed import Wanted
from weft.kit.parsing.reading import read
from weft.kit.parsing.source import Source

HIGH = 0.8
INVOICE = built_in("invoice")
SHAPER = Shaper(INVOICE.schema)
EXPECTED_NAMES = {
    "number": "invoice_number", "date": "date", "total": "amount", "issuer": "issuer", "currency": "currency",
}  # fmt: skip


def parsed(path: Path, *, attachments: bool = True) -> Document:
    document = read(Source(path, path.name), Wanted())
    pages = [{"number": page.number, "text": page.text} for page in document.pages]
    carried = [{"name": one.name, "mimeType": one.mime_type, "text": one.text} for one in document.attachments]
    return read_document({"pages": pages, "attachments": carried if attachments else []})


@dataclass(frozen=True)
class Outcome:
    field: str
    outcome: str
    """found, wrong or missing."""
    value: Any
    expected: Any
    confidence: float

    def __str__(self) -> str:
        return f"{self.field}: {self.outcome} {self.value!r} ({self.confidence:.2f}), expected {self.expected!r}"


def compared(extraction: Extraction, expected: dict[str, Any]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    for name, wanted in expected.items():
        field = extraction.fields.get(name)
        if field is None:
            outcomes.append(Outcome(name, "missing", None, wanted, 0.0))
        else:
            right = "found" if is_same(name, field.value, wanted) else "wrong"
            outcomes.append(Outcome(name, right, field.value, wanted, field.confidence))
    return outcomes


def is_same(name: str, value: Any, wanted: Any) -> bool:
    if name != "issuer":
        return sameness(value) == sameness(wanted)
    # The expectations name issuers with and without their legal form.
    words, wanted_words = (re.sub(r"\W+", " ", str(one)).casefold().split() for one in (value, wanted))
    return words[: len(wanted_words)] == wanted_words


def sure_but_wrong(outcomes: list[Outcome]) -> list[str]:
    return [str(one) for one in outcomes if one.outcome == "wrong" and one.confidence >= HIGH]


def real_invoices() -> dict[str, dict[str, Any]]:
    """By the name of the PDF: what is in it, as those say who collected them."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(invoices().glob("*.json")):
        (values,) = orjson.loads(path.read_bytes())
        found[path.stem] = {name: values[theirs] for name, theirs in EXPECTED_NAMES.items()}
    return found


def test_of_the_real_invoices_nearly_everything_is_found_and_nothing_wrong_looks_sure(
    record_property: Callable[[str, object], None],
) -> None:
    every: list[Outcome] = []
    for name, expected in real_invoices().items():
        outcomes = compared(extract(parsed(invoices() / f"{name}.pdf"), INVOICE, SHAPER), expected)
        assert sure_but_wrong(outcomes) == [], name
        record_property(name, "; ".join(map(str, outcomes)))
        every += outcomes

    assert len(every) == 25
    # Two of the five go by the name of a brand, which is not the company that issued the invoice.
    assert [one.field for one in every if one.outcome != "found"] == ["issuer", "issuer"], list(map(str, every))


def test_the_lines_of_a_real_invoice_over_two_pages_are_one_table() -> None:
    extraction = extract(parsed(invoices() / "QualityHosting.pdf"), INVOICE, SHAPER)

    assert [(row["position"], row["amount"]) for row in extraction.values["lines"]] == [
        ("1", 3.89), ("2", 5.39), ("3", 5.39), ("4", 5.39), ("5", 5.39), ("6", 5.39), ("7", 3.89),
    ]  # fmt: skip
    assert extraction.fields["lines.6.amount"].found.page == 2  # pyright: ignore[reportOptionalMemberAccess]


def test_the_values_of_an_invoice_that_carries_its_data_are_those_of_the_data() -> None:
    document = parsed(facturx_invoice())
    extraction = extract(document, INVOICE, SHAPER)

    data = values_as_data(document)
    assert set(data) == set(INVOICE.fields)
    assert {name: extraction.values[name] for name in data if name != "lines"} == {
        name: found[0].value for name, found in data.items() if name != "lines"
    }
    assert extraction.values["lines"] == data["lines"][0].value
    assert {field.confidence for field in extraction.fields.values()} == {1.0}
    assert {field.found.by for field in extraction.fields.values() if field.found} == {By.ATTACHMENT}
    (xml,) = [one.text for one in document.attachments if one.name == "factur-x.xml"]
    for field in extraction.fields.values():
        assert field.found is not None
        assert xml[field.found.start : field.found.end] == field.found.text


def test_the_same_invoice_without_its_data_is_read_by_rules_and_nothing_wrong_looks_sure() -> None:
    data = {
        name: found[0].value for name, found in values_as_data(parsed(facturx_invoice())).items() if name != "lines"
    }
    outcomes = compared(extract(parsed(facturx_invoice(), attachments=False), INVOICE, SHAPER), data)

    assert sure_but_wrong(outcomes) == []
    right = {one.field for one in outcomes if one.outcome == "found"}
    assert right >= {"number", "date", "dueDate", "total", "net", "tax", "currency", "iban"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_an_invoice_of_ours_is_read(sample: Sample) -> None:
    extraction = extract(read_document(sample.text), INVOICE, SHAPER)
    outcomes = compared(extraction, sample.expected)

    assert [str(one) for one in outcomes if one.outcome != "found"] == []
    assert not sample.lines or extraction.values["lines"] == sample.lines


def test_of_invoices_that_the_rules_were_not_written_for_nine_values_in_ten_are_found() -> None:
    every: list[Outcome] = []
    for sample in LATER:
        outcomes = compared(extract(read_document(sample.text), INVOICE, SHAPER), sample.expected)
        assert sure_but_wrong(outcomes) == [], sample.name
        every += outcomes

    assert sum(one.outcome == "found" for one in every) >= 0.9 * len(every), [
        str(one) for one in every if one.outcome != "found"
    ]


@pytest.mark.parametrize("sample", [*SAMPLES, *LATER, *SENDERS], ids=lambda sample: sample.name)
def test_every_value_stands_where_it_is_said_to_stand(sample: Sample) -> None:
    extraction = extract(read_document(sample.text), INVOICE, SHAPER)

    assert extraction.fields
    for path, field in extraction.fields.items():
        assert field.found is not None, path
        assert sample.text[field.found.start : field.found.end] == field.found.text, path
        assert field.found.text.strip(), path
    assert SHAPER.open.check(extraction.values) == []


def test_an_invoice_takes_milliseconds() -> None:
    document = read_document(SAMPLES[0].text)
    extract(document, INVOICE, SHAPER)
    began = process_time()
    for _ in range(10):
        extract(document, INVOICE, SHAPER)

    assert (process_time() - began) / 10 < 0.1


def test_what_an_invoice_does_not_say_is_not_surely_something_else() -> None:
    silent = {sample.name: set(INVOICE.fields) - {"lines", "issuerVatId"} - set(sample.expected) for sample in SAMPLES}
    assert any(silent.values())

    for sample in SAMPLES:
        fields = extract(read_document(sample.text), INVOICE, SHAPER).fields
        assert {name for name in silent[sample.name] if name in fields and fields[name].confidence >= HIGH} == set()
