"""One sandbox as its worker sees it: started, asked, ended.

The conversation has a socket pair of its own; what the step code prints goes through a pipe of which the end is kept. The
sandbox leads a process group, which is killed as a whole, so what a step started goes with it. A program that a step
moves into another session is not caught.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Self

import structlog

from weft.engine.sandbox.printed import Printed
from weft.engine.sandbox.protocol import LENGTH, MESSAGE_EXTRA, SandboxLimits
from weft.kit.json import dumps, loads

log = structlog.get_logger(__name__)

START_SECONDS = 60.0
END_SECONDS = 5.0

_STREAM_BYTES = 1024 * 1024


class SandboxBrokenError(Exception):
    """The sandbox cannot start; the message says why."""


class SandboxEndedError(Exception):
    """The sandbox ended during a call, or said what it must not."""


class AnswerTooLargeError(Exception):
    """The sandbox sends more than an answer may have; it was not read."""


class SandboxProcess:
    def __init__(
        self,
        popen: "subprocess.Popen[bytes]",
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        printed: Printed,
        most_bytes: int,
    ) -> None:
        self.printed = printed
        self.calls = 0
        self._popen = popen
        self._reader = reader
        self._writer = writer
        self._most_bytes = most_bytes
        self._ended = False

    @classmethod
    async def start(cls, loader: str, limits: SandboxLimits) -> Self:
        """Raises SandboxBrokenError. The sandbox that is returned has loaded the step types."""
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours, limit=_STREAM_BYTES)
            settings = dumps(
                {
                    "path": sys.path,
                    "loader": loader,
                    "connection": theirs.fileno(),
                    "limits": asdict(limits),
                }
            )
            try:
                popen, output = _spawn(settings, theirs.fileno())
            except OSError as error:
                writer.close()
                raise SandboxBrokenError(f"it cannot be started: {error}") from error
        process = cls(popen, reader, writer, Printed(output), limits.output_bytes + MESSAGE_EXTRA)
        try:
            await process._wait_until_ready()
        except BaseException:
            await process.end()
            raise
        return process

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    async def ask(self, step: bytes, call: bytes, on_log: Callable[[list[Any] | int], None]) -> dict[str, Any]:
        """One call at a time. Whoever gives up waiting for the answer has to end the sandbox."""
        self.calls += 1
        try:
            # Together: what came alone would wake the sandbox for nothing.
            self._writer.write(b"".join((LENGTH.pack(len(step)), step, LENGTH.pack(len(call)), call)))
            await self._writer.drain()
            while "log" in (message := await self._receive()):
                on_log(message["log"])
        except (OSError, EOFError, ValueError) as error:  # ended, or wrote into the conversation
            raise SandboxEndedError from error
        return message

    async def end(self) -> int | None:
        """Kills all of it. Its exit code, or minus the signal that ended it: ours only if it still ran."""
        if self._ended:
            return self._popen.returncode
        self._ended = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)  # its guard keeps the number of the group from being used again
        self.printed.close()
        if self._popen.stdin is not None:
            self._popen.stdin.close()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        return await asyncio.to_thread(self._reap)

    def _reap(self) -> int | None:
        try:
            return self._popen.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            log.warning("A killed sandbox does not end", pid=self._popen.pid)
            return None

    async def _wait_until_ready(self) -> None:
        try:
            async with asyncio.timeout(START_SECONDS):
                message = await self._receive()
        except TimeoutError:
            raise SandboxBrokenError(f"it was not ready within {START_SECONDS:g} s") from None
        except (OSError, EOFError):
            said = self.printed.take()
            raise SandboxBrokenError(f"it ended while it started; it printed: {said or 'nothing'}") from None
        if "broken" in message:
            raise SandboxBrokenError(message["broken"])

    async def _receive(self) -> dict[str, Any]:
        (length,) = LENGTH.unpack(await self._reader.readexactly(LENGTH.size))
        if length > self._most_bytes:
            raise AnswerTooLargeError
        return loads(await self._reader.readexactly(length))


def _spawn(settings: str, connection: int) -> "tuple[subprocess.Popen[bytes], int]":
    """The process, and the end of the pipe from which its output is read."""
    output, theirs = os.pipe()
    try:
        popen = subprocess.Popen(  # noqa: S603 - our own module
            # -P: the folder we happen to run in must not lend it modules. Faulthandler: a crash says where it was.
            (sys.executable, "-P", "-X", "faulthandler", "-m", "weft.engine.sandbox.child", settings),
            env=_environment(),
            stdin=subprocess.PIPE,  # never written to: it closes when we are gone
            stdout=theirs,
            stderr=theirs,
            pass_fds=(connection,),
            start_new_session=True,
        )
    except OSError:
        os.close(output)
        raise
    finally:
        os.close(theirs)
    return popen, output


def _environment() -> dict[str, str]:
    """Ours without the settings of Weft: step code that reads documents from strangers has no use for our secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    # Threads of native libraries would each reserve 64 MiB of the limited address space; a backtrace of Rust would push what
    # it says first out of the end that is kept.
    return kept | {"MALLOC_ARENA_MAX": "2", "RUST_BACKTRACE": "0"}
