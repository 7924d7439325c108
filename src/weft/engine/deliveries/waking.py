"""Haste for the messages of short runs: their sender is woken when their run ends, and need not look around first."""

from collections.abc import Callable
from dataclasses import dataclass

from weft.domain.progress import Progress
from weft.engine.ports import ProgressPublisher


@dataclass(frozen=True, slots=True)
class WakingPublisher:
    """Publishes, and wakes at the end of a run. Not at every flush of a long one: there a second more is no haste lost."""

    publisher: ProgressPublisher
    wake: Callable[[], None]

    def publish(self, progress: Progress) -> None:
        self.publisher.publish(progress)
        if progress.status.is_terminal:
            self.wake()
