"""Office documents are ZIP archives of XML: what they would unpack to is measured before a library unpacks it."""

import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from weft.kit.parsing.parsed import Limits, broken, encrypted, too_large
from weft.kit.parsing.source import Source

MOST_PARTS = 10_000
SMALL_PART = 8 * 1024 * 1024
"""What a part may unpack to at any ratio."""
_CHUNK = 256 * 1024
_PROLOGUE = 64 * 1024
_HEADER_LENGTH = 30
_ENCRYPTED = 0x1


@contextmanager
def checked_archive(source: Source, limits: Limits) -> Generator[BinaryIO]:
    """The file, once it is known to be harmless. Raises DocumentError where it is not."""
    with source.opened() as file:
        try:
            with ZipFile(file) as archive:
                parts = archive.infolist()
                _check_told(parts, limits)
                _check_real(file, parts, limits)
        except (BadZipFile, OSError, ValueError, NotImplementedError, zlib.error) as error:
            raise broken("The Office document is damaged: its archive cannot be unpacked.") from error
        file.seek(0)
        yield file


def _check_told(parts: list[ZipInfo], limits: Limits) -> None:
    if len(parts) > MOST_PARTS:
        raise too_large(f"The document has {len(parts):,} parts; at most {MOST_PARTS:,} are read.")
    if any(part.flag_bits & _ENCRYPTED for part in parts):
        raise encrypted("The document is encrypted; it has to be saved without a password.")
    told = sum(part.file_size for part in parts)
    if told > limits.unpacked_bytes:
        raise _unpacks_to(told, limits)


def _check_real(file: BinaryIO, parts: list[ZipInfo], limits: Limits) -> None:
    """What the archive says of itself may be a lie, and what reads it may believe the data instead."""
    total = 0
    for part in parts:
        size, prologue = 0, b""
        for chunk in _unpacked(file, part):
            size += len(chunk)
            if len(prologue) < _PROLOGUE:
                prologue += chunk
            if total + size > limits.unpacked_bytes:
                raise _unpacks_to(total + size, limits)
            if size > SMALL_PART and size > limits.ratio * part.compress_size:
                raise too_large(f"A part of the document unpacks to more than {limits.ratio} times its size.")
        total += size
        if part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in prologue.partition(b"<!--")[0].upper():
            # No Office program writes one; what it declares may unfold without end or lead to other files.
            raise broken(f"The part {part.filename[:100]!r} of the document declares a document type.")


def _unpacked(file: BinaryIO, part: ZipInfo) -> Iterator[bytes]:
    """By our own hand: the library stops at the size that the archive tells."""
    file.seek(part.header_offset)
    header = file.read(_HEADER_LENGTH)
    if len(header) < _HEADER_LENGTH or not header.startswith(b"PK\x03\x04"):
        raise BadZipFile("a part has no header")
    file.seek(int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1)
    left = part.compress_size
    if part.compress_type == ZIP_STORED:
        while left > 0 and (chunk := file.read(min(left, _CHUNK))):
            left -= len(chunk)
            yield chunk
    elif part.compress_type == ZIP_DEFLATED:
        unpacking = zlib.decompressobj(-zlib.MAX_WBITS)
        while left > 0 and not unpacking.eof and (packed := file.read(min(left, _CHUNK))):
            left -= len(packed)
            while packed and not unpacking.eof:
                yield unpacking.decompress(packed, _CHUNK)
                packed = unpacking.unconsumed_tail
        yield unpacking.flush()
    else:
        raise broken(f"The document is packed by a method (number {part.compress_type}) that Office does not use.")


def _unpacks_to(size: int, limits: Limits) -> Exception:
    most = limits.unpacked_bytes // (1024 * 1024)
    return too_large(f"The document unpacks to {size // (1024 * 1024):,} MiB or more; at most {most:,} MiB are read.")
