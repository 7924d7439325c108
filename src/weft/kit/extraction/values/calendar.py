"""The names of months in the seven languages, and which dates exist."""

from collections.abc import Collection
from datetime import date

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt")

_MONTHS: dict[str, str] = {
    "en": "jan january|feb february|mar march|apr april|may|jun june|jul july|aug august|sep sept september|oct october|"
    "nov november|dec december",
    "de": "jan januar jän jänner|feb februar feber|mär märz maerz mrz|apr april|mai|jun juni|jul juli|aug august|"
    "sep sept september|okt oktober|nov november|dez dezember",
    "fr": "janv janvier|févr février fevr fevrier fév|mars|avr avril|mai|juin|juil juillet|août aout|sept septembre|"
    "oct octobre|nov novembre|déc décembre dec decembre",
    "es": "ene enero|feb febrero|mar marzo|abr abril|may mayo|jun junio|jul julio|ago agosto|sep sept septiembre setiembre|"
    "oct octubre|nov noviembre|dic diciembre",
    "it": "gen gennaio|feb febbraio|mar marzo|apr aprile|mag maggio|giu giugno|lug luglio|ago agosto|set sett settembre|"
    "ott ottobre|nov novembre|dic dicembre",
    "nl": "jan januari|feb februari|mrt maart|apr april|mei|jun juni|jul juli|aug augustus|sep sept september|"
    "okt oktober|nov november|dec december",
    "pt": "jan janeiro|fev fevereiro|mar março marco|abr abril|mai maio|jun junho|jul julho|ago agosto|set setembro|"
    "out outubro|nov novembro|dez dezembro",
}

MONTH_BY_NAME: dict[str, dict[str, int]] = {
    language: {name: number for number, group in enumerate(names.split("|"), 1) for name in group.split()}
    for language, names in _MONTHS.items()
}

_USUAL_YEARS = range(1800, 2200)
_FIRST_YEAR_OF_THE_LAST_CENTURY = 69  # as POSIX reads two digits


def months(languages: Collection[str] | None = None) -> dict[str, int]:
    """Every name and abbreviation with its number. No name means different months in two of the languages."""
    chosen = [language for language in LANGUAGES if languages is None or language in languages] or LANGUAGES
    return {name: number for language in chosen for name, number in MONTH_BY_NAME[language].items()}


def month_pattern(names: Collection[str]) -> str:
    """Longest first: RE2 takes the first alternative that fits."""
    return "(?:" + "|".join(sorted(names, key=lambda name: (-len(name), name))) + ")"


def iso(year: int, month: int, day: int) -> str | None:
    """None where there is no such day."""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def is_usual(year: int) -> bool:
    return year in _USUAL_YEARS


def full_year(digits: str) -> int:
    year = int(digits)
    if len(digits) > 2:  # noqa: PLR2004 - of two digits the century is left out
        return year
    return year + (1900 if year >= _FIRST_YEAR_OF_THE_LAST_CENTURY else 2000)
