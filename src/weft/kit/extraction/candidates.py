"""What rules found, and which of it is believed.

A candidate is one value at one place. Equal values at several places support each other; a second value that is nearly as
good as the first makes both doubtful. Nothing that a rule found is ever quite certain.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, cast

from weft.kit.extraction.folding import folded

SUREST_RULE = 0.97
"""A rule reads signs on paper: there is always a document on which it is wrong."""
SUPPORT = 0.2
"""How much of the remaining doubt another place with the same value takes away, at its own confidence."""
RIVAL_FROM = 0.6
"""A second value with less than this share of the first one's confidence raises no doubt."""
TIED = 0.4
"""What is left of the confidence where a second value is as good as the first."""


class By(StrEnum):
    RULE = "rule"
    MODEL = "model"
    ATTACHMENT = "attachment"


@dataclass(frozen=True, slots=True)
class Found:
    """Where a value stands."""

    page: int | None
    start: int
    """In the text of its page (of the attachment, of the whole text where there are no pages), as `end`."""
    end: int
    text: str
    by: By = By.RULE
    rule: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "page": self.page, "start": self.start, "end": self.end, "text": self.text, "by": self.by.value,
            "rule": self.rule,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    value: Any
    confidence: float
    found: Found | None
    """None where a model gave a value that stands nowhere."""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the finder knows beside the value, such as the currency of an amount."""

    def surer(self, confidence: float) -> "Candidate":
        return replace(self, confidence=max(self.confidence, confidence))

    def doubted(self, share: float) -> "Candidate":
        return replace(self, confidence=self.confidence * share)


def sameness(value: Any) -> object:
    """Equal for values that mean the same."""
    if isinstance(value, str):
        return "".join(character for character in folded(value) if character.isalnum()) or value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return round(float(value), 4)
    if isinstance(value, dict | list):
        return repr(cast("object", value))
    return value


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """One candidate per value, best first, each as sure as its places make it together."""
    groups: dict[object, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(sameness(candidate.value), []).append(candidate)
    return sorted(map(_together, groups.values()), key=lambda candidate: -candidate.confidence)


def chosen(ordered: Sequence[Candidate]) -> Candidate | None:
    """The first of candidates in order, with the doubt that the next one raises."""
    if not ordered:
        return None
    first, *others = ordered
    rival = max((other.confidence for other in others), default=0.0)
    return first.doubted(_left_beside(rival / first.confidence if first.confidence else 1.0))


def _together(same: Sequence[Candidate]) -> Candidate:
    best, *others = sorted(same, key=lambda candidate: -candidate.confidence)
    confidence = best.confidence
    seen = {_place(best)}
    for other in others:
        if (place := _place(other)) not in seen:
            seen.add(place)
            confidence += max(0.0, SUREST_RULE - confidence) * SUPPORT * other.confidence
    return replace(best, confidence=confidence)


def _place(candidate: Candidate) -> object:
    found = candidate.found
    return None if found is None else (found.page, found.start, found.by)


def _left_beside(rival: float) -> float:
    if rival <= RIVAL_FROM:
        return 1.0
    return 1.0 - (1.0 - TIED) * min(1.0, (rival - RIVAL_FROM) / (1.0 - RIVAL_FROM))
