"""The files of the demo: invoices written as PDF, some of them spoilt; or files that were given."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import Any

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from weft.cli.demonstration.invoices.facts import Invoice, invoices
from weft.cli.demonstration.invoices.layouts import A4, draw

EVERY_SPOILT = 12


class Spoilt(StrEnum):
    TORN = "torn"
    LOCKED = "locked"
    SCANNED = "scanned"
    NUMBERLESS = "numberless"
    MISCOUNTED = "miscounted"


@dataclass(frozen=True, slots=True)
class Paper:
    """One file, and what it says where that is known."""

    name: str
    content: bytes
    truth: dict[str, Any] | None = None


def written_invoices(count: int) -> list[Paper]:
    ways = list(Spoilt)
    papers: list[Paper] = []
    for index, invoice in enumerate(invoices(count)):
        turn, spoils = divmod(index + 1, EVERY_SPOILT)
        spoilt = ways[turn % len(ways)] if not spoils else None
        papers.append(_written(invoice, f"invoice-{index + 1:03}.pdf", boxed=index % 5 != 0, spoilt=spoilt))
    return papers


def read_invoices(files: Sequence[Path]) -> list[Paper]:
    return [Paper(file.name, file.read_bytes()) for file in files]


def _written(invoice: Invoice, name: str, *, boxed: bool, spoilt: Spoilt | None) -> Paper:
    total = invoice.total + (Decimal(90) if spoilt is Spoilt.MISCOUNTED else 0)
    number = "" if spoilt is Spoilt.NUMBERLESS else invoice.number
    content = BytesIO()
    locked = StandardEncryption("a password that nobody knows") if spoilt is Spoilt.LOCKED else None
    canvas = Canvas(content, pagesize=A4, invariant=1, encrypt=locked)
    if spoilt is Spoilt.SCANNED:
        _scan(canvas)
    else:
        draw(canvas, invoice, boxed=boxed, number=number, total=total)
    canvas.showPage()
    canvas.save()
    written = content.getvalue()
    if spoilt is Spoilt.TORN:
        written = written[: len(written) // 3]
    return Paper(name, written, None if spoilt else _truth(invoice))


def _scan(canvas: Canvas) -> None:
    """A page as a scanner gives it: grey, and without a letter that a program could read."""
    canvas.setFillGray(0.9)
    canvas.rect(40, 40, 515, 762, fill=1, stroke=0)
    canvas.setFillGray(0.3)
    for row in range(30):
        canvas.rect(60, 740 - 22 * row, 120 + 17 * (row * 7 % 20), 6, fill=1, stroke=0)


def _truth(invoice: Invoice) -> dict[str, Any]:
    return {
        "number": invoice.number,
        "date": invoice.day.isoformat(),
        "total": float(invoice.total),
        "currency": invoice.seller.currency,
        "issuer": invoice.seller.name,
    }


def truths(papers: Iterable[Paper]) -> dict[str, dict[str, Any]]:
    """By name, of those of which it is known."""
    return {paper.name: paper.truth for paper in papers if paper.truth is not None}
