"""Spans of time as ISO 8601 durations: `twelve (12) months` P12M, `zwei Jahre` P2Y, `a 90-day period` P90D.

`extra` has the number and the unit. Where words and digits differ, as in "twelve (10) months", the digits stand with little confidence.
"""

from functools import cache

from weft.kit.extraction.values.found import FoundValue, without_overlaps
from weft.kit.extraction.values.text import Match, Pattern, plain

_WORDS: dict[int, str] = {
    1: "one a an ein eine einen einem eines einer un une uno una een um uma",
    2: "two zwei deux dos due twee dois duas", 3: "three drei trois tres tre drie três", 4: "four vier quatre cuatro quattro quatro",
    5: "five fünf cinq cinco cinque vijf", 6: "six sechs seis sei zes", 7: "seven sieben sept siete sette zeven sete",
    8: "eight acht huit ocho otto oito", 9: "nine neun neuf nueve nove negen", 10: "ten zehn dix diez dieci tien dez",
    11: "eleven elf onze once undici", 12: "twelve zwölf douze doce dodici twaalf doze", 14: "fourteen vierzehn quatorze",
    15: "fifteen fünfzehn quinze quince quindici vijftien", 18: "eighteen achtzehn", 20: "twenty zwanzig vingt veinte venti twintig vinte",
    24: "twenty-four vierundzwanzig", 30: "thirty dreißig dreissig trente treinta trenta dertig trinta",
    36: "thirty-six sechsunddreißig", 45: "forty-five", 48: "forty-eight", 60: "sixty sechzig soixante sesenta sessanta zestig sessenta",
    90: "ninety neunzig novanta noventa negentig", 120: "one hundred twenty", 180: "one hundred eighty",
}  # fmt: skip
_UNITS: dict[str, str] = {
    "Y": "years year yrs yr jahre jahren jahres jahr années année ans an años año anni anno jaren jaar anos ano",
    "M": "months month monate monaten monats monat mois meses mes mesi mese maanden maand mês",
    "W": "weeks week wochen woche semaines semaine semanas semana settimane settimana weken",
    "D": "days day tage tagen tages tag kalendertage kalendertagen jours jour días dias día dia giorni giorno dagen dag",
}
_UNIT_NAMES = {"Y": "years", "M": "months", "W": "weeks", "D": "days"}
_NUMBER_BY_WORD = {word: number for number, words in _WORDS.items() for word in words.split() if number < 100}  # noqa: PLR2004
_UNIT_BY_WORD = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_ARTICLES = frozenset(_WORDS[1].split()) - {"one", "een", "uno"}
_LIKELY = {"Y": 100, "M": 600, "W": 520, "D": 3660}


def find(text: str) -> list[FoundValue]:
    text = plain(text)
    return without_overlaps([found for match in _pattern().finditer(text) if (found := _duration(text, match))])


@cache
def _pattern() -> Pattern:
    words = "|".join(sorted(_NUMBER_BY_WORD, key=len, reverse=True))
    units = "|".join(sorted(_UNIT_BY_WORD, key=len, reverse=True))
    return Pattern(
        rf"(?:(?P<word>{words})(?:[ -]?[ \n]?[(][ ]?(?P<inner>[0-9]{{1,4}})[ ]?[)])?|(?P<digits>[0-9]{{1,4}})(?:[ ]?[(](?P<told>{words})[)])?)"
        rf"[ -]?[ \n]?(?:consecutive[ ]|calendar[ ]|full[ ]|volle[nr]?[ ]|weitere[nr]?[ ]|further[ ]|additional[ ])?(?P<unit>{units})"
    )


def _duration(text: str, match: Match) -> FoundValue | None:
    start, end = match.start(), match.end()
    if (
        text[end : end + 1].isalnum()
        or text[start - 1 : start].isalnum()
        or text[max(0, start - 1) : start] in {".", ",", "-"}
    ):
        return None
    word = (match["word"] or match["told"] or "").lower()
    digits = match["inner"] or match["digits"]
    number = int(digits) if digits else _NUMBER_BY_WORD[word]
    unit = _UNIT_BY_WORD[(match["unit"] or "").lower()]
    return FoundValue(
        f"P{number}{unit}",
        start,
        end,
        _confidence(number, unit, word, digits),
        {"number": number, "unit": _UNIT_NAMES[unit]},
    )


def _confidence(number: int, unit: str, word: str, digits: str | None) -> float:
    if number == 0 or number > _LIKELY[unit]:
        return 0.2
    if word and digits:
        return 0.97 if _NUMBER_BY_WORD[word] == number else 0.3
    return 0.5 if word in _ARTICLES else 0.92
