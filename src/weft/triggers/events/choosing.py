"""What is to come of an event for a workflow: the first of its triggers that the event is for. Nothing is read or written here.

A workflow is started once for an event, however many of its triggers match. A trigger that cannot be applied to the event
leaves the way to the next one; where none is left, its reason is told.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from weft.domain.errors import Invalid
from weft.domain.event_types import EVENT_TYPES
from weft.domain.events import Event
from weft.domain.ids import UUID
from weft.domain.run import TriggerType
from weft.domain.trigger import DEEPEST, FiringOutcome, Trigger
from weft.domain.workflow import Workflow, WorkflowStatus
from weft.kit.slices import Slices
from weft.storage.listeners import Listener
from weft.triggers.events.matchers import MatcherCache
from weft.triggers.events.matching import Matcher, MatchingError

log = structlog.get_logger(__name__)

LONGEST_SECONDS = 2.0
"""Of this process's own time for the triggers of one workflow: its expressions over a large payload. Those that are left then
are refused, or the event would be begun again and again.
"""


@dataclass(frozen=True, slots=True)
class Start:
    """What the run is to be given."""

    input: Any
    parameters: dict[str, Any]
    entity_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Refusal:
    outcome: FiringOutcome
    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A trigger that an event is for."""

    event: Event
    trigger: Trigger
    workflow: Workflow
    comes_to: Start | Refusal

    def refused(self, reason: str) -> "Choice":
        return Choice(self.event, self.trigger, self.workflow, Refusal(FiringOutcome.REFUSED, reason))


async def choose(event: Event, listeners: Sequence[Listener], matchers: MatcherCache, slices: Slices) -> Choice | None:
    """`listeners` are those of one workflow, in their order; between them others have their turn of the event loop."""
    refused: Choice | None = None
    spent = 0.0
    for listener in listeners:
        await slices.breathe()
        if spent > LONGEST_SECONDS:
            reason = f"The triggers of the workflow took more than {LONGEST_SECONDS:g} seconds together: this one had no turn."
            return refused or _refused(event, listener, reason)
        # Of this thread, and only while nobody else has a turn: what others do meanwhile is no fault of the triggers.
        began = time.thread_time()
        chosen = _chosen(event, listener, matchers)
        spent += time.thread_time() - began
        if chosen is None:
            continue
        if isinstance(chosen.comes_to, Start) or chosen.comes_to.outcome is FiringOutcome.CUT:
            return chosen
        refused = refused or chosen
    return refused


def _chosen(event: Event, listener: Listener, matchers: MatcherCache) -> Choice | None:
    """None where the event is not for the trigger."""
    trigger, workflow = listener.trigger, listener.workflow
    if not is_startable(workflow):
        # Who calls an inbound webhook is told that it was taken, so what became of it has to be found somewhere.
        return _refused(event, listener, why_not(workflow)) if trigger.type is TriggerType.WEBHOOK else None
    if _is_of_another_type(event, trigger, workflow):
        return None
    try:
        matcher = matchers.get(trigger)
        if not matcher.matches(event):
            return None
        if event.depth > DEEPEST:
            return Choice(event, trigger, workflow, Refusal(FiringOutcome.CUT, _chain(event)))
        return Choice(event, trigger, workflow, _start(event, workflow, matcher))
    except MatchingError as error:
        return _refused(event, listener, error.reason)
    except Invalid as error:
        return _refused(event, listener, f"This version of Weft cannot use the trigger: {error}")
    except Exception as error:
        log.exception("A trigger broke off", trigger=str(trigger.id), event_id=str(event.id), exc_info=error)
        return _refused(
            event, listener, f"A fault of Weft kept the trigger from being applied: {type(error).__name__}."
        )


def _is_of_another_type(event: Event, trigger: Trigger, workflow: Workflow) -> bool:
    """Of entities that the workflow never works on there may be millions: their events are simply not for it."""
    if workflow.entity_type_id is None or trigger.input is not None:
        return False
    kind = EVENT_TYPES.get(event.name)
    if kind is None or kind.payload_schema is None or "entityTypeId" not in event.payload:
        return False
    return event.payload["entityTypeId"] != str(workflow.entity_type_id)


def _start(event: Event, workflow: Workflow, matcher: Matcher) -> Start:
    parameters = matcher.parameters_of(event)
    if workflow.entity_type_id is None:
        return Start(matcher.input_of(event), parameters, ())
    ids = matcher.entity_ids_of(event)
    if not ids:
        raise MatchingError("The workflow runs over entities, and the event names none: `entityId` or `entityIds`.")
    return Start(None, parameters, ids)


def is_startable(workflow: Workflow) -> bool:
    """By triggers."""
    return workflow.status is WorkflowStatus.ACTIVE and workflow.enabled


def why_not(workflow: Workflow) -> str:
    state = "disabled" if workflow.status is WorkflowStatus.ACTIVE else workflow.status
    return f"The workflow {workflow.name!r} is {state}: triggers start only one that is ACTIVE and enabled."


def _refused(event: Event, listener: Listener, reason: str) -> Choice:
    return Choice(event, listener.trigger, listener.workflow, Refusal(FiringOutcome.REFUSED, reason))


def _chain(event: Event) -> str:
    return (
        f"{event.depth} runs lie behind this event, each the cause of the next; the chain is cut at {DEEPEST}. "
        "Does the workflow cause its own trigger?"
    )
