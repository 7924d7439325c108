"""International bank account numbers (ISO 13616): the length of the country and the check digits have to be right."""

from weft.kit.extraction.values.found import FoundValue
from weft.kit.extraction.values.text import Pattern, plain

_START = Pattern(r"[A-Z]{2}[0-9]{2}")
_LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 "
    "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 "
    "LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 "
    "SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
)
LENGTH_BY_COUNTRY = {entry[:2]: int(entry[2:]) for entry in _LENGTHS.split()}


def find(text: str) -> list[FoundValue]:
    text = plain(text)
    found: list[FoundValue] = []
    for match in _START.finditer(text):
        start = match.start()
        end = _end(text, start)
        if end is None or (found and start < found[-1].end) or (start and text[start - 1].isalnum()):
            continue
        value = "".join(text[start:end].split()).upper()
        if is_valid(value):
            found.append(FoundValue(value, start, end, 0.99, {"country": value[:2]}))
    return found


def is_valid(value: str) -> bool:
    """Written without spaces."""
    if not (value.isascii() and value.isalnum()) or LENGTH_BY_COUNTRY.get(value[:2].upper()) != len(value):
        return False
    return int("".join(str(int(character, 36)) for character in value[4:] + value[:4])) % 97 == 1


def _end(text: str, start: int) -> int | None:
    """Behind the last character of as many as the country has; single spaces between them do not count."""
    missing = LENGTH_BY_COUNTRY.get(text[start : start + 2].upper(), 0)
    place = start
    while missing and place < len(text):
        character = text[place]
        if character.isascii() and character.isalnum():
            missing -= 1
        elif character != " " or text[place - 1] == " ":
            return None
        place += 1
    following = text[place : place + 1]
    return place if place > start and not missing and not following.isalnum() else None
