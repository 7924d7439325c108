"""Compiled triggers, kept: compiling its expressions takes longer than a thousand events take to be matched with one."""

from collections import OrderedDict

from weft.domain.ids import UUID
from weft.domain.trigger import Trigger
from weft.triggers.events.matching import Matcher

MATCHERS_KEPT = 2_000


class MatcherCache:
    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[UUID, int], Matcher] = OrderedDict()

    def get(self, trigger: Trigger) -> Matcher:
        """Raises `Invalid` where this version of Weft cannot compile it."""
        key = trigger.id, trigger.revision
        if (known := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return known
        made = self._kept[key] = Matcher.of(trigger)
        if len(self._kept) > MATCHERS_KEPT:
            self._kept.popitem(last=False)
        return made
