"""What holds for every answer, however wrong the request was."""

import json
import re
from dataclasses import dataclass
from typing import Any, cast

STATUSES = {200, 400, 401, 405, 406, 413, 415, 429}
CODES = {
    "INVALID", "NOT_FOUND", "CONFLICT", "LIMIT_EXCEEDED", "UNAUTHENTICATED", "FORBIDDEN", "BAD_REQUEST", "BODY_TOO_LARGE",
    "GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED", "QUERY_TOO_LARGE", "PERSISTED_QUERY_NOT_SUPPORTED",
    "PERSISTED_QUERY_NOT_FOUND",
}  # fmt: skip
CLOSES = {1000, 1003, 1007, 1009, 1013, 4400, 4401, 4403, 4406, 4408, 4409, 4429}
_LEAKS = re.compile(
    r"Traceback|asyncpg|sqlalchemy|site-packages|File \"|object at 0x|\bSELECT .* FROM\b|psycopg|redis\.exceptions"
)
RESPONSE = "application/graphql-response+json"


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    content_type: str
    request_id: str | None
    body: bytes


def wrong_about_answer(answer: Answer) -> str | None:
    """What is wrong with an answer; None when nothing is."""
    if answer.status not in STATUSES:
        return f"status {answer.status}"
    if not answer.request_id:
        return "no request id"
    if answer.content_type.startswith(("text/event-stream", "multipart/")):
        return _wrong_about_stream(answer.body.decode())
    if answer.content_type.startswith("text/html"):
        return None
    try:
        content = json.loads(answer.body)
    except ValueError:
        return "no JSON"
    if answer.content_type.startswith(RESPONSE) and ("data" in content) != (answer.status == 200):
        return f"status {answer.status} for this body"
    return wrong_about_result(content, answer.request_id)


def _wrong_about_stream(text: str) -> str | None:
    for line in text.splitlines():
        data = line.removeprefix("data: ")
        if data.startswith("{") and data != "{}" and (wrong := wrong_about_result(json.loads(data), None)) is not None:
            return wrong
    return None


def wrong_about_result(content: object, request_id: str | None) -> str | None:
    """Of a GraphQL response. `request_id`: the one that its errors have to name, where it is known."""
    if not isinstance(content, dict):
        return "no object"
    result = cast("dict[str, Any]", content.get("payload", content) or content)
    if "data" not in result and not result.get("errors"):
        return "neither data nor errors"
    if "data" in result and result["data"] is not None and _internal(result["data"]):
        return "INTERNAL in a payload"
    return wrong_about_errors(result.get("errors", []), request_id)


def wrong_about_errors(errors: list[dict[str, Any]], request_id: str | None) -> str | None:
    for error in errors:
        extensions = error.get("extensions", {})
        code = extensions.get("code", error.get("code"))
        named = extensions.get("requestId", error.get("requestId"))
        if code not in CODES and not any("errors" in str(part) for part in error.get("path", ())):
            if code in {"INTERNAL", "UNAVAILABLE", None}:
                return f"code {code}"
            if not re.fullmatch(r"[A-Z_]+", str(code)):
                return f"code {code}"
        if not named or (request_id is not None and named != request_id):
            return f"request id {named} in an error of {request_id}"
        if not error.get("message") or _LEAKS.search(error["message"]):
            return f"message {error.get('message')}"
    return None


def _internal(value: object) -> bool:
    match value:
        case dict():
            fields = cast("dict[str, Any]", value)
            return fields.get("code") == "INTERNAL" or any(map(_internal, fields.values()))
        case list():
            return any(map(_internal, cast("list[Any]", value)))
        case _:
            return False


def wrong_about_close(code: int | None, reason: str) -> str | None:
    """Of a websocket that the server closed."""
    if code not in CLOSES:
        return f"closed with {code} {reason}"
    return f"closed with {code} {reason}" if _LEAKS.search(reason) else None
