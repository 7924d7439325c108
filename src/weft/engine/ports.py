"""What the engine needs of the layers beside it, as narrow as it uses it."""

from typing import Protocol

from weft.domain.progress import Progress


class ProgressPublisher(Protocol):
    def publish(self, progress: Progress) -> None:
        """Tell the watchers of a run, soon; never waits, never fails."""
        ...


class Wakeups(Protocol):
    """Tells the workers that there may be something to do. A lost wake-up delays work by a second and never loses it."""

    async def wake(self) -> None: ...
