"""One written number and its readings: 1,234.56 and 1.234,56 and 1 234,56 and 1'234.56, Indian groups, and those that stay open."""

from dataclasses import dataclass
from decimal import Decimal

from weft.kit.extraction.values.text import Match, Pattern

SURE, PLAIN, GUESSED = 0.97, 0.6, 0.45
MOST_DIGITS = 15
"""As many as every double keeps."""

NUMERAL = Pattern(
    r"""
    (?P<long>[0-9]{1,15}[.,][0-9]{4,6})
    |(?P<comma>[0-9]{1,3}(?:,[0-9]{3}){1,5}(?:[.][0-9]{1,4})?)
    |(?P<dot>[0-9]{1,3}(?:[.][0-9]{3}){1,5}(?:,[0-9]{1,4})?)
    |(?P<mark>[0-9]{1,3}(?:'[0-9]{3}){1,5}(?:[.,][0-9]{1,4})?)
    |(?P<space>[0-9]{1,3}(?:[ ][0-9]{3}){1,5}(?:[.,][0-9]{1,4})?)
    |(?P<indian>[0-9]{1,2}(?:,[0-9]{2}){1,4},[0-9]{3}(?:[.][0-9]{1,4})?)
    |(?P<plain>[0-9]{1,15}(?:[.,][0-9]{1,6})?)
    """
)


@dataclass(frozen=True, slots=True)
class Reading:
    value: Decimal
    confidence: float
    mark: str | None = None
    """What it separates decimals with, where it shows that."""
    alternative: Decimal | None = None


def reading_of(match: Match, *, decimal_mark: str | None, has_wide_spaces: bool = False) -> Reading | None:
    """What a match of NUMERAL says; `decimal_mark` is what the numbers around it use. None where it has more digits than a number
    in JSON keeps.
    """
    written = match[0] or ""
    if len(written) > MOST_DIGITS and sum(map(str.isdigit, written)) > MOST_DIGITS:
        return None
    if match["comma"] or match["dot"]:
        return _grouped(written, "," if match["comma"] else ".", decimal_mark)
    if match["space"]:
        reading = _reading(written.replace(" ", ""), SURE)
        last = _reading(written.rpartition(" ")[2], PLAIN)  # "2 150,00" may be two columns
        return reading if has_wide_spaces else Reading(reading.value, PLAIN, reading.mark, last.value)
    if match["indian"]:
        return _reading(written.replace(",", ""), SURE)
    return _reading(written.replace("'", ""), SURE if match["mark"] else 0.95)


def _grouped(written: str, group: str, decimal_mark: str | None) -> Reading:
    point = "." if group == "," else ","
    if point in written or written.count(group) > 1:
        return Reading(Decimal(written.replace(group, "").replace(",", ".")), SURE, point)
    whole, decimals = Decimal(written.replace(group, "")), Decimal(written.replace(group, "."))
    if decimal_mark is None:
        return Reading(whole, GUESSED, None, decimals)
    if decimal_mark == group or written[0] == "0":
        return Reading(decimals, 0.75, None, whole)
    return Reading(whole, 0.88, None)


def _reading(digits: str, sure: float) -> Reading:
    mark = next((character for character in digits if character in ".,"), None)
    return Reading(Decimal(digits.replace(",", ".")), sure, mark)
