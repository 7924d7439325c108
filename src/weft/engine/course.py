"""Whether a batch goes on: what the worker, the recorder and its own steps have said about it."""

import asyncio
from dataclasses import dataclass, field


@dataclass(slots=True)
class Course:
    """What became of a batch while its items are under way."""

    pausing: bool = False
    """Nothing new is begun; the batch is given back when what is under way has answered."""
    lost: bool = False
    """Somebody else holds it, or its run has ended: nothing of it can be written any more."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever there may be less to wait for."""

    @property
    def stopping(self) -> bool:
        return self.pausing or self.lost

    def pause(self) -> None:
        self.pausing = True
        self.changed.set()

    def lose(self) -> None:
        self.lost = True
        self.changed.set()
