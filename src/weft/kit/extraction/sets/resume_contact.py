"""Who a résumé is of, and how to reach that person."""

from collections.abc import Iterator

from weft.kit.extraction.candidates import Candidate
from weft.kit.extraction.document import Document
from weft.kit.extraction.folding import folded
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.rule_set import Candidates
from weft.kit.extraction.sets.prose import candidate
from weft.kit.extraction.sets.resume_sections import TOP, Piece, sections
from weft.kit.extraction.values import mails, persons, phones, places, ranges, urls
from weft.kit.extraction.values.found import FoundValue
from weft.kit.extraction.values.text import Pattern, plain

_NAME_LINES = 6
_CITY_AND_CODE = Pattern(
    r"(?:^|[ ,|•·])(?P<place>(?:D-|A-|CH-)?[0-9]{4,5}[ ]\p{Lu}[\pL-]{2,30}(?:[ ](?:am|an[ ]der|im)[ ]\p{Lu}\pL{2,20})?)",
    ignore_case=False,
)
_CITY_AND_STATE = Pattern(
    r"(?:^|[|•·][ ]|[ ]{2}|,[ ])(?P<place>\p{Lu}[\pL.'-]{1,25}(?:[ ]\p{Lu}[\pL.'-]{1,25}){0,2},[ ](?P<state>[A-Z]{2}(?:[ ][0-9]{5})?|\p{Lu}[\pL ]{3,25}))(?:$|[ ]*[|•·]|[ ]{2})",
    ignore_case=False,
)
_COUNTRY_BY_DOMAIN = {
    "de": "DE",
    "at": "AT",
    "ch": "CH",
    "fr": "FR",
    "nl": "NL",
    "es": "ES",
    "it": "IT",
    "uk": "GB",
    "ie": "IE",
    "be": "BE",
    "pt": "PT",
}
_SOMEBODY_ELSE = Pattern(r"ansprechpartner|contact[ ]person|your[ ]contact|recruiter|emergency")
_MOST_TOP_LINES = 15


def names(document: Document, _readings: Readings) -> Iterator[Candidate]:
    """The first line that looks like a person, surer where the mail address has a part of it."""
    found = sections(document)
    locals_ = [folded(value.value.partition("@")[0]) for piece in _own(found) for value in mails.find(piece.text)]
    for index, piece in enumerate(found.get(TOP, [])[:_NAME_LINES]):
        for value in persons.find(_in_usual_case(piece.text.split("  ")[0].strip())):
            parts = [part for part in folded(value.value).replace("-", " ").split() if len(part) > 2]  # noqa: PLR2004 - initials
            is_confirmed = any(part in local for part in parts for local in locals_)
            sure = 0.93 if is_confirmed else (0.78 if index == 0 else 0.5)
            start = piece.text.casefold().find(value.value.casefold())
            if start >= 0:
                yield candidate(
                    piece.page, piece.start + start, piece.start + start + len(value.value), value.value, sure, "name"
                )


def _in_usual_case(text: str) -> str:
    """JANE DOE is spelled like other names."""
    return text.title() if text.isupper() else text


def addresses_of_mail(document: Document, _readings: Readings) -> Iterator[Candidate]:
    found = sections(document)
    top = {id(piece) for piece in found.get(TOP, [])}
    for piece in _own(found):
        for value in mails.find(piece.text):
            yield _at(piece, value, value.confidence * (0.97 if id(piece) in top else 0.8), "mail")


def numbers_of_phone(document: Document, _readings: Readings) -> Iterator[Candidate]:
    country = country_of(document)
    found = sections(document)
    top = {id(piece) for piece in found.get(TOP, [])}
    for piece in _own(found):
        periods = ranges.find(piece.text)
        for value in phones.find(piece.text, country=country):
            is_period = any(value.start < period.end and period.start < value.end for period in periods)
            if is_period or value.extra.get("fax"):
                continue
            is_plain = (
                id(piece) in top and "country" in value.extra
            )  # a number that the country has, where numbers stand
            yield _at(piece, value, max(value.confidence, 0.86 if is_plain else 0.0), "phone")


def review(_document: Document, candidates: Candidates) -> None:
    """A town that stands in the whole address is no other place."""
    if found := candidates.get("location"):
        whole = folded(str(found[0].value))
        candidates["location"] = [found[0], *(one for one in found[1:] if folded(str(one.value)) not in whole)]


def links(document: Document, _readings: Readings) -> Iterator[Candidate]:
    """Web addresses of the top, with or without a scheme."""
    for piece in sections(document).get(TOP, [])[: 2 * _MOST_TOP_LINES]:
        for value in urls.find(piece.text):
            yield _at(piece, value, max(value.confidence, 0.88), "link")


def locations(document: Document, _readings: Readings) -> Iterator[Candidate]:
    for piece in sections(document).get(TOP, [])[:_MOST_TOP_LINES]:
        text = plain(piece.text)
        for pattern, sure in ((_CITY_AND_CODE, 0.85), (_CITY_AND_STATE, 0.84)):
            for match in pattern.finditer(text):
                state = match["state"] if pattern is _CITY_AND_STATE else None
                if state and not _STATE.fullmatch(state) and not places.code_of(state.strip()):
                    continue
                start, end = match.start(1), match.end(1)
                yield candidate(
                    piece.page, piece.start + start, piece.start + end, text[start:end].strip(), sure, "location"
                )


_STATE = Pattern(r"[A-Z]{2}(?:[ ][0-9]{5})?", ignore_case=False)


def country_of(document: Document) -> str | None:
    """Whose telephone numbers they are likely to be: of the country in the address, else of the mail's domain."""
    found = sections(document)
    top = found.get(TOP, [])[:_MOST_TOP_LINES]
    named = [value.value for piece in top for value in places.find(piece.text) if value.confidence > 0.8]  # noqa: PLR2004 - not Georgia
    if named:
        return named[0] if len(set(named)) == 1 else None
    for piece in top:
        match = _CITY_AND_STATE.search(plain(piece.text))
        if match and _STATE.fullmatch(match["state"] or ""):
            return "US"
    domains = {value.value.rpartition(".")[2] for piece in top for value in mails.find(piece.text)}
    countries = {_COUNTRY_BY_DOMAIN[domain] for domain in domains if domain in _COUNTRY_BY_DOMAIN}
    return countries.pop() if len(countries) == 1 else None


def _own(found: dict[str, list[Piece]]) -> Iterator[Piece]:
    """Not those of the people who are named as references."""
    for section, pieces in found.items():
        if section != "references":
            yield from pieces


def _at(piece: Piece, value: FoundValue, confidence: float, rule: str) -> Candidate:
    if _SOMEBODY_ELSE.search(piece.text):
        confidence *= 0.4
    return candidate(piece.page, piece.start + value.start, piece.start + value.end, value.value, confidence, rule)
