"""As much of the websocket protocol as a client needs that has thousands of connections: RFC 6455, frames without extensions."""

import base64
import os
from collections.abc import Iterator

TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
"""First bytes of frames that are whole messages."""
_MASKED = 0x80
_NO_MASK = bytes(4)
_SHORT = 126


def handshake(host: str, path: str, protocol: str) -> bytes:
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {protocol}",
    )
    return "\r\n".join([*lines, "", ""]).encode()


def frame(kind: int, payload: bytes) -> bytes:
    """From a client to a server, for which it has to be masked: with zeros, which change nothing."""
    size = len(payload)
    length = bytes((size,)) if size < _SHORT else bytes((_SHORT,)) + size.to_bytes(2, "big")
    return bytes((kind, _MASKED | length[0])) + length[1:] + _NO_MASK + payload


def is_one_text(data: bytes) -> bool:
    """Whether this is exactly one text of 126 to 65,535 bytes: what nearly all reads are."""
    return len(data) > 4 and data[0] == TEXT and data[1] == _SHORT and len(data) == 4 + (data[2] << 8 | data[3])


def frames_in(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """The first byte and the payload of each whole frame from a server, and where the next one begins."""
    start = 0
    while len(data) - start >= 2:
        body, size = start + 2, data[start + 1]
        if size >= _SHORT:
            extended = 2 if size == _SHORT else 8
            if len(data) < body + extended:
                return
            size = int.from_bytes(data[body : body + extended], "big")
            body += extended
        if len(data) < body + size:
            return
        kind, start = data[start], body + size
        yield kind, data[body:start], start
