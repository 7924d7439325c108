"""The nearest-rank percentile: a value that was measured, even of a few samples."""

from collections.abc import Sequence
from math import ceil


def percentile(values: Sequence[float], percent: float) -> float:
    return sorted(values)[max(0, ceil(len(values) * percent / 100) - 1)]
