"""Which operations are shared, and who executes them."""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, cast

import orjson
from graphql import FieldNode, GraphQLError, OperationType, get_operation_ast

from weft.domain.access import Anyone, Role, Viewer
from weft.domain.ids import new_id
from weft.graphql.context import Context
from weft.graphql.errors import of_exception
from weft.graphql.live.execution import SharedExecution, encoded
from weft.graphql.live.streams import StreamWatcher
from weft.graphql.schema import WeftSchema
from weft.operations.services import Services

PERSONAL_REMEMBERED = 1_000
"""Operations that turned out to depend on who asks. One that is forgotten is tried again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An operation, as a client sends it."""

    query: str
    variables: Mapping[str, Any] | None
    operation_name: str | None

    def key(self, viewer: Viewer) -> tuple[object, ...] | None:
        """Who has the same one gets the same answer. None: the variables are too deep to be compared."""
        try:
            variables = orjson.dumps(self.variables or {}, option=orjson.OPT_SORT_KEYS)
        except TypeError:
            return None
        return (self.query, self.operation_name, variables, viewer.workspace_id, viewer.role)


class SharedOperations:
    """One per process."""

    def __init__(self, schema: WeftSchema, services: Services) -> None:
        self._schema = schema
        self._services = services
        self._executions: dict[tuple[object, ...], SharedExecution] = {}
        self._personal: OrderedDict[int, None] = OrderedDict()
        """By their hashes: the texts may be long."""

    @property
    def executions(self) -> int:
        return len(self._executions)

    @property
    def watchers(self) -> int:
        return sum(len(execution) for execution in self._executions.values())

    def find(self, asked: Asked, viewer: Viewer) -> SharedExecution | None:
        """The execution to join; None for an operation that is not shared."""
        if (key := asked.key(viewer)) is None:
            return None
        execution = self._executions.get(key)
        if execution is None and self._is_shared(asked, viewer.role):
            execution = self._executions[key] = SharedExecution(
                partial(_Opened, self._schema, self._services, asked, viewer),
                forget=partial(self._forget, key),
                is_personal=partial(self._note_personal, asked, viewer.role),
            )
        return execution

    def watch(self, asked: Asked, context: Context) -> AsyncGenerator[bytes] | None:
        """The payloads of a shared operation, `{"data": …}` as JSON, for one who takes them at a pace of its own: the newest
        one now, and the newest whenever there is a newer one. None for an operation that is not shared. Nothing begins before the
        first is asked for. Close it when it is left early.
        """
        return self._watched(asked, context) if self._is_shared(asked, context.viewer.role) else None

    async def _watched(self, asked: Asked, context: Context) -> AsyncGenerator[bytes]:
        # Found where it is joined: one that was found earlier may be over by now, and one that was made for nobody would stay.
        execution = self.find(asked, context.viewer)
        watcher = StreamWatcher()
        if execution is not None:
            execution.join(watcher)
            try:
                async for payload in watcher:
                    yield payload
            finally:
                execution.leave(watcher)
        if execution is None or watcher.is_alone:
            async with aclosing(await _stream(self._schema, asked, context)) as results:
                async for result in results:
                    yield encoded(result)

    def _is_shared(self, asked: Asked, role: Role) -> bool:
        if _personal_key(asked, role) in self._personal:
            return False
        try:
            operation = get_operation_ast(self._schema.documents.read(asked.query).node, asked.operation_name)
        except GraphQLError:
            return False
        if operation is None or operation.operation is not OperationType.SUBSCRIPTION:
            return False
        match operation.selection_set.selections:
            case [FieldNode() as field]:
                return field.name.value in self._schema.shared_fields
            case _:
                return False

    def _forget(self, key: tuple[object, ...]) -> None:
        del self._executions[key]

    def _note_personal(self, asked: Asked, role: Role) -> None:
        self._personal[_personal_key(asked, role)] = None
        if len(self._personal) > PERSONAL_REMEMBERED:
            self._personal.popitem(last=False)


def _personal_key(asked: Asked, role: Role) -> int:
    """A role that may not see a field asks whose key it is, for the error; another role shares it all the same."""
    return hash((asked.query, asked.operation_name, role))


class _Revised(Protocol):
    """An event of a source whose field is shared."""

    revision: int


class _Opened:
    def __init__(self, schema: WeftSchema, services: Services, asked: Asked, scope: Viewer) -> None:
        self.viewer = Anyone(scope.workspace_id, scope.role)
        self.revision: int | None = None
        self._context = Context(services, str(new_id()), self.viewer)
        self._context.on_event = self._note
        self.results = partial(_stream, schema, asked, self._context)

    def shown(self, error: Exception) -> object:
        return of_exception(error, self._context).formatted

    def _note(self, event: object) -> None:
        self.revision = cast("_Revised", event).revision


async def _stream(schema: WeftSchema, asked: Asked, context: Context) -> AsyncGenerator[Any]:
    variables = None if asked.variables is None else dict(asked.variables)
    return await schema.stream(
        asked.query, variable_values=variables, context_value=context, operation_name=asked.operation_name
    )
