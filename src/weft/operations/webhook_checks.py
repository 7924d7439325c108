"""What can be set on a webhook trigger, and what is wrong with it: before it is saved, not when the first call comes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from weft.domain.access import Viewer
from weft.domain.errors import Invalid, LimitExceeded, NotFound, Problem
from weft.domain.events import WEBHOOK_RECEIVED
from weft.domain.spelling.fields import Notes
from weft.domain.spelling.trigger_filters import read_filter
from weft.domain.spelling.triggers import MOST_MAPPED
from weft.domain.webhooks import WebhookTrigger
from weft.engine.starting import plan_of
from weft.kit.json_schema import SchemaValidator
from weft.kit.storable import is_storable_text, why_unstorable
from weft.operations.labels import name_of
from weft.operations.services import Services
from weft.storage import workflows
from weft.triggers.events.checking import Receiver, problems_of

_RANGES = {
    "tolerance_seconds": ("toleranceSeconds", 10, 3_600),
    "max_bytes": ("maxBytes", 1, 10_000_000),
    "rate_per_minute": ("ratePerMinute", 1, 1_000_000),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """What editors decide of a trigger, beside its workflow, its scheme and its secret. JSON as it was given, until `checked`."""

    name: str
    condition: str | None = None
    filter: Any = None
    input: Any = None
    parameters: Any = None
    enabled: bool = True
    tolerance_seconds: int = 300
    max_bytes: int = 1_000_000
    rate_per_minute: int = 6_000

    @classmethod
    def of(cls, trigger: WebhookTrigger) -> "Settings":
        return cls(**{name: getattr(trigger, name) for name in NAMES})

    def columns(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(one.name for one in fields(Settings))


def checked(given: Settings, problems: list[Problem]) -> Settings:
    """The settings as they are stored; what does not depend on the workflow is checked."""
    for name, (spelled, least, most) in _RANGES.items():
        if not least <= getattr(given, name) <= most:
            message = f"{spelled} is {getattr(given, name):,}; {least:,} to {most:,} is allowed."
            problems.append(Problem(Invalid.code, message, (spelled,)))
    if given.condition is not None and not is_storable_text(given.condition):
        problems.append(Problem(Invalid.code, "The condition holds a character that is no text.", ("condition",)))
    notes = Notes()
    read = replace(
        given,
        name=name_of(given.name, problems),
        filter=_filter(given.filter, notes),
        input=_mapping("input", given.input, notes),
        parameters=_mapping("parameters", given.parameters, notes),
    )
    problems += notes.problems
    return read


def _filter(raw: Any, notes: Notes) -> dict[str, Any]:
    fields = _object("filter", raw, notes)
    return {} if fields is None else read_filter(fields, WEBHOOK_RECEIVED, ("filter",), ("filter",), notes)


def _mapping(name: str, raw: Any, notes: Notes) -> dict[str, str] | None:
    """CEL by name."""
    if (sources := _object(name, raw, notes)) is None:
        return None
    if len(sources) > MOST_MAPPED:
        message = f"{name} has {len(sources):,} entries; {MOST_MAPPED} are allowed."
        notes.add(LimitExceeded.code, message, (name,))
        return None
    for key, source in sources.items():
        if not isinstance(source, str) or not source.strip():
            notes.add(Invalid.code, f"Each entry of {name} is a CEL expression, written as a text.", (name, key))
    return cast("dict[str, str]", sources)


def _object(name: str, raw: Any, notes: Notes) -> dict[str, Any] | None:
    if raw is None:
        return None
    if not isinstance(raw, Mapping):
        notes.add(Invalid.code, f"{name} is an object.", (name,))
    elif why := why_unstorable(raw):
        notes.add(Invalid.code, f"{name} cannot be stored: {why}.", (name,))
    else:
        return dict(cast("Mapping[str, Any]", raw))
    return None


async def check_start(services: Services, connection: AsyncConnection, viewer: Viewer, trigger: WebhookTrigger) -> None:
    """Whether its calls could start the workflow. Raises Invalid with all problems."""
    workflow = await workflows.get(connection, viewer.workspace_id, trigger.workflow_id)
    if workflow is None:
        raise NotFound("There is no such workflow in this workspace.", path=("workflowId",))
    plan = await plan_of(connection, services.plans, workflow)
    receiver = Receiver(
        workflow.entity_type_id is not None, _schema(plan.input_schema), _schema(plan.parameters_schema)
    )
    if problems := problems_of(trigger.trigger, receiver):
        raise Invalid(problems=problems)


def _schema(validator: SchemaValidator | None) -> Mapping[str, Any] | None:
    """None also for one that is plainly true or false: there is nothing in it to compare with."""
    schema = None if validator is None else validator.schema
    return schema if isinstance(schema, Mapping) else None
