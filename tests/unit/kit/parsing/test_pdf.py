"""PDFs: their text as it looks, whatever the order in which it was drawn."""

import re
from pathlib import Path

import pytest
from made_documents import invoice_pdf, pdf

from weft.kit.parsing.parsed import DocumentError, Limits, Parsed, Wanted
from weft.kit.parsing.reading import read
from weft.kit.parsing.source import Source


def parsed(content: bytes, wanted: Wanted | None = None) -> Parsed:
    return read(Source(content, "a.pdf"), wanted or Wanted())


def test_a_label_and_its_value_stand_on_one_line() -> None:
    found = parsed(invoice_pdf(7))
    lines = [line.split("  ", 1) for line in found.text.splitlines()]
    assert [(label, value.strip()) for label, value in lines] == [
        ("Invoice number:", "INV-7"),
        ("Date:", "2024-01-31"),
        ("Total:", "70.50 EUR"),
    ]
    assert (found.format, found.mime_type, found.truncated) == ("pdf", "application/pdf", False)
    assert (found.pages[0].width, found.pages[0].height) == (595, 842)


def test_columns_keep_their_places_from_line_to_line() -> None:
    rows = [("Item", "Amount", "Price"), ("A nail of steel", "2", "3.50"), ("Glue", "10", "12.00")]
    places = (50.0, 250.0, 350.0)
    words = [(x, 700.0 - 15 * n, cell) for n, row in enumerate(rows) for x, cell in zip(places, row, strict=True)]
    lines = parsed(pdf([words])).text.splitlines()
    assert [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines] == [
        list(row) for row in rows
    ]
    assert len({line.index(row[1]) for line, row in zip(lines, rows, strict=True)}) == 1


def test_a_gap_between_paragraphs_is_an_empty_line() -> None:
    words = [(50.0, 700.0, "one"), (50.0, 688.0, "two"), (50.0, 640.0, "three")]
    assert parsed(pdf([words])).text == "one\ntwo\n\nthree"


def test_words_of_a_line_drawn_one_by_one_are_joined() -> None:
    # Helvetica: "Invoice" is 34.5 points wide at 10 points, and a space 2.8.
    assert parsed(pdf([[(50.0, 700.0, "Invoice"), (87.0, 700.0, "total")]])).text == "Invoice total"


def test_a_page_of_more_than_a_thousand_cells_keeps_each_in_its_place() -> None:
    words = [(20.0 + 40 * column, 820.0 - 8 * row, f"{row}:{column}") for row in range(100) for column in range(13)]
    cells = [line.split("  ") for line in parsed(pdf([words])).text.splitlines()]
    expected = [[f"{row}:{column}" for column in range(13)] for row in range(100)]
    assert [[cell.strip() for cell in line if cell.strip()] for line in cells] == expected


def test_a_long_line_that_was_drawn_in_two_places_keeps_its_gap() -> None:
    line = [(50.0, 700.0, "The goods that were delivered on the"), (450.0, 700.0, "1,250.00 EUR")]
    assert re.fullmatch(r"The goods that were delivered on the {2,}1,250\.00 EUR", parsed(pdf([line])).text)


def test_a_file_reads_the_same_whether_it_is_held_in_memory_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = invoice_pdf(7)
    file = tmp_path / "a.pdf"
    file.write_bytes(content)
    at_once = read(Source(file), Wanted())
    monkeypatch.setattr("weft.kit.parsing.pdf.READ_AT_ONCE", len(content) - 1)
    assert read(Source(file), Wanted()) == at_once == parsed(content)


@pytest.mark.parametrize(
    ("rotate", "matrix"), [(90, "0 1 -1 0"), (180, "-1 0 0 -1"), (270, "0 -1 1 0"), (0, "0 1 -1 0"), (0, "0 -1 1 0")]
)
def test_a_turned_page_reads_as_it_is_shown(rotate: int, matrix: str) -> None:
    a, b = (int(part) for part in matrix.split()[:2])  # where the text leads
    down = (b, -a)

    def at(line: int, column: int, text: str) -> tuple[float, float, str]:
        x, y = 300 + 15 * line * down[0] + column * a, 400 + 15 * line * down[1] + column * b
        return (x, y, text)

    words = [at(1, 0, "Total:"), at(1, 200, "12.50"), at(0, 0, "Date:"), at(0, 200, "2024-01-31")]
    lines = [line.split() for line in parsed(pdf([words], rotate=rotate, matrix=matrix)).text.splitlines()]
    assert lines == [["Date:", "2024-01-31"], ["Total:", "12.50"]]


def test_pages_are_told_apart_and_may_be_chosen() -> None:
    content = pdf([[(50.0, 700.0, f"page {number}")] for number in range(1, 6)])
    assert parsed(content).text == "page 1\n\npage 2\n\npage 3\n\npage 4\n\npage 5"
    chosen = parsed(content, Wanted(pages=((2, 3), (5, None))))
    assert [page.number for page in chosen.pages] == [2, 3, 5]
    assert chosen.metadata["pages"] == 5
    assert not chosen.truncated


def test_what_is_too_much_is_left_out_and_told() -> None:
    content = pdf([[(50.0, 700.0, f"page {number}")] for number in range(1, 6)])
    few = parsed(content, Wanted(limits=Limits(pages=2)))
    assert ([page.number for page in few.pages], few.truncated) == ([1, 2], True)
    short = parsed(content, Wanted(limits=Limits(characters=10)))
    assert ([page.number for page in short.pages], short.truncated) == ([1, 2], True)


def test_metadata_and_embedded_files_are_told() -> None:
    xml = '<?xml version="1.0"?><total>12.50 €</total>'.encode()
    found = parsed(pdf([[(50.0, 700.0, "x")]], title="Müller", attachments={"factur-x.xml": xml}))
    assert found.metadata == {"title": "Müller", "createdAt": "2024-01-31T12:00:00+01:00", "pages": 1}
    (attachment,) = found.attachments
    assert (attachment.name, attachment.mime_type, attachment.size) == ("factur-x.xml", "text/xml", len(xml))
    assert attachment.text == xml.decode()


def test_tables_are_found_on_request() -> None:
    lines = "".join(f"50 {y} m 350 {y} l S\n" for y in (660, 680, 700)) + "".join(
        f"{x} 660 m {x} 700 l S\n" for x in (50, 200, 350)
    )
    content = pdf(
        [[(55.0, 685.0, "Item"), (205.0, 685.0, "Price"), (55.0, 665.0, "Nail"), (205.0, 665.0, "3")]], drawn=lines
    )
    assert parsed(content).tables == []
    (table,) = parsed(content, Wanted(tables=True)).tables
    assert (table.page, table.rows) == (1, [["Item", "Price"], ["Nail", "3"]])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"%PDF-1.7\nnothing", "DOCUMENT_BROKEN"),
        (invoice_pdf()[:300], "DOCUMENT_BROKEN"),
        (pdf([]), "DOCUMENT_BROKEN"),
    ],
    ids=["no structure", "cut off", "no pages"],
)
def test_a_broken_file_is_named_broken(content: bytes, code: str) -> None:
    with pytest.raises(DocumentError) as raised:
        parsed(content)
    assert raised.value.code == code
