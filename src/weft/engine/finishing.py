"""From an item's way to the row that is stored: one serialisation of its steps, and what it adds elsewhere."""

from collections.abc import Sequence
from typing import Any

import orjson

from weft.domain.step import Effect
from weft.engine.item import Ending, ItemWay
from weft.engine.writes import FinishedItem
from weft.kit.cel import CelEvaluationError
from weft.storage.results import CheckpointRow, ItemRow, Publication
from weft.storage.step_codec import moment

LARGEST_ITEM_BYTES = 8 * 1024 * 1024
"""Of the step results of one item together. More belongs into a document or a table, not into a result."""


def finish(way: ItemWay, finished_us: int, stop_reason: str | None) -> FinishedItem:
    """The row of an item with no open step left, or one that a failure ended."""
    ending, output = with_output(way, way.ending())
    steps, ending = with_steps(way, ending)
    publication = publication_of(way)
    indexes = [index for index, record in enumerate(way.records) if record is not None]
    row = ItemRow(
        way.ordinal,
        way.entity_id,
        way.entity_version,
        ending.status,
        None if ending.error is None else encoded(ending.error),
        output,
        steps,
        moment(way.started_us),
        moment(finished_us),
    )
    return FinishedItem(row, way.recorded(), indexes, way.checkpointed, publication, stop_reason)


def checkpoint(way: ItemWay) -> tuple[CheckpointRow, Publication | None]:
    """What is decided so far of an item that is not finished; nothing of it is done again after this is stored."""
    publication = publication_of(way)
    way.fresh = False
    way.checkpointed = True
    steps, _ = with_steps(way, Ending("COMPLETED"))
    return CheckpointRow(way.ordinal, way.entity_version, steps, moment(way.started_us)), publication


def with_output(way: ItemWay, ending: Ending) -> tuple[Ending, str | None]:
    """The item's output by the definition's mapping; None where it is simply the output of the last steps."""
    mapping = way.plan.output
    if mapping is None or ending.status != "COMPLETED":
        return ending, None
    try:
        way.values["input"] = way.leaf_output()
        return ending, encoded(mapping.evaluate(way.values))
    except (CelEvaluationError, TypeError, ValueError) as error:
        return Ending("FAILED", {"code": "OUTPUT_FAILED", "message": f"The output mapping failed: {error}"}), None


def with_steps(way: ItemWay, ending: Ending) -> tuple[str, Ending]:
    """The step records as JSON text. A record that cannot be stored gives way to a failure that says so."""
    try:
        steps = orjson.dumps(way.recorded()).decode()
    except (TypeError, ValueError):
        return _without_unstorable(way)
    if len(steps) > LARGEST_ITEM_BYTES:
        return _too_large(way, len(steps))
    return steps, ending


def publication_of(way: ItemWay) -> Publication | None:
    """All that the steps want written into the entity, as one change; asked for once, then it is done."""
    if not way.effects or way.entity_id is None:
        return None
    fields = merged_fields(way.effects)
    publish = any(effect.publish for effect in way.effects)
    way.effects.clear()
    if way.entity_version is not None:
        way.entity_version += 1
    return Publication(way.entity_id, encoded(fields), publish)


def merged_fields(effects: Sequence[Effect]) -> dict[str, Any]:
    return {name: value for effect in effects for name, value in effect.fields.items()}


def encoded(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def _without_unstorable(way: ItemWay) -> tuple[str, Ending]:
    ending = Ending("FAILED", {"code": "INVALID_OUTPUT", "message": "The result is no JSON value."})
    for index, record in enumerate(way.records):
        if record is None:
            continue
        try:
            orjson.dumps(record)
        except (TypeError, ValueError) as error:
            failure = {"code": "INVALID_OUTPUT", "message": f"The output of step {record['id']!r} is no JSON: {error}"}
            way.records[index] = {"id": record["id"], "s": "F", "t": record["t"], "d": record["d"], "e": failure}
            ending = Ending("FAILED", {"step": record["id"], **failure})
    return encoded(way.recorded()), ending


def _too_large(way: ItemWay, size: int) -> tuple[str, Ending]:
    sizes = {record["id"]: len(orjson.dumps(record)) for record in way.recorded()}
    largest = max(sizes, key=lambda step_id: sizes[step_id])
    error = {
        "code": "OUTPUT_TOO_LARGE",
        "message": f"The step results of this item take {size:,} bytes, more than {LARGEST_ITEM_BYTES:,}; "
        f"most of it is the output of step {largest!r}.",
    }
    for index, record in enumerate(way.records):
        if record is not None and "o" in record:
            way.records[index] = {**record, "o": None}
    return encoded(way.recorded()), Ending("FAILED", {"step": largest, **error})
