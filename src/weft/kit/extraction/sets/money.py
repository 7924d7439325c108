"""Which currency a document is in: by the codes and signs beside its amounts, and for signs of several countries by where it is from."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from weft.kit.extraction.candidates import Candidate, Found
from weft.kit.extraction.document import Document
from weft.kit.extraction.look import found_at
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.rules import Kind
from weft.kit.extraction.values import amounts

SURE = 0.93
TOLD = 0.86
"""The sign is of several countries, and the document names one of them."""
TOLD_BY: Mapping[str, re.Pattern[str]] = {
    "USD": re.compile(
        r"\b(?:USD|US dollars?|U\.S\. dollars?|USA|United States|sales tax|[A-Z]{2},? \d{5}(?:-\d{4})?|EIN)\b"
    ),
    "CAD": re.compile(r"\b(?:CAD|Canada|Canadian|HST|QST|[A-Z]\d[A-Z] \d[A-Z]\d)\b"),
    "AUD": re.compile(r"\b(?:AUD|Australia|ABN)\b"),
    "NZD": re.compile(r"\b(?:NZD|New Zealand)\b"),
    "SGD": re.compile(r"\b(?:SGD|Singapore)\b"),
    "MXN": re.compile(r"\b(?:MXN|México|RFC)\b"),
    "INR": re.compile(r"\b(?:INR|India|GSTIN|Rupees|Rupee)\b"),
    "SEK": re.compile(r"\b(?:SEK|Sverige|Sweden|svenska)\b"),
    "NOK": re.compile(r"\b(?:NOK|Norge|Norway)\b"),
    "DKK": re.compile(r"\b(?:DKK|Danmark|Denmark|CVR)\b"),
    "JPY": re.compile(r"\b(?:JPY|Japan)\b"),
    "CNY": re.compile(r"\b(?:CNY|RMB|China)\b"),
}
_IN_A_COLUMN = re.compile(
    r"\b(EUR|USD|GBP|CHF|CAD|AUD|NZD|SGD|HKD|JPY|CNY|INR|SEK|NOK|DKK|PLN|CZK|HUF|RON|BGN|TRY|ZAR|MXN|BRL|AED|ILS)[ ]{3,60}[-(]?\d"
)
"""A code before an amount that stands apart from it."""


def currencies(document: Document, readings: Readings) -> Iterator[Candidate]:
    """Each currency beside amounts, as sure as they are of one mind."""
    told = {code for page in document.pages for code, words in TOLD_BY.items() if words.search(page.text)}
    votes: dict[str, list[tuple[float, Found]]] = defaultdict(list)
    for page in document.pages:
        for value in readings.of(page, Kind.AMOUNT):
            code, sure = value.extra.get("currency"), value.extra.get("currencyConfidence", 1.0)
            if code is None:
                continue
            if sure < TOLD:
                written = page.text[value.start : value.end]
                meant = [other for other in told if _meant(written, other) == other]
                code, sure = (meant[0], TOLD) if len(meant) == 1 else (code, sure)
            votes[code].append((sure, found_at(page, value.start, value.end, "currency of the amounts")))
        for match in _IN_A_COLUMN.finditer(page.text):
            votes[match.group(1)].append((TOLD, found_at(page, match.start(1), match.end(1), "currency of a column")))
    every = sum(map(len, votes.values()))
    for code, given in votes.items():
        yield Candidate(code, SURE * max(sure for sure, _ in given) * len(given) / every, given[0][1])


def _meant(written: str, hint: str) -> str | None:
    """The currency of an amount, given one that its sign may stand for."""
    return next((one.extra.get("currency") for one in amounts.find(written, currency_hint=hint)), None)
