"""What PostgreSQL can keep of texts and JSON: no NUL anywhere, no half of a surrogate pair.

A `json` column takes an escaped NUL, but no SQL function reads a value that holds one; `jsonb` and texts refuse it.
"""

from typing import Any, cast

import orjson

NUL_AS_JSON = b"\\u0000"


def is_storable_text(value: str) -> bool:
    """Postgres has no NUL in texts, and UTF-8 has no halves of surrogate pairs."""
    return "\0" not in value and (value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value))


def storable(text: str) -> str:
    """For messages, which quote what was sent: what cannot be stored is shown as a replacement character."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def why_unstorable(value: Any) -> str | None:
    """What keeps a value from being stored as JSON; None for one that can be."""
    try:
        written = orjson.dumps(value)
    except (TypeError, ValueError) as error:
        return f"it is no JSON value: {storable(str(error))}"
    return why_nul(written, value)


def why_nul(written: bytes, value: Any) -> str | None:
    """The same for a value that was written as JSON already."""
    # The six characters may also be a backslash and text: only looking at each text tells.
    if NUL_AS_JSON not in written or (path := path_to_nul(value)) is None:
        return None
    place = storable(".".join(path))
    return f"it holds the character NUL (\\u0000){f' at {place}' if place else ''}"


def path_to_nul(value: Any) -> tuple[str, ...] | None:
    """Where a JSON value holds the character NUL, in a text or in the name of a field."""
    rest: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while rest:
        path, part = rest.pop()
        if isinstance(part, dict):
            fields = cast("dict[str, Any]", part)
            rest += [((*path, name), name) for name in fields]
            rest += [((*path, name), field) for name, field in fields.items()]
        elif isinstance(part, list | tuple):
            elements = cast("list[Any]", part)
            rest += [((*path, str(index)), element) for index, element in enumerate(elements)]
        elif isinstance(part, str) and "\0" in part:
            return path
    return None
