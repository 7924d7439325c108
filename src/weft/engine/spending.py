"""What the attempts of one item took, and how much of it the counters of its run hold already."""

from collections.abc import Iterable, Sequence
from operator import sub
from typing import Any

from weft.domain.usage import Usage
from weft.engine.writes import Paid


class Spending:
    __slots__ = ("_counted", "by_step")

    def __init__(self) -> None:
        self.by_step: dict[int, list[Sequence[int]]] = {}
        """Step index to the usage of each attempt, as it is stored; nothing for a step without any."""
        self._counted: dict[int, tuple[int, ...]] = {}

    def note(self, step: int, attempt: int, usage: Usage) -> None:
        attempts = self.by_step.setdefault(step, [])
        attempts += [()] * (attempt - 1 - len(attempts))
        attempts.append(usage.figures)

    def tell(self, step: int, record: dict[str, Any]) -> None:
        """Into the record of the step."""
        if (attempts := self.by_step.get(step)) is not None:
            record["u"] = attempts

    def restore(self, step: int, attempts: list[Sequence[int]]) -> None:
        """From a record of this run: it was counted with the record."""
        self.by_step[step] = attempts
        self._counted[step] = _total(attempts)

    def newly(self) -> list[Paid]:
        """What came since this was last asked for. Asked for when it is written, together with the records."""
        found: list[Paid] = []
        for step, attempts in self.by_step.items():
            now, before = _total(attempts), self._counted.get(step)
            figures = now if before is None else tuple(map(sub, now, before))
            if any(figures):
                self._counted[step] = now
                found.append(Paid(step, figures))
        return found


def _total(attempts: Iterable[Sequence[int]]) -> tuple[int, ...]:
    """Of several attempts; those that took nothing have no figures."""
    return tuple(map(sum, zip(*filter(None, attempts), strict=True)))
