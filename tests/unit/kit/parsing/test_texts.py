"""HTML, mail, Markdown, CSV, JSON and plain text in the encodings that people use."""

import pytest
from made_documents import invoice_pdf, mail

from weft.kit.parsing.parsed import DocumentError, Limits, Parsed, Wanted
from weft.kit.parsing.reading import read
from weft.kit.parsing.source import Source


def parsed(content: bytes | str, name: str = "", wanted: Wanted | None = None) -> Parsed:
    return read(Source(content.encode() if isinstance(content, str) else content, name), wanted or Wanted())


HTML = """<!doctype html><html lang="de"><head><title>Preise</title><style>p {color: red}</style></head><body>
<h1>Preise &amp; Mengen</h1><p>Alle   Preise
in <b>Euro</b>.<br>Stand: heute, <a href="https://example.com">mehr</a></p>
<ul><li>eins</li><li>zwei<ol><li>a</li><li>b</li></ol></li></ul>
<table><tr><th>Ware</th><th>Preis</th></tr><tr><td>Nagel</td><td>2</td></tr></table>
<pre>x = 1
  y = 2</pre><script>alert(1)</script></body></html>"""


def test_html_gives_what_a_reader_sees() -> None:
    found = parsed(HTML)
    assert (found.format, found.mime_type) == ("html", "text/html")
    assert found.metadata == {"title": "Preise", "language": "de", "encoding": "utf-8"}
    assert found.markdown is not None
    assert found.markdown.split("\n\n") == [
        "# Preise & Mengen",
        "Alle Preise in **Euro**.\nStand: heute, [mehr](https://example.com)",
        "- eins\n- zwei\n  1. a\n  2. b",
        "| Ware | Preis |\n| --- | --- |\n| Nagel | 2 |",
        "```\nx = 1\n  y = 2\n```",
    ]
    assert "Alle Preise in Euro.\nStand: heute, mehr" in found.text
    assert found.tables[0].rows == [["Ware", "Preis"], ["Nagel", "2"]]


def test_a_table_for_the_looks_is_no_table() -> None:
    layout = "<table><tr><td>Left<table><tr><td>A</td><td>B</td></tr></table></td><td>Right</td></tr></table>"
    found = parsed(f"<html><body>{layout}</body></html>")
    assert [table.rows for table in found.tables] == [[["A", "B"]]]
    assert found.text.split() == ["Left", "A", "B", "Right"]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8"])
def test_html_is_read_in_the_encoding_it_names(encoding: str) -> None:
    page = f'<html><head><meta charset="{encoding}"></head><body>Größe: 5 €</body></html>'
    assert parsed(page.encode(encoding)).text == "Größe: 5 €"


def test_a_mail_gives_its_headers_text_and_files() -> None:
    found = parsed(mail(("a.csv", "text/csv", b"x;y\n1;2\n"), ("b.pdf", "application/pdf", invoice_pdf(3))))
    assert found.format == "eml"
    assert found.text.splitlines()[:3] == [
        "From: Jörg <joerg@example.com>",
        "To: ada@example.com",
        "Subject: Angebot für März",
    ]
    assert found.text.endswith("Guten Tag,\n\nanbei das Angebot.")
    assert found.markdown is not None
    assert found.markdown.startswith("# Angebot für März\n\n- **From:** Jörg")
    assert found.markdown.endswith("## Angebot\n\nanbei das **Angebot**.")
    assert found.metadata["createdAt"] == "2024-01-31T12:00:00+01:00"
    table, document = found.attachments
    assert (table.name, table.mime_type, table.text, table.document) == ("a.csv", "text/csv", "x;y\n1;2\n", None)
    assert (document.name, document.text, document.document) == ("b.pdf", None, None)


def test_the_files_of_a_mail_are_documents_where_asked() -> None:
    inner = mail(("b.pdf", "application/pdf", invoice_pdf(3)))
    broken = ("c.pdf", "application/pdf", b"%PDF-1.7 broken")
    found = parsed(mail(("inner.eml", "application/octet-stream", inner), broken), wanted=Wanted(attachments=True))
    first, second = found.attachments
    assert second.document is None, "a mail is not broken because a file in it is"
    assert first.document is not None
    assert first.document.format == "eml"
    (innermost,) = first.document.attachments
    assert innermost.document is not None
    assert "INV-3" in innermost.document.text


def test_markdown_is_its_own_markdown() -> None:
    found = parsed("# Title\n\n- a\n", "notes.md")
    assert (found.format, found.text, found.markdown) == ("markdown", "# Title\n\n- a\n", "# Title\n\n- a\n")
    assert found.metadata["title"] == "Title"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_is_read_whatever_separates_it(delimiter: str) -> None:
    rows = [["Name", "Ort", "Betrag"], ["Müller, Jörg", "Ulm", "1.000,50"], ['sagt "ja"', "A|B;C", ""]]
    lines = [delimiter.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    found = parsed("\r\n".join(lines), "list.csv")
    assert found.metadata["delimiter"] == delimiter
    assert found.tables[0].rows == rows
    assert found.markdown is not None
    assert found.markdown.startswith("| Name | Ort | Betrag |\n| --- | --- | --- |")


def test_json_comes_with_its_value() -> None:
    assert parsed('{"total": 12.5, "items": [1]}').data == {"total": 12.5, "items": [1]}
    assert parsed('{"a": 1}\n{"a": 2}\n', "lines.jsonl").data == [{"a": 1}, {"a": 2}]
    assert parsed("[sic] is no JSON").format == "text"
    with pytest.raises(DocumentError, match="no JSON"):
        parsed("{half", "a.json")


GERMAN = "Sehr geehrte Damen und Herren, für die Müllabfuhr schulden Sie uns fünfzig Euro. Größte Grüße"
POLISH = "Zażółć gęślą jaźń, faktura za wrzesień, należność do zapłaty"
RUSSIAN = "Счёт на оплату за сентябрь, итого к оплате сто рублей"
JAPANESE = "請求書 合計金額は税込で五千円です。よろしくお願いいたします。"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (GERMAN, "utf-8"),
        (GERMAN, "utf-8-sig"),
        (GERMAN, "utf-16"),
        (GERMAN, "utf-16-le"),
        (GERMAN, "utf-16-be"),
        (GERMAN, "utf-32"),
        (GERMAN, "latin-1"),
        (GERMAN + " €", "cp1252"),
        (POLISH, "cp1250"),
        (POLISH, "iso8859-2"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (JAPANESE, "shift-jis"),
        (JAPANESE, "utf-8"),
    ],
)
def test_text_is_read_in_its_encoding(text: str, encoding: str) -> None:
    assert parsed(text.encode(encoding), "a.txt").text == text


def test_a_text_is_plain_xml_or_html_by_how_it_begins() -> None:
    assert parsed("just words").format == "text"
    assert parsed('<?xml version="1.0"?><a/>').format == "xml"
    assert parsed("<!-- hello -->\n<!DOCTYPE html><p>x").format == "html"
    assert parsed("From: a@b.c\nTo: d@e.f\nSubject: s\n\nhello").format == "eml"


def test_text_that_is_too_long_is_cut_and_told() -> None:
    found = parsed("word " * 1000, wanted=Wanted(limits=Limits(characters=100)))
    assert (len(found.text), found.truncated) == (100, True)


def test_control_characters_do_not_come_through() -> None:
    long = "x" * 500
    assert parsed(f"a\x00\x07b\u00a0c\r\nd\x0ce\ufeff{long}", "a.txt").text == f"ab c\nd\ne{long}"
