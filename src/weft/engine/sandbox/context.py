"""The sandbox's end of the conversation, and the context of a step there, which speaks through it."""

import socket
import threading
from typing import Any

from weft.domain.outside import Outside
from weft.domain.run import LogLevel
from weft.domain.step import Fail, StepContext
from weft.engine.sandbox.protocol import LENGTH, LOG_FIELDS_BYTES, LOG_MESSAGE_LENGTH, MOST_LOG_LINES
from weft.kit.bounded_fields import bounded_fields
from weft.kit.json import dump_bytes, loads
from weft.kit.storable import storable


class Connection:
    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._socket.set_inheritable(False)  # what a step starts must not hold it open, nor write to it
        self._reader = self._socket.makefile("rb")
        self._lock = threading.Lock()  # a step may log from threads of its own

    def send(self, message: bytes) -> None:
        with self._lock:
            # Together: a length that came alone would wake the worker for nothing.
            self._socket.sendall(LENGTH.pack(len(message)) + message)

    def receive(self) -> bytes | None:
        """None when the worker has closed its end."""
        header = self._reader.read(LENGTH.size)
        return self._reader.read(*LENGTH.unpack(header)) if len(header) == LENGTH.size else None


class SandboxContext(StepContext):
    __slots__ = ("_connection", "_idempotency_key", "_left_out", "_lines_left", "attempt", "values")

    def __init__(self, connection: Connection, call: dict[str, Any]) -> None:
        self._connection = connection
        self._idempotency_key: str = call["idempotencyKey"]
        self._lines_left = MOST_LOG_LINES
        self._left_out = 0
        self.attempt = call["attempt"]
        self.values = call["values"]

    @property
    def idempotency_key(self) -> str:
        return self._idempotency_key

    @property
    def outside(self) -> Outside:
        reason = (
            "A step that runs in a process of its own reaches nothing outside: it gets what it needs by `supplied`."
        )
        raise Fail(reason, code="OUTSIDE_NOT_AVAILABLE")

    def log(self, level: LogLevel, message: str, /, **fields: Any) -> None:
        if self._lines_left == 0:
            self._left_out += 1
            return
        self._lines_left -= 1
        written = bounded_fields(fields, LOG_FIELDS_BYTES)
        line = [LogLevel(level), storable(str(message)[:LOG_MESSAGE_LENGTH]), loads(written)]
        self._connection.send(dump_bytes({"log": line}))

    def close(self) -> None:
        """A thread that outlives its call must not log into the next one."""
        self._lines_left = 0
        if self._left_out:
            self._connection.send(dump_bytes({"log": self._left_out}))
