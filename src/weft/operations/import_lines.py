"""The lines of a file that arrives in pieces."""

LONGEST_EXCERPT = 200
"""Bytes kept of a line that is too long."""
_UTF8_MARK = b"\xef\xbb\xbf"


class CutLine(bytes):
    """The start of a line that is longer than allowed. The rest of it was not kept."""

    __slots__ = ()


class LineSplitter:
    """Splits at line feeds, and holds at most one unfinished line, up to its allowed length."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._pieces: list[bytes] = []  # joined only at the end of the line, or tiny pieces would cost the square
        self._length = 0
        self._start = True

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in this piece."""
        if b"\n" not in data:
            self._hold(data)
            return []
        first, *lines = data.split(b"\n")
        self._hold(first)
        lines.insert(0, self._take())
        self._hold(lines.pop())
        return [line if len(line) <= self._longest else _cut(line) for line in lines]

    def close(self) -> list[bytes]:
        """The last line, where the file does not end with a line break."""
        return [self._take()] if self._length else []

    def _hold(self, data: bytes) -> None:
        if not data:
            return
        self._length += len(data)
        if self._length <= self._longest or not self._pieces:
            self._pieces.append(data[: self._longest + 1])

    def _take(self) -> bytes:
        line = b"".join(self._pieces)
        too_long = self._length > self._longest
        self._pieces, self._length = [], 0
        if self._start:
            self._start = False
            line = line.removeprefix(_UTF8_MARK)
        return _cut(line) if too_long else line


def _cut(line: bytes) -> CutLine:
    return line if isinstance(line, CutLine) else CutLine(line[:LONGEST_EXCERPT])
