"""What is counted of workflows, and what their users think of them."""

from dataclasses import dataclass
from datetime import timedelta

LOWEST_RATING = 1
HIGHEST_RATING = 5


@dataclass(frozen=True, slots=True)
class WorkflowStats:
    """Counted along; also what is no longer kept stays counted."""

    runs_total: int = 0
    runs_successful: int = 0
    runs_failed: int = 0
    """Those that ended as FAILED or as COMPLETED_WITH_FAILURES."""
    runs_cancelled: int = 0
    duration_us: int = 0
    """Of those that succeeded or failed, in sum."""
    copies: int = 0
    ratings: int = 0
    stars: int = 0
    """All ratings in sum."""

    @property
    def average_duration(self) -> timedelta | None:
        ended = self.runs_successful + self.runs_failed
        return timedelta(microseconds=self.duration_us / ended) if ended else None

    @property
    def usage_count(self) -> int:
        return self.runs_total + self.copies

    @property
    def rating(self) -> float | None:
        """The average with one decimal, 4.25 as 4.3."""
        return rating_in_tenths(self.stars, self.ratings) / 10 if self.ratings else None


NO_STATS = WorkflowStats()


def rating_in_tenths(stars: int, ratings: int) -> int:
    """Halves rounded up, in whole numbers: the same here and in SQL, where lists are sorted by it."""
    return (20 * stars + ratings) // (2 * ratings)


@dataclass(frozen=True, slots=True)
class CategoryCount:
    """A category, and how many workflows are in it."""

    name: str
    count: int
