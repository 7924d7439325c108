"""From an item's way to the row that is stored: one serialisation of its steps, and what it adds elsewhere."""

from collections.abc import Sequence
from typing import Any

import orjson

from weft.domain.delivery import NewDelivery
from weft.domain.step import Effect, Fail, PublishEntity, SendMessage
from weft.engine.item import Ending, ItemWay
from weft.engine.writes import NO_STEPS, FinishedItem, Paid, Unfinished, counts_of
from weft.kit.cel import CelEvaluationError
from weft.kit.storable import NUL_AS_JSON, path_to_nul, storable, why_unstorable
from weft.storage.item_rows import ItemRow
from weft.storage.results import CheckpointRow, Publication
from weft.storage.step_codec import moment

LARGEST_ITEM_BYTES = 8 * 1024 * 1024
"""Of the step results of one item together. More belongs into a document or a table, not into a result."""


INVALID_OUTPUT = "INVALID_OUTPUT"


def finish(way: ItemWay, finished_us: int, stop_reason: str | None) -> FinishedItem:
    """The row of an item with no open step left, or one that a failure ended."""
    ending, output = with_output(way, way.ending())
    steps, stored = with_steps(way, ending)
    if stored is not ending:
        # What is not on record must not stand in the entity either.
        way.effects.clear()
        way.messages.clear()
        ending, output = stored, None
    # Before the row, which holds the entity's version behind it.
    publication = publication_of(way)
    row = ItemRow(
        way.ordinal,
        way.entity_id,
        way.entity_version,
        ending.status,
        None if ending.error is None else encoded(ending.error),
        output,
        steps,
        way.started_us,
        finished_us,
    )
    return FinishedItem(
        row,
        counts_of(way.records),
        way.checkpointed,
        publication,
        messages_of(way),
        newly_paid(way),
        stop_reason,
    )


def broken_off(way: ItemWay, finished_us: int, error: Exception) -> FinishedItem:
    """The row of an item that a fault of our own ended. It holds nothing that could be at fault."""
    failure = {"code": "INTERNAL_ERROR", "message": f"A fault of Weft ended this item: {type(error).__name__}."}
    spent = {} if way.spending is None else way.spending.by_step
    paid = [{"id": way.plan.steps[index].id, "s": "X", "u": attempts} for index, attempts in spent.items()]
    row = ItemRow(
        way.ordinal,
        way.entity_id,
        way.entity_version,
        "FAILED",
        encoded(failure),
        None,
        encoded(paid),
        way.started_us,
        finished_us,
    )
    return FinishedItem(row, NO_STEPS, way.checkpointed, paid=newly_paid(way))


def checkpoint(way: ItemWay) -> Unfinished:
    """What is decided so far of an item that is not finished; nothing of it is done again after this is stored."""
    publication = publication_of(way)
    way.fresh = False
    way.checkpointed = True
    steps, _ = with_steps(way, Ending("COMPLETED"))
    return Unfinished(
        [CheckpointRow(way.ordinal, steps.decode(), moment(way.started_us))],
        [] if publication is None else [publication],
        messages_of(way),
        newly_paid(way),
    )


def with_output(way: ItemWay, ending: Ending) -> tuple[Ending, bytes | None]:
    """The item's output by the definition's mapping; None where it is simply the output of the last steps."""
    mapping = way.plan.output
    if mapping is None or ending.status != "COMPLETED":
        return ending, None
    try:
        way.values["input"] = way.leaf_output()
        value = mapping.evaluate(way.values)
    except (CelEvaluationError, TypeError, ValueError) as error:
        return _output_failed(storable(str(error))), None
    if (why := why_unstorable(value)) is not None:
        return _output_failed(f"what it gives cannot be stored: {why}."), None
    return ending, encoded(value)


def with_steps(way: ItemWay, ending: Ending) -> tuple[bytes, Ending]:
    """The step records as JSON text. A record that cannot be stored gives way to a failure that says so."""
    try:
        steps = orjson.dumps(way.recorded())
    except (TypeError, ValueError):
        return _without_unstorable(way)
    if NUL_AS_JSON in steps and path_to_nul(way.recorded()) is not None:
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
    return Publication(way.entity_id, encoded(fields).decode(), publish)


def messages_of(way: ItemWay) -> list[NewDelivery]:
    """All that the steps want to be sent; asked for once, then it is done."""
    if not way.messages:
        return []
    messages = [
        NewDelivery(message.delivery_id, message.integration, way.ordinal, step_id, message.message)
        for step_id, message in way.messages
    ]
    way.messages.clear()
    return messages


def newly_paid(way: ItemWay) -> list[Paid]:
    """What was paid since this was last asked for; asked for once, then it is counted."""
    return [] if way.spending is None else way.spending.newly()


def merged_fields(effects: Sequence[PublishEntity]) -> dict[str, Any]:
    return {name: value for effect in effects for name, value in effect.fields.items()}


def unstorable_effect(step_id: str, effects: Sequence[Effect]) -> Fail | None:
    """A failure, where what a step wants to be written cannot be."""
    for effect in effects:
        sends = isinstance(effect, SendMessage)
        if (why := why_unstorable(effect.message if sends else effect.fields)) is not None:
            does = "sends" if sends else "publishes"
            return Fail(f"What step {step_id!r} {does} cannot be stored: {why}.", code=INVALID_OUTPUT)
    return None


def encoded(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def _output_failed(why: str) -> Ending:
    return Ending("FAILED", {"code": "OUTPUT_FAILED", "message": f"The output mapping failed: {why}"})


def _without_unstorable(way: ItemWay) -> tuple[bytes, Ending]:
    failures: list[dict[str, Any]] = []
    for index, record in enumerate(way.records):
        if record is not None and why_unstorable([record]) is not None:
            why = why_unstorable(record.get("o")) or "it is nested too deeply"
            failures.append(_fail(way, index, record, INVALID_OUTPUT, f"cannot be stored: {why}."))
    return encoded(way.recorded()), Ending("FAILED", failures[0])


def _too_large(way: ItemWay, size: int) -> tuple[bytes, Ending]:
    """The largest outputs give way until the others fit; a step without its output has failed, and can be retried."""
    sizes = {index: len(orjson.dumps(record)) for index, record in enumerate(way.records) if record is not None}
    why = f"makes the step results of this item take {size:,} bytes, more than {LARGEST_ITEM_BYTES:,}."
    failures: list[dict[str, Any]] = []
    left = size
    for index in sorted(sizes, key=lambda index: sizes[index], reverse=True):
        record = way.records[index]
        if left <= LARGEST_ITEM_BYTES or record is None:
            break
        left -= sizes[index]
        failures.append(_fail(way, index, record, "OUTPUT_TOO_LARGE", why))
    return encoded(way.recorded()), Ending("FAILED", failures[0])


def _fail(way: ItemWay, index: int, record: dict[str, Any], code: str, why: str) -> dict[str, Any]:
    """Put a failure in the place of a step's record; the error of the item that goes with it."""
    error = {"code": code, "message": f"The output of step {record['id']!r} {why}"}
    kept = {name: record[name] for name in ("id", "t", "d", "a", "u") if name in record}
    way.records[index] = {**kept, "s": "F", "e": error}
    return {"step": record["id"], **error}
