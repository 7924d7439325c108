"""Phone numbers as E.164, by the numbering plans of `phonenumbers`.

A number that starts with + says its country. For others `country` (ISO, "DE") is taken; without it the digits are given as they are
written, with little confidence, as every long number looks like one.
"""

import phonenumbers

from weft.kit.extraction.values.found import FoundValue
from weft.kit.extraction.values.text import Match, Pattern, plain

_CANDIDATE = Pattern(
    r"(?:[+]|00|[(][+]?)?[0-9](?:[ ]{0,2}[()./-]{0,2}[ ]{0,2}[0-9]){5,16}(?P<extension>[ ]{0,2}(?:ext[.]?|x|durchwahl)[ ]?[0-9]{1,6})?"
)
_LABEL = Pattern(
    r"(?:tel|telefon|telephone|téléphone|telefono|teléfono|phone|fon|mobile?|mobil|móvil|handy|cell|ph|t|m|p|portable|gsm)"
    r"(?:[ ]?(?:no|nr|number|nummer))?[.:]{0,2}[ ]{0,3}[|:]?[ ]{0,3}$"
)
_FAX = Pattern(r"(?:fax|telefax|f)[.:]{0,2}[ ]{0,3}$")
_WINDOW = 24


def find(text: str, *, country: str | None = None) -> list[FoundValue]:
    text = plain(text)
    return [found for match in _CANDIDATE.finditer(text) if (found := _number(text, match, country))]


def _number(text: str, match: Match, country: str | None) -> FoundValue | None:
    start, end, written = match.start(), match.end(), match[0] or ""
    before = text[max(0, start - _WINDOW) : start].rpartition("\n")[2]
    joint, after = before[-1:], text[end : end + 2]
    if (
        joint.isalnum()
        or joint in {"/", "_", "="}
        or after[:1].isalnum()
        or (after[:1] in {".", ",", "-"} and after[1:].isdigit())
    ):
        return None
    is_labelled = _LABEL.search(before) is not None and _FAX.search(before) is None
    extra = {"fax": True} if _FAX.search(before) else {}
    parsed = _parsed(written, country)
    if parsed is None:
        if not is_labelled or written.lstrip("(").startswith("+"):
            return None
        return FoundValue(" ".join(written.split()), start, end, 0.5, extra)
    value = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    region = phonenumbers.region_code_for_number(parsed)
    says_country = written.lstrip("(").startswith(("+", "00"))
    sure = 0.95 if says_country else (0.85 if is_labelled else 0.5)
    if parsed.extension:
        extra = {**extra, "extension": parsed.extension}
    return FoundValue(value, start, end, sure, {**extra, "country": region})


def _parsed(written: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    international = written.lstrip("(").startswith("00")
    if international:
        written = "+" + written.lstrip("(")[2:]
    if not written.lstrip("(").startswith("+") and country is None:
        return None
    try:
        number = phonenumbers.parse(written.replace("(+", "+", 1), country)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_valid_number(number) else None
