"""What is wrong outside GraphQL, told with the id of its request: nothing there, another method, or what nobody expected."""

from typing import cast

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from weft.http.request_id import HEADER, without_link

logger = structlog.stdlib.get_logger(__name__)

_MEANINGS = {404: ("NOT_FOUND", "There is nothing here."), 405: ("BAD_REQUEST", "Another method is needed here.")}


async def no_such_thing(request: Request, error: Exception) -> JSONResponse:
    """What no route serves. Its message says nothing of the path: it may be a link that is known to few."""
    refused = cast("HTTPException", error)
    code, message = _MEANINGS.get(refused.status_code, ("BAD_REQUEST", refused.detail))
    told = {"message": message, "code": code, "requestId": request.scope.get("request_id")}
    return JSONResponse({"errors": [told]}, refused.status_code, refused.headers)


async def internal_fault(request: Request, error: Exception) -> JSONResponse:
    """The log has it with its stack, the client gets the request id to ask by."""
    request_id = request.scope.get("request_id")
    logger.error("A request failed", path=without_link(request.url.path), request_id=request_id, exc_info=error)
    fault = {"message": "Something went wrong on the server.", "code": "INTERNAL", "requestId": request_id}
    # This answer is made outside of the middleware that names requests.
    headers = {HEADER: request_id} if request_id else None
    return JSONResponse({"errors": [fault]}, 500, headers)
