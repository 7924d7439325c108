"""Amounts of money and plain numbers, with the currency beside them.

**The value is a float**: the double nearest to what is written. JSON keeps it to the cent, as numbers have at most 15 digits here
(`repr` gives those back); longer ones are account numbers, and not found. `extra["exact"]` is the same as text, with its decimals.

`extra["currency"]` is an ISO code or None; `extra["currencyConfidence"]` says how sure that is: `$` alone may be of seven countries, and
is told by `currency_hint` (an ISO code). The hint names the currency of no amount that has none written beside it.

1,234 alone is a whole number with little confidence, and `extra["alternative"]` 1.234, unless other numbers of the text show what
separates decimals. Numbers that belong to something else (percent, times, dates, names with digits, 12.5k) are not found.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from weft.kit.extraction.values.currencies import LONGEST_SPELLING, meant_by
from weft.kit.extraction.values.found import FoundValue, without_overlaps
from weft.kit.extraction.values.numerals import GUESSED, NUMERAL, Reading, reading_of
from weft.kit.extraction.values.text import Match, Pattern, plain

WHOLE_WITHOUT_CURRENCY, ONE_DECIMAL, LEADING_ZERO = 0.5, 0.7, 0.3
MONEY_OF_THREE_DIGITS = 0.75
"""Sums of money have two decimals or none, so € 1,234 is hardly 1.234."""

_SYMBOLS = "$€£¥￥₹₽₺₩₪₴฿₫₱₦"
_ENDS_OF_SIGNS = frozenset(_SYMBOLS) | {"."}
_BEFORE = Pattern(
    rf"(?:^|[^\pL])(?P<c>[A-Z]{{0,3}}[{_SYMBOLS}]|[A-Z]{{3}}|sfr[.]?|fr[.]|kr[.]?|rs[.]?|zł|kč|ft|лв|euros?)[ ]{{0,2}}$"
)
_AFTER = Pattern(
    rf"[)-]?[ ]{{0,2}}(?P<c>us[ ]dollars|u[.]s[.][ ]dollars|dollars|pounds[ ]sterling|franken|euros?|[A-Z]{{3}}|sfr|kr[.]?|zł|kč|ft|лв"
    rf"|[A-Z]{{0,2}}[$]|[{_SYMBOLS}円元])"
)
_DASH_FOR_CENTS = Pattern(r"[,.]-{1,2}")
_PERCENT = Pattern(r"[ ]?(?:%|percent|prozent|procent|per[ ]cent)")
_STARTS_OF_PERCENT = frozenset("%pP")
_WINDOW = LONGEST_SPELLING + 3


@dataclass(frozen=True, slots=True)
class _Written:
    reading: Reading
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Currency:
    codes: tuple[str, ...]
    start: int
    end: int


def find(text: str, *, currency_hint: str | None = None) -> list[FoundValue]:
    found: list[FoundValue] = []
    taken = -1  # where the currency starts that the number before this one has: "100 $ 200 €"
    normal = plain(text)
    for one in _numbers(text, normal):
        before, after = _before(normal, one.start), _after(normal, one.end)
        currency = after if before is None or (before.start <= taken and after) else before
        if currency is not None:
            taken = max(taken, currency.start)
        found.append(_amount(normal, one, currency, currency_hint))
    return without_overlaps(found)


def find_percentages(text: str) -> list[FoundValue]:
    """`19 %`, `7.5%`, `8,1 %` as 19.0, 7.5, 8.1."""
    text = plain(text)
    found: list[FoundValue] = []
    for match in NUMERAL.finditer(text):
        written, sign = match[0] or "", _PERCENT.match(text[match.end() : match.end() + 10])
        if sign is None or _is_inside(text, match.start()):
            continue
        reading = reading_of(match, decimal_mark="," if "," in written else ".")
        if reading is not None:
            sure = 0.95 if reading.value <= 100 else 0.6  # noqa: PLR2004 - the whole
            found.append(FoundValue(float(reading.value), match.start(), match.end() + sign.end(), sure))
    return found


def _decimal_mark(text: str) -> str | None:
    votes = Counter(written[-3] for match in _separate(text) if (written := match[0] or "")[-3:-2] in {".", ","})
    if not votes:
        return None
    (best, count), *others = votes.most_common()
    return None if others and others[0][1] * 4 > count else best


def _numbers(original: str, text: str) -> Iterator[_Written]:
    mark = _decimal_mark(text)
    for match in _separate(text):
        start, end = match.start(), match.end()
        has_wide_spaces = any(space in original[start:end] for space in "\u00a0\u2009\u202f")
        reading = reading_of(match, decimal_mark=mark, has_wide_spaces=has_wide_spaces)
        if reading is not None:
            yield _Written(reading, start, end)


def _separate(text: str) -> Iterator[Match]:
    """The numbers that are not a piece of something else."""
    for match in NUMERAL.finditer(text):
        if not _is_inside(text, match.start()) and not _goes_on(text[match.end() : match.end() + 10]):
            yield match


def _is_inside(text: str, start: int) -> bool:
    """The number is the end of something longer: INV-12, 3.4.5, A4, 10:30. EUR100 is an amount."""
    joint, beyond = text[start - 1 : start], text[max(0, start - 2) : start - 1]
    if start == 0:
        return False
    if joint.isalpha():
        letters = _LAST_WORD.search(text[max(0, start - 8) : start])
        return letters is None or not meant_by(letters[0] or "")
    if joint in {"-", "/", "#", "_"}:
        return beyond.isalnum()
    return joint.isdigit() or (joint in {".", ",", ":", "'"} and beyond.isdigit())


_LAST_WORD = Pattern(r"\pL{1,8}$")
_GLUED = Pattern(r"(?:us[$]|eur|usd|gbp|chf|sek|nok|dkk|pln|czk|jpy|cad|aud|kr|zł|kč|ft|лв|[円元])(?:[^a-z0-9]|$)")


def _goes_on(after: str) -> bool:
    first, second = after[:1], after[1:2]
    if first.isalpha():
        return not _GLUED.match(after)
    if first in {"/", ":", "_", "'", "#", "@"}:
        return second.isalnum()
    if first in {".", ",", "-"}:
        return second.isdigit()
    return (
        first.isdigit()
        or first == "°"
        or (after.lstrip(" ")[:1] in _STARTS_OF_PERCENT and _PERCENT.match(after) is not None)
    )


def _before(text: str, start: int) -> _Currency | None:
    window = text[max(0, start - _WINDOW) : start].rpartition("\n")[2].rstrip("-(")
    last = window.rstrip(" ")[-1:]
    match = _BEFORE.search(window) if last.isalpha() or last in _ENDS_OF_SIGNS else None
    if match is None:
        return None
    written, end = match["c"] or "", match.end(1)
    codes = meant_by(written)
    if not codes and written[-1:] in _SYMBOLS:
        written = written[-1:]
        codes = meant_by(written)
    place = start - (len(text[max(0, start - _WINDOW) : start].rpartition("\n")[2]) - end)
    return _Currency(codes, place - len(written), place) if codes else None


def _after(text: str, end: int) -> _Currency | None:
    window = text[end : end + _WINDOW + 6]
    dash = _DASH_FOR_CENTS.match(window) if window[:1] in {".", ","} else None
    skipped = dash.end() if dash else 0
    first = window[skipped:].lstrip(" )-")[:1]
    match = _AFTER.match(window[skipped:]) if first.isalpha() or first in _SYMBOLS else None
    if match is None:
        return None
    codes = meant_by(match["c"] or "")
    following = window[skipped + match.end() :][:1]
    if not codes or (following.isalnum() and (match["c"] or "")[-1:].isalpha()):
        return None
    return _Currency(codes, end + skipped + match.start(1), end + skipped + match.end())


def _amount(text: str, one: _Written, currency: _Currency | None, hint: str | None) -> FoundValue:
    start, end = one.start, one.end
    if currency is not None:
        start, end = min(start, currency.start), max(end, currency.end)
    start, end, is_negative = _signed(text, one, start, end)
    value = -one.reading.value if is_negative else one.reading.value
    extra: dict[str, Any] = {"exact": f"{value:f}", **_currency_facts(currency, hint)}
    if one.reading.alternative is not None:
        extra["alternative"] = float(one.reading.alternative)
    return FoundValue(float(value), start, end, _confidence(text, one, currency), extra)


def _signed(text: str, one: _Written, start: int, end: int) -> tuple[int, int, bool]:
    """With the sign in it: -12 and -€12 and €-12, (12), 12-."""
    if text[one.start - 1 : one.start] == "-" and one.start > 0:
        return min(start, one.start - 1), end, True
    if start > 0 and text[start - 1] == "-" and not text[max(0, start - 2) : start - 1].isalnum():
        return start - 1, end, True
    if text[max(0, start - 1) : start] == "(" and text[end : end + 1] == ")":
        return start - 1, end + 1, True
    if text[one.start - 1 : one.start] == "(" and text[one.end : one.end + 1] == ")" and one.start > 0:
        return min(start, one.start - 1), max(end, one.end + 1), True
    if text[one.end : one.end + 1] == "-" and not text[one.end + 1 : one.end + 2].isalnum():
        return start, max(end, one.end + 1), True
    return start, end, False


def _currency_facts(currency: _Currency | None, hint: str | None) -> dict[str, Any]:
    if currency is None:
        return {"currency": None, "currencyConfidence": 0.0}
    if len(currency.codes) == 1:
        return {"currency": currency.codes[0], "currencyConfidence": 0.97}
    if hint in currency.codes:
        return {"currency": hint, "currencyConfidence": 0.85}
    return {"currency": currency.codes[0], "currencyConfidence": 0.5}


def _confidence(text: str, one: _Written, currency: _Currency | None) -> float:
    written = text[one.start : one.end]
    sure = one.reading.confidence
    if currency is not None:
        return MONEY_OF_THREE_DIGITS if sure == GUESSED else sure
    decimals = -int(one.reading.value.as_tuple().exponent)
    if decimals == 0:
        return min(sure, LEADING_ZERO if written[0] == "0" and written != "0" else WHOLE_WITHOUT_CURRENCY)
    return min(sure, ONE_DECIMAL if decimals == 1 else sure)
