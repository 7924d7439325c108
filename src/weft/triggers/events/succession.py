"""What a changed definition makes of the triggers that a workflow has: pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from weft.domain.definition import TriggerDefinition
from weft.domain.ids import new_id
from weft.domain.run import TriggerType
from weft.domain.trigger import Trigger
from weft.domain.workflow import Workflow


def successors(
    before: Sequence[Trigger], wanted: Sequence[TriggerDefinition], *, of: Workflow, by: str, now: datetime
) -> list[Trigger]:
    """One for each that is wanted, in their order.

    A trigger that says the same as before stays what it is, wherever it stands now. One that says something else is the
    successor of the one with its name and event, or else with its event: it keeps the id, under the next revision.
    """
    left = list(before)
    found: dict[int, Trigger] = {}
    for alike in (_same, _same_name, _same_event):
        for position, definition in enumerate(wanted):
            ancestor = None if position in found else next((one for one in left if alike(one, definition)), None)
            if ancestor is not None:
                left.remove(ancestor)
                found[position] = _successor(ancestor, definition, position, now)
    return [
        found[position] if position in found else _new(definition, position, of, by, now)
        for position, definition in enumerate(wanted)
    ]


def _successor(before: Trigger, definition: TriggerDefinition, position: int, now: datetime) -> Trigger:
    if _same(before, definition):
        return replace(before, position=position)
    return replace(
        before,
        name=definition.name,
        event=definition.event,
        filter=definition.filter,
        condition=definition.condition,
        input=definition.input,
        parameters=definition.parameters,
        enabled=definition.enabled,
        position=position,
        revision=before.revision + 1,
        updated_at=now,
    )


def _new(definition: TriggerDefinition, position: int, of: Workflow, by: str, now: datetime) -> Trigger:
    return Trigger(
        id=new_id(),
        workspace_id=of.workspace_id,
        workflow_id=of.id,
        type=TriggerType.EVENT,
        name=definition.name,
        event=definition.event,
        filter=definition.filter,
        condition=definition.condition,
        input=definition.input,
        parameters=definition.parameters,
        enabled=definition.enabled,
        position=position,
        revision=1,
        created_by=by,
        created_at=now,
        updated_at=now,
    )


def _same(trigger: Trigger, wanted: TriggerDefinition) -> bool:
    return _content(trigger) == _content(wanted)


def _same_name(trigger: Trigger, wanted: TriggerDefinition) -> bool:
    return (trigger.name, trigger.event) == (wanted.name, wanted.event)


def _same_event(trigger: Trigger, wanted: TriggerDefinition) -> bool:
    return trigger.event == wanted.event


def _content(of: Trigger | TriggerDefinition) -> tuple[object, ...]:
    return (of.event, of.name, of.filter, of.condition, of.input, of.parameters, of.enabled)
