"""Who concludes a contract: names with roles from its first paragraphs, or behind labels."""

from collections.abc import Iterator
from dataclasses import dataclass

from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.document import Document, Page
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.sets.organisations import COMPANY
from weft.kit.extraction.sets.prose import flat, found
from weft.kit.extraction.values import persons
from weft.kit.extraction.values.text import Pattern

_ROLES = """
    supplier customer client provider service_provider vendor buyer purchaser seller licensor licensee landlord tenant lessor lessee
    employer employee contractor company consultant disclosing_party receiving_party discloser recipient agency borrower lender
    franchisor franchisee distributor auftraggeber auftraggeberin auftragnehmer auftragnehmerin käufer käuferin verkäufer verkäuferin
    mieter mieterin vermieter vermieterin arbeitgeber arbeitgeberin arbeitnehmer arbeitnehmerin lizenzgeber lizenznehmer kunde kundin
    anbieter dienstleister lieferant pächter verpächter darlehensgeber darlehensgeberin
    darlehensnehmer darlehensnehmerin
"""
_LABELS = "|".join(sorted(_ROLES.split(), key=len, reverse=True)).replace("_", "[ ]")
_QUOTED = r"[\"“”„‟«»']{1,2}[ ]?(?P<role>\p{Lu}[\pL -]{1,38})[ ]?[\"“”„‟«»']{1,2}"
_ROLE = Pattern(
    rf"""
    (?:[(][^()]{{0,60}}?{_QUOTED}[^()]{{0,60}}[)]
    |(?:[-][ ]{{0,3}})?(?:(?i:nachfolgend|nachstehend|im[ ]{{1,4}}folgenden|hereinafter|hereafter))[^.;()\"„“]{{0,40}}?[\"“”„'](?P<other>\p{{Lu}}[\pL -]{{1,38}})[\"“”']
    |[-(][ ]{{0,3}}(?i:nachfolgend|nachstehend|im[ ]{{1,4}}folgenden)[ ](?:(?i:auch|als|kurz|der|die)[ ]){{0,2}}(?P<bare>\p{{Lu}}\pL{{3,30}})(?:[ ](?i:genannt|bezeichnet))?
    |[ \n]-[ ]{{0,3}}(?P<alone>(?i:{_LABELS}))[ ]{{0,3}}-)
    """,
    ignore_case=False,
)
_BEGIN = Pattern(r"(?:^|[^\pL])(?:by[ ]{1,4}and[ ]{1,4}between|between|zwischen)[ ]{0,6}:?")
_END = Pattern(
    r"(?:whereas|recitals|background|präambel|vorbemerkung|wird[ ]{1,4}(?:folgend|nachstehend)|now,?[ ]therefore|§[ ]?1[^0-9]|[ \n]1[.][ ]{1,4}\p{Lu}|witnesseth|it[ ]is[ ]agreed|the[ ]parties[ ]agree)"
)
_LEAD = Pattern(
    r"(?:[ ](?:genannt|bezeichnet)[ ]{0,2})?[ \n,;.:)-]{0,12}(?:(?:and|und|sowie|&)[ \n]{1,6})?(?:[(]?[0-9a-b][).][ ]{1,6})?"
    r"(?:(?:der|die|dem|the)[ ]{1,4})?(?:(?:firma|herrn?|frau|mr[.]?|mrs[.]?|ms[.]?)[ ]{1,3})?[ ]{0,6}"
)
_BREAK = Pattern(
    r"[(\n]|,[ ]|[ ]{2,}|;|[ ](?:a|an)[ ]{1,3}\pL{1,20}[ ]{1,3}(?:corporation|company|limited|partnership|llc)|[ ](?:whose|regarding|concerning|about|über|betreffend|having|with[ ]its|of[ ][0-9]|vertreten|represented|geboren|wohnhaft|residing|registered|incorporated)|[ ]-[ ]|[ ](?:nachfolgend|nachstehend|hereinafter)"
)
_JOINT = Pattern(r"[ \n]{1,6}(?:and|und|sowie)[ \n]{1,6}")
_SUFFIX_BEHIND_COMMA = Pattern(r",[ ]{1,3}(?:inc|ltd|llc|llp|l[.]p|n[.]a|corp|co|s[.]a|gmbh)[.]?(?:[^\pL]|$)")
_PREAMBLE = 6_000
_SHORTEST_NAME, _LONGEST_NAME, _MOST_WORDS = 3, 100, 10
_LABELLED = Pattern(
    rf"(?:^|\n|[ ]{{2}})[ ]{{0,8}}(?:(?:the|der|die)[ ])?(?P<role>{_LABELS})(?:[ ][(]\pL{{1,30}}[)])?[ ]{{0,3}}:[ ]{{0,12}}\n?[ ]{{0,40}}(?P<name>[^\n]{{3,120}})"
)
_NO_ROLES = frozenset({
    "agreement", "contract", "vertrag", "effective date", "parties", "parteien", "vertragsparteien", "services", "leistungen", "party",
    "partei", "territory", "term", "premises", "mietobjekt", "confidential information", "purpose", "project", "product", "products",
    "property", "employment",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Party:
    page: Page
    name: str
    start: int
    end: int
    role: str | None
    role_start: int
    role_end: int
    confidence: float


def parties(document: Document, _readings: Readings) -> Iterator[Candidate]:
    page = document.pages[0]
    for rule, found_parties in (("preamble", _in_preamble(page)), ("labels", _labelled(page))):
        named = _without_repeats(found_parties)
        if named:
            yield _together(named, rule)


def _together(named: list[_Party], rule: str) -> Candidate:
    """One party alone concludes no contract: then the others were not understood."""
    confidence = min(party.confidence for party in named) if len(named) > 1 else 0.4
    rows = [{"name": party.name, **({"role": party.role} if party.role else {})} for party in named]
    cells = [
        {
            "name": found(party.page, party.start, party.end, rule),
            **({"role": found(party.page, party.role_start, party.role_end, rule)} if party.role else {}),
        }
        for party in named
    ]
    return Candidate(rows, confidence, cells[0]["name"], {"cells": cells})


def _in_preamble(page: Page) -> list[_Party]:
    text = flat(page)[:_PREAMBLE]
    begin = _BEGIN.search(text)
    if begin is None:
        return []
    end = next((match for match in _END.finditer(text[begin.end() :]) if match.start() > _SHORTEST_NAME), None)
    region = text[begin.end() : begin.end() + end.start()] if end else text[begin.end() : begin.end() + _PREAMBLE // 3]
    offset, place = begin.end(), 0
    named: list[_Party] = []
    for match in _ROLE.finditer(region):
        group = next(group for group in (1, 2, 3, 4) if match[group])
        role = " ".join((match[group] or "").split())
        role = role.removeprefix("the ").strip()
        if role.casefold() in _NO_ROLES:
            continue
        party = _party(
            page,
            text,
            offset + place,
            offset + match.start(),
            (role, offset + match.start(group), offset + match.end(group)),
        )
        if party is not None:
            named.append(party)
        place = match.end()
    return named or _without_roles(page, text, offset, region)


def _without_roles(page: Page, text: str, offset: int, region: str) -> list[_Party]:
    joint = _JOINT.search(region)
    if joint is None:
        return []
    first = _party(page, text, offset, offset + joint.start(), None)
    second = _party(page, text, offset + joint.end(), offset + min(len(region), joint.end() + 200), None)
    return [party for party in (first, second) if party is not None]


def _party(page: Page, text: str, start: int, end: int, role: tuple[str, int, int] | None) -> _Party | None:
    """The name stands first in its piece of the text, up to a comma, a bracket, or what tells more of the party."""
    lead = _LEAD.match(text[start:end])
    start += lead.end() if lead else 0
    cut = next(
        (
            match.start()
            for match in _BREAK.finditer(text[start:end])
            if not _SUFFIX_BEHIND_COMMA.match(text[start + match.start() : end])
        ),
        end - start,
    )
    name = text[start : start + cut].rstrip(" ,;:-")
    if not _is_name(name):
        return None
    sure = _surety(name, has_role=role is not None)
    written, role_start, role_end = role or (None, 0, 0)
    return _Party(
        page,
        " ".join(page.text[start : start + len(name)].split()),
        start,
        start + len(name),
        written,
        role_start,
        role_end,
        sure,
    )


def _labelled(page: Page) -> list[_Party]:
    named: list[_Party] = []
    text = flat_lines(page)
    for match in _LABELLED.finditer(text):
        piece = match["name"] or ""
        cut = _BREAK.search(piece)
        if cut and _SUFFIX_BEHIND_COMMA.match(piece[cut.start() :]):
            cut = None
        name = (piece[: cut.start()] if cut else piece).strip(" ,;:-")
        if _is_name(name):
            start = match.start(2) + piece.index(name)
            role = " ".join(page.text[match.start(1) : match.end(1)].split())
            sure = _surety(name, has_role=True) - 0.03
            named.append(_Party(page, name, start, start + len(name), role, match.start(1), match.end(1), sure))
    return named


def flat_lines(page: Page) -> str:
    return page.text[:_PREAMBLE].replace("\t", " ").replace("\u00a0", " ")


def _is_name(name: str) -> bool:
    is_long_enough = _SHORTEST_NAME <= len(name) <= _LONGEST_NAME and len(name.split()) <= _MOST_WORDS
    return is_long_enough and name[0].isalnum() and not name[0].islower() and any(map(str.isalpha, name))


def _surety(name: str, *, has_role: bool) -> float:
    if COMPANY.search(name):
        return 0.9 if has_role else 0.82
    if persons.find(name):
        return 0.86 if has_role else 0.7
    return 0.72 if has_role else 0.5


def _without_repeats(named: list[_Party]) -> list[_Party]:
    """A party is named once, however often the text does."""
    kept: dict[str, _Party] = {}
    for party in named:
        kept.setdefault(party.name.casefold(), party)
    return list(kept.values())
