"""Care: how a batch is carried whose holders vanished, so that what ended them costs one item and not the batch.

Workers die of many things, and mostly not of what they do: the first time that a holder of a batch vanishes is nobody's
fault, and every item that is recorded starts the count anew. From the second time on the batch is carried carefully: one
step at a time, inline ones too, and before each the item and step are written down, with the batch. When that holder
vanishes too, the item is a suspect.

| holders lost | the next one |
|---|---|
| one | carries the batch as ever |
| two or more, and no item recorded since | carries it carefully |
| one of them with an item under way | tries that item first, with nothing else under way in its process |
| the one that tried it as well | fails the step that was under way, by name, and goes on with the others |

So an item is condemned only when it was under way alone, in a process of its own, and that ended: never for a neighbour,
in the batch or beside it. An innocent one falls only when four holders of its batch in a row are killed from outside,
the last two while that very item is under way.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import structlog

from weft.domain.step import Fail, Outcome, StepContext
from weft.engine import words
from weft.engine.attempt import Attending
from weft.engine.leases import HeldLeases
from weft.engine.plan import PlannedStep
from weft.storage import suspects
from weft.storage.batches import ClaimedBatch, Lease, Suspect
from weft.storage.database import DATABASE_IS_AWAY, Database, in_short
from weft.storage.loading import LoadedItem

log = structlog.get_logger(__name__)

CAREFUL_FROM = 2
"""Holders lost. Deaths from outside seldom come to one batch twice, and care makes it slower."""
CONDEMNED_FROM = 2
"""Holders lost in a row with the same item under way, the second of them with nothing else."""
MOST_CONDEMNED = 10
"""Items of one run. Each costs two workers: when so many do, it is the step and not the item, and the run is ended."""
MOST_LOST = 20
"""Holders of one batch, none of which came to begin an item: it is the workflow and not an item."""
WORKER_LOST = "WORKER_LOST"


@dataclass(slots=True)
class Care:
    """Of one worker, for the batches that need it."""

    database: Database
    held: HeldLeases
    alone: Lease | None = None
    """The batch that has this worker to itself, because one of its items is tried."""

    def attempts_for(
        self,
        batch: ClaimedBatch,
        attempts: Attending,
        flush: Callable[[], Awaitable[None]],
        tried: Callable[[], None],
    ) -> Attending:
        """`flush` stores what the batch has come to. `tried` is called when it no longer needs the worker for itself."""
        if not needs_care(batch):
            return attempts

        async def note(suspect: Suspect) -> None:
            # What came before must not be lost with what comes now, or a condemned item would be tried again.
            await flush()
            await self._note(batch.lease, suspect)

        return CarefulAttempts(attempts, batch.suspect, asyncio.Lock(), note, tried)

    async def _note(self, lease: Lease, suspect: Suspect) -> None:
        """Raises CancelledError where the step must not begin."""
        try:
            async with self.database.transaction() as connection:
                noted = await suspects.note_suspect(connection, lease, suspect)
        except DATABASE_IS_AWAY as error:
            log.warning("A batch that needs care is given back", run=str(lease.run_id), error=in_short(error))
            self.held.pause(lease)
            raise asyncio.CancelledError from error
        if not noted:
            self.held.lose(lease)
            raise asyncio.CancelledError

    async def why_hopeless(self, batch: ClaimedBatch) -> str | None:
        """Why the whole run is to end, where it costs worker after worker."""
        suspect = batch.suspect
        if suspect is None:
            return (
                f"{batch.holders_lost} workers in a row were lost with a batch of this run before they could begin an item."
                if batch.holders_lost >= MOST_LOST
                else None
            )
        if not is_condemned(suspect):
            return None
        async with self.database.reading() as connection:
            found = await suspects.failed_with(connection, batch.lease.run_id, WORKER_LOST, MOST_CONDEMNED)
        if found < MOST_CONDEMNED:
            return None
        return f"{found} items of this run have ended the workers that carried them, and here is one more: step {suspect.step!r}."


class CarefulAttempts:
    """Attempts for the items of one batch, one at a time."""

    inline = False
    windows = None

    def __init__(
        self,
        attempts: Attending,
        suspect: Suspect | None,
        turn: asyncio.Lock,
        note: Callable[[Suspect], Awaitable[None]],
        cleared: Callable[[], None],
    ) -> None:
        """`turn` is that of the batch. `note` raises CancelledError when the batch is not ours any more.

        `cleared` is told when the suspect was tried and nothing happened.
        """
        self._attempts = attempts
        self._suspect = suspect
        self._turn = turn
        self._note = note
        self._cleared = cleared

    async def attend(self, step: PlannedStep, ctx: StepContext, value: Any) -> Outcome:
        ordinal: int = ctx.values["item"]["ordinal"]
        async with self._turn:
            suspect = self._suspect
            if suspect is not None and suspect.ordinal != ordinal:
                # Its turn came first.
                suspect = self._suspect = None
                self._cleared()
            if suspect is not None and is_condemned(suspect) and suspect.step == step.id:
                log.error("An item ended the workers that carried it, and fails", item=ctx.idempotency_key)
                level, message, fields = words.condemned(suspect.losses)
                ctx.log(level, message, **fields)
                # The steps behind it, if there are any, are no better than it.
                return condemned(suspect)
            losses = suspect.losses if suspect is not None else 0
            await self._note(Suspect(ordinal, step.id, losses))
            return await self._attempts.attend(step, ctx, value)


def needs_care(batch: ClaimedBatch) -> bool:
    return batch.holders_lost >= CAREFUL_FROM or batch.suspect is not None


def tries_first(batch: ClaimedBatch, items: list[LoadedItem]) -> bool:
    """Puts the suspect before the others. Whether it is to be tried alone: it is open, and not condemned yet."""
    suspect = batch.suspect
    if suspect is None:
        return False
    items.sort(key=lambda item: item.ordinal != suspect.ordinal)
    return bool(items) and items[0].ordinal == suspect.ordinal and not is_condemned(suspect)


def is_condemned(suspect: Suspect) -> bool:
    return suspect.losses >= CONDEMNED_FROM


def condemned(suspect: Suspect) -> Fail:
    return Fail(
        f"The worker was lost {suspect.losses} times in a row while step {suspect.step!r} was under way for this item, "
        "the last time with nothing else to do.",
        code=WORKER_LOST,
    )
