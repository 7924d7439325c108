"""Servers that an earlier process left running in a folder.

Pid files alone do not tell: after a crash or in a container the number may belong to something else or to a zombie,
and a killed PostgreSQL can leave single sessions behind that still write. A leftover is a living process with the
server's name whose working folder is the one asked for (both servers change into their data).
"""

import os
import signal
from pathlib import Path

import psutil

_GRACE_SECONDS = 20.0


def end_leftovers(folder: Path, program: str, stop_signal: signal.Signals) -> int:
    """Ends them, by force after a grace time, and returns how many there were. Nobody else may hold the folder's lock."""
    found = [process for process in psutil.process_iter() if _works_in(process, folder, program)]
    for process in found:
        _send(process, stop_signal)
    _, stubborn = psutil.wait_procs(found, timeout=_GRACE_SECONDS)
    for process in stubborn:
        _send(process, signal.SIGKILL)
    psutil.wait_procs(stubborn, timeout=_GRACE_SECONDS)
    return len(found)


def _works_in(process: psutil.Process, folder: Path, program: str) -> bool:
    try:
        return (
            process.name() == program
            and process.status() != psutil.STATUS_ZOMBIE
            and os.path.realpath(process.cwd()) == os.path.realpath(folder)
        )
    except psutil.Error:  # gone, a zombie, or another user's: not ours
        return False


def _send(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
