"""Documents of every format, made when a test needs them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any, cast

import docx
import xlsxwriter
import xlwt
from pptx import Presentation
from pptx.util import Inches

Words = tuple[float, float, str]
"""Left and foot in points, and the text that stands there."""


def pdf(
    pages: Sequence[Sequence[Words]],
    *,
    rotate: int = 0,
    matrix: str = "1 0 0 1",
    title: str | None = None,
    attachments: Mapping[str, bytes] | None = None,
    size: tuple[float, float] = (595, 842),
    drawn: str = "",
) -> bytes:
    """A PDF in Helvetica of 10 points; `matrix` turns the text itself, `drawn` stands on every page too."""
    objects: list[bytes] = [b"", b"", b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"]
    kids: list[int] = []
    for words in pages:
        text = "".join(f"BT /F 10 Tf {matrix} {x} {y} Tm ({_escaped(word)}) Tj ET\n" for x, y, word in words)
        stream = (drawn + text).encode("cp1252")
        objects.append(b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Rotate %d/Contents %d 0 R/Resources<</Font<</F 3 0 R>>>>>>"
            % (*size, rotate, len(objects))
        )
        kids.append(len(objects))
    names = b""
    for name, content in (attachments or {}).items():
        objects.append(
            b"<</Type/EmbeddedFile/Subtype/text#2Fxml/Length %d>>stream\n%s\nendstream" % (len(content), content)
        )
        objects.append(
            b"<</Type/Filespec/F(%s)/UF(%s)/EF<</F %d 0 R>>>>" % (name.encode(), name.encode(), len(objects))
        )
        names += b"(%s)%d 0 R" % (name.encode(), len(objects))
    objects[0] = b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[%s]>>>>>>" % names
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))
    info = b""
    if title is not None:
        objects.append(b"<</Title(%s)/CreationDate(D:20240131120000+01'00')>>" % title.encode("cp1252"))
        info = b"/Info %d 0 R" % len(objects)
    return _pdf_file(objects, info)


def _pdf_file(objects: Sequence[bytes], info: bytes) -> bytes:
    file, places = b"%PDF-1.7\n", list[int]()
    for number, content in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, info, len(file))
    return b"%sxref\n0 %d\n0000000000 65535 f \n%s%s" % (file, len(objects) + 1, table, end)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def invoice_pdf(number: int = 1, **given: Any) -> bytes:
    """Labels and values far apart in the file, beside each other on the page."""
    labels = [(50.0, 780.0, "Invoice number:"), (50, 765, "Date:"), (50, 750, "Total:")]
    values = [(300.0, 750.0, f"{number * 10}.50 EUR"), (300, 765, "2024-01-31"), (300, 780, f"INV-{number}")]
    return pdf([labels + values], **given)


def word() -> bytes:
    document = docx.Document()
    document.core_properties.title = "Terms"
    document.core_properties.author = "Ada"
    document.sections[0].header.paragraphs[0].text = "ACME Ltd"
    document.add_heading("Terms of use", level=1)
    document.add_paragraph("The parties agree.")
    document.add_paragraph("first", style="List Bullet")
    document.add_paragraph("second", style="List Bullet")
    document.add_paragraph("one", style="List Number")
    document.add_heading("Prices", level=2)
    table = document.add_table(rows=2, cols=2)
    for row, values in zip(table.rows, [("Item", "Price"), ("Nail", "1 | 2")], strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    document.add_paragraph("Signed in Zürich.")
    return _saved(document)


def slides() -> bytes:
    presentation = Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    cast("Any", first.shapes.title).text = "Results"
    frame = cast("Any", first.placeholders[1]).text_frame
    frame.text = "up"
    frame.add_paragraph().text = "and away"
    cast("Any", first.notes_slide.notes_text_frame).text = "Speak slowly."
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    cast("Any", second.shapes.title).text = "Numbers"
    table = second.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for row, values in enumerate([("Year", "Total"), ("2024", "17")]):
        for column, value in enumerate(values):
            table.cell(row, column).text = value
    return _saved(presentation)


def excel() -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet("Orders")
        sheet.write_row(0, 0, ["Item", "Amount", "Paid", "Day"])
        sheet.write_row(1, 0, ["Nail", 2.5, True])
        sheet.write_number(1, 3, 45322, date)
        sheet.write_row(2, 0, ["Screw", 3, False])
        book.add_worksheet("Empty")
    return file.getvalue()


def old_excel() -> bytes:
    book: Any = xlwt.Workbook()
    sheet = book.add_sheet("Alt")
    for column, value in enumerate(["Größe", 12, 0.5]):
        sheet.write(0, column, value)
    return _saved(book)


def open_document_sheet() -> bytes:
    cells = '<table:table-cell office:value-type="string"><text:p>Käse</text:p></table:table-cell>'
    cells += '<table:table-cell office:value-type="float" office:value="4.5"><text:p>4.5</text:p></table:table-cell>'
    namespaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {namespaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="Liste"><table:table-row>{cells}</table:table-row></table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    return archive({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def mail(*attached: tuple[str, str, bytes]) -> bytes:
    message = EmailMessage()
    message["From"] = "Jörg <joerg@example.com>"
    message["To"] = "ada@example.com"
    message["Subject"] = "Angebot für März"
    message["Date"] = "Wed, 31 Jan 2024 12:00:00 +0100"
    message.set_content("Guten Tag,\n\nanbei das Angebot.\n")
    message.add_alternative("<h2>Angebot</h2><p>anbei das <b>Angebot</b>.</p>", subtype="html")
    for name, kind, content in attached:
        main, _, sub = kind.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return file.getvalue()


def _saved(document: Any) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()
