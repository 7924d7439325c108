"""Whether there is another attempt, and when. Pure."""

from datetime import timedelta

from weft.domain.delivery import AttemptOutcome, Delivery, DeliveryKind

FIRST_WAIT = timedelta(seconds=1)
GROWTH = 4
LONGEST_WAIT = timedelta(hours=6)
"""With ten attempts the last one is about half a day behind the first: a receiver may be away over night."""


def wait_for_next(delivery: Delivery, outcome: AttemptOutcome, most_attempts: int, chance: float) -> timedelta | None:
    """How long to wait for the next attempt; None where this was the last one. `chance` is between 0 and 1: those that
    failed together shall not return together.
    """
    made = delivery.attempts - delivery.series_start
    if outcome.final or made >= (1 if delivery.kind is DeliveryKind.TEST else most_attempts):
        return None
    limit = min(FIRST_WAIT * GROWTH ** min(made - 1, 20), LONGEST_WAIT)
    return max(limit * (0.5 + chance / 2), outcome.after or timedelta())
