"""Web pages that watch every run over one websocket, are cut off, and come back."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from acceptance.system import System
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from weft.kit.backoff import Backoff

PROTOCOL = Subprotocol("graphql-transport-ws")
WATCH = """subscription ($run: ID!) {
  runProgress(runId: $run) { revision status total pending completed failed skipped cancelled } }"""
ENDS = {"COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED", "CANCELLED"}


@dataclass(slots=True)
class Watched:
    """A run as one watcher sees it."""

    added: float = field(default_factory=time.time)
    fresh: bool = True
    """Nothing came of the present subscription yet."""
    revision: int = -1
    newest: dict[str, Any] = field(default_factory=dict[str, Any])
    ended: float | None = None
    """When its terminal state arrived."""


class Watcher:
    def __init__(self, system: System, api: int) -> None:
        self._system = system
        self._address = system.url_of(api).replace("http", "ws", 1)
        self._connection: ClientConnection | None = None
        self._again = set[asyncio.Task[None]]()
        self.runs: dict[str, Watched] = {}
        self.states = 0
        self.connections = 0
        self.refusals: list[str] = []
        """Subscriptions that the API broke off, with what it said; each was begun again."""
        self.wrong: list[str] = []
        """States that must never be."""

    async def add(self, run: str) -> None:
        self.runs[run] = Watched()
        await self._subscribe(run)

    def cut(self) -> None:
        if self._connection is not None:
            self._connection.transport.abort()

    @property
    def open(self) -> list[str]:
        return [run for run, watched in self.runs.items() if watched.ended is None]

    async def watch(self) -> None:
        """Until cancelled."""
        backoff = Backoff(first=0.05, longest=1.0)
        while True:
            try:
                async with connect(self._address, subprotocols=[PROTOCOL], open_timeout=5, max_size=None) as connection:
                    await self._greet(connection)
                    backoff.reset()
                    await self._listen(connection)
            except (OSError, WebSocketException, TimeoutError):
                pass
            finally:
                self._connection = None
                for task in self._again:  # the next connection subscribes to all that is open
                    task.cancel()
            await asyncio.sleep(backoff.next())

    async def _greet(self, connection: ClientConnection) -> None:
        credentials = {"Authorization": f"Bearer {self._system.key}"}
        await connection.send(orjson.dumps({"type": "connection_init", "payload": credentials}).decode())
        async with asyncio.timeout(10):
            await connection.recv()
        self.connections += 1
        self._connection = connection
        for run in self.open:
            await self._subscribe(run)

    async def _listen(self, connection: ClientConnection) -> None:
        async for message in connection:
            event = orjson.loads(message)
            match event["type"]:
                case "next" if not event["payload"].get("errors"):
                    self._see(event["id"], event["payload"]["data"]["runProgress"])
                case "next" | "error":
                    self.refusals.append(_message_of(event["payload"]))
                case "complete":
                    pass
                case _:
                    continue
            if event["type"] in {"error", "complete"} and self.runs[event["id"]].ended is None:
                task = asyncio.create_task(self._subscribe_later(event["id"]))
                self._again.add(task)
                task.add_done_callback(self._again.discard)

    async def _subscribe_later(self, run: str) -> None:
        await asyncio.sleep(0.5)
        await self._subscribe(run)

    async def _subscribe(self, run: str) -> None:
        """Nothing, while there is no connection: the next one subscribes to all that is open."""
        if self._connection is None:
            return
        self.runs[run].fresh = True
        operation = {"query": WATCH, "variables": {"run": run}}
        try:
            await self._connection.send(orjson.dumps({"id": run, "type": "subscribe", "payload": operation}).decode())
        except WebSocketException:
            self._connection = None

    def _see(self, run: str, state: dict[str, Any]) -> None:
        watched = self.runs[run]
        self.states += 1
        counted = sum(state[name] for name in ("pending", "completed", "failed", "skipped", "cancelled"))
        if counted != state["total"]:
            self.wrong.append(f"{run}: the counters do not add up: {state}")
        # A subscription begins with the state of the moment, which may be the one that was seen last.
        seen_again = watched.fresh and state == watched.newest
        if state["revision"] <= watched.revision and not seen_again:
            self.wrong.append(f"{run}: {watched.newest} was followed by {state}")
        if watched.ended is not None and state != watched.newest:
            self.wrong.append(f"{run}: after its end: {state}")
        watched.fresh, watched.revision, watched.newest = False, state["revision"], state
        if state["status"] in ENDS and watched.ended is None:
            watched.ended = time.time()


def _message_of(payload: Any) -> str:
    """Of a `next` with errors, which is an object, or of an `error`, which is a list of them."""
    errors = cast("list[dict[str, str]]", payload["errors"] if isinstance(payload, dict) else payload)
    return "; ".join(error["message"].partition(" The log has it as")[0] for error in errors)
