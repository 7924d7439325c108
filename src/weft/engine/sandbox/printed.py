"""What the code in a sandbox prints: read all the time, so that it never waits for us, and only its end kept."""

import asyncio
import os

PRINTED_KEPT = 4_096
"""The end of what a call printed: the reason of a crash stands there."""

_READ_BYTES = 64 * 1024
_MOST_READS = 32
"""More than a pipe holds; what keeps printing after its answer is not waited for."""


class Printed:
    """The end of what a sandbox wrote to its standard output and error."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._kept = b""
        self._left_out = 0
        os.set_blocking(fd, False)
        asyncio.get_running_loop().add_reader(fd, self._read)

    @property
    def end(self) -> bytes:
        """What `take` would give, left there; complete once it is closed."""
        return self._kept

    def take(self) -> str:
        """Since the last time, at most PRINTED_KEPT bytes. After an answer everything before it is there."""
        self._read_all()
        text = self._kept.decode(errors="replace").replace("\x00", "�").strip()
        left_out, self._kept, self._left_out = self._left_out, b"", 0
        return f"(… {left_out:,} bytes before this) {text}" if left_out else text

    def close(self) -> None:
        """What is there already can still be taken."""
        self._read_all()
        self._forget()

    def _forget(self) -> None:
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _read_all(self) -> None:
        for _ in range(_MOST_READS):
            if not self._read():
                break

    def _read(self) -> bool:
        """Whether there may be more. One read at a time: a flood must not hold up the worker's loop."""
        try:
            read = os.read(self._fd, _READ_BYTES) if self._fd >= 0 else b""
        except BlockingIOError:
            return False
        if not read:
            self._forget()
            return False
        self._left_out += max(0, len(self._kept) + len(read) - PRINTED_KEPT)
        self._kept = (self._kept + read)[-PRINTED_KEPT:]
        return True
