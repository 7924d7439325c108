"""Bytes as text: by their byte order mark, as UTF-8, or by what is likely."""

import codecs
import re
from typing import NamedTuple

from charset_normalizer import from_bytes

from weft.kit.parsing.cleaning import clean

SAMPLE_BYTES = 32 * 1024
"""What the guess is made by: the work grows with it."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WITHOUT_LATIN = re.compile(
    "[\u0370-\u06ff\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)  # Greek to Arabic, Thai, kana, Chinese characters, Hangul
_EUROPEAN = ("cp1252", "cp1250", "iso8859_2")
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


class Decoded(NamedTuple):
    text: str
    encoding: str


def decoded(content: bytes, declared: str | None = None) -> Decoded:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _as(content[len(mark) :], encoding)
    if (wide := _wide(content)) is not None:
        return _as(content, wide)
    try:
        return Decoded(clean(content.decode("utf-8")), "utf-8")
    except UnicodeDecodeError as error:
        if error.start > len(content) - 4:  # cut within its last character
            return _as(content, "utf-8")
    if declared is not None and (known := _known(declared)) is not None:
        return _as(content, known)
    return _as(content, _likely(content[:SAMPLE_BYTES]))


def looks_like_text(content: bytes) -> bool:
    sample = content[:SAMPLE_BYTES]
    if sample.startswith(tuple(mark for mark, _ in _MARKS)) or _wide(sample) is not None:
        return True
    return 100 * len(_CONTROLS.findall(sample)) <= len(sample)


def _as(content: bytes, encoding: str) -> Decoded:
    return Decoded(clean(content.decode(encoding, "replace")), encoding)


def _wide(content: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of Western text is zero there."""
    sample = content[:SAMPLE_BYTES]
    half = len(sample) // 2
    if half < 2 or len(content) % 2:  # noqa: PLR2004 - one character proves nothing
        return None
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if odd > 0.4 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * half and odd < 0.05 * half else None


def _known(encoding: str) -> str | None:
    try:
        return codecs.lookup(encoding).name
    except (LookupError, ValueError):
        return None


def _likely(sample: bytes) -> str:
    """Statistics tell scripts apart well, and the European code pages badly: those are told apart by their letters."""
    best = from_bytes(sample, cp_exclusion=["utf_16", "utf_16_le", "utf_16_be", "utf_7"]).best()
    if best is not None:
        beyond_ascii = [character for character in str(best) if character > "\x7f"]
        foreign = sum(1 for character in beyond_ascii if _WITHOUT_LATIN.match(character))
        if foreign > 0.7 * len(beyond_ascii):
            return best.encoding
    return max(_EUROPEAN, key=lambda encoding: _letters(sample, encoding))


def _letters(sample: bytes, encoding: str) -> int:
    text = sample.decode(encoding, "replace")
    return sum(1 if letter.isalpha() else -1 for letter in text if letter > "\x7f" and letter not in "€°§–„“”’")  # noqa: RUF001 - they are the point
