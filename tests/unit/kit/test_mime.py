"""What a file is, whatever its name says."""

import io
import struct
import time
import zipfile
from pathlib import Path

import docx
import pptx
import pytest

from weft.kit.mime import OCTETS, PLAIN, content_type, with_name

OFFICE = "application/vnd.openxmlformats-officedocument."
MAIL = b"Received: from a by b\r\nFrom: a@example.com\r\nTo: b@example.com\r\nSubject: x\r\n\r\nHello\r\n"
XHTML = b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x" "y">\n<html xmlns="http://www.w3.org/1999/xhtml"></html>'


def zipped(entries: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return written.getvalue()


def word() -> bytes:
    written = io.BytesIO()
    docx.Document().save(written)
    return written.getvalue()


def slides() -> bytes:
    written = io.BytesIO()
    pptx.Presentation().save(written)
    return written.getvalue()


def ole(*names: str, sector_shift: int = 9) -> bytes:
    """A compound file whose directory, in its second sector, has these names."""
    size = 1 << sector_shift
    header = bytearray(512)
    header[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<H", header, 30, sector_shift)
    struct.pack_into("<I", header, 48, 1)
    struct.pack_into("<109I", header, 76, 0, *[0xFFFFFFFF] * 108)
    table = struct.pack(f"<{size // 4}I", 0xFFFFFFFD, 0xFFFFFFFE, *[0xFFFFFFFF] * (size // 4 - 2))
    entries = b"".join(
        name.encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", len(name) * 2 + 2) + bytes(62)
        for name in ("Root Entry", *names)
    )
    return bytes(header).ljust(size, b"\0") + table + entries.ljust(size, b"\0")


def office(main: str, folder: str) -> bytes:
    declared = f'<Types><Override PartName="/{folder}/x.xml" ContentType="{main}"/></Types>'
    return zipped({"[Content_Types].xml": declared.encode(), f"{folder}/x.xml": b"<x/>"})


KINDS = {
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf"),
    "pdf behind rubbish": (b"\0" * 100 + b"%PDF-1.4\n", "application/pdf"),
    "rtf": (b"{\\rtf1\\ansi Hello}", "application/rtf"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(40), "image/png"),
    "jpeg": (b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(40), "image/jpeg"),
    "tiff": (b"II*\0" + bytes(40), "image/tiff"),
    "gzip": (b"\x1f\x8b\x08\0" + bytes(40), "application/x-gzip"),
    "word": (word(), f"{OFFICE}wordprocessingml.document"),
    "slides": (slides(), f"{OFFICE}presentationml.presentation"),
    "sheet": (office(f"{OFFICE}spreadsheetml.sheet.main+xml", "xl"), f"{OFFICE}spreadsheetml.sheet"),
    "sheet with macros": (
        office("application/vnd.ms-excel.sheet.macroEnabled.main+xml", "xl"),
        "application/vnd.ms-excel.sheet.macroEnabled.12",
    ),
    "ods": (
        zipped({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b""}),
        "application/vnd.oasis.opendocument.spreadsheet",
    ),
    "zip with a lying mimetype": (zipped({"mimetype": b"<script>"}), "application/zip"),
    "zip": (zipped({"word.txt": b"x"}), "application/zip"),
    "broken zip": (b"PK\x03\x04" + b"x" * 500, "application/zip"),
    "doc": (ole("WordDocument"), "application/msword"),
    "xls": (ole("Workbook", sector_shift=12), "application/vnd.ms-excel"),
    "msg": (ole("__properties_version1.0"), "application/vnd.ms-outlook"),
    "encrypted office": (ole("EncryptionInfo", "EncryptedPackage"), "application/vnd.ms-office.encrypted"),
    "broken ole": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 300, "application/x-ole-storage"),
    "html": (b"\n<!-- a -->\n<!DOCTYPE html>\n<html>", "text/html"),
    "part of html": (b"<p class='x'>Hello</p>", "text/html"),
    "xhtml": (XHTML, "application/xhtml+xml"),
    "xml": (b'\xef\xbb\xbf<?xml version="1.0"?><rsm:Invoice xmlns:rsm="x"/>', "application/xml"),
    "xml in utf-16": ("\ufeff<?xml version='1.0'?><a/>".encode("utf-16-le"), "application/xml"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "image/svg+xml"),
    "text with an angle": (b"<3 you all", PLAIN),
    "json": (b' {"a": [1, 2]}\n', "application/json"),
    "json lines": (b'{"a": 1}\n{"a": 2}\n', "application/x-ndjson"),
    "text in braces": (b"{not json}", PLAIN),
    "mail": (MAIL, "message/rfc822"),
    "text with a colon": (b"Subject: only one\nand text\n", PLAIN),
    "text": ("Überweisung\n".encode(), PLAIN),
    "text in latin-1": ("Überweisung für Jürgen\n".encode("latin-1"), PLAIN),
    "text in utf-16": ("Überweisung".encode("utf-16"), PLAIN),
    "text in utf-16 without its mark": ("An invoice\r\n".encode("utf-16-be"), PLAIN),
    "unknown bytes": (bytes(range(256)), OCTETS),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["lie.pdf", "lie.html", "no name"])
def test_a_name_deceives_nobody_about_what_a_file_is(tmp_path: Path, kind: str, name: str) -> None:
    content, expected = KINDS[kind]
    path = tmp_path / name
    path.write_bytes(content)
    found = content_type(path)
    assert (found, with_name(found, name)) == (expected, expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", "text/csv"),
        ("a.TSV", "text/tab-separated-values"),
        ("README.md", "text/markdown"),
        ("a.html", PLAIN),
        ("a.pdf", PLAIN),
        ("csv", PLAIN),
    ],
)
def test_a_name_tells_kinds_of_plain_text_apart(name: str, expected: str) -> None:
    assert with_name(PLAIN, name) == expected
    assert with_name("text/html", name) == "text/html"


def test_a_letter_that_is_cut_at_the_end_of_what_is_looked_at_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"x" + "ü".encode() * 60_000)
    assert content_type(path) == PLAIN


def deflated_zeros() -> bytes:
    return zipped({"mimetype": bytes(50_000_000)})


HOSTILE = {
    "a bomb for a mimetype": deflated_zeros(),
    "many entries": zipped({f"{number:05}": b"" for number in range(20_000)}),
    "comments without an end": b"<!--" * 20_000,
    "a doctype without an end": b"<!doctype " + b"a" * 70_000,
    "spaces": b"<!doctype" + b" " * 70_000,
    "nested json": b"[" * 70_000,
    "fields without an end": b"a" * 70_000,
    "an endless chain": ole("x").replace(struct.pack("<I", 0xFFFFFFFE), struct.pack("<I", 1)),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_a_stranger_sends_takes_no_time(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(HOSTILE[kind])
    started = time.process_time()
    assert "/" in content_type(path)
    assert time.process_time() - started < 0.5
