"""Whether an event is for a trigger, and what a run that comes of it is given. Pure: nothing is read or written here."""

from collections.abc import Mapping
from typing import Any, Protocol, cast

from weft.domain.entity import JsonSchema
from weft.domain.errors import ErrorCode, Invalid, Problem
from weft.domain.event_types import EVENT_TYPES
from weft.domain.events import Event
from weft.domain.ids import UUID, id_in
from weft.domain.trigger import Trigger
from weft.engine.compiling.scope_problems import worded
from weft.kit.cel import (
    CelEvaluationError,
    CelExpression,
    CelMapping,
    CelScope,
    CelSyntaxError,
    compile_cel,
    compile_mapping,
)
from weft.kit.schema_limits import deeper_than
from weft.kit.storable import why_unstorable
from weft.triggers.events.filters import EventFilter

MOST_ENTITIES = 1_000
"""Named by one event."""

DEEPEST_PAYLOAD = 200
"""For expressions: results are written out level by level, and what is much deeper could not be stored either."""

ONE_ENTITY = ("entityId", "entity_id", "documentId", "document_id")
SEVERAL_ENTITIES = ("entityIds", "entity_ids", "documentIds", "document_ids")

_HEADERS: JsonSchema = {"type": "object", "additionalProperties": {"type": "string"}}
_QUERY: JsonSchema = {"type": "object", "additionalProperties": True}


