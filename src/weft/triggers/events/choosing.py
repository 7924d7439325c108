"""What is to come of an event: by workflow, the first of its triggers that the event is for. Nothing is read or written here.

A workflow is started once for an event, however many of its triggers match. A trigger that cannot be applied to the event
leaves the way to the next one; where none is left, its reason is told.
"""

import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from weft.domain.errors import Invalid
from weft.domain.events import Event
from weft.domain.ids import UUID
from weft.domain.run import TriggerType
from weft.domain.trigger import DEEPEST, FiringOutcome, Trigger
from weft.domain.workflow import Workflow, WorkflowStatus
from weft.kit.slices import Slices
from weft.storage.event_queue import Listener
from weft.triggers.events.matchers import MatcherCache
from weft.triggers.events.matching import Matcher, MatchingError

log = structlog.get_logger(__name__)

LONGEST_SECONDS = 2.0
"""Of this process's own time for all triggers of one event: a thousand expressions over a large payload. Those that are left then
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


async def choose(
    event: Event, listeners: Sequence[Listener], matchers: MatcherCache, slices: Slices
) -> AsyncIterator[Choice]:
    """At most one for each workflow. `listeners` stand by workflow; between them others have their turn of the event loop."""
    refused: Choice | None = None
    done: UUID | None = None
    began = time.thread_time()
    for listener in listeners:
        workflow = listener.workflow
        if refused is not None and refused.workflow.id != workflow.id:
            yield refused
            refused = None
        if workflow.id == done:
            continue
        await slices.breathe()
        if time.thread_time() - began > LONGEST_SECONDS:
            reason = f"The triggers for this event took more than {LONGEST_SECONDS:g} seconds together: this one had no turn."
            chosen = _refused(event, listener, reason)
        else:
            chosen = _chosen(event, listener, matchers)
        if chosen is None:
            continue
        if isinstance(chosen.comes_to, Start) or chosen.comes_to.outcome is FiringOutcome.CUT:
            yield chosen
            done, refused = workflow.id, None
        else:
            refused = refused or chosen
    if refused is not None:
        yield refused


def _chosen(event: Event, listener: Listener, matchers: MatcherCache) -> Choice | None:
    """None where the event is not for the trigger."""
    trigger, workflow = listener.trigger, listener.workflow
    if not is_startable(workflow):
        # Who calls an inbound webhook is told that it was taken, so what became of it has to be found somewhere.
        return _refused(event, listener, why_not(workflow)) if trigger.type is TriggerType.WEBHOOK else None
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
