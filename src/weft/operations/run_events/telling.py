"""From what is stored to the events that are told of it. Pure."""

from collections.abc import Iterator
from datetime import datetime

from weft.domain.run import LogLine
from weft.operations.item_steps import steps_of
from weft.operations.items import RunGraph
from weft.operations.run_events.asking import Asked, RunEventKind
from weft.operations.run_events.events import ItemFinished, LogWritten, RunEvent, StepFinished
from weft.operations.run_events.places import at_item, at_line
from weft.storage.finished_items import FinishedItem
from weft.storage.run_changes import StateChange


def item_told(asked: Asked, graph: RunGraph, found: FinishedItem, at: datetime) -> Iterator[RunEvent]:
    """What its steps did, and its end behind them."""
    item = found.item
    if RunEventKind.STEPS in asked.kinds:
        for number, step in enumerate(steps_of(graph.graph, item)):
            if asked.wants_step(step.step.id, step.result.status):
                place = at_item(item.run_id, found.revision, item.ordinal, number)
                yield StepFinished(place, at, item, graph, step)
    if RunEventKind.ITEMS in asked.kinds:
        yield ItemFinished(at_item(item.run_id, found.revision, item.ordinal), at, item, graph)


def line_told(line: LogLine, change: StateChange | None) -> Iterator[RunEvent]:
    """Lines that did not come with the change, but later under its revision, would be told to some watchers only."""
    if change is not None and line.number < change.logs:
        yield LogWritten(at_line(line.run_id, line.revision, line.number), change.at, line)
