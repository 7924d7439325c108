"""Languages that people speak, by their names in seven languages, as ISO 639 codes."""

from functools import cache

from babel import Locale

from weft.kit.extraction.values.calendar import LANGUAGES
from weft.kit.extraction.values.found import FoundValue
from weft.kit.extraction.values.text import Pattern, plain

_WORD = Pattern(r"[\pL\pM]{4,20}")
_CODES = """
    en de fr es it nl pt pl cs sk hu ro bg el tr ru uk sr hr sl da sv nb no fi et lv lt ar he fa hi bn ur ta te pa zh ja ko vi th id ms tl
    sw am ca eu gl ga cy is sq mk bs af
"""
_SPOKEN = _CODES.split()


def find(text: str) -> list[FoundValue]:
    text = plain(text)
    names = _codes()
    return [
        FoundValue(names[name], match.start(), match.end(), 0.8, {"name": match[0]})
        for match in _WORD.finditer(text)
        if (name := (match[0] or "").casefold()) in names and (match[0] or "")[0].isupper()
    ]


@cache
def _codes() -> dict[str, str]:
    """Names of one word only; in English last, where two languages use one word for different tongues."""
    return {
        str(Locale(language).languages[code]).casefold(): code
        for language in reversed(LANGUAGES)
        for code in _SPOKEN
        if code in Locale(language).languages
    } | {"mandarin": "zh", "farsi": "fa"}
