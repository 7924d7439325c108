"""Text as labels are compared in: lower case, no accents, and every character still at its place.

A fold that changed the length would move what stands behind it, and a value could not be shown where it was found.
"""

import unicodedata
from itertools import chain

_ALIKE = {
    "\N{NO-BREAK SPACE}": " ", "\N{NARROW NO-BREAK SPACE}": " ", "\N{THIN SPACE}": " ", "\t": " ",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'", "\N{MODIFIER LETTER APOSTROPHE}": "'", "`": "'",
    "\N{HYPHEN}": "-", "\N{NON-BREAKING HYPHEN}": "-", "\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{MINUS SIGN}": "-",
    "\N{MASCULINE ORDINAL INDICATOR}": "\N{DEGREE SIGN}", "\N{FULLWIDTH COLON}": ":", "\N{SOFT HYPHEN}": "-",
}  # fmt: skip
_LATIN = range(0xC0, 0x250)
_LATIN_MORE = range(0x1E00, 0x1F00)


def _plain(character: str) -> str:
    lower = unicodedata.normalize("NFD", character.lower())[0]
    return lower if len(lower) == 1 else character


_TABLE = {
    **{code: chr(code).lower() for code in range(0x41, 0x5B)},
    **{code: _plain(chr(code)) for code in chain(_LATIN, _LATIN_MORE)},
    **{ord(character): alike for character, alike in _ALIKE.items()},
}


def folded(text: str) -> str:
    """As long as the text itself."""
    plain = text.translate(_TABLE)
    if plain.isascii():
        return plain
    lower = plain.lower()
    return lower if len(lower) == len(plain) else plain


def spoken(text: str) -> str:
    """Its words alone, each between two spaces: to look for whole words in it."""
    words = "".join(character if character.isalnum() else " " for character in folded(text)).split()
    return f" {' '.join(words)} "
