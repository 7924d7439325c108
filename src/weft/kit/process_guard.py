"""Ends a process when the process that started this script is gone: `process_guard.py <pid> <signal>`.

For systems without a parent-death signal. Runs as a script, in isolation: standard library only.
"""

import contextlib
import os
import signal
import sys
import time

GRACE_SECONDS = 10.0


def end(pid: int, signum: int) -> None:
    """Sends the signal, and SIGKILL when the process is still there after the grace time."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signum)
        deadline = time.monotonic() + GRACE_SECONDS
        while time.monotonic() < deadline:
            time.sleep(0.05)
            os.kill(pid, 0)
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.stdin.buffer.read()  # nothing is ever written: it returns when the parent's end of the pipe closes
    end(int(sys.argv[1]), int(sys.argv[2]))