class MatchingError(Exception):
    """The trigger could not be applied to this event; `reason` says why, for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Listening(Protocol):
    """What a trigger says of the events that it is for: a stored one, or one in a definition."""

    @property
    def event(self) -> str | None: ...
    @property
    def filter(self) -> Mapping[str, Any]: ...
    @property
    def condition(self) -> str | None: ...
    @property
    def input(self) -> Mapping[str, str] | None: ...
    @property
    def parameters(self) -> Mapping[str, str] | None: ...


class Matcher:
    """A trigger, compiled. Safe to share between threads; keep it for as long as the trigger has the same `revision`."""

    def __init__(
        self,
        *,
        of_webhook: bool,
        filter: EventFilter,
        condition: CelExpression | None,
        input: CelMapping | None,
        parameters: CelMapping | None,
    ) -> None:
        self.input = input
        self.parameters = parameters
        self._of_webhook = of_webhook
        self._filter = filter
        self._condition = condition
        self._reads_event = any(
            reference.partition(".")[0] == "event"
            for one in (condition, input, parameters)
            if one is not None
            for reference in one.references
        )

    @classmethod
    def of(cls, trigger: Trigger | Listening) -> "Matcher":
        """Raises Invalid with all that is wrong with its expressions, each path from the trigger on."""
        problems: list[Problem] = []
        scope = _scope_of(trigger.event)
        made = cls(
            of_webhook=trigger.event is None,
            filter=EventFilter(trigger.filter),
            condition=None if trigger.condition is None else _condition(trigger.condition, scope, problems),
            input=None if trigger.input is None else _mapping("input", trigger.input, scope, problems),
            parameters=None
            if trigger.parameters is None
            else _mapping("parameters", trigger.parameters, scope, problems),
        )
        if problems:
            raise Invalid(problems=problems)
        return made

    def matches(self, event: Event) -> bool:
        """Raises MatchingError where the condition cannot be told for this event."""
        places = (self._payload(event), event.payload) if self._of_webhook else (event.payload,)
        if not self._filter.lets_through(*places):
            return False
        if self._condition is None:
            return True
        try:
            answer = self._condition.evaluate(self._names(event))
        except CelEvaluationError as error:
            raise MatchingError(f"The condition failed: {error.message}.") from error
        if not isinstance(answer, bool):
            raise MatchingError("The condition is neither true nor false.")
        return answer

    def input_of(self, event: Event) -> Any:
        """The input of the run: what the mapping makes of the event, or its payload."""
        return self._payload(event) if self.input is None else self._mapped("input", self.input, event)

    def parameters_of(self, event: Event) -> dict[str, Any]:
        return {} if self.parameters is None else self._mapped("parameters", self.parameters, event)

    def entity_ids_of(self, event: Event) -> tuple[UUID, ...]:
        """The entities that the input names, each once; none where it names none."""
        given = self.input_of(event)
        if not isinstance(given, Mapping):
            return ()
        fields = cast("Mapping[str, Any]", given)
        for name in ONE_ENTITY:
            if fields.get(name) is not None:
                return (_entity_id(fields[name], name),)
        for name in SEVERAL_ENTITIES:
            if fields.get(name) is not None:
                return _entity_ids(fields[name], name)
        return ()

    def _mapped(self, what: str, mapping: CelMapping, event: Event) -> dict[str, Any]:
        try:
            made = mapping.evaluate(self._names(event))
        except CelEvaluationError as error:
            raise MatchingError(f"The {what} could not be made: {error}.") from error
        if deeper_than(made, DEEPEST_PAYLOAD):
            raise MatchingError(f"The {what} would be nested more than {DEEPEST_PAYLOAD} levels deep.")
        if (why := why_unstorable(made)) is not None:
            raise MatchingError(f"The {what} could not be stored: {why}.")
        return made

    def _payload(self, event: Event) -> Any:
        return event.payload.get("body") if self._of_webhook else event.payload

    def _names(self, event: Event) -> dict[str, Any]:
        if deeper_than(event.payload, DEEPEST_PAYLOAD):
            raise MatchingError(f"The event is nested more than {DEEPEST_PAYLOAD} levels deep.")
        names: dict[str, Any] = {"payload": self._payload(event)}
        if self._reads_event:
            names["event"] = {
                "id": str(event.id),
                "name": event.name,
                "depth": event.depth,
                "createdAt": event.created_at.isoformat().replace("+00:00", "Z"),
                "payload": event.payload,
            }
        if self._of_webhook:
            names |= {"headers": event.payload.get("headers", {}), "query": event.payload.get("query", {})}
        return names


def _scope_of(event: str | None) -> CelScope:
    """The names for events of this name; None for calls of an inbound webhook."""
    known = None if event is None else EVENT_TYPES.get(event)
    schema = None if known is None else known.payload_schema
    names: dict[str, JsonSchema | None] = {
        "payload": schema,
        "event.id": {"type": "string"},
        "event.name": {"type": "string"},
        "event.depth": {"type": "integer"},
        "event.createdAt": {"type": "string"},
        "event.payload": schema,
    }
    return CelScope(names if event is not None else {**names, "headers": _HEADERS, "query": _QUERY})


def _condition(source: str, scope: CelScope, problems: list[Problem]) -> CelExpression | None:
    try:
        condition = compile_cel(source, scope)
    except CelSyntaxError as error:
        problems += _problems(error, "condition")
        return None
    if condition.result_type.kind not in {"bool", "dyn"}:
        message = "The condition has to be true or false."
        hint = "Write a comparison, such as `payload.size > 1000`."
        problems.append(Problem(ErrorCode.TYPE_MISMATCH, message, ("condition",), hint))
    return condition


def _mapping(name: str, sources: Mapping[str, str], scope: CelScope, problems: list[Problem]) -> CelMapping | None:
    try:
        return compile_mapping(sources, scope)
    except CelSyntaxError as error:
        problems += _problems(error, name)
        return None


def _problems(error: CelSyntaxError, *path: str) -> list[Problem]:
    found: list[Problem] = []
    for problem in error.problems:
        words = worded(problem.message, "", ErrorCode.INVALID_EXPRESSION, other_steps=(), has_entity=True)
        place = path if problem.name is None else (*path, problem.name)
        found.append(Problem(words.code, words.message, place, words.hint, problem.line, problem.column))
    return found


def _entity_id(written: Any, name: str) -> UUID:
    found = id_in(written, "Entity") if isinstance(written, str) else None
    if found is None:
        raise MatchingError(f"{name} is not the id of an entity.")
    return found


def _entity_ids(written: Any, name: str) -> tuple[UUID, ...]:
    if not isinstance(written, list):
        raise MatchingError(f"{name} is not a list of ids.")
    ids = cast("list[Any]", written)
    if len(ids) > MOST_ENTITIES:
        raise MatchingError(f"{name} has {len(ids):,} ids; at most {MOST_ENTITIES:,} are allowed.")
    return tuple(dict.fromkeys(_entity_id(one, name) for one in ids))
