"""From the bytes of a file to checked rows: every way a file can be wrong, without a database."""

from collections import deque
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.domain.ids import new_id
from weft.domain.imports import Import, ImportFormat, ImportStatus, OnConflict
from weft.operations.import_duplicates import SeenTexts
from weft.operations.import_files import UnusableFile
from weft.operations.import_lines import CutLine, LineSplitter
from weft.operations.import_rows import ImportRows, RowBatch

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "year": {"type": "integer"},
        "rating": {"type": ["number", "null"]},
        "seen": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["title"],
}


def import_of(form: ImportFormat, field: str | None = "id", rows_read: int = 0) -> Import:
    return Import(
        id=new_id(), workspace_id=new_id(), entity_type_id=new_id(), format=form, on_conflict=OnConflict.UPDATE,
        external_id_field=field, status=ImportStatus.RUNNING, rows_read=rows_read, created=0, updated=0, skipped=0,
        failed=0, bytes_read=0, revision=1, error=None, created_at=datetime.now(UTC), started_at=None, finished_at=None,
    )  # fmt: skip


def read(
    text: str | bytes,
    form: ImportFormat = ImportFormat.JSONL,
    *,
    field: str | None = "id",
    schema: dict[str, Any] = SCHEMA,
    piece: int = 7,
    skip: int = 0,
    longest: int = 1_000,
) -> RowBatch:
    data = text if isinstance(text, bytes) else text.encode()
    rows = ImportRows(import_of(form, field, skip), schema, longest_row=longest, errors_kept=100)
    for start in range(0, len(data), piece):
        rows.feed(data[start : start + piece])
    rows.close()
    batch = rows.take_batch()
    deque(rows.seen.catch_up())
    batch.reject_repeated(rows.seen, field or "")
    return batch


def records(batch: RowBatch) -> dict[str | None, Any]:
    return {key: orjson.loads(data) for key, data in zip(batch.rows.external_ids, batch.rows.data, strict=True)}


def refusals(batch: RowBatch) -> dict[int, str]:
    return {row.line: row.message for row in batch.rejected}


def test_jsonl_rows_are_taken_whatever_the_pieces_they_come_in() -> None:
    text = '\ufeff{"id":"a","title":"A","rating":5}\r\n\n  \n{"id":7,"title":"B"}'
    for piece in (1, 3, 1000):
        batch = read(text.replace('"id":7', '"id":"7"'), piece=piece)
        assert records(batch) == {"a": {"id": "a", "title": "A", "rating": 5.0}, "7": {"id": "7", "title": "B"}}
        assert batch.rows.numbers == [1, 4]
        assert (batch.rows_read, batch.failed) == (2, 0)


def test_every_broken_line_is_refused_alone_with_its_reason() -> None:
    batch = read(
        b'{"id":"1","title":\n'
        b"[1]\n"
        b'"text"\n'
        b'{"id":"4","title":5}\n'
        b'{"id":"5"}\n'
        b'{"id":"6","title":"\xff"}\n'
        b'{"title":"no id"}\n'
        b'{"id":"ok","title":"fine"}\n'
        b'{"id":"ok","title":"again"}\n'
        b'{"id":"10","title":"a\\u0000b"}\n'
        b'{"id":"11","title":"' + b"x" * 2000 + b'"}\n'
        b'{"id":"","title":"empty id"}\n'
        b'{"id":"13","title":"C:\\\\u0000"}\n'
    )
    assert records(batch) == {
        "ok": {"id": "ok", "title": "fine"},
        "13": {"id": "13", "title": "C:\\u0000"},
    }
    found = refusals(batch)
    assert sorted(found) == [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12]
    assert "not JSON" in found[1]
    assert "a list" in found[2]
    assert "this is text" in found[3]
    assert found[4].startswith("title: ")
    assert found[5] == "title: is missing"
    assert found[6] == "Byte 20 of the row is not valid UTF-8."
    assert found[7] == "The external id is missing."
    assert "more than once in this file" in found[9]
    assert "NUL" in found[10]
    assert "more than 1,000 bytes" in found[11]
    assert "empty" in found[12]
    assert all(len(row.excerpt) <= 200 for row in batch.rejected)
    assert [row.path for row in batch.rejected if row.line == 10] == [("title",)]


@pytest.mark.parametrize(("start", "word"), [(b"[\n{}\n]", "JSON list"), (b'\xff\xfe{\x00"\x00\n', "UTF-16")])
def test_a_file_that_is_no_jsonl_at_all_is_refused_as_a_whole(start: bytes, word: str) -> None:
    with pytest.raises(UnusableFile, match=word):
        read(start)


def test_a_deeply_nested_line_is_refused_and_nothing_breaks() -> None:
    batch = read('{"id":"1","title":"t","x":' + "[" * 300 + "]" * 300 + "}\n", longest=10_000)
    assert batch.failed == 1


def test_an_external_id_that_the_schema_does_not_declare_is_not_stored_in_the_data() -> None:
    batch = read('{"key":12,"title":"A"}', field="key")
    assert records(batch) == {"12": {"title": "A"}}


def test_rows_read_before_are_skipped_but_still_count_as_seen() -> None:
    text = '{"id":"a","title":"A"}\nbroken\n{"id":"a","title":"again"}\n{"id":"b","title":"B"}\n'
    batch = read(text, skip=2)
    assert records(batch) == {"b": {"id": "b", "title": "B"}}
    assert (batch.rows_read, list(refusals(batch))) == (2, [3])


