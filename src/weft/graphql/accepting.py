"""In which form a client takes its answer: its `Accept` header against what this server has.

An answer to a query or a mutation is JSON of one of two types, and only the newer one has status codes that say how the
request went (`http_answers`). A client that says nothing, or takes anything, gets the older one: clients of that kind judge
by the status first, and take a 400 for a broken server.
"""

from dataclasses import dataclass
from functools import lru_cache

from weft.graphql.stream_formats import EVENT_STREAM, PARTS, StreamFormat

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
PAGE = "text/html"

_REMEMBERED_HEADERS = 256
_REMEMBERED_LENGTH = 500
"""Strangers may send long ones: they are read every time."""


@dataclass(frozen=True, slots=True)
class Accepted:
    answer: str | None
    """The type of a single answer; None: none that this server has."""
    stream: StreamFormat | None
    """For results that come one after another, named as such: `*/*` is said by those who expect one answer."""
    page: bool = False
    """A web page, named as such: a browser's address bar asks for it."""


def accepted(header: str | None) -> Accepted:
    if header is None or not header.strip():
        return Accepted(JSON, None)
    return _remembered(header) if len(header) <= _REMEMBERED_LENGTH else _read(header)


def _read(header: str) -> Accepted:
    qualities: dict[str, float] = {}
    streams: list[StreamFormat] = []
    for part in header.lower().split(","):
        media_type, *rest = part.split(";")
        parameters = _parameters(rest)
        quality = qualities[media_type.strip()] = _quality(parameters.get("q"))
        if quality > 0 and (stream := _stream(media_type.strip(), parameters)) is not None:
            streams.append(stream)
    stream = EVENT_STREAM if EVENT_STREAM in streams else next(iter(streams), None)
    return Accepted(_answer(qualities), stream, page=qualities.get(PAGE, 0.0) > 0)


def _stream(media_type: str, parameters: dict[str, str]) -> StreamFormat | None:
    match media_type:
        case "text/event-stream":
            return EVENT_STREAM
        case "multipart/mixed" if parameters.get("subscriptionspec", "").startswith("1.0"):
            return PARTS if parameters.get("boundary", "graphql") == "graphql" else None
        case _:
            return None


def _answer(qualities: dict[str, float]) -> str | None:
    json, response = (_quality_of(media_type, qualities) for media_type in (JSON, RESPONSE))
    if response > json or (response == json > 0 and RESPONSE in qualities):
        return RESPONSE
    return JSON if json > 0 else None


def _quality_of(media_type: str, qualities: dict[str, float]) -> float:
    """By the most specific range that it is in, as RFC 9110 has it."""
    ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next((qualities[name] for name in ranges if name in qualities), 0.0)


def _parameters(parts: list[str]) -> dict[str, str]:
    pairs = (part.partition("=") for part in parts)
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def _quality(given: str | None) -> float:
    try:
        quality = float(given or 1.0)
    except ValueError:
        return 1.0
    return quality if 0.0 <= quality <= 1.0 else 1.0


_remembered = lru_cache(_REMEMBERED_HEADERS)(_read)
