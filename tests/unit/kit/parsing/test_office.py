"""Office documents, made by the libraries that write them."""

from made_documents import excel, old_excel, open_document_sheet, slides, word

from weft.kit.parsing.parsed import Limits, Parsed, Wanted
from weft.kit.parsing.reading import read
from weft.kit.parsing.source import Source


def parsed(content: bytes, wanted: Wanted | None = None) -> Parsed:
    return read(Source(content), wanted or Wanted())


def test_word_gives_headings_lists_and_tables_in_their_order() -> None:
    found = parsed(word())
    assert found.format == "docx"
    assert found.markdown is not None
    assert found.markdown.split("\n\n") == [
        "ACME Ltd",
        "# Terms of use",
        "The parties agree.",
        "- first\n- second\n1. one",
        "## Prices",
        "| Item | Price |\n| --- | --- |\n| Nail | 1 \\| 2 |",
        "Signed in Zürich.",
    ]
    assert "Item  Price\nNail  1 | 2" in found.text
    assert [table.rows for table in found.tables] == [[["Item", "Price"], ["Nail", "1 | 2"]]]
    assert (found.metadata["title"], found.metadata["author"]) == ("Terms", "Ada")


def test_slides_are_pages_with_their_notes() -> None:
    found = parsed(slides())
    assert [page.number for page in found.pages] == [1, 2]
    assert found.pages[0].text == "Results\n\n- up\n- and away\n\nSpeak slowly."
    assert found.pages[1].text == "Numbers\n\nYear  Total\n2024  17"
    assert found.text == "\n\n".join(page.text for page in found.pages)
    assert (found.tables[0].page, found.tables[0].rows) == (2, [["Year", "Total"], ["2024", "17"]])
    assert found.markdown is not None
    assert found.markdown.startswith("# Results\n\n- up\n- and away")
    assert [page.number for page in parsed(slides(), Wanted(pages=((2, 2),))).pages] == [2]


def test_sheets_are_pages_and_tables_with_numbers_and_dates() -> None:
    found = parsed(excel())
    assert found.format == "xlsx"
    (table,) = found.tables
    assert table.name == "Orders"
    assert table.rows == [["Item", "Amount", "Paid", "Day"], ["Nail", 2.5, True, "2024-01-31"], ["Screw", 3, False]]
    assert found.pages[0].text == "Orders\n\nItem  Amount  Paid  Day\nNail  2.5  true  2024-01-31\nScrew  3  false"
    assert [page.number for page in found.pages] == [1, 2]
    assert found.metadata["sheets"] == ["Orders", "Empty"]


def test_older_and_open_spreadsheets_are_read_alike() -> None:
    old, open_document = parsed(old_excel()), parsed(open_document_sheet())
    assert (old.format, old.tables[0].name, old.tables[0].rows) == ("xls", "Alt", [["Größe", 12, 0.5]])
    assert (open_document.format, open_document.tables[0].rows) == ("ods", [["Käse", 4.5]])


def test_cells_and_characters_that_are_too_many_are_left_out_and_told() -> None:
    few = parsed(excel(), Wanted(limits=Limits(cells=5)))
    assert (few.tables[0].rows, few.truncated) == ([["Item", "Amount", "Paid", "Day"]], True)
    short = parsed(word(), Wanted(limits=Limits(characters=30)))
    assert (len(short.text) <= 40, short.truncated) == (True, True)
