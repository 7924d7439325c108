"""What is told of a run."""

from dataclasses import dataclass
from datetime import datetime

from weft.domain.progress import Progress, RunStatus
from weft.domain.run import Item, LogLine
from weft.operations.item_steps import ItemStep
from weft.operations.items import RunGraph
from weft.operations.run_events.places import Place


@dataclass(frozen=True, slots=True)
class RunEvent:
    place: Place
    at: datetime
    """When it was recorded."""


@dataclass(frozen=True, slots=True)
class RunStatusChanged(RunEvent):
    status: RunStatus


@dataclass(frozen=True, slots=True)
class ItemFinished(RunEvent):
    item: Item
    graph: RunGraph
    """Of the run, so that nobody has to read it again for each of its items."""


@dataclass(frozen=True, slots=True)
class StepFinished(RunEvent):
    """Of an item that is finished as well."""

    item: Item
    graph: RunGraph
    step: ItemStep


@dataclass(frozen=True, slots=True)
class LogWritten(RunEvent):
    line: LogLine


@dataclass(frozen=True, slots=True)
class SnapshotReset(RunEvent):
    progress: Progress
    """Of now."""
