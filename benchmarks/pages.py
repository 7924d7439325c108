"""PDFs as an office program writes them: labelled values over prose, or over a table; and invoices, those of the demo."""

from collections.abc import Sequence

from weft.cli.demonstration.invoices.paper import written_invoices

WORDS = [
    "the",
    "parties",
    "agree",
    "that",
    "goods",
    "are",
    "delivered",
    "within",
    "thirty",
    "days",
    "after",
    "receipt",
    "of",
    "this",
    "order",
    "and",
    "paid",
    "by",
    "bank",
    "transfer",
    "unless",
    "otherwise",
    "stated",
    "in",
    "writing",
    "prices",
    "include",
    "packing",
    "but",
    "not",
    "carriage",
    "which",
    "is",
    "charged",
    "at",
    "cost",
]
LINES = 55
FONT = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"


def text_pdf(pages: int) -> bytes:
    """About 880 words a page."""
    return _pdf([_head(page) + _prose(page) for page in range(pages)])


def table_pdf(pages: int) -> bytes:
    """About 440 words a page, five columns."""
    return _pdf([_head(page) + _table(page) for page in range(pages)])


def invoice_pdfs(count: int) -> list[bytes]:
    """Of one page each, none of them spoilt."""
    return [paper.content for paper in written_invoices(2 * count) if paper.truth is not None][:count]


def _pdf(pages: Sequence[Sequence[str]]) -> bytes:
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"", FONT]
    for page in pages:
        stream = "\n".join(page).encode("ascii")
        objects += [
            b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R/Resources<</Font<</F 3 0 R>>>>>>"
            % (len(objects) + 1),
        ]
    kids = b" ".join(b"%d 0 R" % number for number in range(5, len(objects) + 1, 2))
    objects[1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), kids)
    file, places = b"%PDF-1.7\n", list[int]()
    for number, content in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return b"%s%s%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (
        file, head, table, len(objects) + 1, len(file),
    )  # fmt: skip


def _at(x: float, y: float, text: str) -> str:
    return f"BT /F 9 Tf {x} {y} Td ({text}) Tj ET"


def _head(page: int) -> list[str]:
    return [_at(50, 800, f"Order {1000 + page}"), _at(400, 800, "Date:"), _at(470, 800, "2026-01-31")]


def _prose(page: int) -> list[str]:
    lines = ((WORDS[(7 * page + 13 * line + word) % len(WORDS)] for word in range(16)) for line in range(LINES))
    return [_at(50, 770 - 12 * line, " ".join(words)) for line, words in enumerate(lines)]


def _table(page: int) -> list[str]:
    drawn: list[str] = []
    for row in range(LINES):
        amount = (page + 1) * (row + 3)
        cells = (50, f"{row + 1}"), (80, f"Steel screw M{row + 2} zinc"), (330, f"{amount}"), (420, "0.25")
        drawn += [_at(x, 770 - 12 * row, text) for x, text in (*cells, (500, f"{amount / 4:.2f}"))]
    return drawn
