"""JSON as text and bytes, by orjson."""

from typing import Any

import orjson

loads = orjson.loads


def dump_bytes(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)


def dumps(value: Any) -> str:
    return dump_bytes(value).decode()
