"""Who wrote a business letter and who gets it: by the shape of names and of letters, without a list of names.

What is used: legal forms (`Ltd`, `GmbH`, `S.r.l.`), the small line of the sender above the window of an envelope, the
place of names at the head and the foot of a page, and whether a web or mail address contains the name.
"""

import re
from collections.abc import Iterator
from itertools import islice

from weft.kit.extraction.candidates import Candidate, Found
from weft.kit.extraction.document import Cell, Document, Page
from weft.kit.extraction.folding import folded, spoken
from weft.kit.extraction.look import found_at
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.rules import Kind
from weft.kit.extraction.values.text import Pattern

SENDER_LINE_RULE = "sender line"
SENDER_LINE, AT_THE_HEAD, IN_TEXT, LETTERHEAD, WINDOW = 0.76, 0.62, 0.5, 0.4, 0.66
HEAD_LINES = 8
MOST_LETTERS = 20
"""Pages on which a sender is looked for: each page of a letter may repeat it."""
WINDOW_LINES = 3
MOST_COMPANIES = 200
LONGEST_NAME = 80
SHORTEST_STEM = 4
MOST_WORDS = 7

_FORMS = (
    r"GmbH(?:[ ]?&[ ]?Co\.?[ ]?KGa?A?)?|gGmbH|mbH|AG(?:[ ]?&[ ]?Co\.?[ ]?KG)?|UG(?:[ ]?\(haftungsbeschränkt\))?|KGaA|KG|OHG|GbR|e\.[ ]?K\.|eG|e\.[ ]?V\.|SE"
    r"|(?:Pvt\.?|Private|Pty\.?|Pte\.?)[ ](?:Ltd\.?|Limited)|Ltd\.?|LTD\.?|Limited|LIMITED|LLC|LLP|L\.L\.C\.|Inc\.?|INC\.?|Corp\.?|Corporation|PLC|plc"
    r"|SAS|SASU|S\.A\.S\.?|SARL|S\.A\.R\.L\.?|S\.à[ ]?r\.l\.|EURL|SCOP|SNC|SCI|SPRL|SRL|S\.A\.|SA|B\.V\.|BV|N\.V\.|NV|V\.?O\.?F\.?"
    r"|S\.L\.U\.|S\.L\.L\.|S\.L\.|SLU|SL|S\.A\.U\.|S\.Coop\.|S\.r\.l\.s?\.?|S\.R\.L\.|Srl|S\.p\.A\.|S\.P\.A\.|SpA|S\.n\.c\.|S\.a\.s\.|(?:Unipessoal,?[ ])?(?:Ltda\.?|Lda\.?|LDA\.?)|ApS|A/S|AB|AS|Oy|Oyj|Sp\.[ ]z[ ]o\.o\.|s\.r\.o\.|Kft\.?|d\.o\.o\."
)
_APART = r"[^\pL\pN_]"
_SMALL = frozenset({
    "&", "+", "of", "the", "and", "und", "für", "am", "der", "die", "das", "im", "zum", "zur", "von", "vom", "et", "de", "du", "des", "la",
    "le", "les", "aux", "en", "y", "e", "i", "del", "el", "los", "las", "di", "da", "do", "dos", "dei", "della", "delle", "degli", "van",
    "den", "het", "ter", "te", "ten", "op",
})  # fmt: skip
"""Words that stand inside names; not those that rather lead to one, such as `to` or `by`."""
_WORD = r"(?:[dlDL]['\x{2019}]|[a-z]{0,2})[\p{Lu}0-9&][\pL\pN_&'\x{2019}.+\-]{0,30}|" + "|".join(
    map(re.escape, sorted(_SMALL))
)
_COMPANY = Pattern(
    rf"(?:(?m:^)|{_APART})((?:(?:{_WORD})[ ]){{0,8}}(?:{_WORD}),?[ ](?:{_FORMS}))(?:(?m:$)|{_APART})", ignore_case=False
)
_FORM = re.compile(rf"(?<!\w)(?:{_FORMS})(?!\w)")
_TITLE = re.compile(
    r"\b(?:(?:tax|payment|sales|commercial|proforma|pro forma|original|retail)\s)?(?:invoices?|receipt|bill|statement|credit note|rechnung|gutschrift"
    r"|quittung|facture|avoir|factuur|creditnota|factura|fattura|fatura|nota di credito|nota de credito|ricevuta|recibo|mahnung|zahlungserinnerung|reminder|rappel|aanmaning|sollecito)\b",
    re.IGNORECASE,
)
_BETWEEN = r"[ ]?(?:[,|*\x{B7}\x{2022}\x{2013}\x{2014}\x{22C5}]|[ ]-[ ])[ ]?"
_SENDER_LINE = Pattern(
    rf"^([^,|*\x{{B7}}\x{{2022}}\x{{2013}}\x{{2014}}]{{2,60}}?){_BETWEEN}.{{3,60}}?{_BETWEEN}.{{0,20}}\b[0-9]{{4,5}}\b.{{0,40}}$",
    ignore_case=False,
)
_HOST = re.compile(
    r"(?<![\w.])(?:[a-z0-9-]{2,40}\.){1,3}(?:com|net|org|info|biz|eu|io|co|de|at|ch|fr|be|nl|es|it|uk|us|in|ie|pt|lu|ca|au|se|dk|no|fi|pl|cz)\b"
)
Host = tuple[str, ...]
"""Its parts but for the ending, without short ones."""
_PUBLIC_MAIL = frozenset(
    {"gmail", "gmx", "outlook", "hotmail", "yahoo", "web", "icloud", "orange", "wanadoo", "libero", "aol", "proton"}
)


