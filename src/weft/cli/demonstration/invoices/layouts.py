"""How the invoices look: words and notations by language, and where things stand on the page."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reportlab.pdfgen.canvas import Canvas

from weft.cli.demonstration.invoices.facts import Invoice

A4 = (595, 842)
_LEFT, _RIGHT, _TOP = 56, 539, 780
_ROW = 16


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    number: str
    order: str
    day: str
    due: str
    net: str
    tax: str
    total: str
    columns: tuple[str, str, str, str]
    vat_id: str
    as_date: Callable[[date], str]
    thousands: str
    decimal: str


_MONTHS_FR = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
WORDS = {
    "en": Words(
        "INVOICE", "Invoice number", "Your order", "Invoice date", "Due date", "Subtotal", "VAT", "Total due",
        ("Description", "Qty", "Unit price", "Amount"), "VAT No.", lambda day: f"{day:%d %B %Y}", ",", ".",
    ),
    "en-US": Words(
        "Invoice", "Invoice #", "PO number", "Date", "Due", "Subtotal", "Sales tax", "Amount due",
        ("Item", "Quantity", "Rate", "Amount"), "EIN", lambda day: f"{day:%B %d, %Y}", ",", ".",
    ),
    "de": Words(
        "Rechnung", "Rechnungsnummer", "Bestellung", "Rechnungsdatum", "Zahlbar bis", "Nettobetrag", "MwSt.",
        "Gesamtbetrag", ("Bezeichnung", "Menge", "Einzelpreis", "Betrag"), "USt-IdNr.",
        lambda day: f"{day:%d.%m.%Y}", ".", ",",
    ),
    "fr": Words(
        "Facture", "Facture n°", "Commande", "Date de facture", "Échéance", "Total HT", "TVA", "Total TTC",
        ("Désignation", "Quantité", "Prix unitaire", "Montant"), "N° TVA",
        lambda day: f"{day.day} {_MONTHS_FR[day.month - 1]} {day.year}", " ", ",",
    ),
    "nl": Words(
        "Factuur", "Factuurnummer", "Bestelling", "Factuurdatum", "Vervaldatum", "Subtotaal", "Btw", "Totaal te betalen",
        ("Omschrijving", "Aantal", "Prijs", "Bedrag"), "Btw-nummer", lambda day: f"{day:%d-%m-%Y}", ".", ",",
    ),
    "es": Words(
        "Factura", "Número de factura", "Pedido", "Fecha de factura", "Vencimiento", "Base imponible", "IVA",
        "Total a pagar", ("Concepto", "Cantidad", "Precio", "Importe"), "NIF", lambda day: f"{day:%d/%m/%Y}", ".", ",",
    ),
}  # fmt: skip
_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}


def money(amount: Decimal, invoice: Invoice) -> str:
    words = WORDS[invoice.seller.language]
    digits = f"{amount:,.2f}".translate(str.maketrans({",": words.thousands, ".": words.decimal}))
    sign = _SIGNS[invoice.seller.currency]
    return f"{sign}{digits}" if words.decimal == "." else f"{digits} {sign}"


def draw(canvas: Canvas, invoice: Invoice, *, boxed: bool, number: str, total: Decimal) -> None:
    """One page. `boxed`: the facts stand in a block on the right, otherwise in a row of columns below the address."""
    words, seller = WORDS[invoice.seller.language], invoice.seller
    canvas.setFont("Helvetica-Bold", 14)
    canvas.drawString(_LEFT, _TOP, seller.name)
    canvas.setFont("Helvetica", 9)
    about = [*seller.address, *([f"{words.vat_id} {seller.vat_id}"] if seller.vat_id else [])]
    for index, text in enumerate(about):
        canvas.drawString(_LEFT, _TOP - 14 - 12 * index, text)
    canvas.setFont("Helvetica-Bold", 20)
    canvas.drawRightString(_RIGHT, _TOP, words.title)
    canvas.setFont("Helvetica", 10)
    for index, text in enumerate(invoice.buyer):
        canvas.drawString(_LEFT, _TOP - 90 - 13 * index, text)
    facts = [
        (words.number, number),
        (words.day, words.as_date(invoice.day)),
        (words.order, invoice.order),
        (words.due, words.as_date(invoice.due)),
    ]
    (_block if boxed else _columns)(canvas, [fact for fact in facts if fact[1]])
    last = _lines(canvas, invoice, words)
    _sums(canvas, invoice, words, last, total)
    if seller.iban:
        canvas.setFont("Helvetica", 8)
        canvas.drawString(_LEFT, 60, f"IBAN {seller.iban}   ·   {seller.name}")


def _block(canvas: Canvas, facts: list[tuple[str, str]]) -> None:
    for index, (label, value) in enumerate(facts):
        y = _TOP - 90 - _ROW * index
        canvas.drawString(340, y, f"{label}:")
        canvas.drawRightString(_RIGHT, y, value)


def _columns(canvas: Canvas, facts: list[tuple[str, str]]) -> None:
    for index, (label, value) in enumerate(facts):
        x = _LEFT + 122 * index
        canvas.setFont("Helvetica-Bold", 9)
        canvas.drawString(x, _TOP - 165, label)
        canvas.setFont("Helvetica", 10)
        canvas.drawString(x, _TOP - 180, value)


def _lines(canvas: Canvas, invoice: Invoice, words: Words) -> float:
    """Where the last line stands."""
    y = _TOP - 230.0
    canvas.setFont("Helvetica-Bold", 10)
    _table_row(canvas, y, words.columns)
    canvas.line(_LEFT, y - 5, _RIGHT, y - 5)
    canvas.setFont("Helvetica", 10)
    for line in invoice.lines:
        y -= _ROW
        cells = (line.text, str(line.quantity), money(line.price, invoice), money(line.amount, invoice))
        _table_row(canvas, y, cells)
    return y


def _table_row(canvas: Canvas, y: float, cells: tuple[str, str, str, str]) -> None:
    canvas.drawString(_LEFT, y, cells[0])
    for x, text in zip((330, 430, _RIGHT), cells[1:], strict=True):
        canvas.drawRightString(x, y, text)


def _sums(canvas: Canvas, invoice: Invoice, words: Words, last: float, total: Decimal) -> None:
    canvas.line(330, last - 12, _RIGHT, last - 12)
    sums = [
        (words.net, invoice.net),
        (f"{words.tax} {invoice.seller.tax_percent} %", invoice.tax),
        (words.total, total),
    ]
    for index, (label, amount) in enumerate(sums):
        y = last - 28 - _ROW * index
        canvas.setFont("Helvetica-Bold" if index == len(sums) - 1 else "Helvetica", 10)
        canvas.drawString(330, y, label)
        canvas.drawRightString(_RIGHT, y, money(amount, invoice))
