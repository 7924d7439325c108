"""The log of a run as it gathers in one worker, until the next flush takes it along, and the bounds of what is said.

Steps speak by `ctx.log`, the worker itself by `words`. A line is put right when it is said, so that every line can be stored
whatever was handed in, and counted when it is left out:

| bound | of | what is beyond it |
|---|---|---|
| `ITEM_LINES`, `ITEM_CHARACTERS` | one item, in one holding of its batch | a line at the item's end says how many |
| `log_lines.MOST_LINES` | a run, exactly, however many workers | a line says that the log is full; the run counts them |
| `GATHERED_CHARACTERS` | what one worker holds of a run while the database is slow | the run counts them |

A line is no result. It is not bound to the lease: what a step said it has said, also where somebody else does its work again.
Lines may come from any thread.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from weft.domain.ids import new_id
from weft.domain.run import LogLevel
from weft.engine import words
from weft.engine.words import Words
from weft.kit.bounded_fields import bounded_fields
from weft.kit.storable import storable
from weft.storage.log_lines import MOST_LINES, MOST_WORDS, NewLine, Room, Said

MESSAGE_LENGTH = 10_000
FIELDS_BYTES = 16 * 1024
ITEM_LINES = 100
ITEM_CHARACTERS = 64_000
GATHERED_CHARACTERS = 16_000_000
PRESSING_CHARACTERS = 4_000_000
"""Whoever finds so much gathered waits until it is written, before more is made."""
ENOUGH_LINES = 1_000
"""For a flush before its time."""
LINE_CHARACTERS = 300
"""That a line takes beside its text."""


class RunLog:
    """What gathered of one run since the last flush."""

    def __init__(self, gathered: Callable[[], None]) -> None:
        """`gathered` is called, in the loop, when there is something to flush, and when there is much."""
        self.is_full = False
        """As far as is known here: the run has as many lines as it may have, from steps."""
        self._gathered = gathered
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._lines: list[NewLine] = []
        self._words: list[NewLine] = []
        self._left_out = 0
        self._characters = 0

    def add(self, line: NewLine) -> None:
        """Of a step, or about an item."""
        with self._lock:
            if self.is_full or self._characters >= GATHERED_CHARACTERS:
                self._left_out += 1
                return
            self._lines.append(line)
            self._characters += len(line.message) + len(line.fields) + LINE_CHARACTERS
            lines = len(self._lines)
        if lines in {1, ENOUGH_LINES}:
            self._tell()

    def say(self, said: Words) -> None:
        """Of the worker, about the run as a whole. There is room for it when steps have filled the log."""
        with self._lock:
            if len(self._words) >= MOST_WORDS:
                self._left_out += 1
                return
            self._words.append(line_of(None, None, *said))
        self._tell()

    def leave_out(self, lines: int) -> None:
        """Counted with the next flush: nothing is written for it alone."""
        with self._lock:
            self._left_out += lines

    @property
    def is_much(self) -> bool:
        return len(self._lines) >= ENOUGH_LINES

    @property
    def is_pressing(self) -> bool:
        return self._characters >= PRESSING_CHARACTERS

    def take(self) -> Said:
        with self._lock:
            said = Said(self._lines, self._words, self._left_out)
            self._lines, self._words, self._left_out, self._characters = [], [], 0, 0
        if said.lines or said.words:
            return replace(said, full=line_of(None, None, *words.log_is_full(MOST_LINES)))
        return said

    def stored(self, room: Room) -> None:
        """How much room there was for what a flush took along."""
        self.is_full = self.is_full or room.is_full

    def lost(self, said: Said) -> None:
        """It could not be stored."""
        self.leave_out(len(said.lines) + len(said.words) + said.left_out)

    def _tell(self) -> None:
        if threading.get_ident() == self._thread:
            self._gathered()
        else:
            with suppress(RuntimeError):  # the loop is closed: the worker has gone
                self._loop.call_soon_threadsafe(self._gathered)


@dataclass(slots=True)
class _Spoken:
    """By one item."""

    lines: int = 0
    characters: int = 0
    left_out: int = 0

    @property
    def is_enough(self) -> bool:
        return self.lines >= ITEM_LINES or self.characters >= ITEM_CHARACTERS


class BatchLog:
    """What the items of one held batch say."""

    __slots__ = ("_items", "_log")

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self._items: dict[int, _Spoken] = {}

    def __bool__(self) -> bool:
        """Whether an item that has not finished has said anything."""
        return bool(self._items)

    def say(self, ordinal: int, step_id: str | None, level: LogLevel, message: str, fields: Mapping[str, Any]) -> None:
        if self._log.is_full:
            self._log.leave_out(1)
            return
        spoken = self._items.get(ordinal)
        if spoken is None:
            spoken = self._items.setdefault(ordinal, _Spoken())
        if spoken.is_enough:
            spoken.left_out += 1
            return
        line = line_of(ordinal, step_id, level, message, fields)
        spoken.lines += 1
        spoken.characters += len(line.message) + len(line.fields)
        self._log.add(line)

    def leave_out(self, ordinal: int, lines: int) -> None:
        """Lines that the step did not even hand in."""
        self._items.setdefault(ordinal, _Spoken()).left_out += lines

    def item_ended(self, ordinal: int) -> None:
        if (spoken := self._items.pop(ordinal, None)) is not None and spoken.left_out:
            self._say_what_is_left_out(ordinal, spoken)

    def batch_ended(self) -> None:
        """Here, whatever became of its items."""
        for ordinal in list(self._items):
            self.item_ended(ordinal)

    def _say_what_is_left_out(self, ordinal: int, spoken: _Spoken) -> None:
        self._log.leave_out(spoken.left_out)
        said = words.lines_left_out(spoken.left_out, ITEM_LINES, ITEM_CHARACTERS)
        self._log.add(line_of(ordinal, None, *said))


def line_of(
    ordinal: int | None, step_id: str | None, level: LogLevel, message: str, fields: Mapping[str, Any]
) -> NewLine:
    """One that can be stored, whatever is in it."""
    text = str(message)
    if len(text) > MESSAGE_LENGTH:
        text = f"{text[:MESSAGE_LENGTH]}… ({len(text) - MESSAGE_LENGTH:,} characters left out)"
    return NewLine(
        new_id(),
        ordinal,
        step_id,
        LogLevel(level).value,
        storable(text),
        bounded_fields(fields, FIELDS_BYTES),
        datetime.now(UTC),
    )
