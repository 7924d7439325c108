"""JSON as text and bytes, by orjson, and in words."""

import json
from typing import Any

import orjson

loads = orjson.loads


def dump_bytes(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def dumps(value: Any) -> str:
    return dump_bytes(value).decode()


def dump_deep(value: Any) -> bytes:
    """The same for what others stored and something was put around: orjson writes no more than 254 levels."""
    try:
        return dump_bytes(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def in_words(value: Any) -> str:
    """The type of a JSON value as a person would say it: "text", "a number"."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"
