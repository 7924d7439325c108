"""Invoices that carry their values as data: Factur-X, ZUGFeRD and other CII, and UBL, as an attachment or as the document itself.

Such a value is certain. Where it stands is a place in the XML; `found.rule` names the file and the element.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from pydantic import TypeAdapter

from weft.kit.extraction.candidates import By, Candidate, Found
from weft.kit.extraction.document import Document
from weft.kit.extraction.xml_tree import BadXmlError, Element, read_xml

MOST_ROWS = 5_000
_DATES = frozenset({"date", "dueDate"})
_NUMBERS = frozenset({"net", "tax", "total", "quantity", "unitPrice", "amount"})
_HEAD = 400
"""Characters in which XML tells what it is, before it is read whole."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where one kind of electronic invoice has its values."""

    fields: Mapping[str, tuple[str, ...]]
    """Paths in the order of preference; `@VA` asks for that `schemeID`."""
    rows: tuple[str, ...]
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Xml:
    name: str
    text: str
    page: int | None


def values_as_data(document: Document) -> dict[str, list[Candidate]]:
    """Of the first electronic invoice that comes with the document; empty without one."""
    for xml in _xmls(document):
        try:
            root = read_xml(xml.text)
        except BadXmlError:
            continue
        if (layout := layouts().get(root.name)) is not None and (values := _values(xml, root, layout)):
            return values
    return {}


@cache
def layouts() -> Mapping[str, Layout]:
    """By the name of the root element."""
    read = TypeAdapter(dict[str, Layout]).validate_json
    return read(files("weft.kit.extraction.sets").joinpath("einvoices.json").read_bytes())


def _xmls(document: Document) -> Iterator[_Xml]:
    texts = [_Xml(one.name, one.text, None) for one in document.attachments]
    if len(document.pages) == 1:
        texts.append(_Xml("", document.pages[0].text, document.pages[0].number))
    for xml in texts:
        head = xml.text[:_HEAD].lstrip("\ufeff \r\n\t")
        if head.startswith("<") and ("<?xml" in head or ":Invoice" in head or "<Invoice" in head):
            yield xml


def _values(xml: _Xml, root: Element, layout: Layout) -> dict[str, list[Candidate]]:
    currency = next((one.text.strip() for path in layout.fields["currency"] for one in root.find_all(path)), None)
    values: dict[str, list[Candidate]] = {}
    for field, paths in layout.fields.items():
        for path in paths:
            if (one := _first(root, path, currency)) is not None and (value := _read(field, one.text)) is not None:
                values[field] = [Candidate(value, 1.0, _found(xml, one, path))]
                break
    rows: list[dict[str, Any]] = []
    cells: list[dict[str, Found]] = []
    for path in layout.rows:
        for element in root.find_all(path):
            found = {
                column: one for column, inner in layout.columns.items() if (one := _first(element, inner, currency))
            }
            row = {column: value for column, one in found.items() if (value := _read(column, one.text)) is not None}
            if row and len(rows) < MOST_ROWS:
                rows.append(row)
                cells.append({column: _found(xml, found[column], f"{path}/{layout.columns[column]}") for column in row})
    if rows:
        values["lines"] = [Candidate(rows, 1.0, next(iter(cells[0].values())), {"cells": cells})]
    return values


def _first(root: Element, path: str, currency: str | None) -> Element | None:
    """The first one with text; of amounts in two currencies, that in the invoice's own."""
    path, _, scheme = path.partition("@")
    found = [one for one in root.find_all(path) if one.text.strip()]
    if scheme:
        found = [one for one in found if one.attributes.get("schemeID") == scheme]
    own = [one for one in found if one.attributes.get("currencyID", currency) == currency]
    return next(iter(own or found), None)


def _read(field: str, text: str) -> Any:
    text = " ".join(text.split())
    if field in _DATES:
        return _day(text)
    if field in _NUMBERS:
        try:
            return float(text)
        except ValueError:
            return None
    return text.replace(" ", "") if field == "iban" else text


def _day(text: str) -> str | None:
    """ISO, or the digits alone (format 102)."""
    plain = text[:10] if "-" in text else f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    try:
        return date.fromisoformat(plain).isoformat()
    except ValueError:
        return None


def _found(xml: _Xml, one: Element, path: str) -> Found:
    start = len(xml.text.encode(errors="replace")[: one.offset].decode(errors="ignore"))
    rule = f"{xml.name}: {path}" if xml.name else path
    return Found(xml.page, start, start + len(one.text), one.text, By.ATTACHMENT, rule)
