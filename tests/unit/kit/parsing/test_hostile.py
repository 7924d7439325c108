"""Documents that mean harm: what each is refused with, or how little of it is read. In a process with its limits."""

import io
import re
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from made_documents import archive, excel, pdf, word

from weft.kit.parsing.parsed import DocumentError, Limits, Parsed, Wanted
from weft.kit.parsing.reading import read
from weft.kit.parsing.source import Source

MIB = 1024 * 1024
LAUGHS = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><a>&b;</a>'

FAR_AWAY = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1"><v>1</v></c>'
    '</row><row r="4000000000"><c r="ZZZZZZ4000000000"><v>2</v></c></row></sheetData></worksheet>'
)


def parsed(content: bytes, name: str = "", **limits: int) -> Parsed:
    return read(Source(content, name), Wanted(tables=False, attachments=True, limits=Limits(**limits)))


def refused(content: bytes, name: str = "", **limits: int) -> str:
    with pytest.raises(DocumentError) as raised:
        parsed(content, name, **limits)
    return raised.value.code


def repacked(content: bytes, part: str, becomes: str | bytes) -> bytes:
    """An Office file with another part in it."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        return archive({name: becomes if name == part else old.read(name) for name in old.namelist()})


def lying(content: bytes, part: str, size: int) -> bytes:
    """The file, telling a smaller size of this part in both places."""
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        info = old.getinfo(part)
    told, small = info.file_size.to_bytes(4, "little"), size.to_bytes(4, "little")
    place = info.header_offset + 22
    content = content[:place] + small + content[place + 4 :]
    central = content.rindex(b"PK\x01\x02", 0, content.rindex(part.encode()))
    assert content[central + 24 : central + 28] == told
    return content[: central + 24] + small + content[central + 28 :]


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked() -> None:
    bomb = repacked(word(), "word/document.xml", b"a" * (20 * MIB))
    assert refused(bomb) == "DOCUMENT_TOO_LARGE"
    assert refused(word(), unpacked_bytes=1_000) == "DOCUMENT_TOO_LARGE"


def test_an_archive_that_lies_about_its_sizes_is_found_out() -> None:
    for made, part in ((word(), "word/document.xml"), (excel(), "xl/worksheets/sheet1.xml")):
        bomb = lying(repacked(made, part, b"a" * (20 * MIB)), part, 100)
        assert refused(bomb) == "DOCUMENT_TOO_LARGE"


@pytest.mark.parametrize(("made", "part"), [(word(), "word/document.xml"), (excel(), "xl/workbook.xml")])
def test_declared_entities_are_refused(made: bytes, part: str) -> None:
    assert refused(repacked(made, part, LAUGHS)) == "DOCUMENT_BROKEN"
    assert refused(repacked(made, part, "<!-- hidden -->" + LAUGHS.partition("?>")[2])) == "DOCUMENT_BROKEN"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "DOCUMENT_EMPTY"),
        (b"PK\x03\x04 and nothing else", "DOCUMENT_BROKEN"),
        (word()[:-200], "DOCUMENT_BROKEN"),
        (repacked(word(), "word/document.xml", "<w:document"), "DOCUMENT_BROKEN"),
        (repacked(word(), "[Content_Types].xml", "<x/>"), "DOCUMENT_BROKEN"),
        (repacked(excel(), "xl/workbook.xml", "<x>"), "DOCUMENT_BROKEN"),
        (repacked(excel(), "xl/worksheets/sheet1.xml", FAR_AWAY), "DOCUMENT_BROKEN"),
        (archive({"a.txt": "x"}), "FORMAT_UNSUPPORTED"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "FORMAT_UNSUPPORTED"),
        (bytes(range(256)) * 10, "FORMAT_UNSUPPORTED"),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "DOCUMENT_ENCRYPTED",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "WordDocument".encode("utf-16-le"), "FORMAT_UNSUPPORTED"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "Workbook\0".encode("utf-16-le"), "DOCUMENT_BROKEN"),
        (b"[" * 100_000, "FORMAT"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(content: bytes, code: str) -> None:
    if code == "FORMAT":
        assert parsed(content).format == "text"
        code, content = "DOCUMENT_BROKEN", b'{"a":' * 500 + b"1" + b"}" * 500
        assert refused(content, "a.json") == code
    else:
        assert refused(content) == code


def nested_mail(depth: int) -> bytes:
    parts = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(depth)
    )
    return b"From: a@b.c\nTo: d@e.f\nSubject: s\n" + parts + b"Content-Type: text/plain\n\nhello\n"


def mails_within_mails(depth: int) -> bytes:
    return b"From: a@b.c\nTo: d@e.f\nSubject: s\n" + b"Content-Type: message/rfc822\n\n" * depth + b"hello\n"


DEEP: dict[str, Callable[[], bytes]] = {
    "elements in elements": lambda: b"<html>" + b"<div>" * 5_000 + b"deep",
    "tables in tables": lambda: b"<html>" + b"<table><tr><td>" * 20_000 + b"deep",
    "lists in lists": lambda: b"<html>" + b"<ul><li>" * 2_000 + b"deep",
    "comments without end": lambda: b"<!---->" * 5_000 + b"x" + b"<!--" * 5_000,
    "parts in parts of a mail": lambda: nested_mail(300),
    "mails within mails": lambda: mails_within_mails(80),
    "a quote that is never closed": lambda: b'a,b\n1,"2\n' + b"x,y\n" * 500_000,
    "a line of a million fields": lambda: b"a,b\n" + b"," * 1_000_000,
    "a million lines": lambda: b"a,b\n" * 1_000_000,
    "a heading that goes on": lambda: b"# " + b"# " * 500_000 + b"x",
}


@pytest.mark.parametrize("name", DEEP)
def test_what_is_deep_or_wide_takes_no_more_than_its_time(name: str) -> None:
    extension = (
        "csv"
        if "quote" in name or "million" in name
        else "eml"
        if "mail" in name
        else "md"
        if "heading" in name
        else ""
    )
    began = time.process_time()
    with suppress(DocumentError):
        found = parsed(DEEP[name](), f"a.{extension}")
        assert found.truncated or found.text
    assert time.process_time() - began < 8


def test_a_pdf_of_a_hundred_thousand_pages_is_read_up_to_the_limit() -> None:
    content = pdf([[(50.0, 700.0, "x")]])
    kids = re.search(rb"/Count 1/Kids\[(\d+) 0 R\]", content)
    assert kids
    many = content.replace(kids[0], b"/Count 100000/Kids[" + b"%s 0 R " % kids[1] * 100_000 + b"]")
    found = parsed(many)
    assert (len(found.pages), found.truncated) == (2_000, True)


def test_a_page_of_absurd_size_has_lines_of_bounded_length() -> None:
    words = [(50.0, 700.0, "a"), (9_000_000.0, 700.0, "b"), (50.0, -9_000_000.0, "c")]
    (first, _, last) = parsed(pdf([words], size=(10_000_000, 10_000_000))).text.split("\n")
    assert (first.split(), last.split()) == (["a", "b"], ["c"])
    assert len(first) < 1_000


def test_a_compressed_stream_that_unfolds_is_no_way_out() -> None:
    packed = zlib.compress(b"q " * MIB, 9)
    content = pdf([[(50.0, 700.0, "x")]])
    old = re.search(rb"<</Length \d+>>stream\n.*?\nendstream", content, re.DOTALL)
    assert old
    bomb = content.replace(old[0], b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed))
    assert parsed(bomb).text == ""