def test_a_shorter_file_than_before_is_not_the_same_file() -> None:
    with pytest.raises(UnusableFile, match="not the same file"):
        read('{"id":"a","title":"A"}\n', skip=2)


def test_csv_cells_become_values_of_the_schemas_types() -> None:
    batch = read(
        'id,title,year,rating,seen,tags\r\na,A,1999,7,true,"[""x""]"\r\nb,"two\r\nlines, ""quoted""",2000.0,,NO,\r\n\r\n',
        ImportFormat.CSV,
    )
    assert records(batch) == {
        "a": {"id": "a", "title": "A", "year": 1999, "rating": 7.0, "seen": True, "tags": ["x"]},
        "b": {"id": "b", "title": 'two\r\nlines, "quoted"', "year": 2000, "rating": None, "seen": False},
    }
    assert batch.rows.numbers == [2, 3]


def test_every_broken_csv_row_is_refused_alone_with_its_reason() -> None:
    batch = read(
        b"id,title,year\n"
        b"1,A\n"
        b"2,B,nineteen\n"
        b"3,\xff,1990\n"
        b'4,"a"b,1990\n'
        b'5,5" pipe,1990\n'
        b"6," + b"x" * 2000 + b",1\n"
        b"7,ok,1990\n"
        b'8,"never closed,1990\n',
        ImportFormat.CSV,
    )
    assert list(records(batch)) == ["5", "7"]
    found = refusals(batch)
    assert found[2] == "The row has 2 fields, the header 3."
    assert found[3] == "year: 'nineteen' is not a whole number"
    assert "not valid UTF-8" in found[4]
    assert "not CSV" in found[5]
    assert "more than 1,000 bytes" in found[7]
    assert "not closed" in found[9]


def test_an_open_quote_takes_no_more_memory_than_a_row_may() -> None:
    text = 'id,title\n1,"open\n' + "a,b\n" * 1000 + "2,fine\n"
    batch = read(text, ImportFormat.CSV)
    assert refusals(batch)[2].startswith("The row has more than 1,000 bytes")
    assert "2" in records(batch)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("id,title,title", "more than once: 'title'"),
        ("id,tilte", r"nothing of: 'tilte' \(did you mean"),
        ("id,year", "columns that every record must have: 'title'"),
        ("title,year", "no column 'id'"),
        ("id,,title", "Column 2 of the header has no name"),
        ("", "The file is empty"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_before_any_row(header: str, message: str) -> None:
    with pytest.raises(UnusableFile, match=message):
        read(header + "\n", ImportFormat.CSV)


def test_semicolons_and_tabs_separate_too() -> None:
    assert records(read("id;title\na;A,B\n", ImportFormat.CSV)) == {"a": {"id": "a", "title": "A,B"}}
    assert records(read("id\ttitle\na\tA\n", ImportFormat.CSV)) == {"a": {"id": "a", "title": "A"}}


@given(
    rows=st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12)), max_size=8),
    piece=st.integers(1, 40),
)
def test_whatever_is_written_as_csv_is_read_again(rows: list[tuple[str, str]], piece: int) -> None:
    rows = [(a, b) for a, b in rows if "\0" not in a + b and "\r" not in a + b]
    text = "title,b\n" + "".join(
        f'"{a.replace(chr(34), chr(34) * 2)}","{b.replace(chr(34), chr(34) * 2)}"\n' for a, b in rows
    )
    schema = {"type": "object", "properties": {"title": {"type": "string"}, "b": {"type": "string"}}}
    batch = read(text, ImportFormat.CSV, field=None, schema=schema, piece=piece)
    assert [orjson.loads(data) for data in batch.rows.data] == [{"title": a, "b": b} for a, b in rows]


@given(data=st.binary(max_size=200), pieces=st.lists(st.integers(1, 50)), longest=st.integers(1, 60))
def test_lines_are_the_same_however_the_bytes_arrive(data: bytes, pieces: list[int], longest: int) -> None:
    data = data.replace(b"\xef", b"\n")
    splitter, rest, lines = LineSplitter(longest), data, list[bytes]()
    for piece in pieces:
        lines += splitter.feed(rest[:piece])
        rest = rest[piece:]
    lines += splitter.feed(rest) + splitter.close()
    expected = data.removesuffix(b"\n").split(b"\n") if data else []
    assert len(lines) == len(expected)
    for line, whole in zip(lines, expected, strict=True):
        assert isinstance(line, CutLine) == (len(whole) > longest)
        assert whole.startswith(line) if isinstance(line, CutLine) else whole == line


def test_a_text_is_new_exactly_once() -> None:
    seen = SeenTexts()
    texts = [f"text {number}" for number in range(50_000)]
    assert all(seen.add(text) for text in texts)
    assert not any(seen.add(text) for text in texts)


def test_remembered_texts_are_seen_once_they_are_caught_up_with() -> None:
    seen = SeenTexts()
    seen.remember(f"text {number}" for number in range(10_000))
    assert len(deque(seen.catch_up())) > 1
    seen.remember(["late"])
    assert len(deque(seen.catch_up())) == 1
    assert not any(seen.add(text) for text in ("text 0", "text 9999", "late"))
    assert seen.add("text 10000")
