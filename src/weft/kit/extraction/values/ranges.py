"""Periods: `1 May 2020 - 30 April 2023`, `Jan 2019 - present`, `03/2018 bis 07/2021`, `2015-2018`.

The value is `{"from": …, "to": …, "current": …}`; an end is as exact as it is written (2023-04-30, 2023-04, 2023), and None with
`current` where it says "until today". Words around them (from, since, vom) are in the span.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from weft.kit.extraction.values import dates
from weft.kit.extraction.values.calendar import full_year, month_pattern, months
from weft.kit.extraction.values.found import FoundValue, without_overlaps
from weft.kit.extraction.values.text import Match, Pattern, plain

_MONTH_NUMBER = r"(?P<mn>0[1-9]|1[0-2]|[1-9])[ ]?[/.][ ]?(?P<mny>(?:19|20)[0-9]{2})"
_YEAR_MONTH = r"(?P<yf>(?:19|20)[0-9]{2})[-/](?P<ymm>0[1-9]|1[0-2])"
_TODAY = Pattern(
    r"(?:to[ ]date|present|today|now|current(?:ly)?|ongoing|heute|dato|jetzt|aujourd'hui|présent|ce[ ]jour|actualidad|presente|oggi|heden"
    r"|nu|atualmente|presente|hoje)"
)
_JOINT = Pattern(
    r"[ \n]{0,3}(?:-{1,2}|to|until|till|through|bis(?:[ ]zum)?|au|à|jusqu'au|hasta|al|a|tot|até|~|/)[ \n]{1,3}|[ ]?-{1,2}[ ]?|[ ]?~[ ]?"
)
_LEAD = Pattern(r"(?:from|since|seit|vom|von|ab|du|de|desde|dal|van|sinds)[ ]{1,2}(?:the[ ])?$")
_SINCE = Pattern(r"(?:since|seit|depuis|desde|dal|sinds)[ ]{1,2}$")


@dataclass(frozen=True, slots=True)
class _Point:
    value: str
    start: int
    end: int
    confidence: float


def find(text: str, *, day_first: bool | None = None, languages: Collection[str] | None = None) -> list[FoundValue]:
    text = plain(text)
    points = _points(text, day_first, languages)
    found: list[FoundValue] = []
    place = 0
    while place < len(points):
        one = points[place]
        period, used = _period(text, points, place)
        if period is not None:
            found.append(period)
        elif _SINCE.search(text[max(0, one.start - 12) : one.start]):
            found.append(_found(text, one, None, one.end, one.confidence - 0.1))
        place += used
    return found


def _period(text: str, points: list[_Point], place: int) -> tuple[FoundValue | None, int]:
    one = points[place]
    joint = _JOINT.match(text[one.end : one.end + 20])
    if joint is None:
        return None, 1
    beyond = one.end + joint.end()
    today = _TODAY.match(text[beyond : beyond + 16])
    if today and not text[beyond + today.end() :][:1].isalnum():
        return _found(text, one, None, beyond + today.end(), one.confidence), 1
    if place + 1 < len(points):
        other = points[place + 1]
        lead = text[beyond : other.start]
        if other.start >= beyond and (not lead or _ARTICLE.fullmatch(lead)) and one.value[:4] <= other.value[:4]:
            in_order = (
                one.value <= other.value or other.value.startswith(one.value) or one.value.startswith(other.value)
            )
            sure = min(one.confidence, other.confidence) if in_order else 0.3
            return _found(text, one, other, other.end, sure), 2
    return None, 1


_ARTICLE = Pattern(r"(?:the|zum|den|le|el|il)[ ]")


def _found(text: str, one: _Point, other: _Point | None, end: int, confidence: float) -> FoundValue:
    lead = _LEAD.search(text[max(0, one.start - 12) : one.start])
    start = one.start - (len(lead[0] or "") if lead else 0)
    value = {"from": one.value, "to": other.value if other else None, "current": other is None}
    return FoundValue(value, start, end, round(confidence, 2))


def _points(text: str, day_first: bool | None, languages: Collection[str] | None) -> list[_Point]:
    """Days, months and years, the more exact one where they overlap."""
    chosen = tuple(sorted(languages)) if languages else None
    found = dates.find(text, day_first=day_first, languages=languages)
    for match in _coarse(chosen).finditer(text):
        start, end = match.start(), match.end()
        if not _is_a_piece(text, start, end):
            value, sure = _coarse_value(match, months(chosen))
            found.append(FoundValue(value, start, end, sure))
    return [_Point(one.value, one.start, one.end, one.confidence) for one in without_overlaps(found)]


@cache
def _coarse(languages: tuple[str, ...] | None) -> Pattern:
    names = month_pattern(months(languages))
    return Pattern(
        rf"(?P<m>{names})[.]?[ ]{{0,3}}(?:,[ ]?|/|-|de[ ]|del[ ]|of[ ])?(?P<my>(?:19|20)[0-9]{{2}}|'[0-9]{{2}})"
        rf"|{_MONTH_NUMBER}|{_YEAR_MONTH}|(?P<y>(?:19|20)[0-9]{{2}})"
    )


def _coarse_value(match: Match, numbers: dict[str, int]) -> tuple[str, float]:
    if name := match["m"]:
        year = full_year((match["my"] or "").lstrip("'"))
        return f"{year:04}-{numbers[name.lower()]:02}", 0.93
    if month := match["mn"]:
        return f"{match['mny']}-{int(month):02}", 0.88
    if match["yf"]:
        return f"{match['yf']}-{match['ymm']}", 0.85
    return match["y"] or "", 0.7


def _is_a_piece(text: str, start: int, end: int) -> bool:
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if before[-1:].isalnum() or after[:1].isalnum():
        return True
    # A day in front of the month, or decimals behind the year.
    return (before[-1:] in {".", "/", ","} and before[:1].isdigit()) or (
        after[:1] in {".", "/", ","} and after[1:].isdigit()
    )
