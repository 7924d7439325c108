"""VAT numbers of the European Union, Great Britain, Norway and Switzerland: the format of the country, and the check digits of Germany,
Belgium, France and Italy.
"""

from collections.abc import Callable

from weft.kit.extraction.values.found import FoundValue
from weft.kit.extraction.values.text import Pattern, plain

_FORMATS: dict[str, str] = {
    "AT": "U[0-9]{8}", "BE": "[01][0-9]{9}", "BG": "[0-9]{9,10}", "CY": "[0-9]{8}[A-Z]", "CZ": "[0-9]{8,10}", "DE": "[1-9][0-9]{8}",
    "DK": "[0-9]{8}", "EE": "[0-9]{9}", "EL": "[0-9]{9}", "ES": "[A-Z0-9][0-9]{7}[A-Z0-9]", "FI": "[0-9]{8}", "FR": "[A-Z0-9]{2}[0-9]{9}",
    "GB": "(?:[0-9]{9}|[0-9]{12}|GD[0-9]{3}|HA[0-9]{3})", "HR": "[0-9]{11}", "HU": "[0-9]{8}", "IE": "[0-9][0-9A-Z+*][0-9]{5}[A-Z]{1,2}",
    "IT": "[0-9]{11}", "LT": "(?:[0-9]{9}|[0-9]{12})", "LU": "[0-9]{8}", "LV": "[0-9]{11}", "MT": "[0-9]{8}", "NL": "[0-9]{9}B[0-9]{2}",
    "PL": "[0-9]{10}", "PT": "[0-9]{9}", "RO": "[0-9]{2,10}", "SE": "[0-9]{10}01", "SI": "[0-9]{8}", "SK": "[0-9]{10}",
    "XI": "(?:[0-9]{9}|[0-9]{12})", "NO": "[0-9]{9}MVA", "CHE": "[0-9]{9}(?:MWST|TVA|IVA)?",
}  # fmt: skip
_BY_COUNTRY = {country: Pattern(country + written) for country, written in _FORMATS.items()}
_START = Pattern(
    r"(?P<country>" + "|".join(sorted(_FORMATS, key=len, reverse=True)) + r")[ .-]?[ ]?[A-Z0-9]{1,4}", ignore_case=False
)
_MOST_CHARACTERS = 15
_SEPARATORS = " .-"


def find(text: str) -> list[FoundValue]:
    text = plain(text)
    found: list[FoundValue] = []
    for match in _START.finditer(text):
        start, country = match.start(), match["country"] or ""
        if (start and text[start - 1].isalnum()) or (found and start < found[-1].end):
            continue
        for value, end in reversed(_spellings(text, start)):
            if _BY_COUNTRY[country].fullmatch(value):
                found.append(
                    FoundValue(
                        value, start, end, _confidence(country, value, text[start:end]), {"country": country[:2]}
                    )
                )
                break
    return found


def _spellings(text: str, start: int) -> list[tuple[str, int]]:
    """What the number could be, if it ended at any of the next gaps: with single separators left out."""
    written, ends = "", list[tuple[str, int]]()
    place = start
    while place < len(text) and len(written) < _MOST_CHARACTERS + 3:
        character = text[place]
        if character.isascii() and character.isalnum():
            written += character
            if not text[place + 1 : place + 2].isalnum():
                ends.append((written, place + 1))
        elif character not in _SEPARATORS or text[place - 1] in _SEPARATORS:
            break
        place += 1
    return ends


def _confidence(country: str, value: str, written: str) -> float:
    digits = value[len(country) :]
    check = _CHECKS.get(country)
    if check is not None:
        return 0.97 if check(digits) else 0.4
    return 0.6 if len(digits) < 8 or " " in written[3:] else 0.85  # noqa: PLR2004 - the shorter ones are any code


def _check_de(digits: str) -> bool:
    """ISO 7064, mod 11, 10."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(digits[-1])


def _check_be(digits: str) -> bool:
    return 97 - int(digits[:8]) % 97 == int(digits[8:])


def _check_fr(digits: str) -> bool:
    """Only the newer keys have letters, with another rule."""
    return not digits[:2].isdigit() or int(digits[:2]) == (12 + 3 * (int(digits[2:]) % 97)) % 97


def _check_it(digits: str) -> bool:
    """Luhn."""
    doubled = (2 * int(digit) for digit in digits[1::2])
    return (sum(int(digit) for digit in digits[::2]) + sum(value // 10 + value % 10 for value in doubled)) % 10 == 0


_CHECKS: dict[str, Callable[[str], bool]] = {"DE": _check_de, "BE": _check_be, "FR": _check_fr, "IT": _check_it}
