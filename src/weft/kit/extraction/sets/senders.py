"""Which of the parties on a business letter sent it: what stands at the head and the foot, and what stands beside a name.

A letter names two parties, often both with a legal form and an address, and seldom says which is which. The sender tells how to
reach it and where to pay, has a number of its own, stands first or in the foot, or both. No sign decides alone: a recipient may stand
first, and may have a VAT number too. Each sign has a weight, and a name is only preferred by a clear margin.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.document import Cell, Document, Page
from weft.kit.extraction.folding import folded
from weft.kit.extraction.look import found_at
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.rule_set import Candidates
from weft.kit.extraction.rules import Kind
from weft.kit.extraction.sets import parties

BESIDE_THE_ACCOUNT, IN_THE_FOOT = 0.4, 0.4
LEADS, CLOSES, PAID, IDENTIFIED, REACHED, IN_FORM, LABELLED = 1.0, 1.5, 2.0, 1.5, 1.0, 1.0, 3.0
"""How much it tells that a name stands first; in the foot; beside an account; a number of a tax or a register; a telephone, mail or web
address; that it has a legal form; that a label or its place calls it the sender."""
MARGIN = 1.0
NEARLY, OUTWEIGHED = 0.75, 0.5
"""What is left of the confidence of a name with fewer signs than another, by less than the margin or more."""
ENOUGH = 2.0
LEAST, PER_SIGN = 0.5, 0.05
"""A name with enough signs is as sure as they make it, wherever it was found."""
ONLY_A_NAME = 0.75
"""Whose name it is that stands on a paper is never quite clear from the paper."""
NAMED_BY_ITS_HOST, BY_HOST = 0.86, 0.2
"""Name and web address agree: two signs that do not depend on each other."""
NAMED_BY_A_HOST, CLEAR = 0.78, 4.0
"""The address may still be that of who is to pay, where another one is called otherwise, or where nobody is said to pay and the signs
are too few: the sender's name is then perhaps in a picture."""
ADDRESS_LINES = 6
FOOT_LINES = 4
SAME_COLUMN = 3
MOST_PLACES = 8
"""Of one name on a page."""
MOST_NAMES = 30
MOST_ACCOUNTS, MOST_PIECES = 20, 8
"""Pieces of a line with an account: each is looked for on the whole page."""

_REACHED = re.compile(
    r"@|\bwww\.|(?<!\w)(?:tel(?:efon|efono|efoon|ephone)?|phone|fon|ph|t)\b[ .:]*\+?\(?[0-9]|^\+?\(?[0-9][0-9() ./-]{7,}$"
)
_REGISTERED = re.compile(
    r"\b(?:steuernummer|steuer-?nr|st-?nr|hr[ab]|siret|siren|rcs|kvk|registered in|company no|abn|codice fiscale|nipc|nif|cif|vat)\b[^\n]{0,20}[0-9]"
)
_TOWN = re.compile(r"^[0-9]{4,5} (?:[A-Z]{2} )?[^\W\d_]{2}")
_APART = re.compile(r"[ ]?[,;|\N{MIDDLE DOT}\N{BULLET}\N{EN DASH}\N{EM DASH}][ ]|[ ]-[ ]")


def beside_the_account(document: Document, readings: Readings) -> Iterator[Candidate]:
    """The holder of an account: a name in the line of an IBAN that stands elsewhere too, as that of a bank does not."""
    first = document.pages[0].folded
    for page in _outer_pages(document):
        for value in readings.of(page, Kind.IBAN)[:MOST_ACCOUNTS]:
            if (line := page.line_at(value.start)) is None:
                continue
            pieces = (piece for cell in line.cells for piece in _pieces(page, cell))
            for start, end in islice(pieces, MOST_PIECES):
                name = page.text[start:end]
                if parties.is_lettered(name) and first.count(folded(name)) > 1:
                    yield Candidate(name, BESIDE_THE_ACCOUNT, found_at(page, start, end, "beside the account"))


