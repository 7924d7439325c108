"""Calls of other services that start runs: `POST /hooks/{token}`, the `url` of a webhook trigger.

The signature is the credential. The answer is JSON, unless the service expects another (Slack, GitHub's ping):

| status | meaning |
|---|---|
| 202 | stored, and run from there: `{"id": …}`; the same call again is answered the same and stored once |
| 200 | a trial of the URL, or what the service expects in place of 202 |
| 404 | whatever is not genuine: an unknown or disabled URL, a wrong signature, a time that is over |
| 400 | genuine, but what is in it cannot be read or stored |
| 405 | not a POST |
| 408 | its body did not come to an end in time, whoever sent it |
| 413 | larger than this server takes from anybody, or genuine and larger than the trigger takes |
| 429 | genuine, and more often than the trigger allows: `Retry-After` says when to send it again |
| 503 | the database is away: send the call again soon |
"""

import math
from collections.abc import Sequence
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from weft.domain.errors import CallerError, Invalid, LimitExceeded, Problem
from weft.kit.json import dump_bytes
from weft.operations.services import Services
from weft.operations.webhook_calls import Accepted, Call, TooManyCalls, UnknownCall, WebhookCalls
from weft.operations.webhook_triggers import HOOKS
from weft.storage.outage import note_outage, outage
from weft.triggers.webhooks.scheme import Reply

_STATUSES: dict[type[CallerError], int] = {UnknownCall: 404, TooManyCalls: 429, LimitExceeded: 413, Invalid: 400}


def routes(services: Services) -> list[Route]:
    return [Route(f"{HOOKS}{{token:path}}", Hooks(WebhookCalls(services)), name="inbound webhook")]


class Hooks:
    """An ASGI application: a route of Starlette's own would make an object of every request."""

    def __init__(self, calls: WebhookCalls) -> None:
        self._calls = calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._answer(scope, receive)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        if scope["method"] != "POST":
            problem = Problem(Invalid.code, "A webhook is called with POST.")
            return _refused(405, [problem], {"Allow": "POST"})
        body = await Request(scope, receive).body()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        call = Call(scope["path_params"]["token"], headers, scope["query_string"], body)
        try:
            accepted = await self._calls.receive(call)
        except TooManyCalls as error:
            return _refused(429, error.problems, {"Retry-After": str(math.ceil(error.wait_seconds))})
        except CallerError as error:
            return _refused(_STATUSES[type(error)], error.problems)
        except Exception as error:
            if (told := outage(error)) is None:
                raise
            note_outage(error)
            return _refused(503, [{"code": "UNAVAILABLE", "message": told}], {"Retry-After": "1"})
        match accepted:
            case Reply():
                return _replied(accepted)
            case Accepted(reply=Reply() as reply):
                return _replied(reply)
            case Accepted():
                return Response(dump_bytes({"id": str(accepted.event_id)}), 202, media_type="application/json")


def _replied(reply: Reply) -> Response:
    return Response(reply.body, 200, media_type=reply.media_type)


def _refused(
    status: int, problems: Sequence[Problem | dict[str, Any]], headers: dict[str, str] | None = None
) -> Response:
    return Response(dump_bytes({"errors": problems}), status, headers, "application/json")
