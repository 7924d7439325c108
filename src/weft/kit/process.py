"""Child processes that do not outlive their parent, however it ends.

On Linux the kernel sends the child its `death_signal` when the parent dies. Elsewhere a small guard process waits for
the parent's end of a pipe to close and then does the same (`process_guard.py`).
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from weft.kit import process_guard

_PR_SET_PDEATHSIG = 1


def _load_libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if sys.platform == "linux" else None


_libc = _load_libc()


@dataclass(frozen=True)
class Command:
    argv: tuple[str, ...]
    env: Mapping[str, str] | None = None  # None: ours
    cwd: Path | None = None
    user: tuple[int, int] | None = None  # uid and gid to change to; None: stay who we are
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL


class ChildProcess:
    """A running child. It leads a process group of its own, so Ctrl-C in the terminal reaches its parent only."""

    def __init__(self, popen: subprocess.Popen[bytes], stop_signal: signal.Signals) -> None:
        self.pid = popen.pid
        self._popen = popen
        self._stop_signal = stop_signal
        self._exit: Future[int] = Future()
        self._guard: subprocess.Popen[bytes] | None = None
        # A thread for each child, because it works under every event loop and needs no SIGCHLD handler.
        threading.Thread(target=self._reap, name=f"wait-{self.pid}", daemon=True).start()

    @property
    def running(self) -> bool:
        return not self._exit.done()

    async def wait(self) -> int:
        """Returns the exit code, or minus the number of the signal that ended it."""
        return await asyncio.shield(asyncio.wrap_future(self._exit))

    async def stop(self, grace_seconds: float) -> int:
        """Asks the child to end, and kills its whole process group when it does not within the grace time."""
        self._popen.send_signal(self._stop_signal)
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self.wait(), grace_seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        return await self.wait()

    def guard(self, death_signal: signal.Signals) -> None:
        self._guard = subprocess.Popen(  # noqa: S603 - our own script
            (sys.executable, "-I", "-S", process_guard.__file__, str(self.pid), str(int(death_signal))),
            stdin=subprocess.PIPE,
            start_new_session=True,  # what kills our group must not kill the guard
        )

    def _reap(self) -> None:
        code = self._popen.wait()
        if self._guard is not None:
            self._guard.kill()
            self._guard.communicate()
        self._exit.set_result(code)


def spawn(command: Command, output: IO[bytes] | int | None = None) -> ChildProcess:
    """Starts the command with its standard output and error going to `output` (None: to ours).

    Call it from the main thread: Linux ties the death signal to the thread that spawned, not to the process.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError(f"{command.argv[0]} was to be started outside the main thread, and would die with it")
    uid, gid = command.user or (None, None)
    popen = subprocess.Popen(  # noqa: S603 - running what the caller names is its purpose
        command.argv,
        env=command.env,
        cwd=command.cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        user=uid,
        group=gid,
        extra_groups=[] if command.user else None,
        process_group=0,
        preexec_fn=_death_signal_setter(command.death_signal),  # noqa: PLW1509 - makes system calls only
    )
    child = ChildProcess(popen, command.stop_signal)
    if _libc is None:
        child.guard(command.death_signal)
    return child


def _death_signal_setter(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Runs between fork and exec, after the change of user (which would clear the signal): system calls only."""
    if _libc is None:
        return None
    prctl, number, parent = _libc.prctl, int(death_signal), os.getpid()

    def set_death_signal() -> None:
        prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it died before the request
            os._exit(1)

    return set_death_signal
