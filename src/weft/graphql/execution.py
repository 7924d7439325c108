"""How operations are executed: graphql-core's executor, with what this server needs changed in it."""

from collections.abc import Awaitable, Mapping
from typing import Any, cast

from graphql import GraphQLObjectType
from graphql.execution import Executor
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from weft.graphql.context import Context
from weft.graphql.plain_fields import PlainField, plain_field


class WeftExecutor(StrawberryGraphQLCoreExecutionContext):
    """Gives each operation, and each event of a subscription, loaders of its own, and reads plain fields directly.

    A websocket serves many operations with one context, and a subscription many events: what one of them loaded must
    not be shown by a later one.
    """

    context_value: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.context_value = _fresh(self.context_value)
        self._plain: dict[tuple[str, int], tuple[object, list[tuple[str, PlainField | None]]]] = {}

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """graphql-core remembers collected sub-fields by the identity of lists that are new with every event, in a
        dictionary that all events share: about 1 kB per event is never let go of. So every event gets its own.
        """
        executor = cast("WeftExecutor", super().build_per_event_executor(payload))
        executor._relevant_sub_fields = {}  # noqa: SLF001 - the leak is in there
        executor._plain = {}  # noqa: SLF001 - of this class: these are found by identity as well
        executor.context_value = _fresh(self.context_value)
        if isinstance(self.context_value, Context) and self.context_value.on_event is not None:
            self.context_value.on_event(payload)
        return executor

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: Mapping[str, Any],
        position_context: Any,
    ) -> Awaitable[dict[str, Any]] | dict[str, Any]:
        """The plain fields first, then the others together, in the order in which they are asked for."""
        results: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for name, plain in self._parted(parent_type, grouped_field_set):
            results[name] = None
            if plain is not None:
                try:
                    value = plain.read(source_value)
                    if value is None and plain.nullable:
                        continue
                    if plain.show is not None and (shown := plain.show(value)) is not None:
                        results[name] = shown
                        continue
                except Exception:  # noqa: BLE001, S110 - told below, where the field is read again
                    pass
            others[name] = grouped_field_set[name]
        if not others:
            return results
        completed = super().execute_fields(parent_type, source_value, path, others, position_context)
        if isinstance(completed, dict):
            return results | completed
        return _with(results, completed)

    def _parted(self, parent_type: GraphQLObjectType, fields: Mapping[str, Any]) -> list[tuple[str, PlainField | None]]:
        """Looked up once for all objects of a list: their fields are the same mapping, which is kept so that no other one
        takes its identity.
        """
        key = (parent_type.name, id(fields))
        known = self._plain.get(key)
        if known is None:
            parted = [(name, plain_field(parent_type, details[0].node.name.value)) for name, details in fields.items()]
            known = self._plain[key] = (fields, parted)
        return known[1]


async def _with(results: dict[str, Any], completed: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    return results | await completed


def _fresh(context: object) -> object:
    return context.fresh() if isinstance(context, Context) else context
