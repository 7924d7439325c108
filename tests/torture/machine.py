"""What other programs took of this machine: time limits hold for one of its own, and are stretched by what was missing."""

import resource
import time
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

LONGEST_STRETCH = 5.0


def _busy_seconds() -> float:
    """Processor time of everybody, over all cores."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)


def _own_seconds() -> float:
    """Of this process, its children, and theirs, those that have ended included."""
    ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = sum(usage.ru_utime + usage.ru_stime for usage in ended)
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(child.cpu_times()[:4])  # its own, and of its children that have ended
    return seconds


@dataclass(slots=True)
class Machine:
    """Measures from when it is made."""

    _began: float = field(default_factory=time.monotonic)
    _busy: float = field(default_factory=_busy_seconds)
    _own: float = field(default_factory=_own_seconds)

    @property
    def stretch(self) -> float:
        """How much longer something may take: 1 when nobody else was at work, 2 when others took half of all cores."""
        capacity = max((time.monotonic() - self._began) * (psutil.cpu_count() or 1), 0.001)
        others = max(0.0, (_busy_seconds() - self._busy) - (_own_seconds() - self._own))
        return 1 / max(1 - others / capacity, 1 / LONGEST_STRETCH)
