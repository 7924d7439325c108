"""What a PDF says about itself."""

import ctypes
import re
from typing import Any

import pypdfium2.raw as pdfium
from pypdfium2 import PdfDocument

from weft.kit.parsing.cleaning import clean

_KEYS = {
    "title": b"Title\0",
    "author": b"Author\0",
    "subject": b"Subject\0",
    "keywords": b"Keywords\0",
    "creator": b"Creator\0",
    "producer": b"Producer\0",
}
_TIMES = {"createdAt": b"CreationDate\0", "modifiedAt": b"ModDate\0"}
_MOST_BYTES = 4_000

_DATE = re.compile(r"D?:?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-])(\d\d)'?(\d\d)?'?)?")


def metadata_of(document: PdfDocument) -> dict[str, Any]:
    buffer = ctypes.create_string_buffer(_MOST_BYTES)

    def value(key: bytes) -> str:
        length = min(pdfium.FPDF_GetMetaText(document.raw, key, buffer, _MOST_BYTES), _MOST_BYTES)
        return clean(buffer.raw[: max(0, length - 2)].decode("utf-16-le", "replace")).strip() if length > 2 else ""  # noqa: PLR2004 - the zero at the end

    found: dict[str, Any] = {name: text for name, key in _KEYS.items() if (text := value(key))}
    found |= {name: time for name, key in _TIMES.items() if (time := iso_time(value(key)))}
    return found


def iso_time(text: str) -> str | None:
    """`D:20240131120000+01'00'` as ISO 8601; None for what is no time."""
    match = _DATE.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, utc, sign, zone_hour, zone_minute = match.groups()
    zone = "Z" if utc else f"{sign}{zone_hour}:{zone_minute or '00'}" if sign else ""
    date = f"{year}-{month or '01'}-{day or '01'}"
    return f"{date}T{hour}:{minute or '00'}:{second or '00'}{zone}" if hour else date
