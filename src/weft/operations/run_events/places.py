"""Where an event stands in its run. Places compare in the order in which events are told.

As text, which is what a cursor holds, a place is the run, the revision, and how much of it is told:

| text | told |
|---|---|
| `<run>:12` | all of revision 12 |
| `<run>:12:7` | its items up to the one with the ordinal 7 |
| `<run>:12:7:0` | its items before that one, and of that one the results of the first step of the workflow |
| `<run>:12:log:3` | all its items, and its lines up to the one with the number 3 |
"""

from enum import IntEnum
from typing import NamedTuple

from weft.domain.errors import Invalid
from weft.domain.ids import UUID
from weft.domain.run import Run
from weft.operations.items import LARGEST_ORDINAL

LARGEST_REVISION = 2**62
LARGEST_NUMBER = 2**31 - 1
WHOLE = LARGEST_NUMBER
"""Of an item: all its steps are told, and its end."""


class Part(IntEnum):
    """Of a revision, in the order in which they are told."""

    ITEMS = 0
    LOGS = 1
    STATUS = 2


class Place(NamedTuple):
    """Up to here, all is told. Build it by one of the functions below."""

    run_id: UUID
    revision: int
    part: int
    number: int = 0
    """The ordinal of the item, or the number of the line."""
    step: int = 0
    """Of the item: the number of its step in the workflow's order, or WHOLE."""

    @property
    def complete(self) -> int:
        """The newest revision that is told completely."""
        return self.revision if self.part == Part.STATUS else self.revision - 1

    def __str__(self) -> str:
        if self.part == Part.STATUS:
            return f"{self.run_id}:{self.revision}"
        if self.part == Part.LOGS:
            return f"{self.run_id}:{self.revision}:log:{self.number}"
        step = "" if self.step == WHOLE else f":{self.step}"
        return f"{self.run_id}:{self.revision}:{self.number}{step}"


def beginning(run_id: UUID) -> Place:
    """Nothing is told yet, not even revision 0."""
    return at_end(run_id, -1)


def at_end(run_id: UUID, revision: int) -> Place:
    return Place(run_id, revision, Part.STATUS)


def at_item(run_id: UUID, revision: int, ordinal: int, step: int = WHOLE) -> Place:
    return Place(run_id, revision, Part.ITEMS, ordinal, step)


def at_line(run_id: UUID, revision: int, number: int) -> Place:
    return Place(run_id, revision, Part.LOGS, number)


def place_in(after: str, run: Run) -> Place:
    """The place that this text names. Raises Invalid where it names none that the run has come to."""
    run_id, _, numbers = after.partition(":")
    if run_id != str(run.id) and len(run_id) == len(str(run.id)):
        raise Invalid("This is a cursor of another run.", path=("after",))
    place = _read(run.id, numbers)
    if str(place) != after:
        raise _no_cursor()
    if place.revision > run.progress.revision:
        raise Invalid("This cursor is ahead of the run: no event of it has come so far.", path=("after",))
    return place


def _read(run_id: UUID, numbers: str) -> Place:
    match numbers.split(":"):
        case [revision]:
            return at_end(run_id, _number(revision, LARGEST_REVISION))
        case [revision, "log", line]:
            return at_line(run_id, _number(revision, LARGEST_REVISION), _number(line, LARGEST_NUMBER))
        case [revision, ordinal, *step] if len(step) <= 1:
            place = at_item(run_id, _number(revision, LARGEST_REVISION), _number(ordinal, LARGEST_ORDINAL))
            return place._replace(step=_number(step[0], WHOLE - 1)) if step else place
        case _:
            raise _no_cursor()


def _number(text: str, largest: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 20) or int(text) > largest:  # noqa: PLR2004 - more digits than the largest has
        raise _no_cursor()
    return int(text)


def _no_cursor() -> Invalid:
    return Invalid(
        "This is not a cursor of runEvents.", path=("after",), hint="Pass the `cursor` of the last event that you have."
    )
