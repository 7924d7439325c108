"""Where strawberry's websocket handler lets shared executions in."""

import asyncio
from functools import partial
from typing import Any, Protocol, cast

from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage

from weft.graphql.context import Context
from weft.graphql.live.execution import SharedExecution
from weft.graphql.live.registry import Asked, SharedOperations
from weft.graphql.live.sockets import AwaitedFrames, Frames, Outbox, SocketWatcher

FRAMES = "weft.frames"
"""The ASGI extension with which a server offers `Frames`."""


class SharingHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Operations that are shared have a watcher and no task; all others run as they ever did."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        websocket = cast("ASGIWebSocketAdapter", self.websocket).ws
        offered = cast("Frames | None", websocket.scope.get("extensions", {}).get(FRAMES))
        self._frames = offered or AwaitedFrames(websocket)
        self._outbox = Outbox(self._frames)
        self._watching: dict[str, tuple[SharedExecution, SocketWatcher]] = {}

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        await super().handle_connection_init(message)
        if self.connection_acknowledged and self.connection_init_timeout_task is not None:
            self.connection_init_timeout_task = None
            self._frames.forget_handshake()

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        asked = Asked(operation.query, operation.variables, operation.operation_name)
        shared = cast("_Sharing", self.view).shared.find(asked, self.context.viewer)
        if shared is None:
            await super().run_operation(operation)
            return
        watcher = SocketWatcher(
            operation.id,
            self._outbox,
            on_end=partial(self._end_watching, operation.id),
            on_alone=partial(self._run_alone, operation),
        )
        self._watching[operation.id] = shared, watcher
        operation.task = None  # which ends here, and need not be kept
        shared.join(watcher)

    async def cleanup_operation(self, operation_id: str) -> None:
        if (watched := self._watching.pop(operation_id, None)) is None:
            operation = self.operations.get(operation_id)
            await super().cleanup_operation(operation_id)
            if operation is not None:
                operation.completed = True  # should it come to its end before it is cancelled: its id is free by then
            return
        del self.operations[operation_id]
        shared, watcher = watched
        shared.leave(watcher)
        watcher.leave()

    def _end_watching(self, operation_id: str) -> None:
        del self._watching[operation_id], self.operations[operation_id]

    def _run_alone(self, operation: Operation[Context, None]) -> None:
        del self._watching[operation.id]
        operation.task = asyncio.create_task(super().run_operation(operation))
        operation.task.add_done_callback(self._task_done)


class _Sharing(Protocol):
    """What the view keeps for all sockets."""

    shared: SharedOperations