def in_the_foot(document: Document, readings: Readings) -> Iterator[Candidate]:
    """`Name · Street 1 · 12345 Town · telephone` in one of the last lines, without a legal form. A bank is written with an account."""
    for page in _outer_pages(document):
        for line in page.lines[max(len(page.lines) // 2, len(page.lines) - FOOT_LINES) :]:
            for cell in line.cells:
                (start, end), *others = _pieces(page, cell)
                is_address = any(_TOWN.search(page.text[first:last]) for first, last in others)
                name = page.text[start:end]
                if is_address and parties.is_lettered(name) and not readings.within(page, Kind.IBAN, start, line.end):
                    yield Candidate(name, IN_THE_FOOT, found_at(page, start, end, "foot"))


def sender_by_its_signs(document: Document, candidates: Candidates) -> None:
    """The name with the most signs of a sender is likeliest it. Only one by which a web or mail address is called is ever sure."""
    numbers = _places(candidates["issuerVatId"])
    accounts = _places(candidates["iban"])
    total = next(iter(_places(candidates["total"][:1])), None)
    weighed = [(one, _weight(document, one, numbers, accounts, total)) for one in candidates["issuer"][:MOST_NAMES]]
    heaviest = max((weight for _, weight in weighed), default=0.0)
    hosts = _hosts_of_others(document, candidates["recipient"])
    is_clear = heaviest >= CLEAR or bool(candidates["recipient"])
    reviewed: list[Candidate] = []
    for one, weight in weighed:
        compared = _compared(one, weight, heaviest)
        named = sum(parties.is_called_like(one.value, host) for host in hosts)
        if named and (weight == heaviest or heaviest < ENOUGH):
            most = NAMED_BY_ITS_HOST if named == len(hosts) and is_clear else NAMED_BY_A_HOST
            reviewed.append(compared.surer(min(most, compared.confidence + BY_HOST)))
        else:
            reviewed.append(replace(compared, confidence=min(compared.confidence, ONLY_A_NAME)))
    candidates["issuer"] = sorted(reviewed, key=lambda one: -one.confidence)


def _compared(one: Candidate, weight: float, heaviest: float) -> Candidate:
    """With the doubt, or the trust, of its signs."""
    if heaviest < ENOUGH:
        return one
    if weight == heaviest:
        return one.surer(min(ONLY_A_NAME, LEAST + PER_SIGN * weight))
    return one.doubted(OUTWEIGHED if weight <= heaviest - MARGIN else NEARLY)


def _hosts_of_others(document: Document, recipients: Sequence[Candidate]) -> list[parties.Host]:
    """The hosts that are not called like who is to pay."""
    payers = [one.value for one in recipients[:1]]
    return [host for host in parties.hosts(document) if not any(parties.is_called_like(name, host) for name in payers)]


def _weight(
    document: Document, one: Candidate, numbers: "_Places", accounts: "_Places", total: "_Place | None"
) -> float:
    """How much tells that it is the sender."""
    weight = IN_FORM if parties.has_legal_form(one.value) else 0.0
    rule = (one.found.rule or "") if one.found is not None else ""
    if rule.startswith("label:") or rule == parties.SENDER_LINE_RULE:
        weight += LABELLED
    leads, closes, paid, identified, reached = 0.0, False, False, False, False
    for number, page in enumerate(_outer_pages(document)):
        for cell in _standing(page, one.value):
            foot = _is_foot(page, cell, total)
            around = list(_foot_around(page, cell) if foot else _address(page, cell))
            leads = max(leads, _lead(page, cell) if number == 0 else 0.0)
            closes |= foot
            paid |= _any_within(page, accounts, around)
            identified |= _any_within(page, numbers, around) or _any_matches(_REGISTERED, page, around)
            reached |= _any_matches(_REACHED, page, around)
    signs = ((closes, CLOSES), (paid, PAID), (identified, IDENTIFIED), (reached, REACHED))
    return weight + leads + sum(worth for holds, worth in signs if holds)


_Place = tuple[int | None, int]
"""The number of a page, and where in its text."""
_Places = frozenset[_Place]
_Spans = Sequence[tuple[int, int]]


def _places(candidates: Sequence[Candidate]) -> _Places:
    return frozenset((one.found.page, one.found.start) for one in candidates if one.found is not None)


def _any_within(page: Page, places: _Places, spans: _Spans) -> bool:
    return any(number == page.number and start <= place < end for number, place in places for start, end in spans)


def _any_matches(pattern: re.Pattern[str], page: Page, spans: _Spans) -> bool:
    return any(pattern.search(page.folded[start:end]) is not None for start, end in spans)


def _outer_pages(document: Document) -> tuple[Page, ...]:
    """Those on which the parties are named: the first, and the last where it is another one."""
    return document.pages[:1] if len(document.pages) == 1 else (document.pages[0], document.pages[-1])


def _lead(page: Page, cell: Cell) -> float:
    """What stands second often says what the first one does: `Jane Doe`, and below it `Photographer`."""
    lines = parties.leading_lines(page)
    return 0.0 if cell.line not in lines else LEADS if cell.line == lines[0] else LEADS / 2


def _standing(page: Page, name: str) -> Iterator[Cell]:
    """The cells in which the name stands, with or without its legal form."""
    wanted, place = folded(parties.without_form(name)), -1
    for _ in range(MOST_PLACES):
        if (place := page.folded.find(wanted, place + 1)) < 0:
            return
        around = page.folded[place - 1 : place] + page.folded[place + len(wanted) : place + len(wanted) + 1]
        if not any(map(str.isalnum, around)) and (cell := page.cell_at(place)) is not None:
            yield cell


def _is_foot(page: Page, cell: Cell, total: _Place | None) -> bool:
    """Among the last lines of the page, and below the total."""
    is_below = total is None or total[0] != page.number or total[1] < cell.start
    return is_below and cell.line >= max(len(page.lines) - FOOT_LINES, len(page.lines) // 2)


def _foot_around(page: Page, cell: Cell) -> Iterator[tuple[int, int]]:
    """The lines of the foot, whole: what belongs together there stands in columns of any order."""
    first = cell.line
    while first > 0 and not _is_parted(page, first) and cell.line - first < FOOT_LINES:
        first -= 1
    last = cell.line
    while last + 1 < len(page.lines) and not _is_parted(page, last + 1):
        last += 1
    for line in page.lines[first : last + 1]:
        yield line.start, line.end


def _address(page: Page, cell: Cell) -> Iterator[tuple[int, int]]:
    """The name itself, and what stands below it in its column until a line is left free."""
    yield cell.start, cell.end
    for line in page.lines[cell.line + 1 : cell.line + 1 + ADDRESS_LINES]:
        below = next((one for one in line.cells if abs(one.left - cell.left) <= SAME_COLUMN), None)
        if below is None or _is_parted(page, line.index):
            return
        yield below.start, below.end


def _is_parted(page: Page, index: int) -> bool:
    """Whether a free line stands above it."""
    return index > 0 and page.text.count("\n", page.lines[index - 1].end, page.lines[index].start) > 1


def _pieces(page: Page, cell: Cell) -> Iterator[tuple[int, int]]:
    start = cell.start
    for match in _APART.finditer(page.text, cell.start, cell.end):
        yield start, match.start()
        start = match.end()
    yield start, cell.end
