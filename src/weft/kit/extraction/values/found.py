"""What a search for values gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FoundValue:
    value: Any
    """JSON: text, a number, or an object of these."""
    start: int
    end: int
    """Characters of the searched text that say it: `text[start:end]`."""
    confidence: float
    """0 to 1: how sure it is that the text says this value and no other."""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What else is known of it: a currency, another reading."""


def without_overlaps(found: list[FoundValue]) -> list[FoundValue]:
    """In the order of the text. Of two that overlap the surer one stays, then the longer one."""
    chosen: list[FoundValue] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        while chosen and one.start < chosen[-1].end and _rank(one) > _rank(chosen[-1]):
            chosen.pop()
        if not chosen or one.start >= chosen[-1].end:
            chosen.append(one)
    return chosen


def _rank(one: FoundValue) -> tuple[float, int]:
    return one.confidence, one.end - one.start
