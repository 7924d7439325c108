"""JSONL files: one JSON object per line."""

from collections.abc import Iterator, Sequence

import orjson

from weft.operations.import_files import FileRow, UnusableFile, is_blank, refuse_encoding, refuse_length, refuse_utf16
from weft.operations.import_lines import CutLine
from weft.operations.records import refuse


class JsonlReader:
    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._line = 0
        self._begun = False

    def read(self, lines: Sequence[bytes]) -> Iterator[FileRow]:
        first, self._line = self._line + 1, self._line + len(lines)
        for number, line in enumerate(lines, first):
            if not self._begun and not is_blank(line):
                self._begin(line)
            if isinstance(line, CutLine):
                yield refuse_length(number, line, self._longest)
                continue
            try:
                yield number, line, orjson.loads(line), None
            except orjson.JSONDecodeError as error:
                if not is_blank(line):
                    yield _refuse_json(number, line, error)

    def close(self) -> Iterator[FileRow]:
        return iter(())

    def _begin(self, line: bytes) -> None:
        refuse_utf16(line)
        if line.lstrip().startswith(b"["):
            raise UnusableFile(
                "The file begins with a JSON list. JSONL has one object per line, without commas between them."
            )
        self._begun = True


def _refuse_json(number: int, line: bytes, error: orjson.JSONDecodeError) -> FileRow:
    try:
        line.decode()
    except UnicodeDecodeError as wrong:
        return refuse_encoding(number, line, wrong)
    return number, line, refuse(f"The line is not JSON: {error.msg} at column {error.colno}."), None
