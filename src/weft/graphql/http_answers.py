"""How a request went, as HTTP says it.

| | `application/graphql-response+json` | `application/json` |
|---|---|---|
| carried out, with or without errors of single fields | 200 | 200 |
| not carried out: wrong in itself, too large, not trusted | 400, without `data` | 200, without `data` |
| not carried out: no good key | 401, without `data` | 200 |
| not carried out: a fault here, or the database is away | 500, 503, without `data` | 200, without `data` |
| no GraphQL request at all (`requests`) | its own 4xx | the same |
| too many requests, or the key cannot be checked | 429, 503 | the same |

So the edition of "GraphQL over HTTP" that the audits of the `graphql-http` package check. Every answer is in UTF-8 and
has the id of its request: as a header, and in each error.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from graphql import GraphQLError
from starlette.responses import Response
from strawberry.types import ExecutionResult

from weft.domain.errors import ErrorCode
from weft.graphql.accepting import JSON, RESPONSE
from weft.graphql.errors import INTERNAL, UNAVAILABLE
from weft.kit.json import dump_bytes, dump_deep

_STATUSES = {ErrorCode.UNAUTHENTICATED.value: 401, INTERNAL: 500, UNAVAILABLE: 503}
_BY_KEY = {"WWW-Authenticate": "Bearer"}


def answer(result: ExecutionResult, media_type: str) -> Response:
    """The answer to an operation."""
    body: dict[str, Any] = {"data": result.data}
    status = 200
    headers: Mapping[str, str] | None = None
    if result.errors:
        body["errors"] = [error.formatted for error in result.errors]
        if result.data is None:
            code = _only_code(result.errors)
            refused = media_type == RESPONSE and code == ErrorCode.UNAUTHENTICATED
            if refused or not any(error.path for error in result.errors):
                del body["data"]
                if media_type == RESPONSE:
                    status = _STATUSES.get(code or "", 400)
                    headers = _BY_KEY if status == 401 else None  # noqa: PLR2004 - Unauthorized
    if result.extensions:
        body["extensions"] = result.extensions
    return _response(dump_deep(body), status, media_type, headers)


def refusal(
    status: int,
    code: str,
    message: str,
    request_id: str,
    media_type: str | None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a request that is not served."""
    error = {"message": message, "extensions": {"code": code, "requestId": request_id}}
    return _response(dump_bytes({"errors": [error]}), status, media_type or JSON, headers)


def too_soon(message: str, seconds: float, request_id: str, media_type: str | None) -> Response:
    """The answer to a request that comes too soon after others."""
    extensions = {"code": ErrorCode.LIMIT_EXCEEDED, "requestId": request_id, "retryAfter": round(seconds, 3)}
    body = dump_bytes({"errors": [{"message": message, "extensions": extensions}]})
    return _response(body, 429, media_type or JSON, {"Retry-After": str(math.ceil(seconds))})


def _response(body: bytes, status: int, media_type: str, headers: Mapping[str, str] | None) -> Response:
    # What one key may see is not for the next one's cache.
    always = {"Content-Type": f"{media_type}; charset=utf-8", "Cache-Control": "no-store"}
    return Response(body, status, {**(headers or {}), **always})


def _only_code(errors: Sequence[GraphQLError]) -> str | None:
    """The code that all of them have."""
    codes = {str((error.extensions or {}).get("code")) for error in errors}
    return codes.pop() if len(codes) == 1 else None
