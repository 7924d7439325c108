"""Where the demo writes: a terminal, where pictures move, or anything else, where a few lines are enough."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live

State = dict[str, Any]
"""What a subscription pushed."""

_FRAMES_PER_SECOND = 12
_FIRST_PAUSE_SECONDS = 2.0
"""Before the first line of what lasts; each pause is twice the one before, so that a long run makes few lines."""
_LONGEST_PAUSE_SECONDS = 30.0


class Display:
    def __init__(self) -> None:
        self._console = Console(highlight=False)

    def show(self, *parts: RenderableType) -> None:
        for part in parts:
            self._console.print(part)

    def show_to_copy(self, text: str) -> None:
        """As it is: not wrapped, not coloured."""
        self._console.out(text, highlight=False)

    @contextmanager
    def waiting(self, what: str) -> Generator[None]:
        if self._console.is_terminal:
            with self._console.status(what, spinner="dots"):
                yield
        else:
            self.show(what)
            yield

    @contextmanager
    def following(
        self, picture: Callable[[State], RenderableType], line: Callable[[State], str]
    ) -> Generator[Callable[[State], None]]:
        """Gives what shows a state: as a picture that changes in place, or as a line now and then and one for the last."""
        if self._console.is_terminal:
            with Live(console=self._console, refresh_per_second=_FRAMES_PER_SECOND) as live:
                yield lambda state: live.update(picture(state))
        else:
            lines = _Lines(self, line)
            yield lines.take
            lines.end()


class _Lines:
    def __init__(self, display: Display, line: Callable[[State], str]) -> None:
        self._display = display
        self._line = line
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._next_at = time.monotonic() + self._pause_seconds
        self._unsaid: State | None = None

    def take(self, state: State) -> None:
        self._unsaid = state
        if time.monotonic() >= self._next_at:
            self.end()
            self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)
            self._next_at = time.monotonic() + self._pause_seconds

    def end(self) -> None:
        if self._unsaid is not None:
            self._display.show(self._line(self._unsaid))
        self._unsaid = None