def sender_line(document: Document, readings: Readings) -> Iterator[Candidate]:
    """`Name - Street 1 - 12345 Town`, in one line near the head. With an account in it, it may be that of a bank."""
    for page, cell, name in _sender_lines(document):
        if readings.within(page, Kind.IBAN, cell.start, cell.end):
            continue
        yield Candidate(name, SENDER_LINE, found_at(page, cell.start, cell.start + len(name), SENDER_LINE_RULE))


def address_window(document: Document, readings: Readings) -> Iterator[Candidate]:
    """The line below the small line of the sender: the address that an envelope's window shows."""
    del readings
    for page, cell, _ in _sender_lines(document):
        for line in page.lines[cell.line + 1 : cell.line + 1 + WINDOW_LINES]:
            below = next((one for one in line.cells if abs(one.left - cell.left) <= WINDOW_LINES), None)
            if below is not None and is_a_name(below.text):
                yield Candidate(below.text, WINDOW, found_at(page, below.start, below.end, "address window"))
                break


def companies(document: Document, readings: Readings) -> Iterator[Candidate]:
    """Names with a legal form; those at the head of the first page are likelier to be whose letter it is."""
    del readings
    for number, page in enumerate(document.pages):
        for match in islice(_COMPANY.finditer(page.text), MOST_COMPANIES):
            if (cell := page.cell_at(match.start(1))) is None:
                continue
            at_the_head = number == 0 and cell.line < HEAD_LINES
            found = _name_at(page, cell, match.start(1), match.end(1))
            name = " ".join(found.text.split())
            if len(name) <= LONGEST_NAME:
                yield Candidate(name, AT_THE_HEAD if at_the_head else IN_TEXT, found)


def letterhead(document: Document, readings: Readings) -> Iterator[Candidate]:
    """Names in the first lines of the first page: at the left, or above an address further right."""
    page = document.pages[0]
    for index in leading_lines(page):
        for cell in page.lines[index].cells:
            name = _TITLE.split(cell.text)[0].strip()
            is_first = cell is page.lines[index].cells[0]
            if not (is_a_name(name) and cell.text.startswith(name) and (is_first or _heads_an_address(page, cell))):
                continue
            values = (readings.within(page, kind, cell.start, cell.end) for kind in (Kind.DATE, Kind.AMOUNT))
            if not any(values):
                yield Candidate(name, LETTERHEAD, found_at(page, cell.start, cell.start + len(name), "letterhead"))


