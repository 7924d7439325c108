"""Triggers that stand in definitions, and listen to events."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Role, Viewer
from weft.domain.definition import Definition, TriggerDefinition
from weft.domain.errors import ErrorCode, Invalid, Problem
from weft.domain.event_types import EVENT_TYPES, EventType
from weft.domain.events import PlatformEvent
from weft.domain.ids import UUID
from weft.domain.spelling.triggers import names_triggers
from weft.domain.trigger import Trigger
from weft.domain.workflow import Workflow
from weft.engine.compiling.compiler import Examined
from weft.operations.services import Services
from weft.storage import triggers
from weft.triggers.events.checking import Receiver, problems_of
from weft.triggers.events.matching import ONE_ENTITY, SEVERAL_ENTITIES
from weft.triggers.events.succession import successors

_OF_DOCUMENTS = frozenset({PlatformEvent.DOCUMENT_UPLOADED.value, PlatformEvent.DOCUMENT_PROCESSED.value})


def with_triggers(definition: Any, beside: Any) -> Any:
    """The definition with the triggers that were given beside it, where any were."""
    if beside is None or not isinstance(definition, Mapping):
        return definition
    if names_triggers(definition):
        raise Invalid(
            "Triggers are given both here and in the definition.", path=("triggers",), hint="Keep one of them."
        )
    return {**cast("Mapping[str, Any]", definition), "triggers": beside}


def keeping_triggers(definition: Any, present: Mapping[str, Any]) -> Any:
    """The definition with the triggers of the present one, where it says nothing of them."""
    if names_triggers(definition) or not isinstance(definition, Mapping):
        return definition
    return {**cast("Mapping[str, Any]", definition), "triggers": present.get("triggers", [])}


def as_given_beside(problem: Problem) -> Problem:
    """A problem of triggers that were given beside the definition, not in it."""
    return replace(problem, path=problem.path[1:]) if problem.path[:2] == ("definition", "triggers") else problem


def problems_of_triggers(examined: Examined, *, over_entities: bool) -> Iterator[Problem]:
    """Each path in the definition as it was written."""
    reading, definition = examined.reading, examined.definition
    receiver = Receiver(over_entities, definition.input_schema, definition.parameters_schema)
    if any(problem.code is ErrorCode.INVALID_SCHEMA for problem in examined.problems):
        # Nothing is said of what does not fit a schema that is none.
        receiver = Receiver(over_entities, None, None)
    for position, trigger in enumerate(definition.triggers or ()):
        for problem in problems_of(trigger, receiver):
            yield replace(problem, path=reading.locate(("triggers", str(position), *problem.path)))


def is_of_documents(definition: Definition) -> bool:
    """Whether a workflow with this definition, of which nothing else is said, works on documents: it listens to them, and
    has no input of its own.
    """
    return definition.input_schema is None and any(
        trigger.event in _OF_DOCUMENTS and _passes_the_entity_on(trigger) for trigger in definition.triggers or ()
    )


async def store_triggers(
    services: Services, viewer: Viewer, connection: AsyncConnection, workflow: Workflow, definition: Definition
) -> None:
    """Those of the definition become those of the workflow, which is new, or whose lock the caller holds."""
    before = await triggers.of_workflows(connection, viewer.workspace_id, [workflow.id])
    wanted = definition.triggers or ()
    after = successors(before, wanted, of=workflow, by=viewer.key_name, now=services.clock())
    await triggers.replace_of_definition(connection, viewer.workspace_id, before, after)


def list_event_types(viewer: Viewer) -> list[EventType]:
    viewer.need(Role.VIEWER)
    return list(EVENT_TYPES.values())


async def load_triggers_of_workflows(
    services: Services, viewer: Viewer, workflow_ids: Sequence[UUID]
) -> list[list[Trigger]]:
    """In the order of the workflows."""
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await triggers.of_workflows(connection, viewer.workspace_id, workflow_ids)
    of_workflow: dict[UUID, list[Trigger]] = defaultdict(list)
    for one in found:
        of_workflow[one.workflow_id].append(one)
    return [of_workflow[workflow_id] for workflow_id in workflow_ids]


async def load_triggers(services: Services, viewer: Viewer, ids: Sequence[UUID]) -> list[Trigger | None]:
    viewer.need(Role.VIEWER)
    async with services.database.reading() as connection:
        found = await triggers.get_many(connection, viewer.workspace_id, ids)
    return [found.get(trigger_id) for trigger_id in ids]


def _passes_the_entity_on(trigger: TriggerDefinition) -> bool:
    return trigger.input is None or bool(trigger.input.keys() & {*ONE_ENTITY, *SEVERAL_ENTITIES})
