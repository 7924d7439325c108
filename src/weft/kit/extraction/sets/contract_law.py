"""The law that governs a contract, and the courts that decide on it."""

from collections.abc import Iterator

from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.document import Document
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.sets.prose import after, before, candidate, flat
from weft.kit.extraction.values import places
from weft.kit.extraction.values.text import Pattern

_S = "[ ]{1,6}"
_NAME = r"(?:\p{Lu}[\pL\pM'-]{1,30}|U[.]S[.](?:A[.])?|St[.])"
_AREA = rf"(?P<area>England{_S}and{_S}Wales|{_NAME}(?:{_S}(?:(?:of|of{_S}the|der|am|a[.]d[.]){_S})?{_NAME}){{0,5}})"
_OF = rf"(?i:of|der|des)(?:{_S}(?i:the|der))?(?:{_S}(?i:state|commonwealth|province|kingdom|republic){_S}(?i:of)(?:{_S}(?i:the))?)?"
_LAWS = Pattern(rf"(?:^|[^\pL])(?i:laws?(?:{_S}in{_S}force)?|recht){_S}{_OF}{_S}{_AREA}", ignore_case=False)
_STATE_LAW = Pattern(
    rf"(?i:governed{_S}(?:exclusively{_S})?by|subject{_S}to)(?:{_S}the)?{_S}{_AREA}{_S}law(?:[^\pL]|$)",
    ignore_case=False,
)
_ADJECTIVE = Pattern(rf"(?:^|[^\pL])(?P<area>\pL{{5,20}}){_S}(?:law|recht)(?:[^\pL]|$)")
_GOVERNED = Pattern(
    r"govern|constru|subject[ ]{1,6}to|interpreted|unterlieg|gilt|anwendbar|applicable|applies|apply|maßgeb|findet|unterstell|angewandt"
)
_BY_ADJECTIVE = {
    "english": ("England and Wales", "GB"), "englisches": ("England", "GB"), "englischem": ("England", "GB"), "scottish": ("Scotland", "GB"),
    "german": ("Germany", "DE"), "deutsches": ("Deutschland", "DE"), "deutschem": ("Deutschland", "DE"), "french": ("France", "FR"),
    "französisches": ("Frankreich", "FR"), "französischem": ("Frankreich", "FR"), "dutch": ("Netherlands", "NL"),
    "swiss": ("Switzerland", "CH"), "schweizerisches": ("Schweiz", "CH"), "schweizerischem": ("Schweiz", "CH"),
    "austrian": ("Austria", "AT"), "österreichisches": ("Österreich", "AT"), "österreichischem": ("Österreich", "AT"),
    "italian": ("Italy", "IT"), "spanish": ("Spain", "ES"), "irish": ("Ireland", "IE"), "belgian": ("Belgium", "BE"),
    "swedish": ("Sweden", "SE"), "danish": ("Denmark", "DK"), "polish": ("Poland", "PL"), "portuguese": ("Portugal", "PT"),
}  # fmt: skip
_COURTS = Pattern(
    rf"""
    (?:(?i:courts?(?:{_S}(?:located|sitting|situated))?){_S}(?i:of|in|at)(?:{_S}(?i:the))?
    |(?i:gerichtsstand)(?:{_S}(?i:für)[^.;]{{1,160}})?[ ]{{0,6}}(?i:ist|:){_S}(?:(?i:ausschließlich{_S}))?(?:(?i:der{_S}sitz{_S}des{_S}\pL{{1,30}}{_S}in{_S}))?
    |(?i:gerichte{_S}(?:in|von))|(?i:venue{_S}(?:lies|is|shall{_S}lie|shall{_S}be){_S}in))
    [ ]{{0,6}}(?:(?i:state|city|county|commonwealth){_S}(?i:of){_S})?{_AREA}
    """,
    ignore_case=False,
)
_JURISDICTION = Pattern(r"jurisdiction|gerichtsstand|venue|zuständig")
_NO_PLACES = frozenset(
    {
        "law",
        "recht",
        "this",
        "any",
        "such",
        "the",
        "competent",
        "parties",
        "party",
        "agreement",
        "sitz",
        "court",
        "each",
    }
)
_STATES = """
    alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho illinois indiana iowa kansas
    kentucky louisiana maine maryland massachusetts michigan minnesota mississippi missouri montana nebraska nevada new-hampshire
    new-jersey new-mexico new-york north-carolina north-dakota ohio oklahoma oregon pennsylvania rhode-island south-carolina
    south-dakota tennessee texas utah vermont virginia washington west-virginia wisconsin wyoming
"""
_US_STATES = frozenset(state.replace("-", " ") for state in _STATES.split())


def governing_laws(document: Document, _readings: Readings) -> Iterator[Candidate]:
    for page in document.pages:
        text = flat(page)
        for pattern in (_LAWS, _STATE_LAW):
            for match in pattern.finditer(text):
                start, end, area = match.start(1), match.end(1), " ".join((match["area"] or "").split())
                if (
                    _GOVERNED.search(before(text, start) + after(text, end, 60))
                    and area.casefold() not in _NO_PLACES | _BY_ADJECTIVE.keys()
                ):
                    yield candidate(page, start, end, area, 0.9, "governing law", {"country": country_of(area)})
        for match in _ADJECTIVE.finditer(text):
            meant = _BY_ADJECTIVE.get((match["area"] or "").casefold())
            if meant and _GOVERNED.search(before(text, match.start(1)) + after(text, match.end(1), 60)):
                yield candidate(
                    page, match.start(1), match.end(1), meant[0], 0.88, "governing law", {"country": meant[1]}
                )


def governing_countries(document: Document, readings: Readings) -> Iterator[Candidate]:
    """Where the law is named, the country that it is of."""
    for one in governing_laws(document, readings):
        if country := one.extra["country"]:
            yield Candidate(country, one.confidence, one.found)


def jurisdictions(document: Document, _readings: Readings) -> Iterator[Candidate]:
    for page in document.pages:
        text = flat(page)
        for match in _COURTS.finditer(text):
            start, end, area = match.start(1), match.end(1), " ".join((match["area"] or "").split())
            around = before(text, start) + after(text, end, 80)
            if _JURISDICTION.search(around) and area.casefold() not in _NO_PLACES:
                yield candidate(page, start, end, area, 0.88, "jurisdiction")


def country_of(area: str) -> str | None:
    if area.casefold() in _US_STATES:
        return "US"
    found = places.find(area)
    return found[0].value if found else None