def leading_lines(page: Page) -> range:
    """The first two lines that hold more than the kind and the facts of the document."""
    first = next((line.index for line in page.lines if not all(map(_is_heading, line.cells))), 0)
    return range(first, min(first + 2, len(page.lines)))


def _is_heading(cell: Cell) -> bool:
    title = _TITLE.match(cell.text)
    return title is not None and not is_a_name(cell.text[title.end() :].strip())


def _heads_an_address(page: Page, cell: Cell) -> bool:
    """Something with a number, such as a street, stands close below it."""
    below = (one for line in page.lines[cell.line + 1 : cell.line + 1 + WINDOW_LINES] for one in line.cells)
    return any(abs(one.left - cell.left) <= WINDOW_LINES and any(map(str.isdigit, one.text)) for one in below)


def _name_at(page: Page, cell: Cell, start: int, end: int) -> Found:
    """Without the kind of document before it, where that is set off by its capitals, and without small words that belong to a sentence."""
    title = _TITLE.match(page.text[start:end])
    if title is not None and title.group().isupper() and not page.text[start + title.end() : end].isupper():
        start += title.end() + 1
    while start > cell.start and (word := page.text[start:end].split(" ", 1))[0] in _SMALL and len(word) > 1:
        start += len(word[0]) + 1
    return found_at(page, start, end, "legal form")


def stem(name: str) -> tuple[str, ...]:
    """The words of a name without its legal form: equal for `Acme Pvt. Ltd.` and `Acme Private Limited`."""
    return tuple(spoken(_FORM.sub(" ", name)).split())


def without_form(name: str) -> str:
    """As it stands, up to its legal form; whole where little would be left."""
    shorter = _FORM.split(name)[0].rstrip(" ,")
    return shorter if len(shorter.split()) > 1 else name


def is_a_name(text: str) -> bool:
    """Few words, one with a capital, hardly a digit."""
    if ":" in text or sum(word not in _SMALL for word in text.split()) > MOST_WORDS:
        return False
    letters, digits = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
    return len(text) <= LONGEST_NAME and letters >= SHORTEST_STEM and digits <= 2 and any(map(str.isupper, text))  # noqa: PLR2004 - as in 3M


def is_lettered(text: str) -> bool:
    """A name, and no street with its number."""
    return is_a_name(text) and not any(map(str.isdigit, text))


def has_legal_form(name: str) -> bool:
    return _COMPANY.search(name) is not None


def hosts(document: Document) -> frozenset[Host]:
    """The web and mail hosts that the document mentions; not those where anybody may have an address."""
    found: set[Host] = set()
    for page in document.pages:
        for match in _HOST.finditer(page.folded):
            parts = match.group().split(".")[:-1]
            found.add(tuple(part for part in parts if len(part) >= SHORTEST_STEM and part not in _PUBLIC_MAIL))
    return frozenset(found - {()})


def is_called_like(name: str, host: Host) -> bool:
    """Whether a part of the host has the letters of the name, or one of its longer words."""
    plain = re.sub(r"[^a-z0-9 ]", "", folded(name)).split()
    whole = "".join(plain)
    return any(
        part.replace("-", "") in whole or any(len(word) >= SHORTEST_STEM and word in part for word in plain[:2])
        for part in host
    )


def _sender_lines(document: Document) -> Iterator[tuple[Page, Cell, str]]:
    for page in document.pages[:MOST_LETTERS]:
        for line in page.lines[:HEAD_LINES]:
            for cell in line.cells:
                if (match := _SENDER_LINE.match(cell.text)) is not None and is_lettered(
                    name := (match[1] or "").strip()
                ):
                    yield page, cell, name
