"""What the invoice rule set needs beside rules: the parties, the currency, and what several fields say about each other."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from weft.kit.extraction.candidates import Candidate, ranked
from weft.kit.extraction.checks import CENT
from weft.kit.extraction.document import Document, Page
from weft.kit.extraction.look import found_at
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.rule_set import Candidates, Finder, RuleSet, rule_set
from weft.kit.extraction.rules import Kind, RuleSetText
from weft.kit.extraction.sets import einvoices, money, parties, senders
from weft.kit.extraction.values import dates

LOOKS_LIKE_A_DATE = 0.55
LONGEST_DATE = 20
MOST_TAXES = 5
SEVERAL_TAXES = 0.6


def made(text: RuleSetText) -> RuleSet:
    return rule_set(
        text,
        finders={
            "sender_line": parties.sender_line,
            "companies": parties.companies,
            "letterhead": parties.letterhead,
            "beside_the_account": senders.beside_the_account,
            "in_the_foot": senders.in_the_foot,
            "address_window": parties.address_window,
            "currencies": money.currencies,
            "vat_ids": _every(Kind.VAT_ID, "vat id"),
            "ibans": _every(Kind.IBAN, "iban"),
        },
        reviewers=(number_is_no_date, taxes_together, issuer_is_not_recipient, one_issuer, senders.sender_by_its_signs),
        attachments=einvoices.values_as_data,
    )


def _every(kind: Kind, rule: str) -> Finder:
    def find(document: Document, readings: Readings) -> Iterator[Candidate]:
        for page in document.pages:
            for value in readings.of(page, kind):
                yield Candidate(value.value, value.confidence, found_at(page, value.start, value.end, rule))

    return find


def number_is_no_date(document: Document, candidates: Candidates) -> None:
    """`Invoice 03.04.2024` names a day: the number of an invoice seldom looks like one."""
    pages = {page.number: page for page in document.pages}
    reviewed: list[Candidate] = []
    for one in candidates["number"]:
        found = one.found
        is_day = found is not None and found.page in pages and _begins_a_day(pages[found.page], found.start, found.end)
        reviewed.append(one.doubted(LOOKS_LIKE_A_DATE) if is_day else one)
    candidates["number"] = sorted(reviewed, key=lambda one: -one.confidence)


def _begins_a_day(page: Page, start: int, end: int) -> bool:
    days = dates.find(page.text[start : end + LONGEST_DATE], day_first=True)
    return any(day.start < end - start for day in days)


def taxes_together(document: Document, candidates: Candidates) -> None:
    """Taxes of several rates stand in several lines: their sum is a candidate where it makes net and total agree."""
    del document
    taxes, nets, totals = candidates["tax"][:MOST_TAXES], candidates["net"][:2], candidates["total"][:2]
    for size in range(2, len(taxes) + 1):
        for some in combinations(taxes, size):
            amount = round(sum(one.value for one in some), 2)
            if any(
                abs(net.value + amount - total.value) < CENT
                for net in nets
                for total in totals
                if net.value != total.value
            ):
                together = replace(some[0], value=amount, confidence=SEVERAL_TAXES)
                candidates["tax"] = ranked([together, *(one.doubted(0.5) for one in taxes)])
                return


def issuer_is_not_recipient(document: Document, candidates: Candidates) -> None:
    """Who is billed does not bill. Neither is what is no name at all."""
    del document
    for name in ("issuer", "recipient"):
        candidates[name] = [one for one in candidates[name] if parties.is_a_name(one.value)]
    recipients = {parties.stem(one.value) for one in candidates["recipient"][:1]}
    candidates["issuer"] = [one for one in candidates["issuer"] if parties.stem(one.value) not in recipients]


def one_issuer(document: Document, candidates: Candidates) -> None:
    """Spellings of one name are one party: the one with its legal form stands for all, and the others support it."""
    del document
    parted: list[tuple[tuple[str, ...], list[Candidate]]] = []
    in_full_first = sorted(
        candidates["issuer"], key=lambda one: (not parties.has_legal_form(one.value), -one.confidence)
    )
    for one in in_full_first:
        stem = parties.stem(one.value)
        same = next((group for known, group in parted if known and stem[: len(known)] == known), None)
        if same is None:
            parted.append((stem, [one]))
        else:
            same.append(one)
    merged = [
        candidate for _, group in parted for candidate in ranked(replace(one, value=group[0].value) for one in group)
    ]
    candidates["issuer"] = sorted(merged, key=lambda one: -one.confidence)
