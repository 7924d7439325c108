"""A rate, kept as GCRA does it: by one number, the time until which what was let in is spread evenly.

Something is let in while that time is no further ahead of now than a burst. Times are microseconds of any one clock.
"""

from dataclasses import dataclass

MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class EvenRate:
    each_us: int
    """What one takes of an even spread."""
    burst_us: int
    """How far ahead of now that time may be where one more is let in."""

    @classmethod
    def per_minute(cls, count: int, burst: int) -> "EvenRate":
        """So many evenly, and of them `burst` at once after a pause."""
        each_us = -(-MINUTE_US // count)  # rounded up: rounded down, a minute could see one more
        return cls(each_us, each_us * (burst - 1))

    def wait(self, till: int, now: int) -> int:
        """The microseconds until one more is let in; 0 where it is now."""
        return max(0, till - now - self.burst_us)

    def after(self, till: int, now: int) -> int:
        """That time once one more was let in."""
        return max(till, now) + self.each_us
