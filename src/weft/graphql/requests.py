"""A GraphQL request as it comes over HTTP: its parameters, or why it is none.

| refused with | what |
|---|---|
| 400 | no JSON, a list of operations, parameters of wrong types |
| 405 | a method other than GET and POST; a mutation by GET |
| 406 | a client that takes nothing that this server has |
| 415 | a body that is not JSON in UTF-8 |

The rules are those of "GraphQL over HTTP", and those of its appendix on persisted documents.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from starlette.requests import Request

from weft.kit.json import in_words, loads

METHODS = ("GET", "POST")
_WAYS = "GET, POST"
_UTF8 = {"", "utf-8", "utf8", "us-ascii"}


class NotServedError(Exception):
    """A request that is no GraphQL request, or none that is served here. The message is for the client."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Parameters:
    query: str | None
    document_id: str | None
    """A trusted document, in the place of `query`."""
    variables: dict[str, Any] | None
    operation_name: str | None


def check_method(method: str) -> None:
    if method not in METHODS:
        raise NotServedError(405, f"GraphQL is served by GET and POST, not by {method[:20]}.", {"Allow": _WAYS})


def not_acceptable() -> NotServedError:
    return NotServedError(
        406,
        "None of the media types in `Accept` is served here. Take `application/graphql-response+json` or "
        "`application/json`, and `text/event-stream` for subscriptions.",
    )


def nothing_asked() -> NotServedError:
    return NotServedError(400, "There is no `query` in the request.")


def mutation_by_get() -> NotServedError:
    return NotServedError(405, "A mutation is sent by POST.", {"Allow": "POST"})


async def read_parameters(request: Request) -> Parameters:
    """Raises NotServedError."""
    if request.method == "GET":
        given: dict[str, Any] = dict(request.query_params)
        for name in ("variables", "extensions"):
            if name in given:
                given[name] = _decoded(given[name], f"`{name}` is no JSON.") if given[name] else None
    else:
        _check_content_type(request.headers.get("content-type"))
        given = _object(_decoded(await request.body(), "The request body is no JSON."))
    return parameters_of(given)


def parameters_of(given: Mapping[str, Any]) -> Parameters:
    """The parameters in an object, whichever way it came. Raises NotServedError."""
    query, operation_name = _text(given.get("query"), "query"), _text(given.get("operationName"), "operationName")
    variables = _object_or_none(given.get("variables"), "variables")
    extensions = _object_or_none(given.get("extensions"), "extensions")
    document_id = None
    if not query:
        named = given.get("documentId", given.get("id"))
        document_id = _text(_apollo_hash(extensions or {}) if named is None else named, "documentId")
    elif given.get("documentId") is not None:
        raise NotServedError(400, "A request has a `query` or a `documentId`, not both.")
    return Parameters(query or None, document_id or None, variables, operation_name or None)


def _apollo_hash(extensions: Mapping[str, Any]) -> object:
    """`extensions.persistedQuery`: an object with `sha256Hash`, as Apollo sends it, or the hash alone."""
    named = extensions.get("persistedQuery")
    return cast("dict[str, Any]", named).get("sha256Hash") if isinstance(named, dict) else named


def _text(given: object, name: str) -> str | None:
    if given is None or isinstance(given, str):
        return given
    raise NotServedError(400, f"`{name}` has to be text, and is {in_words(given)}.")


def _object_or_none(given: object, name: str) -> dict[str, Any] | None:
    if given is None or isinstance(given, dict):
        return cast("dict[str, Any] | None", given)
    raise NotServedError(400, f"`{name}` has to be an object, and is {in_words(given)}.")


def _check_content_type(content_type: str | None) -> None:
    media_type, *parameters = (content_type or "").split(";")
    if media_type.strip().lower() != "application/json":
        raise NotServedError(415, "Send the request as JSON, with the header `Content-Type: application/json`.")
    for parameter in parameters:
        name, _, charset = parameter.partition("=")
        if name.strip().lower() == "charset" and charset.strip().strip('"').lower() not in _UTF8:
            raise NotServedError(415, "Send the request in UTF-8.")


def _decoded(text: str | bytes, otherwise: str) -> Any:
    try:
        return loads(text)
    except json.JSONDecodeError as error:
        raise NotServedError(400, f"{otherwise} {error.msg}"[:200]) from error


def _object(body: object) -> dict[str, Any]:
    match body:
        case dict():
            return cast("dict[str, Any]", body)
        case None:
            return {}  # says as little as an empty object
        case list():
            raise NotServedError(
                400,
                "One operation in a request: lists of them are not served. Send several requests, at once if you like.",
            )
        case _:
            raise NotServedError(400, f"A JSON object is needed here, and this is {in_words(body)}.")
