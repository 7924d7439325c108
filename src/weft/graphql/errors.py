"""Top-level errors: what each one tells the client, and what only the log.

| raised | code | message |
|---|---|---|
| `AccessError` | UNAUTHENTICATED, FORBIDDEN | its own |
| `RateLimited`, with `retryAfter` in seconds | LIMIT_EXCEEDED | its own |
| `CallerError` in a query or subscription | its own, with `path` and `hint` | its own |
| syntax error | GRAPHQL_PARSE_FAILED | its own |
| wrong against the schema, wrong variables | GRAPHQL_VALIDATION_FAILED | its own |
| a limit on queries | QUERY_TOO_LARGE | its own |
| a document named by its id that is not here, or with no documents here at all | PERSISTED_QUERY_NOT_FOUND, PERSISTED_QUERY_NOT_SUPPORTED | its own |
| an operation that is none of the trusted ones (`trusted`) | UNTRUSTED_DOCUMENT | its own |
| a request that is no GraphQL request | BAD_REQUEST | its own |
| a body over the limit (`http/body_limit`), or one that does not come to its end | BODY_TOO_LARGE, BODY_TOO_SLOW | its own |
| the database is away for the moment, or its disk is full (`storage/outage`) | UNAVAILABLE | to try again |
| anything else | INTERNAL | masked; the log has it under the request id |
"""

from collections.abc import Sequence
from typing import Any

import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import StrawberryInputCoercionError

from weft.domain.errors import CallerError, RateLimited, WeftError
from weft.graphql.context import Context
from weft.storage.outage import note_outage, outage

logger = structlog.stdlib.get_logger(__name__)

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
QUERY_TOO_LARGE = "QUERY_TOO_LARGE"
PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
PERSISTED_QUERY_NOT_SUPPORTED = "PERSISTED_QUERY_NOT_SUPPORTED"
UNTRUSTED_DOCUMENT = "UNTRUSTED_DOCUMENT"
BAD_REQUEST = "BAD_REQUEST"
UNAVAILABLE = "UNAVAILABLE"
INTERNAL = "INTERNAL"


def coded(code: str, message: str) -> GraphQLError:
    """An error of a request as a whole."""
    return GraphQLError(message, extensions={"code": code})


def translated(errors: Sequence[GraphQLError], context: Context) -> list[GraphQLError]:
    """The errors as the client sees them. Whatever nobody expected is logged here, once."""
    return [_translated(error, context) for error in errors]


def of_exception(error: Exception, context: Context) -> GraphQLError:
    """What ends a request, or what it opened, as the client sees it."""
    return _translated(GraphQLError(str(error), original_error=error), context)


def _translated(error: GraphQLError, context: Context) -> GraphQLError:
    cause = error.original_error
    match cause:
        case WeftError():
            message, extensions = cause.message, _explained(cause)
        case None | GraphQLError() | StrawberryInputCoercionError():
            message, extensions = error.message, {"code": _code_of(error), **(error.extensions or {})}
        case _ if (told := outage(cause)) is not None:
            note_outage(cause)
            message, extensions = told, {"code": UNAVAILABLE}
        case _:
            logger.error(
                "A GraphQL field failed.",
                request_id=context.request_id,
                path=".".join(str(part) for part in error.path or ()),
                exc_info=cause,
            )
            message = f"Something went wrong here, not in your request. The log has it as {context.request_id}."
            extensions = {"code": INTERNAL}
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={**extensions, "requestId": context.request_id},
    )


def _code_of(error: GraphQLError) -> str:
    return PARSE_FAILED if isinstance(error, GraphQLSyntaxError) else VALIDATION_FAILED


def _explained(error: WeftError) -> dict[str, Any]:
    if isinstance(error, RateLimited):
        return {"code": str(error.code), "retryAfter": round(error.retry_after_seconds, 3)}
    if not isinstance(error, CallerError):
        return {"code": str(error.code)}
    problems = [
        {"code": str(problem.code), "message": problem.message, "path": list(problem.path), "hint": problem.hint}
        for problem in error.problems
    ]
    first = problems[0]
    explained = {"code": first["code"], "path": first["path"], "hint": first["hint"]}
    return {**explained, "problems": problems} if len(problems) > 1 else explained
