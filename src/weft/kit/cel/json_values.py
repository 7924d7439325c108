"""From what the library returns to plain JSON values."""

import base64
import datetime as dt
import math
from typing import Any, cast


class NotJsonError(Exception):
    """The result has no JSON form; the message says what it is."""


def json_value(value: Any) -> Any:
    """Timestamps become RFC 3339 texts in UTC, durations ISO 8601 texts in hours, minutes and seconds, bytes base64, map keys
    texts. Raises NotJsonError for NaN, infinities and CEL types.
    """
    kind = cast("type[Any]", type(value))
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        if math.isfinite(value):
            return value
        raise NotJsonError(f"the result is not a JSON number: {value}")
    if kind is dict:
        return {_key(key): json_value(part) for key, part in cast("dict[Any, Any]", value).items()}
    if kind is list:
        return [json_value(part) for part in cast("list[Any]", value)]
    return _rarer(value)


def _rarer(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.timedelta):
        return duration_text(value)
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    raise NotJsonError(f"the result is not a JSON value but a {type(value).__name__}")


def _key(key: Any) -> str:
    if type(key) is str:
        return key
    return ("true" if key else "false") if isinstance(key, bool) else str(key)


def duration_text(duration: dt.timedelta) -> str:
    """ISO 8601 without days and larger units, whose length is not fixed everywhere: `PT26H0.5S`."""
    microseconds = duration // dt.timedelta(microseconds=1)
    seconds, fraction = divmod(abs(microseconds), 1_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}H" if hours else ""
    text += f"{minutes}M" if minutes else ""
    if seconds or fraction or not text:
        text += f"{seconds}.{fraction:06d}".rstrip("0").rstrip(".") + "S"
    return ("-" if microseconds < 0 else "") + "PT" + text
