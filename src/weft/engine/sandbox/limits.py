"""What the operating system enforces on a sandbox, and that nothing of it outlives its worker."""

import contextlib
import math
import os
import resource
import signal
import sys
import time
from pathlib import Path

from weft.engine.sandbox.protocol import SandboxLimits

_OOM_SCORE = "500"
"""When the machine runs out of memory, the kernel ends a sandbox before the worker and the database."""

_PROCESSOR_SLACK_SECONDS = 2
"""More than a call needs, so that not every call of some milliseconds has to raise the limit again."""


def cores_available() -> int:
    """To this process: a container may have fewer than the machine."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def end_with_the_worker() -> None:
    """Leaves a guard behind that kills the whole process group when the worker's end of our standard input closes.

    It is a process of its own because nothing else is sure to act: a step may hang inside native code, where no Python thread
    runs, and the parent-death signal of Linux reaches only the sandbox itself, not what its step started.
    """
    if os.fork() == 0:
        os.closerange(1, os.sysconf("SC_OPEN_MAX"))  # the worker sees our end by the closing of these
        with contextlib.suppress(OSError):
            os.read(0, 1)  # nothing is ever written: it returns when the worker is gone
        os.killpg(0, signal.SIGKILL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def apply_limits(limits: SandboxLimits) -> None:
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
    if sys.platform == "linux":  # elsewhere the address space is not limited, or means something else
        _lower(resource.RLIMIT_AS, _memory_pages(0) * resource.getpagesize() + limits.memory_bytes)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")


class ProcessorTime:
    """What the next call may use. The worker ends a call by the clock; this ends it when the worker itself cannot act."""

    def __init__(self) -> None:
        self._allowed = 0

    def allow(self, seconds: float) -> None:
        needed = math.ceil(time.process_time() + seconds * (os.cpu_count() or 1)) + 1
        if needed <= self._allowed <= needed + _PROCESSOR_SLACK_SECONDS:
            return
        self._allowed = needed + _PROCESSOR_SLACK_SECONDS
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        limit = self._allowed if hard == resource.RLIM_INFINITY else min(self._allowed, hard)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, hard))


def resident_bytes() -> int:
    if sys.platform == "linux":
        return _memory_pages(1) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _memory_pages(column: int) -> int:
    return int(Path("/proc/self/statm").read_bytes().split()[column])


def _lower(which: int, value: int) -> None:
    """Soft and hard: what a step starts is under it as well, and cannot raise it."""
    hard = resource.getrlimit(which)[1]
    lowered = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (lowered, lowered))
