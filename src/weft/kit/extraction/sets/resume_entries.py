"""Positions and education: each entry of such a section has a period, what somebody was or learned, and where."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from weft.kit.extraction.candidates import Candidate, Found
from weft.kit.extraction.document import Document
from weft.kit.extraction.readings import Readings
from weft.kit.extraction.sets.organisations import COMPANY, DEGREE, PROFESSION, SCHOOL
from weft.kit.extraction.sets.prose import found
from weft.kit.extraction.sets.resume_sections import Piece, sections
from weft.kit.extraction.values import places, ranges
from weft.kit.extraction.values.found import FoundValue
from weft.kit.extraction.values.text import Pattern, plain

_SEPARATOR = Pattern(r"[ ]{2,}|[ ]*[|•·@][ ]*|[ ]-{1,2}[ ]|,[ ]+|[ ]{1,2}(?:at|bei(?:[ ]der)?|chez)[ ]{1,2}|:[ ]+")
_SUFFIX = Pattern(r",[ ]+(?:inc|ltd|llc|llp|corp|co|gmbh)[.]?(?:[^\pL]|$)")
_BULLET = Pattern(r"[ ]*(?:[-*•·\x{25aa}\x{25cf}\x{25e6}\x{2023}\x{f0b7}]|o[ ])")
_YEAR = Pattern(r"(?:^|[^0-9/.-])(?P<y>(?:19|20)[0-9]{2})(?:[^0-9/.-]|$)")
_STATE = Pattern(r"[A-Z]{2}(?:[ ][0-9]{5})?|remote", ignore_case=False)
_LONGEST_HEADER = 100
_WHERE_AND_WHAT, _WHAT_AND_OTHER, _WHERE_AND_OTHER, _TWO, _ONE = 0.88, 0.82, 0.7, 0.5, 0.35

IsWhat = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Part:
    text: str
    piece: Piece
    start: int


@dataclass(frozen=True, slots=True)
class _Entry:
    period: FoundValue
    piece: Piece
    what: _Part | None
    where: _Part | None
    confidence: float


def positions(document: Document, _readings: Readings) -> Iterator[Candidate]:
    pieces = sections(document).get("experience", [])
    entries = list(
        _entries(
            pieces, lambda text: bool(PROFESSION.search(text)), lambda text: bool(COMPANY.search(text)), years=False
        )
    )
    yield from _rows(entries, ("title", "employer"), "position")


def education(document: Document, _readings: Readings) -> Iterator[Candidate]:
    pieces = sections(document).get("education", [])
    entries = list(
        _entries(pieces, lambda text: bool(DEGREE.search(text)), lambda text: bool(SCHOOL.search(text)), years=True)
    )
    yield from _rows(entries, ("degree", "institution"), "education")


def _rows(entries: list[_Entry], names: tuple[str, str], rule: str) -> Iterator[Candidate]:
    """All entries are one value: it is as sure as the least sure of them."""
    if not entries:
        return
    rows: list[dict[str, object]] = []
    cells: list[dict[str, Found]] = []
    for entry in entries:
        parts = {name: part for name, part in zip(names, (entry.what, entry.where), strict=True) if part is not None}
        start, end = entry.piece.start + entry.period.start, entry.piece.start + entry.period.end
        period = {
            key: value
            for key, value in entry.period.value.items()
            if value is not None and (key != "current" or names[0] == "title")
        }
        rows.append({**{name: part.text for name, part in parts.items()}, **period})
        places_of = {
            name: found(part.piece.page, part.start, part.start + len(part.text), rule) for name, part in parts.items()
        }
        cells.append({**places_of, **dict.fromkeys(period, found(entry.piece.page, start, end, rule))})
    first = next(iter(cells[0].values()))
    yield Candidate(rows, min(entry.confidence for entry in entries), first, {"cells": cells})


def _entries(pieces: list[Piece], is_what: IsWhat, is_where: IsWhat, *, years: bool) -> Iterator[_Entry]:
    periods = {index: period for index, piece in enumerate(pieces) if (period := _period(piece, years=years))}
    used = -1
    for index, period in periods.items():
        piece = pieces[index]
        parts = _parts(piece, period)
        if not _is_complete(parts, is_what, is_where):
            below = _header_below(pieces, index, periods)
            above = _header_above(pieces, index, used, periods)
            chosen = above if (above and not parts) or not below else below
            for line in chosen:
                parts += _parts(pieces[line], None)
                used = max(used, line)
        used = max(used, index)
        yield _entry(piece, period, parts, is_what, is_where)


def _period(piece: Piece, *, years: bool) -> FoundValue | None:
    text = plain(piece.text)
    periods = ranges.find(text)
    if periods and not _is_sentence(text, periods[0]):
        return periods[0]
    match = _YEAR.search(text) if years and not periods else None
    if match is None or _BULLET.match(text):
        return None
    return FoundValue({"from": None, "to": match["y"], "current": False}, match.start(1), match.end(1), 0.7)


def _is_sentence(text: str, period: FoundValue) -> bool:
    """A period inside of a description begins no entry."""
    return _BULLET.match(text) is not None or len(text) - (period.end - period.start) > _LONGEST_HEADER


def _header_below(pieces: list[Piece], index: int, periods: dict[int, FoundValue]) -> list[int]:
    lines: list[int] = []
    for line in range(index + 1, min(index + 3, len(pieces))):
        if line in periods or pieces[line].after_gap or not _is_header(pieces[line]):
            break
        lines.append(line)
    return lines


def _header_above(pieces: list[Piece], index: int, used: int, periods: dict[int, FoundValue]) -> list[int]:
    if pieces[index].after_gap:
        return []
    lines: list[int] = []
    for line in range(index - 1, max(used, index - 3), -1):
        if line in periods or not _is_header(pieces[line]):
            break
        lines.insert(0, line)
        if pieces[line].after_gap:
            return lines
    begins = not lines or lines[0] == 0
    return lines if begins else []


def _is_header(piece: Piece) -> bool:
    text = piece.text.strip()
    return (
        len(text) <= _LONGEST_HEADER
        and not _BULLET.match(plain(text))
        and text[:1].isupper()
        and not text.endswith(".")
    )


def _parts(piece: Piece, period: FoundValue | None) -> list[_Part]:
    """The text without the period, in its parts."""
    text = plain(piece.text)
    if period is not None:
        text = text[: period.start] + " " * (period.end - period.start) + text[period.end :]
    parts: list[_Part] = []
    start = 0
    for match in _SEPARATOR.finditer(text):
        if not _SUFFIX.match(text[match.start() : match.end() + 8]):
            parts += _part(piece, text, start, match.start())
            start = match.end()
    return parts + _part(piece, text, start, len(text))


def _part(piece: Piece, text: str, start: int, end: int) -> list[_Part]:
    while start < end and text[start] in " ()[],;:-|*#":
        start += 1
    while end > start and text[end - 1] in " ([,;:-|*":
        end -= 1
    if end > start and text[end - 1] == ")" and "(" not in text[start:end]:
        end -= 1
    if end - start < 2 or not any(map(str.isalpha, text[start:end])):  # noqa: PLR2004 - one letter is no name
        return []
    return [_Part(piece.text[start:end], piece, piece.start + start)]


def _is_complete(parts: list[_Part], is_what: IsWhat, is_where: IsWhat) -> bool:
    named = [part for part in parts if not _is_place(part.text)]
    has_what, has_where = any(is_what(part.text) for part in named), any(is_where(part.text) for part in named)
    return len(named) > 1 and (has_what or has_where)


def _entry(piece: Piece, period: FoundValue, parts: list[_Part], is_what: IsWhat, is_where: IsWhat) -> _Entry:
    named = [part for part in parts if not _is_place(part.text)]
    whats = [part for part in named if is_what(part.text)]
    wheres = [part for part in named if is_where(part.text) and part not in whats[:1]]
    others = [part for part in named if part not in whats and part not in wheres]
    what, where, sure = None, None, _ONE
    if whats and wheres:
        what, where, sure = whats[0], wheres[0], _WHERE_AND_WHAT
    elif whats and others:
        what, where, sure = whats[0], others[0], _WHAT_AND_OTHER if len(others) == 1 else 0.7
    elif wheres and others:
        what, where, sure = others[0], wheres[0], _WHERE_AND_OTHER
    elif len(others) > 1:
        what, where, sure = others[0], others[1], _TWO
    elif whats or wheres or others:
        what, where = (whats or others or [None])[0], (wheres or [None])[0]
    if len(whats) > 1 or len(wheres) > 1 or any(part is not None and part.text[0].islower() for part in (what, where)):
        sure = min(sure, 0.7)
    return _Entry(period, piece, what, where, sure)


def _is_place(text: str) -> bool:
    if _STATE.fullmatch(text):
        return True
    found_places = places.find(text)
    return bool(found_places) and found_places[0].end - found_places[0].start == len(text)
