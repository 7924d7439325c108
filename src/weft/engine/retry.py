"""Whether a failed attempt is tried again, and when. Pure: the caller writes down what is decided here."""

from dataclasses import dataclass
from datetime import timedelta

from weft.domain.definition import Backoff, RetryPolicy

LONGEST_WAIT = timedelta(days=1)
"""A receiver may ask for any pause; a longer one than this is not waited for."""


@dataclass(frozen=True, slots=True)
class TryAgain:
    after: timedelta


@dataclass(frozen=True, slots=True)
class GiveUp:
    pass


def decide(policy: RetryPolicy, attempt: int, asked: timedelta | None, chance: float) -> TryAgain | GiveUp:
    """After attempt number `attempt` failed. `asked` is the pause the receiver asked for; `chance` is random, 0 to 1."""
    if attempt >= policy.max_attempts:
        return GiveUp()
    wait = max(delay(policy, attempt, chance), asked or timedelta())
    return GiveUp() if wait > LONGEST_WAIT else TryAgain(wait)


def delay(policy: RetryPolicy, attempt: int, chance: float) -> timedelta:
    """The back-off after attempt number `attempt`, varied by the policy's jitter."""
    match policy.backoff:
        case Backoff.FIXED:
            factor = 1.0
        case Backoff.LINEAR:
            factor = float(attempt)
        case Backoff.EXPONENTIAL:
            factor = 2.0 ** min(attempt - 1, 62)
    longest = policy.max_delay.total_seconds()
    seconds = min(policy.initial_delay.total_seconds() * factor, longest)
    varied = seconds * (1 + policy.jitter * (2 * chance - 1))
    return timedelta(seconds=min(varied, longest))
