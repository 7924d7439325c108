"""The "did you mean …?" of every message about an unknown name."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST_CANDIDATES = 1000
"""Candidates looked at: comparing is quadratic in the words' length, and the names may come from a stranger's schema."""

LONGEST_WORD = 100


def did_you_mean(word: str, candidates: Iterable[str], *, likeness: float = 0.6) -> str | None:
    """The candidate a person who wrote `word` most likely meant, or None where nothing is near: 1 is the same."""
    if len(word) > LONGEST_WORD:
        return None
    known: list[str] = []
    for candidate in candidates:
        if len(known) == MOST_CANDIDATES:
            break
        if len(candidate) <= LONGEST_WORD:
            known.append(candidate)
    by_plain_spelling = {_plain(candidate): candidate for candidate in reversed(known)}
    if same := by_plain_spelling.get(_plain(word)):
        return same
    near = get_close_matches(_plain(word), by_plain_spelling, n=1, cutoff=likeness)
    return by_plain_spelling[near[0]] if near else None


def hint_for(word: str, candidates: Iterable[str]) -> str:
    """The hint as the end of a sentence: ` (did you mean "total"?)`, or nothing."""
    meant = did_you_mean(word, candidates)
    return f' (did you mean "{meant}"?)' if meant is not None and meant != word else ""


def _plain(word: str) -> str:
    return word.replace("_", "").replace("-", "").lower()
