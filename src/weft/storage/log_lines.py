"""Lines of the log of a run as they are written: how many of them it has room for, and where they stand in it.

The place of a line is the revision that its flush gave the run, and its number in that flush. The counters come first, the
lines after them in the same transaction, so lines become visible in the order of their places: who has read up to one of them
reads on behind it, and neither misses a line nor gets one twice.

How many lines the log has is counted with the counters, so its bound is exact however many workers write into it. What the
worker itself has to say of the run (`words`) has some room of its own, or the reason why a run failed would be left out for
what its steps said before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.ids import UUID
from weft.storage.driver import copy_rows

MOST_LINES = 100_000
"""Of one run. They are kept for weeks, and nobody reads more."""
MOST_WORDS = 2_000
"""Beside them."""


class NewLine(NamedTuple):
    """A tuple, since there may be a hundred thousand of a run."""

    id: UUID
    ordinal: int | None
    step_id: str | None
    level: str
    message: str
    fields: str
    """As JSON text."""
    at: datetime


COLUMNS = ("run_id", "revision", "number", *NewLine._fields)


@dataclass(frozen=True, slots=True)
class Said:
    """What gathered for the log since the last flush."""

    lines: Sequence[NewLine] = ()
    """By steps, and about single items."""
    words: Sequence[NewLine] = ()
    """About the run."""
    left_out: int = 0
    """Lines that were said as well, beyond what an item may say."""
    full: NewLine | None = None
    """Said behind them where they fill the log. In their transaction: whoever fills it may be gone after its commit."""

    def __bool__(self) -> bool:
        return bool(self.lines or self.words or self.left_out)

    def values(self) -> dict[str, int]:
        return {
            "lines": len(self.lines),
            "words": len(self.words),
            "left_out": self.left_out,
            "full": int(self.full is not None),
            "most_lines": MOST_LINES,
            "most_words": MOST_WORDS,
        }


NOTHING_SAID = Said()


class Room(NamedTuple):
    """What the log had room for."""

    revision: int
    before: int
    """Lines that it had."""
    after: int

    def kept(self, said: Said) -> list[NewLine]:
        lines = said.lines[: max(0, MOST_LINES - self.before)]
        full = [said.full] if said.full is not None and self.before < MOST_LINES <= self.after else []
        words = said.words[: self.after - self.before - len(lines) - len(full)]
        return [*(sorted([*lines, *words], key=attrgetter("id")) if words else lines), *full]

    @property
    def is_full(self) -> bool:
        """For steps."""
        return self.after >= MOST_LINES


_LINES = "least(:lines ::int, greatest(0, :most_lines ::int - s.log_lines))"
_KEPT = f"({_LINES} + least(:words ::int, greatest(0, :most_lines ::int + :most_words ::int - s.log_lines - {_LINES})))"
_FULL = f"CASE WHEN s.log_lines < :most_lines ::int AND s.log_lines + {_KEPT} >= :most_lines ::int THEN :full ::int ELSE 0 END"

COUNT_LINES = f"""log_lines = s.log_lines + {_KEPT} + {_FULL},
        log_lines_left_out = s.log_lines_left_out + :left_out ::int + :lines ::int + :words ::int - {_KEPT}"""
"""SQL: assignments to `run_state`, as `s`."""
LINES_COUNTED = "s.log_lines, old.log_lines AS lines_before"
"""SQL: what `Room` needs of it."""


async def add_said(connection: AsyncConnection, run_id: UUID, said: Said, room: Room, *, first_number: int = 0) -> None:
    """After the counters, in their transaction."""
    rows = ((run_id, room.revision, number, *line) for number, line in enumerate(room.kept(said), first_number))
    await copy_rows(connection, "run_log", COLUMNS, rows)


COUNT_LATE = text(
    f"UPDATE run_state s SET {COUNT_LINES} WHERE s.run_id = :run_id AND s.finished_at IS NOT NULL "
    f"RETURNING s.revision, {LINES_COUNTED}"
)
LAST_NUMBER = text("SELECT max(number) FROM run_log WHERE run_id = :run_id AND revision = :revision")


async def add_late_lines(connection: AsyncConnection, run_id: UUID, said: Said) -> Room | None:
    """What was said of a run that has ended. Its revision and its counters stay as they are: the lines stand behind those that
    came with its end. None where it has not ended, or is no more.
    """
    row = (await connection.execute(COUNT_LATE, {"run_id": run_id, **said.values()})).one_or_none()
    if row is None:
        return None
    room = Room(row.revision, row.lines_before, row.log_lines)
    # Under the lock of the statement before: nobody else numbers lines of it now.
    last = (await connection.execute(LAST_NUMBER, {"run_id": run_id, "revision": room.revision})).scalar()
    await add_said(connection, run_id, said, room, first_number=0 if last is None else last + 1)
    return room


ANY_STORED = text("SELECT EXISTS (SELECT FROM run_log WHERE id = ANY (:ids ::uuid[]))")


async def any_stored(connection: AsyncConnection, said: Said) -> bool:
    """Whether a flush whose commit was not answered went through, as far as what was said tells: its lines stand together or
    not at all, those that the log had room for.
    """
    ids = [line.id for line in (*said.lines, *said.words)]
    return bool(ids) and (await connection.execute(ANY_STORED, {"ids": ids})).scalar_one()
