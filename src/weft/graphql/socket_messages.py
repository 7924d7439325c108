"""Messages of graphql-transport-ws as they come from clients: what is wrong with them, and the key in the first one."""

from collections.abc import Mapping
from typing import Any, cast

from weft.auth.keys import bearer
from weft.graphql.requests import NotServedError, parameters_of

LONGEST_ID = 128
"""Characters of an operation's id, which is sent back with every event: a UUID has 36."""


def wrong_about(message: object) -> str | None:
    """What is wrong with a message from a client, as far as its kind is known; None for a good one."""
    if not isinstance(message, dict):
        return "A message has to be a JSON object."
    fields = cast("dict[str, Any]", message)
    if not isinstance(fields.get("type"), str):
        return "A message needs a `type`."
    if fields["type"] not in {"subscribe", "complete"}:
        return None
    if not isinstance(fields.get("id"), str):
        return "This message needs an `id`, a string."
    if len(fields["id"]) > LONGEST_ID:
        return f"The `id` of an operation may have {LONGEST_ID} characters."
    return _wrong_about_operation(fields.get("payload")) if fields["type"] == "subscribe" else None


def _wrong_about_operation(payload: object) -> str | None:
    if not isinstance(payload, dict):
        return "The `payload` of subscribe has to be an object."
    operation = cast("dict[str, Any]", payload)
    try:
        asked = parameters_of(operation)
    except NotServedError as wrong:
        return f"payload: {wrong}"
    if asked.document_id is None and not isinstance(operation.get("query"), str):
        return "`payload.query` has to be a string."
    return None


def key_in(params: Mapping[str, Any] | None) -> str | None:
    """The key in a `connection_init` payload: `Authorization` as a bearer header, or `apiKey` alone. Case is ignored."""
    for name, value in (params or {}).items():
        if isinstance(value, str):
            match name.lower():
                case "authorization":
                    return bearer(value) or value
                case "apikey":
                    return value
                case _:
                    pass
    return None
