"""Who issued an invoice: of those of the demo, of those with the issuer in unusual places, and of names that are hard to read."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas
from unit.kit.extraction.invoice_texts import SENDERS
from unit.kit.extraction.test_invoices import HIGH, INVOICE, SHAPER, Outcome, compared, parsed, sure_but_wrong

from weft.cli.demonstration.invoices.facts import Invoice, invoices
from weft.cli.demonstration.invoices.layouts import A4, WORDS, money
from weft.cli.demonstration.invoices.paper import written_invoices
from weft.kit.extraction.document import read_document
from weft.kit.extraction.extracting import extract

USED_FROM = 0.5
"""How sure a value has to be to be used, as the template of the demo asks."""
LEFT, RIGHT = 56, 330


def read_pdf(content: bytes, expected: dict[str, object], path: Path) -> list[Outcome]:
    path.write_bytes(content)
    return compared(extract(parsed(path), INVOICE, SHAPER), expected)


def issuer_of(text: str) -> tuple[str | None, float]:
    field = extract(read_document(text), INVOICE, SHAPER).fields.get("issuer")
    return (field.value, field.confidence) if field is not None else (None, 0.0)


def used_issuers(outcomes: Sequence[Outcome], how: str) -> list[Outcome]:
    return [one for one in outcomes if (one.field, one.outcome) == ("issuer", how) and one.confidence >= USED_FROM]


def test_of_the_invoices_of_the_demo_all_but_issuers_are_right_and_nine_issuers_in_ten(tmp_path: Path) -> None:
    known = [(paper, paper.truth) for paper in written_invoices(120) if paper.truth is not None]
    every = [one for paper, truth in known for one in read_pdf(paper.content, truth, tmp_path / paper.name)]

    assert len(every) == 5 * 110
    assert sure_but_wrong(every) == []
    facts = [one for one in every if one.field != "issuer"]
    assert [str(one) for one in facts if one.outcome != "found" or one.confidence < USED_FROM] == []
    right = [one for one in used_issuers(every, "found") if one.value == one.expected]
    assert len(right) >= 0.9 * len(known)
    assert len(used_issuers(every, "wrong")) <= 0.03 * len(known)


@pytest.mark.parametrize("place", ["right", "foot", "label"])
def test_the_issuer_of_a_page_is_found_wherever_it_stands(place: str, tmp_path: Path) -> None:
    made = list(invoices(24))
    every = [
        one
        for invoice in made
        for one in read_pdf(drawn(invoice, place), {"issuer": invoice.seller.name}, tmp_path / "invoice.pdf")
    ]

    assert sure_but_wrong(every) == []
    assert len(used_issuers(every, "found")) >= 0.9 * len(made), list(map(str, every))
    assert len(used_issuers(every, "wrong")) <= 1, list(map(str, every))


def test_of_issuers_in_unusual_places_nine_in_ten_are_used_and_none_that_is_wrong_looks_sure() -> None:
    every: list[Outcome] = []
    for sample in SENDERS:
        outcomes = compared(extract(read_document(sample.text), INVOICE, SHAPER), sample.expected)
        assert sure_but_wrong(outcomes) == [], sample.name
        every += outcomes

    assert len(used_issuers(every, "found")) >= 0.9 * len(SENDERS), list(map(str, every))
    assert used_issuers(every, "wrong") == []


@pytest.mark.parametrize(
    "name",
    [
        "Talleres del Mar S.L.", "Aceites de la Sierra, S.L.", "Bakkerij van der Meer en Zonen B.V.", "Druckhaus zur Mühle OHG",
        "Menuiserie de la Tour et du Pont SNC", "Les Jardins de l'Ouest SARL", "Officina della Valle S.n.c.", "Tile & Stone, Inc.",
        "Construções do Vale Unipessoal Lda", "Müller und Söhne GmbH & Co. KG", "Cerâmica da Costa, Lda.",
    ],
)  # fmt: skip
@pytest.mark.parametrize("beside", ["", "INVOICE", "Page 1"])
def test_a_name_is_taken_whole_and_without_what_stands_beside_it(name: str, beside: str) -> None:
    text = f"{name}          {beside}\n14 Quay Street\nVAT No. GB980780684\n\nInvoice no. 12\nTotal EUR 10.00\n"

    assert issuer_of(text)[0] == name


def test_a_company_that_pays_is_not_mistaken_for_the_one_that_is_paid() -> None:
    payer = "Oakmere Events plc\nOld Exchange 4\nCork\nbilling@oakmereevents.com"
    facts = "\nInvoice number: 55\nInvoice date: 3 March 2026\nTotal EUR 10.00\n"
    payee = "Fennel Catering Ltd, 27 Wharf Road, 12345 Cork, VAT No. IE6388047V, www.fennelcatering.com"

    name, confidence = issuer_of(f"{payer}\n{facts}\n{payee}")
    assert (name, confidence >= USED_FROM) == ("Fennel Catering Ltd", True)
    # The one that is paid is perhaps named in a picture: nothing says that the other one issued it.
    assert issuer_of(f"{payer}\n{facts}\nwww.fennelcatering.com")[1] < HIGH


def test_the_name_of_a_bank_is_no_issuer() -> None:
    text = (
        "Blumen Ehrenfeld\nVenloer Str. 300\n50823 Köln\nSteuernummer 215/5012/1234\n\nRechnungsnummer: 1207\n"
        "Gesamtbetrag 59,50 €\n\nVolksbank Köln, 50667 Köln, IBAN DE89 3704 0044 0532 0130 00"
    )

    assert issuer_of(text)[0] == "Blumen Ehrenfeld"


def drawn(invoice: Invoice, place: str) -> bytes:
    """The invoice with the buyer at the upper left, and the seller in the right column, at the foot, or below a label."""
    content = BytesIO()
    canvas = Canvas(content, pagesize=A4, invariant=1)
    words, seller = WORDS[invoice.seller.language], invoice.seller
    number = [f"{words.vat_id} {seller.vat_id}"] if seller.vat_id else []
    account = [f"IBAN {seller.iban}"] if seller.iban else []
    party = [seller.name, *seller.address, *number]
    write(canvas, LEFT, 780, [words.title])
    match place:
        case "right":
            write(canvas, LEFT, 740, invoice.buyer)
            write(canvas, RIGHT, 740, [*party, "Tel. +49 30 9018 20"])
        case "foot":
            write(canvas, LEFT, 740, invoice.buyer)
            write(canvas, LEFT, 60, [", ".join(party), *account])
        case _:
            write(canvas, LEFT, 740, ["To", *invoice.buyer])
            write(canvas, RIGHT, 740, ["From", *party])
    write(canvas, LEFT, 620, [f"{words.number}: {invoice.number}", f"{words.day}: {words.as_date(invoice.day)}"])
    write(canvas, RIGHT, 560, [f"{words.total}   {money(invoice.total, invoice)}"])
    canvas.showPage()
    canvas.save()
    return content.getvalue()


def write(canvas: Canvas, left: float, top: float, lines: Sequence[str]) -> None:
    for index, line in enumerate(lines):
        canvas.drawString(left, top - 14 * index, line)
