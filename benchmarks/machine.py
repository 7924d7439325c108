"""What else the machine did while a figure was measured: only with little of it is the figure worth anything."""

import os
import time
from dataclasses import dataclass, field

import psutil

from benchmarks.process import cpu_seconds


def _busy_seconds() -> float:
    """Over all cores. The time of guests is part of the users' time."""
    times = psutil.cpu_times()
    return times.user + times.system + sum(getattr(times, name, 0.0) for name in ("nice", "irq", "softirq", "steal"))


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine at one moment."""

    at: float = field(default_factory=time.perf_counter)
    busy: float = field(default_factory=_busy_seconds)
    ours: float = field(default_factory=lambda: cpu_seconds(os.getpid()))

    def others_since_percent(self) -> float:
        """The share of all cores that went to processes that are not ours, since then."""
        now = Machine()
        cores = psutil.cpu_count() or 1
        theirs = (now.busy - self.busy) - (now.ours - self.ours)
        return max(0.0, theirs / (now.at - self.at) / cores * 100)
