"""How operations are executed: graphql-core's executor, with what this server needs changed in it."""

from typing import Any, cast

from graphql.execution import Executor
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from weft.graphql.context import Context


class WeftExecutor(StrawberryGraphQLCoreExecutionContext):
    """Gives each operation, and each event of a subscription, loaders of its own.

    A websocket serves many operations with one context, and a subscription many events: what one of them loaded must
    not be shown by a later one.
    """

    context_value: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.context_value = _fresh(self.context_value)

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """graphql-core remembers collected sub-fields by the identity of lists that are new with every event, in a
        dictionary that all events share: about 1 kB per event is never let go of. So every event gets its own.
        """
        executor = cast("Executor[Any]", super().build_per_event_executor(payload))
        executor._relevant_sub_fields = {}  # noqa: SLF001 - the leak is in there
        executor.context_value = _fresh(self.context_value)
        return executor


def _fresh(context: object) -> object:
    return context.fresh() if isinstance(context, Context) else context
