"""Who listens for events that wait to be looked at: triggers that are enabled, with their workflows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from sqlalchemy import null, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.events import Event
from weft.domain.ids import UUID
from weft.domain.trigger import Trigger
from weft.domain.workflow import Workflow
from weft.storage.tables import workflow
from weft.storage.triggers import trigger_of
from weft.storage.workflows import workflow_of

_FROM_THE_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Listener:
    trigger: Trigger
    workflow: Workflow


@dataclass(frozen=True, slots=True)
class Listening:
    """Who listens for an event."""

    workflows: Sequence[Sequence[Listener]]
    """By workflow, in the order of their ids: its triggers in their order."""
    until: UUID | None
    """The last of these workflows, where there are more than were wanted; None when these are all."""


_Key = tuple[UUID, str | None, UUID | None]
"""Workspace, and the name of events or the one trigger that they are for."""


@dataclass(frozen=True, slots=True)
class Listeners:
    """Who listens for some events."""

    keys: Mapping[UUID, tuple[_Key, UUID]]
    """By event: what is listened for, and the workflow behind which it goes on."""
    workflow_ids: Mapping[tuple[_Key, UUID], Sequence[UUID]]
    listeners: Mapping[tuple[_Key, UUID], Sequence[Listener]]
    """Of a workflow."""
    cut: tuple[_Key, UUID] | None
    """Where there were more than wanted: the last of which there are some."""

    def of(self, event: Event) -> Listening | None:
        """None where there are too many for it to have its turn with the others."""
        wanted = self.keys[event.id]
        ids = self.workflow_ids.get(wanted)
        if ids is None:
            return None
        found = [self.listeners[wanted[0], one] for one in ids if (wanted[0], one) in self.listeners]
        return Listening(found, ids[-1] if wanted == self.cut else None)


_HEARD = "(t.id = n.trigger_id OR (n.trigger_id IS NULL AND t.event = n.name))"
WORKFLOWS_LISTENING = text(
    f"""
    SELECT n.place, l.workflow_id
    FROM unnest(:workspace_ids ::uuid[], :names ::text[], :trigger_ids ::uuid[], :behind ::uuid[])
      WITH ORDINALITY AS n (workspace_id, name, trigger_id, behind, place)
    CROSS JOIN LATERAL (
      SELECT DISTINCT t.workflow_id FROM trigger t
      WHERE t.workspace_id = n.workspace_id AND {_HEARD} AND t.enabled AND t.workflow_id > n.behind
      ORDER BY t.workflow_id LIMIT :most ::int
    ) l
    ORDER BY n.place, l.workflow_id LIMIT :most ::int
    """
)
LISTENING = text(
    f"""
    SELECT t.* FROM trigger t
    JOIN unnest(:workspace_ids ::uuid[], :names ::text[], :trigger_ids ::uuid[]) AS n (workspace_id, name, trigger_id)
      ON t.workspace_id = n.workspace_id AND {_HEARD}
    WHERE t.enabled AND t.workflow_id = ANY (:workflow_ids ::uuid[])
    ORDER BY t.workflow_id, t.position, t.id
    """
)


async def listeners_of(
    connection: AsyncConnection, events: Sequence[Event], reached: Mapping[UUID, UUID], most: int
) -> Listeners:
    """Whose triggers are enabled, whatever their workflows are at the moment. Those stay until the end of the transaction.

    Of at most so many workflows, for the first of the events; by event, those up to the `reached` one are left out.
    """
    keys = {one.id: (_key_of(one), reached.get(one.id, _FROM_THE_FIRST)) for one in events}
    wanted = list(dict.fromkeys(keys.values()))
    values = _values([key for key, _ in wanted]) | {"behind": [behind for _, behind in wanted], "most": most}
    rows = (await connection.execute(WORKFLOWS_LISTENING, values)).all()
    last: int | None = rows[-1].place if len(rows) == most else None
    room_for = wanted if last is None else wanted[:last]
    workflow_ids: dict[tuple[_Key, UUID], list[UUID]] = {one: [] for one in room_for}
    for row in rows:
        workflow_ids[wanted[row.place - 1]].append(row.workflow_id)
    found = await _listeners(connection, {key for key, _ in room_for}, list({row.workflow_id for row in rows}))
    return Listeners(keys, workflow_ids, found, None if last is None else room_for[-1])


async def _listeners(
    connection: AsyncConnection, keys: AbstractSet[_Key], workflow_ids: Sequence[UUID]
) -> Mapping[tuple[_Key, UUID], Sequence[Listener]]:
    found = defaultdict[tuple[_Key, UUID], list[Listener]](list)
    if not workflow_ids:
        return found
    # First locked, then their triggers read by a statement that begins after that: whoever changes a workflow locks it as well,
    # so its triggers are those of its definition. Always in the same order, as two that wait for each other would never end.
    held = (
        select(*workflow.columns, null().label("last_run_at"))
        .where(workflow.c.id.in_(workflow_ids))
        .order_by(workflow.c.id)
        .with_for_update(read=True, key_share=True)
    )
    workflows = {row["id"]: workflow_of(row) for row in (await connection.execute(held)).mappings()}
    rows = (await connection.execute(LISTENING, _values(keys) | {"workflow_ids": list(workflows)})).mappings()
    for row in rows:
        one = Listener(trigger_of(row), workflows[row["workflow_id"]])
        of_one: _Key = (row["workspace_id"], None, row["id"])
        of_name: _Key = (row["workspace_id"], row["event"], None)
        for key in keys & {of_one, of_name}:
            found[key, one.workflow.id].append(one)
    return found


def _key_of(event: Event) -> _Key:
    return (event.workspace_id, event.name if event.trigger_id is None else None, event.trigger_id)


def _values(keys: Iterable[_Key]) -> dict[str, Any]:
    listed = list(keys)
    return {
        "workspace_ids": [workspace_id for workspace_id, _, _ in listed],
        "names": [name for _, name, _ in listed],
        "trigger_ids": [trigger_id for _, _, trigger_id in listed],
    }
