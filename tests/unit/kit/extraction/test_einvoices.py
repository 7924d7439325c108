"""Invoices that carry their values as data, and XML that is not to be trusted."""

from typing import Any

import pytest

from weft.kit.extraction.document import read_document
from weft.kit.extraction.extracting import extract
from weft.kit.extraction.sets import built_in
from weft.kit.extraction.shaping import Shaper
from weft.kit.extraction.xml_tree import DEEPEST, BadXmlError, read_xml

INVOICE = built_in("invoice")
UBL = """<?xml version="1.0" encoding="ISO-8859-1"?>
<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2" xmlns:cbc="urn:cbc" xmlns:cac="urn:cac">
  <cbc:ID>2026-77</cbc:ID><cbc:IssueDate>2026-02-01</cbc:IssueDate><cbc:DueDate>2026-03-01</cbc:DueDate>
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
  <cac:AccountingSupplierParty><cac:Party>
    <cac:PartyName><cbc:Name>Shop</cbc:Name></cac:PartyName>
    <cac:PartyTaxScheme><cbc:CompanyID>NL123456782B01</cbc:CompanyID></cac:PartyTaxScheme>
    <cac:PartyLegalEntity><cbc:RegistrationName>Crème &amp; Co B.V.</cbc:RegistrationName></cac:PartyLegalEntity>
  </cac:Party></cac:AccountingSupplierParty>
  <cac:AccountingCustomerParty><cac:Party><cac:PartyName><cbc:Name>Ada</cbc:Name></cac:PartyName></cac:Party></cac:AccountingCustomerParty>
  <cac:PaymentMeans><cac:PayeeFinancialAccount><cbc:ID>NL91 ABNA 0417 1643 00</cbc:ID></cac:PayeeFinancialAccount></cac:PaymentMeans>
  <cac:TaxTotal><cbc:TaxAmount currencyID="SEK">240.00</cbc:TaxAmount></cac:TaxTotal>
  <cac:TaxTotal><cbc:TaxAmount currencyID="EUR">21.00</cbc:TaxAmount></cac:TaxTotal>
  <cac:LegalMonetaryTotal><cbc:TaxExclusiveAmount currencyID="EUR">100.00</cbc:TaxExclusiveAmount>
    <cbc:TaxInclusiveAmount currencyID="EUR">121.00</cbc:TaxInclusiveAmount></cac:LegalMonetaryTotal>
  <cac:InvoiceLine><cbc:ID>1</cbc:ID><cbc:InvoicedQuantity>2</cbc:InvoicedQuantity>
    <cbc:LineExtensionAmount>100.00</cbc:LineExtensionAmount>
    <cac:Item><cbc:Name>Lamp</cbc:Name></cac:Item><cac:Price><cbc:PriceAmount>50.00</cbc:PriceAmount></cac:Price></cac:InvoiceLine>
</Invoice>"""
VALUES: dict[str, Any] = {
    "number": "2026-77", "date": "2026-02-01", "dueDate": "2026-03-01", "total": 121.0, "net": 100.0, "tax": 21.0,
    "currency": "EUR", "issuer": "Crème & Co B.V.", "issuerVatId": "NL123456782B01", "recipient": "Ada",
    "iban": "NL91ABNA0417164300",
    "lines": [{"position": "1", "description": "Lamp", "quantity": 2.0, "unitPrice": 50.0, "amount": 100.0}],
}  # fmt: skip


def values(document: dict[str, Any]) -> dict[str, Any]:
    return extract(read_document(document), INVOICE, Shaper(INVOICE.schema), min_confidence=0.5).values


def carrying(xml: str) -> dict[str, Any]:
    return {"text": "Invoice number: 1", "attachments": [{"name": "invoice.xml", "mimeType": "text/xml", "text": xml}]}


def test_the_data_outweighs_what_the_page_says() -> None:
    assert values(carrying(UBL)) == VALUES
    assert values(carrying("\ufeff" + UBL)) == VALUES


def test_a_document_may_itself_be_the_data() -> None:
    assert values({"text": UBL}) == VALUES


def test_a_credit_note_has_its_own_names() -> None:
    note = UBL.replace("<Invoice ", "<CreditNote ").replace("</Invoice>", "</CreditNote>")
    note = note.replace("InvoiceLine", "CreditNoteLine").replace("InvoicedQuantity", "CreditedQuantity")

    assert values(carrying(note)) == VALUES


@pytest.mark.parametrize(
    "xml",
    [
        UBL[:300],
        "<?xml version='1.0'?><note><to>Ada</to></note>",
        "<?xml version='1.0'?>",
        f'<!DOCTYPE x [<!ENTITY number "9">]>{UBL.partition("?>")[2].replace("2026-77", "&number;")}',
        f'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd">{UBL.partition("?>")[2]}',
        f"<?xml version='1.0'?>{'<Invoice>' * 10_000}",
    ],
    ids=["cut off", "something else", "empty", "entities", "outer type", "deep"],
)
def test_xml_that_is_not_to_be_trusted_says_nothing(xml: str) -> None:
    assert values(carrying(xml)) == {"number": "1"}


def test_xml_is_bounded() -> None:
    assert read_xml("<a><b/></a>").children[0].name == "b"
    for xml in (
        "<a>" * (DEEPEST + 1) + "</a>" * (DEEPEST + 1),
        f"<a>{'<b/>' * 100_001}</a>",
        "<a>" + " " * 10_000_000 + "</a>",
    ):
        with pytest.raises(BadXmlError):
            read_xml(xml)
