"""Who wrote a business letter and who gets it: by the shape of names and of letters, without a list of names.

What is used: legal forms (`Ltd`, `GmbH`, `S.r.l.`), the small line of the sender above the window of an envelope, the
place of names at the head and the foot of a page, and whether a web or mail address contains the name.
"""

import re
from collections.abc import Iterator
from itertools import islice

from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.document import Cell, Document, Page
from weft.kit.extraction.folding import folded, spoken
from weft.kit.extraction.look import found_at
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.rules import Kind
from weft.kit.extraction.values.text import Pattern

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
    r"|S\.L\.U\.|S\.L\.|SLU|SL|S\.r\.l\.s?\.?|S\.R\.L\.|Srl|S\.p\.A\.|S\.P\.A\.|SpA|S\.n\.c\.|S\.a\.s\.|Lda\.?|ApS|A/S|AB|AS|Oy|Oyj|Sp\.[ ]z[ ]o\.o\.|s\.r\.o\.|Kft\.?|d\.o\.o\."
)
_APART = r"[^\pL\pN_]"
_WORD = r"[a-z]{0,2}[\p{Lu}0-9&][\pL\pN_&'.+\-]{0,30}|&|de|of|the|und|and|et|für|di|van|y|e"
_COMPANY = Pattern(rf"(?:^|{_APART})((?:(?:{_WORD})[ ]){{1,6}}(?:{_FORMS}))(?:$|{_APART})", ignore_case=False)
_FORM = re.compile(rf"(?<!\w)(?:{_FORMS})(?!\w)")
_TITLE = re.compile(
    r"\b(?:(?:tax|payment|sales|commercial|proforma|pro forma|original|retail)\s)?(?:invoices?|receipt|bill|statement|credit note|rechnung|gutschrift"
    r"|quittung|facture|avoir|factuur|creditnota|factura|fattura|fatura|nota di credito|nota de credito|ricevuta|recibo)\b",
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
_PUBLIC_MAIL = frozenset(
    {"gmail", "gmx", "outlook", "hotmail", "yahoo", "web", "icloud", "orange", "wanadoo", "libero", "aol", "proton"}
)


def sender_line(document: Document, readings: Readings) -> Iterator[Candidate]:
    """`Name - Street 1 - 12345 Town`, in one line near the head."""
    del readings
    for page, cell, name in _sender_lines(document):
        yield Candidate(name, SENDER_LINE, found_at(page, cell.start, cell.start + len(name), "sender line"))


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
            line = page.line_at(match.start(1))
            at_the_head = number == 0 and line is not None and line.index < HEAD_LINES
            found = found_at(page, match.start(1), match.end(1), "legal form")
            name = " ".join((match[1] or "").split())
            if len(name) <= LONGEST_NAME:
                yield Candidate(name, AT_THE_HEAD if at_the_head else IN_TEXT, found)


def letterhead(document: Document, readings: Readings) -> Iterator[Candidate]:
    """The first line of the first page, where it is a name and nothing else."""
    page = document.pages[0]
    for line in page.lines[:2]:
        cell = line.cells[0]
        values = [
            value for kind in (Kind.DATE, Kind.AMOUNT) for value in readings.within(page, kind, line.start, line.end)
        ]
        name = _TITLE.split(cell.text)[0].strip()
        if is_a_name(name) and cell.text.startswith(name) and not values:
            yield Candidate(name, LETTERHEAD, found_at(page, cell.start, cell.start + len(name), "letterhead"))


def stem(name: str) -> tuple[str, ...]:
    """The words of a name without its legal form: equal for `Acme Pvt. Ltd.` and `Acme Private Limited`."""
    return tuple(spoken(_FORM.sub(" ", name)).split())


def is_a_name(text: str) -> bool:
    """Few words, one with a capital, hardly a digit."""
    if len(text.split()) > MOST_WORDS:
        return False
    letters, digits = sum(map(str.isalpha, text)), sum(map(str.isdigit, text))
    return len(text) <= LONGEST_NAME and letters >= SHORTEST_STEM and digits <= 2 and any(map(str.isupper, text))  # noqa: PLR2004 - as in 3M


def _is_lettered(text: str) -> bool:
    """A name, and no street with its number."""
    return is_a_name(text) and not any(map(str.isdigit, text))


def has_legal_form(name: str) -> bool:
    return _COMPANY.search(name) is not None


def hosts(document: Document) -> frozenset[str]:
    """The names of the web and mail hosts that the document mentions, without their endings."""
    found: set[str] = set()
    for page in document.pages:
        for match in _HOST.finditer(page.folded):
            parts = [part for part in match.group().split(".") if part != "www"]
            found.update(part for part in parts[:-1] if len(part) >= SHORTEST_STEM and part not in _PUBLIC_MAIL)
    return frozenset(found)


def is_named_by(name: str, host_names: frozenset[str]) -> bool:
    """Whether a host is called like the name: like its letters, or like one of its longer words."""
    plain = re.sub(r"[^a-z0-9 ]", "", folded(name)).split()
    whole = "".join(plain)
    return any(
        host.replace("-", "") in whole or any(len(word) >= SHORTEST_STEM and word in host for word in plain[:2])
        for host in host_names
    )


def _sender_lines(document: Document) -> Iterator[tuple[Page, Cell, str]]:
    for page in document.pages[:MOST_LETTERS]:
        for line in page.lines[:HEAD_LINES]:
            for cell in line.cells:
                if (match := _SENDER_LINE.match(cell.text)) is not None and _is_lettered(
                    name := (match[1] or "").strip()
                ):
                    yield page, cell, name
