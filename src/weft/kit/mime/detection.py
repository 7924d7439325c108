"""From a file to its MIME type."""

import contextlib
from pathlib import Path, PurePath
from typing import Any, cast

import puremagic

from weft.kit.mime.packages import ole_type, zip_type
from weft.kit.mime.texts import decoded, decoded_by_bytes, text_type

OCTETS = "application/octet-stream"
PLAIN = "text/plain"

_HEAD = 64 * 1024
_PDF_WITHIN = 1024
"""Bytes that may stand before a PDF's header, by what readers accept."""
_BEGINNINGS = {b"{\\rtf": "application/rtf", b"%!PS": "application/postscript"}
_SHORTEST_MAGIC = 3
"""Two bytes that fit are no proof."""
_BY_NAME = {
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
}


def content_type(path: Path) -> str:
    """By the content alone. Reads a bounded part of the file, whatever is in it."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    for beginning, found in _BEGINNINGS.items():
        if head.startswith(beginning):
            return found
    if b"%PDF-" in head[:_PDF_WITHIN]:
        return "application/pdf"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return zip_type(path)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return ole_type(path)
    text = decoded(head, whole=len(head) < _HEAD)
    if text is None:
        # Nearly everything is a text in some old encoding, so what is known otherwise goes first.
        known = _by_magic(head)
        text = decoded_by_bytes(head) if known == OCTETS else None
        if text is None:
            return known
    return text_type(text, path)


def with_name(content: str, name: str) -> str:
    """The type of content that has this name: only plain text is told apart by it."""
    return _BY_NAME.get(PurePath(name).suffix.lower(), content) if content == PLAIN else content


def _by_magic(head: bytes) -> str:
    # It raises for what it does not know.
    with contextlib.suppress(puremagic.PureError, ValueError):
        for match in cast("list[Any]", puremagic.magic_string(head)):
            found, matched = str(match.mime_type), bytes(match.byte_match or b"")
            if "/" in found and len(matched) >= _SHORTEST_MAGIC:
                return found
    return OCTETS
