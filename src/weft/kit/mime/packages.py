"""Formats that are packages of others: a ZIP or OLE file says itself what it is."""

import re
import zipfile
import zlib
from pathlib import Path
from struct import unpack_from

_ZIP = "application/zip"
_OLE = "application/x-ole-storage"
_MOST_ENTRIES_BYTES = 4 * 1024 * 1024
"""Of an archive's directory. One that is larger, with some ten thousand entries, is just an archive."""
_MOST_DECLARED_BYTES = 256 * 1024
_DECLARED = re.compile(rb"[a-z]+/[A-Za-z0-9.+-]{1,100}")
_OFFICE = "application/vnd.openxmlformats-officedocument."
_MAIN_PARTS = {
    "word/": f"{_OFFICE}wordprocessingml.document",
    "xl/": f"{_OFFICE}spreadsheetml.sheet",
    "ppt/": f"{_OFFICE}presentationml.presentation",
}
_MAIN_TYPES = {
    b"application/vnd.ms-word.document.macroEnabled.main+xml": "application/vnd.ms-word.document.macroEnabled.12",
    b"application/vnd.ms-excel.sheet.macroEnabled.main+xml": "application/vnd.ms-excel.sheet.macroEnabled.12",
    b"application/vnd.ms-excel.sheet.binary.macroEnabled.main": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
    b"application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml": (
        "application/vnd.ms-powerpoint.presentation.macroEnabled.12"
    ),
}
_STREAMS = {
    "EncryptedPackage": "application/vnd.ms-office.encrypted",
    "WordDocument": "application/msword",
    "PowerPoint Document": "application/vnd.ms-powerpoint",
    "Workbook": "application/vnd.ms-excel",
    "Book": "application/vnd.ms-excel",
    "__properties_version1.0": "application/vnd.ms-outlook",
}
_DIRECTORY_ENTRY = 128
_MOST_DIRECTORY_SECTORS = 256


def zip_type(path: Path) -> str:
    try:
        if _directory_size(path) > _MOST_ENTRIES_BYTES:
            return _ZIP
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if "mimetype" in names:
                # OpenDocument and EPUB say it in so many words.
                declared = _read(archive, "mimetype").strip()
                return declared.decode() if _DECLARED.fullmatch(declared) else _ZIP
            if "[Content_Types].xml" not in names:
                return "application/java-archive" if "META-INF/MANIFEST.MF" in names else _ZIP
            return _office_type(_read(archive, "[Content_Types].xml"), names)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error):
        return _ZIP


def _office_type(declared: bytes, names: list[str]) -> str:
    for part, found in _MAIN_TYPES.items():
        if part in declared:
            return found
    main = next((folder for folder in _MAIN_PARTS if any(name.startswith(folder) for name in names)), None)
    return _ZIP if main is None else _MAIN_PARTS[main]


def _read(archive: zipfile.ZipFile, name: str) -> bytes:
    """The beginning of an entry: what it claims to hold unpacked decides nothing."""
    with archive.open(name) as entry:
        return entry.read(_MOST_DECLARED_BYTES)


def _directory_size(path: Path) -> int:
    """Of the ZIP's directory, as its last record has it, before anything is read into memory by it."""
    with path.open("rb") as file:
        file.seek(0, 2)
        size = file.tell()
        file.seek(max(0, size - 65_557))  # the record and the longest comment behind it
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        raise zipfile.BadZipFile
    return int(unpack_from("<I", tail, at + 12)[0])


def ole_type(path: Path) -> str:
    try:
        names = _ole_names(path)
    except (OSError, IndexError, ValueError):
        return _OLE
    return next((found for name, found in _STREAMS.items() if name in names), _OLE)


def _ole_names(path: Path) -> set[str]:
    """The names in the directory of a compound file ([MS-CFB] 2.2 and 2.6), whose sectors the first tables chain up."""
    with path.open("rb") as file:
        header = file.read(512)
        if len(header) < 512:  # noqa: PLR2004 - the size of the header by its specification
            return set()
        shift, first = unpack_from("<H", header, 30)[0], unpack_from("<I", header, 48)[0]
        if shift not in {9, 12}:
            return set()
        size = 1 << shift
        tables = [number for number in unpack_from("<109I", header, 76) if number < 0xFFFFFFFA]  # noqa: PLR2004 - the largest number of a sector

        def sector(number: int) -> bytes:
            file.seek((number + 1) * size)
            return file.read(size)

        names: set[str] = set()
        number = first
        for _ in range(_MOST_DIRECTORY_SECTORS):
            data = sector(number)
            for at in range(0, len(data) - _DIRECTORY_ENTRY + 1, _DIRECTORY_ENTRY):
                length = min(unpack_from("<H", data, at + 64)[0], 64)
                names.add(data[at : at + max(0, length - 2)].decode("utf-16-le", "replace"))
            table, index = divmod(number, size // 4)
            if table >= len(tables):
                break
            chained = sector(tables[table])
            if len(chained) < (index + 1) * 4:
                break
            number = unpack_from("<I", chained, index * 4)[0]
            if number >= 0xFFFFFFFA:  # noqa: PLR2004 - the end of the chain
                break
        return names
