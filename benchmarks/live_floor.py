"""The floor of `live`: Starlette sends one text to all its watchers, one after the other, and does nothing else.

python -m benchmarks.live_floor <port>

Served as the API is: the same event loop, the same websocket protocol. Watchers come by the words of graphql-transport-ws, so that
they are the same as the API's. What they get was made elsewhere: it comes on one more websocket, and goes out as it came.
"""

import sys

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from benchmarks.client import PROTOCOL


class Broadcast:
    def __init__(self) -> None:
        self._watchers: list[WebSocket] = []
        self._newest = ""

    async def watch(self, websocket: WebSocket) -> None:
        await websocket.accept(PROTOCOL)
        await websocket.receive_text()
        await websocket.send_text('{"type":"connection_ack"}')
        await websocket.receive_text()
        await websocket.send_text(self._newest)
        self._watchers.append(websocket)
        async for _ in websocket.iter_text():
            pass
        self._watchers.remove(websocket)

    async def tell(self, websocket: WebSocket) -> None:
        await websocket.accept()
        async for self._newest in websocket.iter_text():
            for watcher in self._watchers:
                await watcher.send_text(self._newest)


if __name__ == "__main__":
    broadcast = Broadcast()
    routes = [WebSocketRoute("/graphql", broadcast.watch), WebSocketRoute("/tell", broadcast.tell)]
    uvicorn.run(
        Starlette(routes=routes),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        access_log=False,
        server_header=False,
    )
